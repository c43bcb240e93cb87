/**
 * Counts the changes that are passed to the persistence.
 *
 * @module
 */
import type { Message } from "../message.ts";
import type {
  KeptDelivery,
  KeptSession,
  KeptState,
  KeptWill,
  Persistence,
} from "../persistence/persistence.ts";

/** Passes all changes on, and counts them. */
export class CountedPersistence implements Persistence {
  /** The number of changes. */
  changes = 0;
  readonly #inner: Persistence;

  constructor(inner: Persistence) {
    this.#inner = inner;
  }

  load(): KeptState {
    return this.#inner.load();
  }

  setRetained(topic: string, message: Message | undefined): void {
    this.changes++;
    this.#inner.setRetained(topic, message);
  }

  setSession(session: KeptSession): void {
    this.changes++;
    this.#inner.setSession(session);
  }

  deleteSession(clientId: string): void {
    this.changes++;
    this.#inner.deleteSession(clientId);
  }

  setDelivery(clientId: string, delivery: KeptDelivery): void {
    this.changes++;
    this.#inner.setDelivery(clientId, delivery);
  }

  deleteDelivery(clientId: string, sequence: number): void {
    this.changes++;
    this.#inner.deleteDelivery(clientId, sequence);
  }

  setWill(clientId: string, will: KeptWill | undefined): void {
    this.changes++;
    this.#inner.setWill(clientId, will);
  }

  afterCommit(callback: () => void): void {
    this.#inner.afterCommit(callback);
  }
}

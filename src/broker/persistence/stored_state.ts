/**
 * Keeps the state of the broker as records of a store.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { type Records, StoreError } from "../../store/store.ts";
import type { Message } from "../message.ts";
import type {
  KeptDelivery,
  KeptSession,
  KeptState,
  KeptWill,
  Persistence,
} from "./persistence.ts";
import {
  type BrokerRecord,
  decodeRecord,
  type DeliveryRecord,
  encodeDelivery,
  encodeMessage,
  encodeSession,
  encodeWill,
} from "./record_codec.ts";

/** A message that deliveries of one or more sessions refer to. */
interface StoredMessage {
  readonly id: number;
  /** The number of deliveries. */
  references: number;
}

interface StoredDelivery {
  readonly id: number;
  readonly message: Message;
}

/** The records of a session. */
interface StoredSession {
  readonly id: number;
  /** By sequence. */
  readonly deliveries: Map<number, StoredDelivery>;
}

/**
 * Writes each change to the records of a store. A message to many sessions is
 * stored once.
 */
export class StoredState implements Persistence {
  readonly #records: Records;
  /** Ids of records, by topic. */
  readonly #retained = new Map<string, number>();
  readonly #sessions = new Map<string, StoredSession>();
  readonly #messages = new Map<Message, StoredMessage>();
  /** Ids of records, by client. */
  readonly #wills = new Map<string, number>();

  constructor(records: Records) {
    this.#records = records;
  }

  /** @throws {StoreError} if the records cannot be read */
  load(): KeptState {
    const retained: Message[] = [];
    const sessions = new Map<
      string,
      { readonly session: KeptSession; readonly deliveries: KeptDelivery[] }
    >();
    const wills: KeptWill[] = [];
    const messages = new Map<number, Message>();
    const deliveries: (readonly [id: number, DeliveryRecord])[] = [];
    for (const [id, bytes] of this.#records.load("broker")) {
      const record = decode(bytes);
      switch (record.kind) {
        case "retained":
          this.#retained.set(record.message.topic, id);
          retained.push(record.message);
          break;
        case "message":
          messages.set(id, record.message);
          this.#messages.set(record.message, { id, references: 0 });
          break;
        case "session": {
          const { session } = record;
          this.#sessions.set(session.clientId, { id, deliveries: new Map() });
          sessions.set(session.clientId, { session, deliveries: [] });
          break;
        }
        case "will":
          this.#wills.set(record.will.clientId, id);
          wills.push(record.will);
          break;
        case "delivery":
          deliveries.push([id, record.delivery]);
      }
    }
    // A session or message can have a higher id than its deliveries.
    for (const [id, { clientId, messageId, ...rest }] of deliveries) {
      const message = messages.get(messageId);
      const session = sessions.get(clientId);
      if (message === undefined || session === undefined) {
        this.#records.delete(id);
        continue;
      }
      session.deliveries.push({ ...rest, message });
      this.#messages.get(message)!.references++;
      const stored = this.#sessions.get(clientId)!;
      stored.deliveries.set(rest.sequence, { id, message });
    }
    for (const message of messages.values()) this.#releaseUnused(message);
    for (const { deliveries } of sessions.values()) {
      deliveries.sort((a, b) => a.sequence - b.sequence);
    }
    const restored = [...sessions.values()]
      .map(({ session, deliveries }) => ({ ...session, deliveries }));
    return { retained, sessions: restored, wills };
  }

  setRetained(topic: string, message: Message | undefined): void {
    const id = this.#retained.get(topic);
    if (message === undefined) {
      if (id === undefined) return;
      this.#records.delete(id);
      this.#retained.delete(topic);
      return;
    }
    const encode = () => encodeMessage("retained", message);
    if (id !== undefined) this.#records.replace(id, encode);
    else this.#retained.set(topic, this.#records.add("broker", encode));
  }

  setSession(session: KeptSession): void {
    const { clientId } = session;
    const encode = () => encodeSession(session);
    let stored = this.#sessions.get(clientId);
    if (stored === undefined) {
      stored = {
        id: this.#records.add("broker", encode),
        deliveries: new Map(),
      };
      this.#sessions.set(clientId, stored);
    } else this.#records.replace(stored.id, encode);
    // The QoS 2 packet ids are kept exactly with the messages that have them.
    this.#records.bind(stored.id);
  }

  deleteSession(clientId: string): void {
    const stored = this.#sessions.get(clientId);
    if (stored === undefined) return;
    for (const sequence of stored.deliveries.keys()) {
      this.deleteDelivery(clientId, sequence);
    }
    this.#records.delete(stored.id);
    this.#sessions.delete(clientId);
  }

  /** @throws {RangeError} if the session was not set */
  setDelivery(clientId: string, delivery: KeptDelivery): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) throw new RangeError("the session is not kept");
    const { message, sequence } = delivery;
    const before = session.deliveries.get(sequence);
    const messageId = this.#messageId(message, before === undefined);
    const encode = () => encodeDelivery(clientId, messageId, delivery);
    if (before !== undefined) this.#records.replace(before.id, encode);
    else {
      const id = this.#records.add("broker", encode);
      session.deliveries.set(sequence, { id, message });
    }
  }

  deleteDelivery(clientId: string, sequence: number): void {
    const deliveries = this.#sessions.get(clientId)?.deliveries;
    const stored = deliveries?.get(sequence);
    if (deliveries === undefined || stored === undefined) return;
    deliveries.delete(sequence);
    this.#records.delete(stored.id);
    this.#messages.get(stored.message)!.references--;
    this.#releaseUnused(stored.message);
  }

  setWill(clientId: string, will: KeptWill | undefined): void {
    const id = this.#wills.get(clientId);
    if (will === undefined) {
      if (id === undefined) return;
      this.#records.delete(id);
      this.#wills.delete(clientId);
      return;
    }
    const encode = () => encodeWill(will);
    if (id !== undefined) this.#records.replace(id, encode);
    else this.#wills.set(clientId, this.#records.add("broker", encode));
  }

  afterCommit(callback: () => void): void {
    this.#records.afterCommit(callback);
  }

  /** Returns the id of the record of a message. Adds it if there is none. */
  #messageId(message: Message, isNewReference: boolean): number {
    let stored = this.#messages.get(message);
    if (stored === undefined) {
      const id = this.#records.add(
        "broker",
        () => encodeMessage("message", message),
      );
      this.#messages.set(message, stored = { id, references: 0 });
    }
    if (isNewReference) stored.references++;
    return stored.id;
  }

  #releaseUnused(message: Message): void {
    const stored = this.#messages.get(message);
    if (stored === undefined || stored.references > 0) return;
    this.#records.delete(stored.id);
    this.#messages.delete(message);
  }
}

function decode(bytes: Uint8Array): BrokerRecord {
  try {
    return decodeRecord(bytes);
  } catch (cause) {
    throw new StoreError(
      `Cannot read the stored state of the broker: ${messageOf(cause)}`,
      {
        hint:
          "Use the version of occupancy that wrote it, or another file with --store.",
        cause,
      },
    );
  }
}

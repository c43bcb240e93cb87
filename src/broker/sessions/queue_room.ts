/**
 * How much the queue of a session holds, and whether it takes another message.
 *
 * @module
 */
import type { Identity } from "../access/access.ts";
import type { Message } from "../message.ts";
import type { SessionContext } from "./context.ts";
import { messageBytes } from "./queue_budget.ts";

/** A queue is full for all messages above this share of its bytes. */
const FULL_SHARE = 15 / 16;

/** The session of a queue. */
export interface QueueOwner {
  readonly clientId: string;
  readonly identity: Identity;
  /** True if its state is kept for the next start. */
  readonly isKept: boolean;
  /** Called when the queue starts or stops dropping all messages. */
  stateChanged(): void;
}

/** Counts the messages of a queue and their bytes, up to the limits. */
export class QueueRoom {
  readonly #owner: QueueOwner;
  readonly #context: SessionContext;
  #messages = 0;
  #bytes = 0;
  /** True after a message was dropped, until the queue was empty. */
  #isFull = false;
  #isBlocked = false;

  constructor(owner: QueueOwner, context: SessionContext) {
    this.#owner = owner;
    this.#context = context;
  }

  /** The number of messages. */
  get messages(): number {
    return this.#messages;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * True if all messages are dropped until {@linkcode QueueRoom.unblock}: the
   * client is disconnected, and the queue is full.
   */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Accepts messages again: there may be room. */
  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#owner.stateChanged();
  }

  /**
   * Returns true if a message can be added. Otherwise counts it as dropped, and
   * reports the queue as full unless it was reported since it was empty.
   *
   * @param isConnected false if nothing makes room before the client connects
   */
  admit(message: Message, isConnected: boolean): boolean {
    const { budget, onDropped } = this.#context;
    if (this.#isBlocked || !this.#hasRoom(message)) {
      onDropped(this.#owner.clientId);
      this.#setFull(isConnected);
      return false;
    }
    if (budget.hasRoom(message)) return true;
    onDropped(this.#owner.clientId);
    return false;
  }

  /** Counts a message that was added. */
  add(message: Message): void {
    this.#context.budget.add(message);
    this.#messages++;
    this.#bytes += messageBytes(message);
  }

  /** Counts a message that was removed. */
  remove(message: Message): void {
    this.#context.budget.remove(message);
    this.#bytes -= messageBytes(message);
    if (--this.#messages === 0) this.#isFull = false;
  }

  #hasRoom(message: Message): boolean {
    const { limits } = this.#context;
    // One message is always possible, however long: packets have a limit.
    return this.#messages === 0 ||
      (this.#messages < limits.maxMessages &&
        this.#bytes + messageBytes(message) <= limits.maxBytes);
  }

  #setFull(isConnected: boolean): void {
    const { limits, onFull } = this.#context;
    if (
      !isConnected && !this.#isBlocked &&
      // A shorter message may have room.
      (this.#messages >= limits.maxMessages ||
        this.#bytes > limits.maxBytes * FULL_SHARE)
    ) {
      this.#isBlocked = true;
      this.#owner.stateChanged();
    }
    if (this.#isFull) return;
    this.#isFull = true;
    onFull(this.#owner.clientId);
  }
}

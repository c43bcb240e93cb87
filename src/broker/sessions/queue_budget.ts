/**
 * The memory of all queues together.
 *
 * @module
 */
import type { Message } from "../message.ts";

/** Of a message: its objects and the heads of its buffers. */
const MESSAGE_BYTES = 400;
/** Of a message in the queue of a session. */
const ENTRY_BYTES = 150;

/** Returns how many bytes a message needs, approximately. */
export function messageBytes(message: Message): number {
  return MESSAGE_BYTES + message.topic.length + message.payload.length +
    (message.properties?.length ?? 0);
}

/**
 * Counts the memory of queued and unacknowledged messages. A message in many
 * queues counts once.
 */
export class QueueBudget {
  readonly #maxBytes: number;
  /** Frees memory. Returns false if it cannot. */
  readonly #freeMemory: () => boolean;
  #bytes = 0;
  #messages = 0;
  /** True after no memory could be freed, until something has changed. */
  #isStuck = false;

  constructor(maxBytes: number, freeMemory: () => boolean) {
    this.#maxBytes = maxBytes;
    this.#freeMemory = freeMemory;
  }

  /** The bytes in use, approximately. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of messages; one in several queues counts once for each. */
  get messages(): number {
    return this.#messages;
  }

  /** Returns true if a message can be added to a queue. */
  hasRoom(message: Message): boolean {
    const bytes = this.#costOf(message);
    while (this.#bytes + bytes > this.#maxBytes) {
      if (this.#isStuck) return false;
      this.#isStuck = !this.#freeMemory();
    }
    return true;
  }

  /** Called when a session can be ended to free memory. */
  retry(): void {
    this.#isStuck = false;
  }

  /** Called when a message was added to a queue. */
  add(message: Message): void {
    this.#bytes += this.#costOf(message);
    this.#messages++;
    this.#isStuck = false;
    message.holders++;
  }

  /** Called when a message was removed from a queue. */
  remove(message: Message): void {
    message.holders--;
    this.#messages--;
    this.#bytes -= this.#costOf(message);
  }

  #costOf(message: Message): number {
    return ENTRY_BYTES + (message.holders === 0 ? messageBytes(message) : 0);
  }
}

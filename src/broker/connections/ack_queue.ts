/**
 * The messages of one client that are not acknowledged yet, in the order of
 * their arrival (MQTT 5, 4.6).
 *
 * @module
 */

/** Maximum number of unacknowledged messages of one client. */
const MAX_MESSAGES = 4096;
/** Their payload bytes. One more message or read may exceed the limit. */
const MAX_BYTES = 1024 * 1024;

/** An entry of an {@linkcode AckQueue}. */
export abstract class AckEntry {
  /** The queue of its client. */
  readonly queue: AckQueue;
  /** True if it waits only for the entries before it. */
  isDone = false;
  /** The next entry of the queue. */
  following: AckEntry | undefined;

  constructor(queue: AckQueue) {
    this.queue = queue;
  }

  /** The number of messages. */
  abstract readonly messages: number;
  /** Bytes that count towards the limit. */
  abstract readonly size: number;
  /** Acknowledges and routes the messages. Called once, in order. */
  abstract finish(): void;
}

/**
 * A queue of messages. The server may acknowledge them in any order; each is
 * finished after all before it.
 */
export class AckQueue {
  #head: AckEntry | undefined;
  #tail: AckEntry | undefined;
  #messages = 0;
  #bytes = 0;
  /** Called once, when the queue is no longer full. */
  onRoom: (() => void) | undefined;

  /** True if no more should be read from this client. */
  get isFull(): boolean {
    return this.#messages >= MAX_MESSAGES || this.#bytes >= MAX_BYTES;
  }

  /** True if nothing waits. */
  get isEmpty(): boolean {
    return this.#head === undefined;
  }

  /** The last entry. */
  get last(): AckEntry | undefined {
    return this.#tail;
  }

  /** Adds an entry, which may be done. */
  add(entry: AckEntry): void {
    if (this.#tail === undefined) this.#head = entry;
    else this.#tail.following = entry;
    this.#tail = entry;
    this.#messages += entry.messages;
    this.#bytes += entry.size;
  }

  /** Counts a message that is added to the last entry. */
  grow(): void {
    this.#messages++;
  }

  /** Marks an entry as done. Ignores repeated calls. */
  complete(entry: AckEntry): void {
    if (entry.isDone) return;
    entry.isDone = true;
    if (this.#head !== entry) return;
    for (;;) {
      const next: AckEntry | undefined = this.#head;
      if (next === undefined || !next.isDone) break;
      // Removed first: finish() can add entries.
      this.#head = next.following;
      if (next.following === undefined) this.#tail = undefined;
      this.#messages -= next.messages;
      this.#bytes -= next.size;
      next.finish();
    }
    if (this.onRoom === undefined || this.isFull) return;
    const { onRoom } = this;
    this.onRoom = undefined;
    onRoom();
  }
}

/**
 * Counts the memory of replies. Several replies may have the same memory.
 *
 * @module
 */
import type { Reply } from "./reply.ts";

/** The memory of the replies that are added. */
export class ReplyMemory {
  /** How many replies need the memory of a body, by owner. */
  readonly #owners = new Map<object, number>();
  #bytes = 0;

  /** The memory of all replies, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns true if a reply has this memory. */
  holds(owner: object): boolean {
    return this.#owners.has(owner);
  }

  /** Adds a reply. */
  add({ body }: Reply): void {
    const owner = body.owner ?? body;
    const count = this.#owners.get(owner) ?? 0;
    this.#owners.set(owner, count + 1);
    if (count === 0) this.#bytes += body.bytes;
  }

  /** Removes a reply that was added. */
  remove({ body }: Reply): void {
    const owner = body.owner ?? body;
    const count = this.#owners.get(owner)! - 1;
    if (count > 0) this.#owners.set(owner, count);
    else {
      this.#owners.delete(owner);
      this.#bytes -= body.bytes;
    }
  }
}

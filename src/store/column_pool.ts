/**
 * Memory for columns that are needed briefly, again and again.
 *
 * @module
 */

/** A constructor of typed arrays. */
export interface ColumnType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
}

const ALIGNMENT_BYTES = 8;
/** Columns beyond this are allocated one by one: they are rare. */
const MAX_BYTES = 1024 * 1024;

/**
 * Typed arrays in one block of memory, which is used again. To allocate each one
 * costs more than to fill it: its memory is cleared, is not in the cache of the
 * processor, and is collected later.
 */
export class ColumnPool {
  #memory = new ArrayBuffer(0);
  /** Bytes of the typed arrays since the last reuse, in the block or not. */
  #used = 0;

  /**
   * Returns a typed array with any content. Its offset is a multiple of 8 bytes.
   *
   * @param length number of elements
   */
  take<T>(Type: ColumnType<T>, length: number): T {
    const start = this.#used;
    const end = start + length * Type.BYTES_PER_ELEMENT;
    this.#used = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return end <= this.#memory.byteLength
      ? new Type(this.#memory, start, length)
      : new Type(length);
  }

  /** Takes all typed arrays back: the next ones overwrite them. */
  reuse(): void {
    const wanted = Math.min(this.#used, MAX_BYTES);
    if (wanted > this.#memory.byteLength) {
      this.#memory = new ArrayBuffer(Math.min(2 * wanted, MAX_BYTES));
    }
    this.#used = 0;
  }
}

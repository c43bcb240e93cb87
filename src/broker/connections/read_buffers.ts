/**
 * Memory into which the connections read.
 *
 * @module
 */

/** The buffer of an idle connection. */
const SMALL_BYTES = 512;
/** The buffer of a connection whose reads fill it. */
export const LARGE_BYTES: number = 64 * 1024;
/** The same if there is none left. */
const MEDIUM_BYTES = 8 * 1024;
/** A read with at least this many bytes is followed by another large one. */
const BUSY_BYTES = 16 * 1024;
/** Large buffers that connections may hold while they wait for bytes. */
const MAX_LARGE_BUFFERS = 256;
/** Large buffers that are kept for the next read. */
const MAX_SPARE_BUFFERS = 16;

/** The memory of all connections. */
export class ReadBuffers {
  readonly #maxIncompleteBytes: number;
  readonly #spare: Uint8Array[] = [];
  #large = 0;
  #incompleteBytes = 0;

  /**
   * @param maxIncompleteBytes for packets of all connections of which a part
   * has arrived, if they are longer than 64 KiB
   */
  constructor(maxIncompleteBytes: number) {
    this.#maxIncompleteBytes = maxIncompleteBytes;
  }

  /** Returns a large buffer; undefined if too many are in use. */
  takeLarge(): Uint8Array | undefined {
    if (this.#large >= MAX_LARGE_BUFFERS) return undefined;
    this.#large++;
    return this.#spare.pop() ?? new Uint8Array(LARGE_BYTES);
  }

  /**
   * Takes back a buffer that {@linkcode takeLarge} returned.
   *
   * @param isFree false if others use its bytes now
   */
  returnLarge(buffer: Uint8Array, isFree: boolean): void {
    this.#large--;
    if (isFree && this.#spare.length < MAX_SPARE_BUFFERS) {
      this.#spare.push(buffer);
    }
  }

  /** Counts memory for an incomplete packet; returns false if it is too much. */
  addIncomplete(bytes: number): boolean {
    if (this.#incompleteBytes + bytes > this.#maxIncompleteBytes) return false;
    this.#incompleteBytes += bytes;
    return true;
  }

  /** Ends an {@linkcode addIncomplete}. */
  removeIncomplete(bytes: number): void {
    this.#incompleteBytes -= bytes;
  }
}

/**
 * What a connection has read and not handled. The buffer is small while the
 * connection is idle.
 */
export class Input {
  readonly #buffers: ReadBuffers;
  /** Contains the bytes; use it only until {@linkcode space}. */
  bytes: Uint8Array = new Uint8Array(SMALL_BYTES);
  /** The offset of the first byte that is not handled. */
  start = 0;
  /** The offset after the last byte. */
  end = 0;
  /** Whether `bytes` is one of the large buffers. */
  #isLarge = false;
  /** Bytes counted as an incomplete packet. */
  #incomplete = 0;
  /** True if others use parts of `bytes`. */
  #isShared = false;
  /** True if the next read will probably be long. */
  #isBusy = false;

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
  }

  /**
   * Returns where to read the next bytes.
   *
   * @param packetBytes the length of the packet that begins at `start`; 0 if it
   * is unknown
   * @returns undefined if there is no memory for the packet
   */
  space(packetBytes: number): Uint8Array | undefined {
    const rest = this.end - this.start;
    if (packetBytes > LARGE_BYTES) {
      return this.#spaceFor(packetBytes, rest);
    }
    const wantsLarge = this.#isBusy || packetBytes > SMALL_BYTES ||
      rest >= SMALL_BYTES;
    const isReusable = !this.#isShared && this.#incomplete === 0 &&
      this.#isLarge === wantsLarge;
    if (isReusable) {
      if (rest === 0) this.start = this.end = 0;
      else if (this.end === this.bytes.length || this.start > rest) {
        this.bytes.copyWithin(0, this.start, this.end);
        this.start = 0;
        this.end = rest;
      }
    } else {
      const large = wantsLarge ? this.#buffers.takeLarge() : undefined;
      const minimum = wantsLarge ? MEDIUM_BYTES : SMALL_BYTES;
      const size = Math.max(minimum, packetBytes, 2 * rest);
      this.#replace(large ?? new Uint8Array(size), large !== undefined);
    }
    return this.bytes.subarray(this.end);
  }

  /** Adds the bytes of a read into {@linkcode space}. */
  received(count: number): void {
    this.end += count;
    this.#isBusy = this.end === this.bytes.length || count >= BUSY_BYTES;
  }

  /**
   * Returns bytes that do not change: these, or a copy.
   *
   * @param part a part of `bytes`
   */
  keep(part: Uint8Array): Uint8Array {
    if (2 * part.length < this.bytes.length) return part.slice();
    this.#isShared = true;
    return part;
  }

  /** Releases the memory. */
  close(): void {
    this.start = this.end = 0;
    this.#replace(EMPTY, false);
  }

  /** Grows with what has arrived: an announced length costs nothing. */
  #spaceFor(packetBytes: number, rest: number): Uint8Array | undefined {
    const isRoomLeft = !this.#isShared && this.start === 0 &&
      this.end < this.bytes.length;
    if (isRoomLeft && this.#incomplete > 0) {
      return this.bytes.subarray(this.end, packetBytes);
    }
    const size = Math.min(packetBytes, Math.max(4 * rest, 4 * LARGE_BYTES));
    const { bytes } = this;
    if (!this.#buffers.addIncomplete(size)) return undefined;
    const grown = new Uint8Array(size);
    grown.set(bytes.subarray(this.start, this.end));
    this.#release();
    this.#incomplete = size;
    this.bytes = grown;
    this.start = 0;
    this.end = rest;
    return grown.subarray(rest);
  }

  #replace(next: Uint8Array, isLarge: boolean): void {
    const rest = this.end - this.start;
    if (rest > 0) next.set(this.bytes.subarray(this.start, this.end));
    this.#release();
    this.bytes = next;
    this.#isLarge = isLarge;
    this.start = 0;
    this.end = rest;
  }

  #release(): void {
    if (this.#isLarge) this.#buffers.returnLarge(this.bytes, !this.#isShared);
    if (this.#incomplete > 0) this.#buffers.removeIncomplete(this.#incomplete);
    this.#isLarge = false;
    this.#incomplete = 0;
    this.#isShared = false;
  }
}

const EMPTY = new Uint8Array(0);

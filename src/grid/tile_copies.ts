/**
 * Copies of encoded tiles in few large buffers.
 *
 * @module
 */
import { MAX_TILE_BYTES } from "./tile_codec.ts";

const CHUNK_BYTES = 256 * 1024;
/** Before each copy: its length, uint32. */
const HEAD_BYTES = 4;
/** Addresses count in this unit, so that 32 bits reach 32 GiB. */
const UNIT_BYTES = 8;
const CHUNK_UNITS = CHUNK_BYTES / UNIT_BYTES;

/** A buffer with copies, one after the other. */
interface Chunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** Copies that were not released yet, each counted by owner. */
  pending: number;
}

/**
 * Keeps encoded tiles until they are released. A buffer for each tile would need
 * ten times the memory of a tile with one cell.
 */
export class TileCopies {
  /** The buffers by number; undefined when all their copies were released. */
  readonly #chunks: (Chunk | undefined)[] = [];
  /** Numbers without a buffer. */
  readonly #free: number[] = [];
  /** The number of the buffer that is filled next; -1: none. */
  #current = -1;
  /** Its free part begins here. */
  #at = CHUNK_BYTES;
  #bytes = 0;

  /** Memory of the buffers. At most one of them has no copies. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a copy.
   *
   * @param encode writes up to `MAX_TILE_BYTES` to the bytes from an offset, and
   * returns the offset after the last one
   * @returns the address for {@linkcode TileCopies.read}, never 0
   */
  add(encode: (bytes: Uint8Array, from: number) => number): number {
    if (this.#at + HEAD_BYTES + MAX_TILE_BYTES > CHUNK_BYTES) this.#extend();
    const chunk = this.#chunks[this.#current]!;
    const start = this.#at;
    const end = encode(chunk.bytes, start + HEAD_BYTES);
    chunk.view.setUint32(start, end - start - HEAD_BYTES, true);
    chunk.pending++;
    this.#at = Math.ceil(end / UNIT_BYTES) * UNIT_BYTES;
    return this.#current * CHUNK_UNITS + start / UNIT_BYTES + 1;
  }

  /**
   * Returns a copy.
   *
   * @param address as {@linkcode TileCopies.add} returned it
   * @returns its bytes, valid until it is released
   */
  read(address: number): Uint8Array<ArrayBuffer> {
    const { bytes, view } = this.#chunks[chunkOf(address)]!;
    const start = (address - 1) % CHUNK_UNITS * UNIT_BYTES;
    const from = start + HEAD_BYTES;
    return bytes.subarray(from, from + view.getUint32(start, true));
  }

  /** Adds an owner of a copy: each owner releases it once. */
  retain(address: number): void {
    this.#chunks[chunkOf(address)]!.pending++;
  }

  /** Releases a copy. Its last owner removes it. */
  release(address: number): void {
    const number = chunkOf(address);
    if (--this.#chunks[number]!.pending > 0) return;
    if (number === this.#current) this.#at = 0;
    else this.#drop(number);
  }

  /** Adds a buffer. */
  #extend(): void {
    const bytes = new Uint8Array(CHUNK_BYTES);
    const view = new DataView(bytes.buffer);
    this.#current = this.#free.pop() ?? this.#chunks.length;
    this.#chunks[this.#current] = { bytes, view, pending: 0 };
    this.#bytes += CHUNK_BYTES;
    this.#at = 0;
  }

  /** Frees a buffer without copies. */
  #drop(number: number): void {
    this.#chunks[number] = undefined;
    this.#free.push(number);
    this.#bytes -= CHUNK_BYTES;
  }
}

/** Returns the number of the buffer that an address is in. */
function chunkOf(address: number): number {
  return Math.floor((address - 1) / CHUNK_UNITS);
}

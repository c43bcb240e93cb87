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
  /** Number of copies that were not released yet. */
  pending: number;
}

/**
 * Keeps encoded tiles until they are released. A buffer for each tile would need
 * ten times the memory of a tile with one cell.
 */
export class TileCopies {
  /** The buffers by number; undefined when all its copies were released. */
  #chunks: (Chunk | undefined)[] = [];
  /** The free part of the last buffer begins here. */
  #at = CHUNK_BYTES;
  #bytes = 0;

  /** Memory of the buffers. */
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
    const number = this.#chunks.length - 1;
    const chunk = this.#chunks[number]!;
    const start = this.#at;
    const end = encode(chunk.bytes, start + HEAD_BYTES);
    chunk.view.setUint32(start, end - start - HEAD_BYTES, true);
    chunk.pending++;
    this.#at = Math.ceil(end / UNIT_BYTES) * UNIT_BYTES;
    return number * CHUNK_UNITS + start / UNIT_BYTES + 1;
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

  /** Removes a copy. */
  release(address: number): void {
    const number = chunkOf(address);
    this.#chunks[number]!.pending--;
    if (number < this.#chunks.length - 1) this.#drop(number);
  }

  /** Removes all copies. */
  clear(): void {
    this.#chunks = [];
    this.#at = CHUNK_BYTES;
    this.#bytes = 0;
  }

  /** Adds a buffer. */
  #extend(): void {
    const bytes = new Uint8Array(CHUNK_BYTES);
    const view = new DataView(bytes.buffer);
    this.#drop(this.#chunks.length - 1);
    this.#chunks.push({ bytes, view, pending: 0 });
    this.#bytes += CHUNK_BYTES;
    this.#at = 0;
  }

  /** Frees a buffer if no copy is in it. */
  #drop(number: number): void {
    if (this.#chunks[number]?.pending !== 0) return;
    this.#chunks[number] = undefined;
    this.#bytes -= CHUNK_BYTES;
  }
}

/** Returns the number of the buffer that an address is in. */
function chunkOf(address: number): number {
  return Math.floor((address - 1) / CHUNK_UNITS);
}

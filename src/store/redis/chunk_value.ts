/**
 * A chunk of a checkpoint as a value in Redis:
 *
 * | bytes | content |
 * |---|---|
 * | 4 | CRC-32 of all that follows, and of the id in decimal |
 * | 4 | length of the layer's name in UTF-8 |
 * | 8 | `StoredChunk.first`, float64 |
 * | 8 | `StoredChunk.began`, float64; NaN for undefined |
 * | | the name of the layer |
 * | | the tiles |
 *
 * Numbers are little-endian.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { StoredChunk } from "../checkpoint_target.ts";

const HEAD_BYTES = 24;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Returns the value of a chunk. */
export function encodeChunk(chunk: StoredChunk): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(chunk.layer);
  const start = HEAD_BYTES + name.length;
  const value = new Uint8Array(start + chunk.bytes.length);
  const view = new DataView(value.buffer);
  view.setUint32(4, name.length, true);
  view.setFloat64(8, chunk.first, true);
  view.setFloat64(16, chunk.began ?? NaN, true);
  value.set(name, HEAD_BYTES);
  value.set(chunk.bytes, start);
  view.setUint32(0, sumOf(chunk.id, value), true);
  return value;
}

/**
 * Parses the value of a chunk.
 *
 * @param id its id
 * @param value from Redis
 * @throws {RangeError} if it is not what was written under this id
 */
export function decodeChunk(id: number, value: Uint8Array): StoredChunk {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (
    value.length < HEAD_BYTES || view.getUint32(0, true) !== sumOf(id, value)
  ) throw new RangeError(`chunk ${id} has a wrong checksum`);
  const start = HEAD_BYTES + view.getUint32(4, true);
  const began = view.getFloat64(16, true);
  return {
    id,
    layer: decoder.decode(value.subarray(HEAD_BYTES, start)),
    bytes: value.subarray(start),
    first: view.getFloat64(8, true),
    began: Number.isNaN(began) ? undefined : began,
  };
}

function sumOf(id: number, value: Uint8Array): number {
  return crc32(`${id}`, crc32(value.subarray(4)));
}

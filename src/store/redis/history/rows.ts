/**
 * Rows and tiles as they are in Redis.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { HistoryRow, HistoryTile } from "../../history_tables.ts";

const CRC_BYTES = 4;
const LENGTH_BYTES = 4;
const TILE_BYTES = 8;
/** Tiles are sorted by their bytes: negative coordinates first. */
const TILE_OFFSET = 2 ** 31;

/** Returns the bytes of a row behind their CRC-32. */
export function encodeRow(bytes: Uint8Array): Uint8Array {
  const row = Buffer.allocUnsafe(CRC_BYTES + bytes.length);
  row.writeUInt32BE(crc32(bytes), 0);
  row.set(bytes, CRC_BYTES);
  return row;
}

/** Returns a row whose bytes are undefined if it is damaged. */
export function decodeRow(row: Uint8Array): HistoryRow {
  if (row.length < CRC_BYTES) return { bytes: undefined };
  const { buffer, byteOffset, length } = row;
  const expected = new DataView(buffer, byteOffset).getUint32(0);
  const bytes = new Uint8Array(
    ...[buffer, byteOffset + CRC_BYTES, length - CRC_BYTES] as const,
  );
  return { bytes: crc32(bytes) === expected ? bytes : undefined };
}

/** Returns a part: its length, and its row. Parts are written behind each other. */
export function encodePart(bytes: Uint8Array): Uint8Array {
  const part = Buffer.allocUnsafe(LENGTH_BYTES + CRC_BYTES + bytes.length);
  part.writeUInt32BE(bytes.length, 0);
  part.set(encodeRow(bytes), LENGTH_BYTES);
  return part;
}

/** Returns the rows of parts. What is not complete is one damaged row. */
export function decodeParts(parts: Uint8Array): HistoryRow[] {
  const rows: HistoryRow[] = [];
  const view = new DataView(parts.buffer, parts.byteOffset, parts.length);
  for (let at = 0; at < parts.length;) {
    const isCut = at + LENGTH_BYTES > parts.length;
    const length = isCut ? Infinity : view.getUint32(at) + CRC_BYTES;
    const end = at + LENGTH_BYTES + length;
    if (end > parts.length) {
      rows.push({ bytes: undefined });
      break;
    }
    rows.push(decodeRow(parts.subarray(at + LENGTH_BYTES, end)));
    at = end;
  }
  return rows;
}

/** Returns a tile as bytes, in the order of `tx`, then `ty`. */
export function encodeTile(tx: number, ty: number): Uint8Array {
  const bytes = new Uint8Array(TILE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, tx + TILE_OFFSET);
  view.setUint32(4, ty + TILE_OFFSET);
  return bytes;
}

/** Returns the tile of bytes; undefined if they are none. */
export function decodeTile(
  bytes: Uint8Array,
): Pick<HistoryTile, "tx" | "ty"> | undefined {
  if (bytes.length !== TILE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    tx: view.getUint32(0) - TILE_OFFSET,
    ty: view.getUint32(4) - TILE_OFFSET,
  };
}

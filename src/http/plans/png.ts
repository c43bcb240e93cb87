import { crc32, deflateSync } from "node:zlib";
import type { GreyImage } from "./pgm.ts";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** Each row is told as its difference from the one above (PNG, 9.2: filter Up). */
const UP = 2;

/**
 * Encodes a grey image as PNG, 8 bits a pixel.
 *
 * @see {@link https://www.w3.org/TR/png-3/}
 */
export function encodePng(
  { width, height, pixels }: GreyImage,
): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (width + 1);
    const from = y * width;
    rows[to] = UP;
    for (let x = 0; x < width; x++) {
      const above = y === 0 ? 0 : pixels[from - width + x]!;
      rows[to + 1 + x] = pixels[from + x]! - above;
    }
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits; colour type 0 (grey) and the rest are 0
  return join([
    SIGNATURE,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** Length, type, data, and the CRC of type and data (PNG, 5.3). */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = join([new TextEncoder().encode(type), data]);
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, data.length);
  ends.setUint32(4, crc32(named));
  const bytes = new Uint8Array(ends.buffer);
  return join([bytes.subarray(0, 4), named, bytes.subarray(4)]);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

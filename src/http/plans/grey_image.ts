/**
 * Grey images: decodes PGM, the format of ROS maps, and encodes PNG for
 * browsers.
 *
 * @module
 */
import { atOnce } from "../../common/at_once.ts";
import { constants, crc32, deflateRawSync } from "node:zlib";
import { joinBytes } from "../../common/bytes.ts";
import { MAX_PIXELS, PlanError } from "./plan.ts";

/** A grey image, row by row from the top. */
export interface GreyImage {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** One byte per pixel: 0 is black, 255 is white. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const ZERO = 0x30;
const PGM_HINT = "Save the map again, for example with map_saver_cli.";

const PNG_SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** Pixels of a slice: it takes a few milliseconds. */
export const SLICE_PIXELS = 128 * 1024;
/** Of a stream with a window of 32 KiB (RFC 1950, 2.2). */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
const ADLER_MODULUS = 65_521;
/** After this many bytes the sums are reduced; until then they are exact. */
const ADLER_BLOCK_BYTES = 4096;
/** Each row is the difference from the row above (PNG, 9.2: filter Up). */
const FILTER_UP = 2;

/**
 * Decodes a PGM image, binary (P5) or plain (P2), with 8 or 16 bits per pixel.
 * A value above the maximum value is refused in a plain image and white in a
 * binary one, as in Pillow.
 *
 * @param bytes the file
 * @throws {PlanError} if it is not valid, or has too many pixels
 * @see {@link https://netpbm.sourceforge.net/doc/pgm.html}
 */
export function decodePgm(bytes: Uint8Array): GreyImage {
  const scanner = new Scanner(bytes);
  const magic = String.fromCharCode(...bytes.subarray(0, 2));
  if (magic !== "P5" && magic !== "P2") {
    throw invalidPgm("it does not start with P5 or P2");
  }
  scanner.at = 2;
  const width = scanner.readNumber("width");
  const height = scanner.readNumber("height");
  const maximum = scanner.readNumber("maximum value");
  if (width === 0 || height === 0) throw invalidPgm("it has no pixels");
  if (width * height > MAX_PIXELS) {
    throw invalidPgm(
      `it has ${width} by ${height} pixels, more than ${MAX_PIXELS}`,
    );
  }
  if (maximum === 0 || maximum > 65_535) {
    throw invalidPgm(`its maximum value is ${maximum}`);
  }
  const pixels = magic === "P5"
    ? readBinary(bytes, scanner.at, width * height, maximum)
    : readPlain(scanner, width * height, maximum);
  return { width, height, pixels };
}

/**
 * Reads one or two bytes per pixel, big-endian.
 *
 * @param end where the header ends, at its last white space
 */
function readBinary(
  bytes: Uint8Array,
  end: number,
  count: number,
  maximum: number,
): Uint8Array<ArrayBuffer> {
  const size = maximum > 255 ? 2 : 1;
  let from = end + 1;
  // One white space ends the header. An editor or a transfer in text mode may
  // have made it CR LF: then the file has a byte more than the pixels need.
  if (
    bytes[end] === CR && bytes[from] === LF &&
    bytes.length > from + count * size
  ) from++;
  if (bytes.length < from + count * size) {
    throw invalidPgm("it ends before its last pixel");
  }
  const pixels = new Uint8Array(count);
  if (maximum === 255) {
    pixels.set(bytes.subarray(from, from + count)); // large maps are such ones
    return pixels;
  }
  for (let i = 0; i < count; i++) {
    const value = size === 1
      ? bytes[from + i]!
      : bytes[from + 2 * i]! << 8 | bytes[from + 2 * i + 1]!;
    pixels[i] = toGrey(value, maximum);
  }
  return pixels;
}

/** Reads one decimal number per pixel. */
function readPlain(
  scanner: Scanner,
  count: number,
  maximum: number,
): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const value = scanner.readNumber("pixel");
    if (value > maximum) {
      throw invalidPgm(`a pixel is ${value}, its maximum value is ${maximum}`);
    }
    pixels[i] = toGrey(value, maximum);
  }
  return pixels;
}

function toGrey(value: number, maximum: number): number {
  return maximum === 255
    ? value
    : Math.round(255 * Math.min(value, maximum) / maximum);
}

/** Reads decimal numbers; skips white space and comments. */
class Scanner {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readNumber(name: string): number {
    this.#skip();
    const from = this.at;
    let n = 0;
    for (; this.at < this.#bytes.length; this.at++) {
      const digit = this.#bytes[this.at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      n = n * 10 + digit;
    }
    if (this.at === from || this.at - from > 9) {
      throw invalidPgm(`no ${name} at byte ${from}`);
    }
    return n;
  }

  #skip(): void {
    const bytes = this.#bytes;
    for (; this.at < bytes.length; this.at++) {
      if (bytes[this.at] === HASH) {
        while (this.at < bytes.length && !isLineEnd(bytes[this.at])) this.at++;
      } else if (bytes[this.at]! > 0x20) return;
    }
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

function invalidPgm(reason: string): PlanError {
  return new PlanError(`Invalid PGM image: ${reason}`, PGM_HINT);
}

/**
 * Encodes a grey image as PNG, 8 bits per pixel.
 *
 * @see {@link https://www.w3.org/TR/png-3/}
 */
export function encodePng(image: GreyImage): Uint8Array<ArrayBuffer> {
  return atOnce(encodePngInSlices(image));
}

/** Encodes as {@linkcode encodePng} does, a few milliseconds at a time. */
export function* encodePngInSlices(
  { width, height, pixels }: GreyImage,
): Generator<void, Uint8Array<ArrayBuffer>> {
  const rowsPerSlice = Math.ceil(SLICE_PIXELS / width);
  const data: Uint8Array[] = [ZLIB_HEADER];
  const checksum = new Adler32();
  for (let first = 0; first < height; first += rowsPerSlice) {
    const count = Math.min(rowsPerSlice, height - first);
    const rows = new Uint8Array((width + 1) * count);
    for (let row = 0; row < count; row++) {
      const to = row * (width + 1);
      const from = (first + row) * width;
      rows[to] = FILTER_UP;
      for (let x = 0; x < width; x++) {
        const above = from === 0 ? 0 : pixels[from - width + x]!;
        rows[to + 1 + x] = pixels[from + x]! - above;
      }
    }
    checksum.add(rows);
    data.push(
      deflateRawSync(rows, { finishFlush: constants.Z_SYNC_FLUSH }),
    );
    yield;
  }
  data.push(deflateRawSync(new Uint8Array()), checksum.bytes());
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits; colour type (0: grey) and the rest are 0
  return joinBytes([
    PNG_SIGNATURE,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", joinBytes(data)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** The checksum of the zlib format (RFC 1950, 8.2). */
class Adler32 {
  #a = 1;
  #b = 0;

  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += ADLER_BLOCK_BYTES) {
      const to = Math.min(from + ADLER_BLOCK_BYTES, bytes.length);
      for (let i = from; i < to; i++) {
        this.#a += bytes[i]!;
        this.#b += this.#a;
      }
      this.#a %= ADLER_MODULUS;
      this.#b %= ADLER_MODULUS;
    }
  }

  bytes(): Uint8Array {
    const bytes = new DataView(new ArrayBuffer(4));
    bytes.setUint16(0, this.#b);
    bytes.setUint16(2, this.#a);
    return new Uint8Array(bytes.buffer);
  }
}

/** A chunk: length, type, data, and the CRC of type and data (PNG, 5.3). */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = joinBytes([new TextEncoder().encode(type), data]);
  const lengthAndCrc = new DataView(new ArrayBuffer(8));
  lengthAndCrc.setUint32(0, data.length);
  lengthAndCrc.setUint32(4, crc32(named));
  const bytes = new Uint8Array(lengthAndCrc.buffer);
  return joinBytes([bytes.subarray(0, 4), named, bytes.subarray(4)]);
}

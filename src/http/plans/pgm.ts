import { PlanError } from "./error.ts";

/** A picture in shades of grey, row by row from the top. */
export interface GreyImage {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** One byte a pixel: 0 is black, 255 white. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** The most pixels of an image: 8,192 by 8,192. */
export const MAX_PIXELS = 8192 * 8192;

const LF = 0x0a;
const HASH = 0x23;
const ZERO = 0x30;
const HINT = "Save the map again, for example with map_saver_cli.";

/**
 * Decodes a PGM image, binary (P5) or plain (P2), of 8 or 16 bits.
 *
 * @param bytes the file
 * @throws {PlanError} if it is none, or has too many pixels
 * @see {@link https://netpbm.sourceforge.net/doc/pgm.html}
 */
export function decodePgm(bytes: Uint8Array): GreyImage {
  const scanner = new Scanner(bytes);
  const magic = String.fromCharCode(...bytes.subarray(0, 2));
  if (magic !== "P5" && magic !== "P2") {
    throw bad("does not begin with P5 or P2");
  }
  scanner.at = 2;
  const width = scanner.number("width");
  const height = scanner.number("height");
  const most = scanner.number("largest value");
  if (width === 0 || height === 0) throw bad("has no pixels");
  if (width * height > MAX_PIXELS) {
    throw bad(`has ${width} by ${height} pixels, more than ${MAX_PIXELS}`);
  }
  if (most === 0 || most > 65_535) throw bad(`has values up to ${most}`);
  const pixels = magic === "P5"
    ? binary(bytes, scanner.at + 1, width * height, most)
    : plain(scanner, width * height, most);
  return { width, height, pixels };
}

/** One white-space byte, then one or two bytes a pixel, the high one first. */
function binary(
  bytes: Uint8Array,
  from: number,
  count: number,
  most: number,
): Uint8Array<ArrayBuffer> {
  const size = most > 255 ? 2 : 1;
  if (bytes.length < from + count * size) {
    throw bad("ends before its last pixel");
  }
  const pixels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const value = size === 1
      ? bytes[from + i]!
      : bytes[from + 2 * i]! << 8 | bytes[from + 2 * i + 1]!;
    pixels[i] = grey(value, most);
  }
  return pixels;
}

function plain(
  scanner: Scanner,
  count: number,
  most: number,
): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    pixels[i] = grey(scanner.number("pixel"), most);
  }
  return pixels;
}

function grey(value: number, most: number): number {
  return most === 255 ? value : Math.round(255 * Math.min(value, most) / most);
}

/** Numbers between white space and comments. */
class Scanner {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(what: string): number {
    this.#skip();
    const from = this.at;
    let n = 0;
    for (; this.at < this.#bytes.length; this.at++) {
      const digit = this.#bytes[this.at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      n = n * 10 + digit;
    }
    if (this.at === from || this.at - from > 9) {
      throw bad(`has no ${what} where one must be, at byte ${from}`);
    }
    return n;
  }

  #skip(): void {
    const bytes = this.#bytes;
    for (; this.at < bytes.length; this.at++) {
      if (bytes[this.at] === HASH) {
        while (this.at < bytes.length && bytes[this.at] !== LF) this.at++;
      } else if (bytes[this.at]! > 0x20) return;
    }
  }
}

function bad(what: string): PlanError {
  return new PlanError(`The PGM image ${what}`, HINT);
}

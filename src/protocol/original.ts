/**
 * Writes and parses the messages of the three original Python scripts: one CSV
 * reading in a message, a fixed text as the request, and the whole map in one
 * message as Python prints a dict, `{(1, 2): 1, (1, 3): 1}`.
 *
 * @module
 */

import { ReadingBatch, UNKNOWN } from "./batch.ts";
import { MAX_INT_BYTES, SLACK_BYTES, writeInt } from "./digits.ts";
import { ProtocolError } from "./errors.ts";
import { encodeText, quoteBytes, skipBlank } from "./text.ts";
import { ByteWriter } from "../common/byte_writer.ts";

/** The request of the original clients. */
export const ORIGINAL_REQUEST = "get data";

const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA_SPACE = 0x2c20;
const COLON_SPACE = 0x3a20;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Maximum bytes of `, (x, y): value`. */
const MAX_ENTRY_BYTES = 3 * MAX_INT_BYTES + 8 + SLACK_BYTES;

/** Bytes of most entries. */
const ENTRY_BYTES = 18;
const FIRST_CAPACITY_BYTES = 256;

/** What Python prints for values that are not numbers. */
const PYTHON_WORDS: readonly (readonly [Uint8Array, number])[] = [
  [encodeText("True"), 1],
  [encodeText("False"), 0],
  [encodeText("None"), UNKNOWN],
];

/**
 * Encodes one reading as the original clients do: `x,y,value`.
 *
 * @param x int32
 * @param y int32
 * @param value int32; 0 free, above 0 occupied, below 0 unknown
 * @returns the payload
 */
export function encodeOriginalReading(
  x: number,
  y: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  return encodeText(`${x},${y},${value}`);
}

/**
 * Writes the map as the original server does, in the order of the calls.
 *
 * @example
 * ```ts
 * import { OriginalWriter } from "./original.ts";
 *
 * const writer = new OriginalWriter();
 * writer.cell(1, 2, 1);
 * console.log(new TextDecoder().decode(writer.finish())); // {(1, 2): 1}
 * ```
 */
export class OriginalWriter {
  readonly #out: ByteWriter;

  /**
   * Starts an empty map.
   *
   * @param cells the expected number of cells. Default: few
   */
  constructor(cells = 0) {
    this.#out = new ByteWriter(FIRST_CAPACITY_BYTES + cells * ENTRY_BYTES);
    this.#out.text("{");
  }

  /**
   * Adds a cell. Each coordinate may be added once.
   *
   * @param x int32
   * @param y int32
   * @param value int32
   */
  cell(x: number, y: number, value: number): void {
    const out = this.#out;
    out.reserve(MAX_ENTRY_BYTES);
    const { view } = out;
    let at = out.at;
    if (at > 1) {
      view.setUint16(at, COMMA_SPACE);
      at += 2;
    }
    view.setUint8(at, OPEN);
    at = writeInt(view, at + 1, x);
    view.setUint16(at, COMMA_SPACE);
    at = writeInt(view, at + 2, y);
    view.setUint8(at, CLOSE);
    view.setUint16(at + 1, COLON_SPACE);
    out.at = writeInt(view, at + 3, value);
  }

  /**
   * Ends the map.
   *
   * @returns the payload; `{}` if there are no cells
   */
  finish(): Uint8Array<ArrayBuffer> {
    this.#out.text("}");
    return this.#out.take();
  }
}

/**
 * Parses a map of the original server. Tokens may be separated by white space;
 * values are integers, `True`, `False` or `None` ({@linkcode UNKNOWN}).
 *
 * @param payload the application message
 * @returns the cells, without times
 * @throws {ProtocolError} "bad-original"
 */
export function parseOriginal(payload: Uint8Array): ReadingBatch {
  const batch = new ReadingBatch();
  const scanner = new Scanner(payload);
  scanner.expect(OPEN_BRACE);
  if (!scanner.accept(CLOSE_BRACE)) {
    do {
      scanner.expect(OPEN);
      const x = scanner.integer();
      scanner.expect(COMMA);
      const y = scanner.integer();
      scanner.expect(CLOSE);
      scanner.expect(COLON);
      batch.push(x, y, scanner.value());
    } while (scanner.accept(COMMA));
    scanner.expect(CLOSE_BRACE);
  }
  scanner.end();
  return batch;
}

/** Reads the tokens of a payload and skips the white space before each. */
class Scanner {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Skips the next byte if it is `byte`; else returns false. */
  accept(byte: number): boolean {
    this.#at = skipBlank(this.#bytes, this.#at);
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  expect(byte: number): void {
    if (!this.accept(byte)) this.#fail(`"${String.fromCharCode(byte)}"`);
  }

  end(): void {
    this.#at = skipBlank(this.#bytes, this.#at);
    if (this.#at < this.#bytes.length) this.#fail("the end");
  }

  value(): number {
    this.#at = skipBlank(this.#bytes, this.#at);
    for (const [word, value] of PYTHON_WORDS) {
      if (this.#bytes[this.#at] !== word[0]) continue;
      if (!word.every((byte, i) => this.#bytes[this.#at + i] === byte)) break;
      this.#at += word.length;
      return value;
    }
    return this.integer();
  }

  integer(): number {
    const bytes = this.#bytes;
    const negative = this.accept(MINUS);
    const first = this.#at;
    let at = first;
    let number = 0;
    for (; at < bytes.length; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (negative) number = 0 - number;
    if (at === first || number !== (number | 0)) this.#fail("a 32-bit integer");
    this.#at = at;
    return number;
  }

  #fail(wanted: string): never {
    const at = this.#at;
    const found = at < this.#bytes.length
      ? quoteBytes(this.#bytes, at, this.#bytes.length)
      : "the end";
    throw new ProtocolError(
      "bad-original",
      `the map is not in the original form: expected ${wanted} ` +
        `at byte ${at}, found ${found}`,
    );
  }
}

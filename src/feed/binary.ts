/**
 * Writes and reads numbers and text as bytes. Integers are LEB128 varints, so
 * small numbers take few bytes; signed integers are zigzag-encoded.
 *
 * @module
 */
import { encodeText } from "../protocol/text.ts";
import { ByteWriter } from "../common/byte_writer.ts";

const FIRST_CAPACITY_BYTES = 1024;
/** Bytes of a varint of 53 bits. */
const MAX_VARINT_BYTES = 8;
/** Smaller integers are processed with the faster bitwise operators. */
const TWO_POW_28 = 2 ** 28;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes numbers and text to a buffer that grows. */
export class BinaryWriter extends ByteWriter {
  constructor() {
    super(FIRST_CAPACITY_BYTES);
  }

  /** Removes all bytes and keeps the memory. */
  clear(): void {
    this.at = 0;
  }

  /**
   * Returns the bytes without a copy: valid until the next call of a method.
   */
  peek(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.at);
  }

  /** Writes a byte, 0 to 255. */
  byte(value: number): void {
    this.reserve(1);
    this.view.setUint8(this.at++, value);
  }

  /** Writes an integer from 0 to 2^53. */
  uint(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    const { view } = this;
    let at = this.at;
    while (value >= TWO_POW_28) {
      view.setUint8(at++, value % 128 | 128);
      value = Math.floor(value / 128);
    }
    while (value >= 128) {
      view.setUint8(at++, value & 127 | 128);
      value >>>= 7;
    }
    view.setUint8(at++, value);
    this.at = at;
  }

  /** Writes an int32. */
  int32(value: number): void {
    this.uint((value << 1 ^ value >> 31) >>> 0);
  }

  /** Writes an integer from -2^52 to 2^52. */
  int53(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Writes a float64, little-endian. */
  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** Writes the length of a text in UTF-8, then the text. */
  string(value: string): void {
    const bytes = encodeText(value);
    this.uint(bytes.length);
    this.raw(bytes);
  }
}

/**
 * Reads what a {@linkcode BinaryWriter} wrote; safe for bytes from any source.
 *
 * Each method throws a `RangeError` if the bytes end too early or are not
 * valid.
 */
export class BinaryReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The number of bytes left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Reads a byte. */
  byte(): number {
    if (this.#at >= this.#bytes.length) throw tooShort();
    return this.#bytes[this.#at++]!;
  }

  /** Reads an integer from 0 to 2^53. */
  uint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const next = bytes[this.#at++];
      if (next === undefined) throw tooShort();
      value |= (next & 127) << shift;
      if (next < 128) return value;
    }
    for (let scale = TWO_POW_28; scale < 2 ** 53; scale *= 128) {
      const next = this.byte();
      value += (next & 127) * scale;
      if (next < 128) {
        if (value > 2 ** 53) break;
        return value;
      }
    }
    throw new RangeError("a number has more than 53 bits");
  }

  /** Reads an int32. */
  int32(): number {
    const value = this.uint();
    if (value >= 2 ** 32) {
      throw new RangeError("a number has more than 32 bits");
    }
    return value >>> 1 ^ -(value & 1);
  }

  /** Reads an integer from -2^52 to 2^52. */
  int53(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Reads a float64. */
  float64(): number {
    if (this.left < 8) throw tooShort();
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Returns the bytes that are left, without a copy: then none are left. */
  rest(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return bytes;
  }

  /** Reads a text with its length. */
  string(): string {
    const length = this.uint();
    if (length > this.left) throw tooShort();
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    try {
      return decoder.decode(bytes);
    } catch {
      throw new RangeError("text is not UTF-8");
    }
  }
}

function tooShort(): RangeError {
  return new RangeError("it ends too early");
}

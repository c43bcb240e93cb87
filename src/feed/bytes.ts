/**
 * Numbers and text as bytes, small numbers in few: LEB128 varints, with a zigzag
 * where they may be negative.
 *
 * @module
 */

const FIRST_CAPACITY = 1024;
/** Bytes of the longest varint of 53 bits. */
const LONGEST = 8;
const LOW_28 = 2 ** 28;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that grow as they are written. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** How many have been written. */
  get length(): number {
    return this.#length;
  }

  /** Starts afresh; the memory is kept. */
  clear(): void {
    this.#length = 0;
  }

  /** What has been written: a copy. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** What has been written: valid until the next call. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** One byte, 0 to 255. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** An integer from 0 to 2^53. */
  uint(value: number): void {
    this.#reserve(LONGEST);
    const bytes = this.#bytes;
    while (value >= LOW_28) {
      bytes[this.#length++] = value % 128 | 128;
      value = Math.floor(value / 128);
    }
    while (value >= 128) {
      bytes[this.#length++] = value & 127 | 128;
      value >>>= 7;
    }
    bytes[this.#length++] = value;
  }

  /** An int32. */
  int32(value: number): void {
    this.uint((value << 1 ^ value >> 31) >>> 0);
  }

  /** An integer from -2^52 to 2^52. */
  int53(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** A float64, little-endian. */
  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Text in UTF-8, its length in front. */
  text(value: string): void {
    this.bytes(encoder.encode(value));
  }

  /** Bytes, their number in front. */
  bytes(value: Uint8Array): void {
    this.uint(value.length);
    this.raw(value);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, needed));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/**
 * Reads what a {@linkcode ByteWriter} wrote, from anyone.
 *
 * Every method throws a `RangeError` when the bytes end too early or are not what
 * it reads.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** One byte. */
  byte(): number {
    if (this.#at >= this.#bytes.length) throw tooShort();
    return this.#bytes[this.#at++]!;
  }

  /** An integer from 0 to 2^53. */
  uint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const next = bytes[this.#at++];
      if (next === undefined) throw tooShort();
      value |= (next & 127) << shift;
      if (next < 128) return value;
    }
    for (let scale = LOW_28; scale < 2 ** 53; scale *= 128) {
      const next = this.byte();
      value += (next & 127) * scale;
      if (next < 128) {
        if (value > 2 ** 53) break;
        return value;
      }
    }
    throw new RangeError("a number has more than 53 bits");
  }

  /** An int32. */
  int32(): number {
    const value = this.uint();
    if (value >= 2 ** 32) {
      throw new RangeError("a number has more than 32 bits");
    }
    return value >>> 1 ^ -(value & 1);
  }

  /** An integer from -2^52 to 2^52. */
  int53(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A float64. */
  float64(): number {
    if (this.left < 8) throw tooShort();
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Text. */
  text(): string {
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

  /** All that is left. */
  rest(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return bytes;
  }
}

function tooShort(): RangeError {
  return new RangeError("it ends too early");
}

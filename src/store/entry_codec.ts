/**
 * Journal entries as bytes.
 *
 * A column is written as its least value and the distances from it, in as few
 * bytes each as the largest distance needs (frame of reference, Goldstein et al.,
 * "Compressing relations and indexes", 1998). Readings of one place and moment
 * take three to six bytes instead of twenty.
 *
 * All numbers are little-endian, as all machines that Deno runs on are.
 *
 * @module
 */
import type { ReadingColumns } from "../grid/mod.ts";
import type { Entry } from "./store.ts";

/** A kind is written as its index: only ever added to. */
const KINDS = ["apply", "age", "configure", "alive"] as const;
const RAW = 8;
/** Kind, room to align, clock. */
const HEAD_BYTES = 16;
const COLUMN_HEAD_BYTES = 16;

/** More than any group holds: what says so is not an entry. */
const MAX_READINGS = 1 << 27;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

type Column = ReadingColumns["x"] | ReadingColumns["time"];

/** Writes entries one behind the other into a buffer that is used again. */
export class EntryEncoder {
  #buffer = new ArrayBuffer(4096);
  #bytes = new Uint8Array(this.#buffer);
  #view = new DataView(this.#buffer);
  #at = 0;

  /** @returns the bytes, valid until the next call */
  encode(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
    this.#at = 0;
    for (const entry of entries) this.#entry(entry);
    return this.#bytes.subarray(0, this.#at);
  }

  #entry(entry: Entry): void {
    this.#reserve(HEAD_BYTES);
    this.#bytes[this.#at] = KINDS.indexOf(entry.kind);
    this.#view.setFloat64(this.#at + 8, entry.now, true);
    this.#at += HEAD_BYTES;
    if (entry.kind === "apply") this.#apply(entry.layer, entry.readings);
    if (entry.kind === "configure") {
      const { staleAfter, forgetAfter, maxSkew } = entry.ageing;
      this.#doubles(staleAfter, forgetAfter, maxSkew);
    }
  }

  #apply(layer: string, readings: ReadingColumns): void {
    const name = encoder.encode(layer);
    this.#doubles(name.length, readings.length);
    this.#reserve(name.length);
    this.#bytes.set(name, this.#at);
    this.#at = aligned(this.#at + name.length);
    this.#column(readings.x, readings.length);
    this.#column(readings.y, readings.length);
    this.#column(readings.value, readings.length);
    this.#column(readings.time, readings.length);
  }

  #column(column: Column, length: number): void {
    let least = Infinity;
    let most = -Infinity;
    for (let i = 0; i < length; i++) {
      const value = column[i]!;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const width = widthOf(most - least);
    this.#reserve(COLUMN_HEAD_BYTES + width * length);
    this.#bytes[this.#at] = width;
    this.#view.setFloat64(this.#at + 8, least, true);
    this.#at += COLUMN_HEAD_BYTES;
    if (width === RAW) {
      new Float64Array(this.#buffer, this.#at, length).set(
        column.subarray(0, length),
      );
    } else if (width > 0) {
      const offsets = offsetsOf(width, this.#buffer, this.#at, length);
      for (let i = 0; i < length; i++) offsets[i] = column[i]! - least;
    }
    this.#at = aligned(this.#at + width * length);
  }

  #doubles(...values: number[]): void {
    this.#reserve(8 * values.length);
    for (const value of values) {
      this.#view.setFloat64(this.#at, value, true);
      this.#at += 8;
    }
  }

  /** Makes room, and room to align what follows. */
  #reserve(bytes: number): void {
    const needed = this.#at + bytes + 8;
    if (needed <= this.#buffer.byteLength) return;
    this.#buffer = this.#buffer.transfer(
      Math.max(needed, 2 * this.#buffer.byteLength),
    );
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }
}

/**
 * Reads what {@linkcode EntryEncoder} wrote.
 *
 * @throws {RangeError} if the bytes are not that
 */
export function* decodeEntries(bytes: Uint8Array): Generator<Entry> {
  const reader = new Reader(bytes);
  while (!reader.done) yield reader.entry();
}

class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // Its own buffer: columns are read where they lie, which must be aligned.
    this.#bytes = bytes.slice();
    this.#view = new DataView(this.#bytes.buffer);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  entry(): Entry {
    const start = this.#take(HEAD_BYTES);
    const kind = KINDS[this.#bytes[start]!];
    const now = this.#view.getFloat64(start + 8, true);
    switch (kind) {
      case "apply":
        return { kind, now, ...this.#apply() };
      case "age":
      case "alive":
        return { kind, now };
      case "configure": {
        const [staleAfter, forgetAfter, maxSkew] = [
          this.#double(),
          this.#double(),
          this.#double(),
        ];
        return { kind, now, ageing: { staleAfter, forgetAfter, maxSkew } };
      }
      default:
        throw new RangeError(
          `Cannot read entry: no kind ${this.#bytes[start]}`,
        );
    }
  }

  #apply(): { layer: string; readings: ReadingColumns } {
    const nameLength = this.#double();
    const length = this.#double();
    if (length > MAX_READINGS) {
      throw new RangeError(`Cannot read entry: ${length} readings`);
    }
    const start = this.#take(nameLength);
    const layer = decoder.decode(
      this.#bytes.subarray(start, start + nameLength),
    );
    const x = this.#column(Int32Array, length);
    const y = this.#column(Int32Array, length);
    const value = this.#column(Int32Array, length);
    const time = this.#column(Float64Array, length);
    return { layer, readings: { length, x, y, value, time } };
  }

  #column<T extends Column>(
    Type: { new (length: number): T },
    length: number,
  ): T {
    const start = this.#take(COLUMN_HEAD_BYTES);
    const width = this.#bytes[start]!;
    const least = this.#view.getFloat64(start + 8, true);
    if (![0, 1, 2, 4, RAW].includes(width)) {
      throw new RangeError(`Cannot read column: no width ${width}`);
    }
    const data = this.#take(width * length);
    const column = new Type(length);
    if (width === RAW) {
      column.set(new Float64Array(this.#bytes.buffer, data, length));
    } else if (width === 0) {
      column.fill(least);
    } else {
      const offsets = offsetsOf(width, this.#bytes.buffer, data, length);
      for (let i = 0; i < length; i++) column[i] = offsets[i]! + least;
    }
    return column;
  }

  #double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** Where so many bytes start; the next are behind them, aligned. */
  #take(length: number): number {
    const start = this.#at;
    if (
      !(Number.isInteger(length) && length >= 0) ||
      start + length > this.#bytes.length
    ) {
      throw new RangeError("Cannot read entry: it is cut short");
    }
    this.#at = aligned(start + length);
    return start;
  }
}

/** Bytes that a distance takes; whole numbers only, of at most 2^53. */
function widthOf(range: number): number {
  if (!(range > 0)) return 0; // no readings, or all the same
  if (range <= 0xff) return 1;
  if (range <= 0xffff) return 2;
  if (range <= 0xffff_ffff) return 4;
  return RAW;
}

function offsetsOf(
  width: number,
  buffer: ArrayBuffer,
  at: number,
  length: number,
): Uint8Array | Uint16Array | Uint32Array {
  switch (width) {
    case 1:
      return new Uint8Array(buffer, at, length);
    case 2:
      return new Uint16Array(buffer, at, length);
    default:
      return new Uint32Array(buffer, at, length);
  }
}

function aligned(at: number): number {
  return (at + 7) & ~7;
}

/**
 * Encodes journal entries as bytes, and decodes them.
 *
 * A column is stored as its minimum and the offset of each value from the
 * minimum. The largest offset determines the width: 0, 1, 2 or 4 bytes, or
 * float64 values instead of offsets (frame of reference, Goldstein et al.,
 * "Compressing relations and indexes", 1998).
 * Readings of one place and time take 3 to 6 bytes each instead of 20.
 *
 * Numbers are little-endian, as on all machines that Deno supports. Every field
 * begins at a multiple of 8 bytes.
 *
 * @module
 */
import type { Coordinates, ReadingColumns } from "../grid/mod.ts";
import { ByteWriter } from "../common/byte_writer.ts";
import { ColumnPool, type ColumnType } from "./column_pool.ts";
import type { Entry, RecordChange, RecordsEntry } from "./store.ts";

/** The index is the stored kind: append new kinds, never reorder them. */
const KINDS = [
  "apply",
  "age",
  "configure",
  "alive",
  "delete",
  "remove",
  "age-tiles",
  "records",
] as const;
/** The index is the stored owner of records: append, never reorder. */
const OWNERS = [
  "broker",
  "zones",
  "home-assistant",
  "zone-memories",
  "sources",
] as const;
/** Stored instead of the length of a value: the record is deleted. */
const DELETED = -1;
const INITIAL_BYTES = 4096;
/** Kind (1 byte), padding to 8 bytes, clock (float64). */
const ENTRY_HEAD_BYTES = 16;
/** Width of an offset (1 byte), padding to 8 bytes, minimum (float64). */
const COLUMN_HEAD_BYTES = 16;
const ALIGNMENT_BYTES = 8;
/** The width of a column of float64 values instead of offsets. */
const FLOAT64_BYTES = 8;
const WIDTHS = [0, 1, 2, 4, FLOAT64_BYTES];

/** More readings than any group has: a larger length means damage. */
const MAX_READINGS = 1 << 27;

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true });

type Column = ReadingColumns["x"] | ReadingColumns["time"];

/** Encodes entries, one after another, into a reused buffer. */
export class EntryEncoder {
  readonly #out = new ByteWriter(INITIAL_BYTES);

  /**
   * Encodes entries.
   *
   * @returns the bytes, valid until the next call
   */
  encode(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
    this.#out.at = 0;
    for (const entry of entries) this.#entry(entry);
    return this.#out.take();
  }

  #entry(entry: Entry): void {
    const start = this.#append(ENTRY_HEAD_BYTES);
    const { view } = this.#out;
    view.setUint8(start, KINDS.indexOf(entry.kind));
    view.setFloat64(start + 8, entry.now, true);
    if (entry.kind === "apply") this.#apply(entry.layer, entry.readings);
    if (entry.kind === "delete") this.#layer(entry.layer, 0);
    if (entry.kind === "remove") this.#coordinates(entry.layer, entry.cells);
    if (entry.kind === "age-tiles") this.#coordinates(entry.layer, entry.tiles);
    if (entry.kind === "configure") {
      const { staleAfter, forgetAfter, maxSkew } = entry.ageing;
      this.#float64s(staleAfter, forgetAfter, maxSkew);
    }
    if (entry.kind === "records") this.#records(entry);
  }

  #records({ owner, mark, guard, changes }: RecordsEntry): void {
    this.#float64s(OWNERS.indexOf(owner), mark, guard, changes.length);
    for (const { id, value } of changes) {
      this.#float64s(id, value?.length ?? DELETED);
      if (value === undefined) continue;
      const start = this.#append(value.length);
      this.#out.bytes.set(value, start);
    }
  }

  #apply(layer: string, readings: ReadingColumns): void {
    this.#layer(layer, readings.length);
    this.#column(readings.x, readings.length);
    this.#column(readings.y, readings.length);
    this.#column(readings.value, readings.length);
    this.#column(readings.time, readings.length);
  }

  #coordinates(layer: string, { length, x, y }: Coordinates): void {
    this.#layer(layer, length);
    this.#column(x, length);
    this.#column(y, length);
  }

  /** @param length number of coordinates or readings that follow */
  #layer(layer: string, length: number): void {
    const name = utf8Encoder.encode(layer);
    this.#float64s(name.length, length);
    const start = this.#append(name.length);
    this.#out.bytes.set(name, start);
  }

  #column(column: Column, length: number): void {
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0; i < length; i++) {
      const value = column[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const width = widthOf(max - min);
    const head = this.#append(COLUMN_HEAD_BYTES);
    this.#out.view.setUint8(head, width);
    this.#out.view.setFloat64(head + 8, min, true);
    const data = this.#append(width * length);
    const { buffer } = this.#out.view;
    if (width === FLOAT64_BYTES) {
      new Float64Array(buffer, data, length).set(column.subarray(0, length));
    } else if (width > 0) {
      const offsets = offsetsIn(buffer, data, width, length);
      for (let i = 0; i < length; i++) offsets[i] = column[i]! - min;
    }
  }

  #float64s(...values: number[]): void {
    let at = this.#append(8 * values.length);
    for (const value of values) {
      this.#out.view.setFloat64(at, value, true);
      at += 8;
    }
  }

  /**
   * Appends a field without writing to it.
   *
   * @returns the offset of the field
   */
  #append(bytes: number): number {
    const start = this.#out.at;
    this.#out.reserve(bytes + ALIGNMENT_BYTES);
    this.#out.at = aligned(start + bytes);
    return start;
  }
}

/**
 * Decodes the bytes of an {@linkcode EntryEncoder}.
 *
 * @param pool where the columns are. Default: in memory of their own
 * @throws {RangeError} if the bytes are not valid entries
 * @throws {TypeError} if the name of a layer is not UTF-8
 */
export function* decodeEntries(
  bytes: Uint8Array,
  pool: ColumnPool = new ColumnPool(),
): Generator<Entry> {
  const decoder = new EntryDecoder(bytes, pool);
  while (!decoder.done) yield decoder.entry();
}

class EntryDecoder {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #pool: ColumnPool;
  #at = 0;

  constructor(bytes: Uint8Array, pool: ColumnPool) {
    // The columns of a copy are aligned.
    const copy = pool.take(Uint8Array, bytes.length);
    copy.set(bytes);
    this.#bytes = copy;
    this.#view = new DataView(copy.buffer, copy.byteOffset, copy.length);
    this.#pool = pool;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  entry(): Entry {
    const start = this.#skip(ENTRY_HEAD_BYTES);
    const kind = KINDS[this.#bytes[start]!];
    const now = this.#view.getFloat64(start + 8, true);
    switch (kind) {
      case "apply":
        return { kind, now, ...this.#apply() };
      case "delete":
        return { kind, now, layer: this.#layer().layer };
      case "remove": {
        const { layer, coordinates } = this.#coordinates();
        return { kind, now, layer, cells: coordinates };
      }
      case "age-tiles": {
        const { layer, coordinates } = this.#coordinates();
        return { kind, now, layer, tiles: coordinates };
      }
      case "age":
      case "alive":
        return { kind, now };
      case "configure": {
        const [staleAfter, forgetAfter, maxSkew] = [
          this.#float64(),
          this.#float64(),
          this.#float64(),
        ];
        return { kind, now, ageing: { staleAfter, forgetAfter, maxSkew } };
      }
      case "records":
        return { kind, now, ...this.#records() };
      default:
        throw new RangeError(
          `Cannot read entry: unknown kind ${this.#bytes[start]}`,
        );
    }
  }

  #records(): Omit<RecordsEntry, "kind" | "now"> {
    const owner = OWNERS[this.#float64()];
    if (owner === undefined) {
      throw new RangeError("Cannot read entry: unknown owner of records");
    }
    const mark = this.#float64();
    const guard = this.#float64();
    const length = this.#float64();
    const changes: RecordChange[] = [];
    while (changes.length < length) {
      const id = this.#float64();
      const bytes = this.#float64();
      if (bytes === DELETED) changes.push({ id, value: undefined });
      else {
        const start = this.#skip(bytes);
        // A copy, because it is kept.
        const value = this.#bytes.slice(start, start + bytes);
        changes.push({ id, value });
      }
    }
    return { owner, mark, guard, changes };
  }

  #layer(): { layer: string; length: number } {
    const nameLength = this.#float64();
    const length = this.#float64();
    if (length > MAX_READINGS) {
      throw new RangeError(`Cannot read entry: ${length} readings`);
    }
    const start = this.#skip(nameLength);
    const layer = utf8Decoder.decode(
      this.#bytes.subarray(start, start + nameLength),
    );
    return { layer, length };
  }

  #coordinates(): { layer: string; coordinates: Coordinates } {
    const { layer, length } = this.#layer();
    const x = this.#column(Int32Array, length);
    const y = this.#column(Int32Array, length);
    return { layer, coordinates: { length, x, y } };
  }

  #apply(): { layer: string; readings: ReadingColumns } {
    const { layer, length } = this.#layer();
    const x = this.#column(Int32Array, length);
    const y = this.#column(Int32Array, length);
    const value = this.#column(Int32Array, length);
    const time = this.#column(Float64Array, length);
    return { layer, readings: { length, x, y, value, time } };
  }

  #column<T extends Column>(Type: ColumnType<T>, length: number): T {
    const start = this.#skip(COLUMN_HEAD_BYTES);
    const width = this.#bytes[start]!;
    const min = this.#view.getFloat64(start + 8, true);
    if (!WIDTHS.includes(width)) {
      throw new RangeError(`Cannot read entry: unknown column width ${width}`);
    }
    const data = this.#skip(width * length);
    const column = this.#pool.take(Type, length);
    const { buffer, byteOffset } = this.#bytes;
    if (width === 0) {
      column.fill(min);
    } else if (width === FLOAT64_BYTES) {
      column.set(new Float64Array(buffer, byteOffset + data, length));
    } else {
      column.set(offsetsIn(buffer, byteOffset + data, width, length));
      if (column instanceof Float64Array) raiseFloat64s(column, min);
      else raiseInt32s(column, min);
    }
    return column;
  }

  #float64(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /** Skips a field. Returns the offset of the field. */
  #skip(bytes: number): number {
    const start = this.#at;
    if (
      !(Number.isInteger(bytes) && bytes >= 0) ||
      start + bytes > this.#bytes.length
    ) {
      throw new RangeError("Cannot read entry: it is incomplete");
    }
    this.#at = aligned(start + bytes);
    return start;
  }
}

/** Bytes of an offset. `range` is an integer up to 2^53, or -Infinity. */
function widthOf(range: number): number {
  if (!(range > 0)) return 0; // no readings, or all values are equal
  if (range <= 0xff) return 1;
  if (range <= 0xffff) return 2;
  if (range <= 0xffff_ffff) return 4;
  return FLOAT64_BYTES;
}

function offsetsIn(
  buffer: ArrayBuffer,
  start: number,
  width: number,
  length: number,
): Uint8Array | Uint16Array | Uint32Array {
  switch (width) {
    case 1:
      return new Uint8Array(buffer, start, length);
    case 2:
      return new Uint16Array(buffer, start, length);
    default:
      return new Uint32Array(buffer, start, length);
  }
}

// Two functions, so that each is compiled for one type of array: one for both
// takes twice as long.

function raiseInt32s(column: Int32Array, by: number): void {
  for (let i = 0; i < column.length; i++) column[i]! += by;
}

function raiseFloat64s(column: Float64Array, by: number): void {
  for (let i = 0; i < column.length; i++) column[i]! += by;
}

function aligned(at: number): number {
  return (at + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
}

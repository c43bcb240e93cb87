/**
 * Writes the parts of replies and deltas.
 *
 * @module
 */

import { MAX_CELL_BYTES } from "./cells.ts";
import { TimeWriter, writeField } from "./digits.ts";
import { MIN_PART_BYTES } from "./request_fields.ts";
import { encodeText } from "./text.ts";

const OPEN = 0x5b;
const CLOSE_COMMA = 0x5d2c;
const CLOSE_OBJECT = 0x5d7d;
const COMMA = 0x2c;
/** The comma after an element, and the end of a part. */
const ELEMENT_END_BYTES = 3;
const LF = 0x0a;

const FIRST_CAPACITY_BYTES = 4096;
const NEXT_CAPACITY_BYTES = 256 * 1024;
const MAX_COUNT_DIGITS = 10; // of `part` and of `parts`

/** The array of a JSON part, by its key; or cells as CSV, of a time with status. */
export type PartForm =
  | "cells"
  | "zones"
  | "sources"
  | "series"
  | "csv"
  | "past-csv";

/** A filled part: space for the header, then cells up to `end`. */
interface FilledPart {
  /** Small parts share a buffer. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of a reply or delta. Each header is written when its part is read,
 * so that a reply of ten thousand parts takes no long step at its end.
 */
export class PartList {
  readonly #filled: readonly FilledPart[];
  readonly #form: PartForm;
  readonly #headerStart: Uint8Array;
  /** Space for the header before the cells. */
  readonly #headerBytes: number;
  /** Memory of all parts, in bytes. */
  readonly bytes: number;

  /**
   * For {@linkcode PartWriter.end} only.
   *
   * @param filled the parts
   * @param bytes the length of their buffers
   * @param form what the parts contain
   * @param headerStart the header up to the number of the part
   * @param headerBytes the space for the header
   */
  constructor(
    filled: readonly FilledPart[],
    bytes: number,
    form: PartForm,
    headerStart: Uint8Array,
    headerBytes: number,
  ) {
    this.#filled = filled;
    this.#form = form;
    this.#headerStart = headerStart;
    this.#headerBytes = headerBytes;
    this.bytes = bytes;
  }

  /** Number of parts, 1 or more. */
  get length(): number {
    return this.#filled.length;
  }

  /**
   * Returns a part.
   *
   * @param index from 0
   */
  part(index: number): Uint8Array<ArrayBuffer> {
    const { buffer, start, end } = this.#filled[index]!;
    const counts = this.#counts(index);
    const split = start + this.#headerBytes - counts.length;
    const begin = split - this.#headerStart.length;
    buffer.set(this.#headerStart, begin);
    buffer.set(counts, split);
    return buffer.subarray(begin, end);
  }

  /**
   * Returns a copy of a part with another header.
   *
   * @param index from 0
   * @param headerStart see {@linkcode PartList.accepts}
   */
  partWith(index: number, headerStart: Uint8Array): Uint8Array<ArrayBuffer> {
    const { buffer, start, end } = this.#filled[index]!;
    const cells = buffer.subarray(start + this.#headerBytes, end);
    const counts = this.#counts(index);
    const split = headerStart.length;
    const part = new Uint8Array(split + counts.length + cells.length);
    part.set(headerStart);
    part.set(counts, split);
    part.set(cells, split + counts.length);
    return part;
  }

  /**
   * Returns true if the parts have room for another header.
   *
   * @param headerStart as {@linkcode encodePartHeader} returns it
   */
  accepts(headerStart: Uint8Array): boolean {
    return headerStart.length <= this.#headerStart.length;
  }

  #counts(index: number): Uint8Array {
    return encodeText(
      countsText(this.#form, String(index + 1), String(this.length)),
    );
  }
}

/** Returns the end of a header, from the part's number on. */
function countsText(form: PartForm, part: string, parts: string): string {
  return `${part},"parts":${parts}` +
    (isCsv(form) ? `}\n${CSV_COLUMNS[form]}\n` : `,"${form}":[`);
}

/**
 * Encodes the start of the header of a part.
 *
 * @param headerStart see {@linkcode encodeHeaderStart}
 * @param format as in {@linkcode PartWriterOptions}
 */
export function encodePartHeader(
  headerStart: string,
  format: "json" | "csv",
): Uint8Array {
  return encodeText((format === "json" ? "" : "#") + headerStart);
}

/** Options of {@linkcode PartWriter}. */
export interface PartWriterOptions {
  /** The header that all parts share: see {@linkcode encodeHeaderStart}. */
  readonly headerStart: string;
  /** CSV follows a header line that starts with `#`. */
  readonly form: PartForm;
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/** When the server read the map for a reply or delta, and how cells age. */
export interface MapMoment {
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /**
   * Cells with an older observation than this at `time` are stale, in ms.
   * Absent if cells never become stale.
   */
  readonly staleAfter?: number;
  /**
   * Identifies the layer, ms since 1970: when the server made a map that it does
   * not store on disk, or the last deletion of a layer before this one was
   * created. Absent if there was neither. With different values, a receiver
   * clears its copy and requests all cells.
   */
  readonly began?: number;
}

/** Returns the JSON fields of a moment. */
export function momentFields(
  { time, staleAfter, began }: MapMoment,
): Record<string, unknown> {
  return {
    time,
    ...(staleAfter !== undefined && Number.isFinite(staleAfter) &&
      { staleAfter }),
    ...(began !== undefined && { began }),
  };
}

/** The columns of CSV: those of readings with times. */
const CSV_COLUMNS = {
  csv: "x,y,value,time",
  "past-csv": "x,y,value,status,time",
} as const;

function isCsv(form: PartForm): form is keyof typeof CSV_COLUMNS {
  return form in CSV_COLUMNS;
}

/** Encodes a header as JSON, up to the number of the part: `{…,"part":`. */
export function encodeHeaderStart(header: Record<string, unknown>): string {
  return JSON.stringify(header).slice(0, -1) + ',"part":';
}

/**
 * Writes cells, or JSON objects, directly into the parts to publish.
 *
 * Each header contains the number of parts, which is known only at the end. So
 * each part begins with space for the longest header. At the end, each header
 * is written directly before the first cell, and no cell is copied.
 */
export class PartWriter {
  readonly #form: PartForm;
  readonly #maxBytes: number;
  readonly #headerStart: Uint8Array;
  readonly #headerBytes: number; // maximum size of a header
  readonly #filled: FilledPart[] = [];
  readonly #times = new TimeWriter();
  #view: DataView<ArrayBuffer>;
  /** The length of all buffers. */
  #bytes: number;
  /** Where the current part starts in its buffer. */
  #start = 0;
  #at: number;
  #limit: number; // a cell that starts here or before it fits
  #finished = false;

  /**
   * Starts the first part.
   *
   * @param options header, format and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header and a cell
   */
  constructor({ headerStart, form, maxBytes }: PartWriterOptions) {
    this.#form = form;
    this.#maxBytes = maxBytes;
    const format = isCsv(form) ? "csv" : "json";
    this.#headerStart = encodePartHeader(headerStart, format);
    this.#headerBytes = this.#headerStart.length + 2 * MAX_COUNT_DIGITS +
      countsText(form, "", "").length;
    const needed = this.#headerBytes + MAX_CELL_BYTES + 2;
    if (!(maxBytes >= MIN_PART_BYTES && maxBytes >= needed)) {
      throw new RangeError(
        `Cannot write parts of ${maxBytes} bytes: ` +
          `${Math.max(needed, MIN_PART_BYTES)} are needed`,
      );
    }
    this.#at = this.#headerBytes;
    this.#view = viewOf(
      Math.min(maxBytes, Math.max(needed, FIRST_CAPACITY_BYTES)),
    );
    this.#bytes = this.#view.byteLength;
    this.#limit = this.#lastCellOffset();
  }

  /**
   * Adds a cell.
   *
   * @param x int32
   * @param y int32
   * @param value int32
   * @param time time of observation, ms since 1970, 0 to 1e14
   * @throws {RangeError} if the time is out of range
   * @throws {Error} if the writer is finished
   */
  cell(x: number, y: number, value: number, time: number): void {
    while (this.#at > this.#limit) this.#makeRoom();
    const view = this.#view;
    let at = this.#at;
    const isJson = this.#form === "cells";
    if (isJson) view.setUint8(at++, OPEN);
    at = writeField(view, at, x);
    at = writeField(view, at, y);
    at = writeField(view, at, value);
    at = this.#times.write(view, at, time);
    if (isJson) {
      view.setUint16(at, CLOSE_COMMA);
      at += 2;
    } else view.setUint8(at++, LF);
    this.#at = at;
  }

  /**
   * Adds an element to the array of a JSON part, or a line of CSV. It is not
   * divided.
   *
   * @param text its JSON text, or the line without its end
   * @throws {RangeError} if it does not fit a part
   * @throws {Error} if the writer is finished
   */
  protected element(text: string): void {
    const bytes = encodeText(text);
    const needed = bytes.length + ELEMENT_END_BYTES;
    if (this.#headerBytes + needed > this.#maxBytes) {
      throw new RangeError(
        `Cannot write an element of ${bytes.length} bytes in parts of ` +
          `${this.#maxBytes}: ${this.#headerBytes + needed} are needed`,
      );
    }
    while (this.#finished || this.#at + needed > this.#end) this.#makeRoom();
    new Uint8Array(this.#view.buffer).set(bytes, this.#at);
    this.#at += bytes.length;
    this.#view.setUint8(this.#at++, isCsv(this.#form) ? LF : COMMA);
  }

  /**
   * Ends the last part.
   *
   * @returns one payload or more, in order
   */
  finish(): Uint8Array<ArrayBuffer>[] {
    const parts = this.end();
    return Array.from({ length: parts.length }, (_, i) => parts.part(i));
  }

  /** Ends the last part, as {@linkcode PartWriter.finish} does. */
  end(): PartList {
    this.#endPart();
    this.#finished = true;
    this.#limit = -1; // so that another cell calls #makeRoom(), which throws
    return new PartList(
      this.#filled,
      this.#bytes,
      this.#form,
      this.#headerStart,
      this.#headerBytes,
    );
  }

  /** The end of the space for the current part. */
  get #end(): number {
    return Math.min(this.#view.byteLength, this.#start + this.#maxBytes);
  }

  /** Returns the last offset at which a cell may start. */
  #lastCellOffset(): number {
    return this.#end - MAX_CELL_BYTES - 2;
  }

  /** Grows the buffer up to the maximum, then starts the next part. */
  #makeRoom(): void {
    if (this.#finished) {
      throw new Error("Cannot add to a part: the writer is finished");
    }
    const length = this.#view.byteLength;
    if (length < this.#maxBytes) {
      const grown = viewOf(Math.min(this.#maxBytes, 4 * length));
      new Uint8Array(grown.buffer).set(new Uint8Array(this.#view.buffer));
      this.#view = grown;
      this.#bytes += grown.byteLength - length;
    } else {
      this.#start = this.#endPart();
      if (this.#start + this.#maxBytes > length) this.#newBuffer();
      this.#at = this.#start + this.#headerBytes;
    }
    this.#limit = this.#lastCellOffset();
  }

  /** Starts the next part in a new buffer, which small parts share. */
  #newBuffer(): void {
    const parts = Math.floor(NEXT_CAPACITY_BYTES / this.#maxBytes);
    this.#start = 0;
    this.#view = viewOf(
      parts === 0 ? NEXT_CAPACITY_BYTES : parts * this.#maxBytes,
    );
    this.#bytes += this.#view.byteLength;
  }

  /** Ends the part. Returns its end. */
  #endPart(): number {
    let end = this.#at;
    if (!isCsv(this.#form)) {
      const isEmpty = end === this.#start + this.#headerBytes;
      if (!isEmpty) end--; // the comma after the last element
      this.#view.setUint16(end, CLOSE_OBJECT);
      end += 2;
    }
    const buffer = new Uint8Array(this.#view.buffer);
    this.#filled.push({ buffer, start: this.#start, end });
    return end;
  }
}

function viewOf(bytes: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(bytes));
}

/** Cells as bytes, in as many messages as it takes: replies and deltas. */

import { MAX_CELL_BYTES } from "./cells.ts";
import { TimeWriter, writeField } from "./digits.ts";
import { LEAST_MAX_BYTES } from "./request.ts";
import { encodeText } from "./text.ts";

const OPEN = 0x5b;
const CLOSE_COMMA = 0x5d2c;
const CLOSE_OBJECT = 0x5d7d;
const LF = 0x0a;

const FIRST_CAPACITY = 4096;
const NEXT_CAPACITY = 256 * 1024;
const MAX_COUNT_DIGITS = 10; // of `part` and of `parts`

/** A part being filled: room for the header, then cells up to `end`. */
interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: number;
}

/** What a {@linkcode PartWriter} writes around the cells. */
export interface PartWriterOptions {
  /** The header that all parts share: see {@linkcode openHeader}. */
  readonly start: string;
  /** JSON, or CSV behind a header line that starts with `#`. */
  readonly format: "json" | "csv";
  /** The most bytes of a part; {@linkcode LEAST_MAX_BYTES} or more. */
  readonly maxBytes: number;
}

/** An object as JSON up to the number of the part: `{…,"part":`. */
export function openHeader(header: Record<string, unknown>): string {
  return JSON.stringify(header).slice(0, -1) + ',"part":';
}

/**
 * Writes cell by cell, straight into the parts that will be published.
 *
 * How many parts there are is known only at the end, but each part's header
 * says it. So each starts with room for the longest header, and the header is
 * put right-aligned before the cells when all is written: no cell is copied.
 */
export class PartWriter {
  readonly #json: boolean;
  readonly #maxBytes: number;
  readonly #start: Uint8Array;
  readonly #room: number; // for the header
  readonly #full: Part[] = [];
  readonly #times = new TimeWriter();
  #view: DataView<ArrayBuffer>;
  #at: number;
  #limit: number; // a cell that starts here or before it fits
  #finished = false;

  /**
   * @param options The header, the form and the size of parts
   * @throws {RangeError} If a part cannot hold the header and a cell
   */
  constructor({ start, format, maxBytes }: PartWriterOptions) {
    this.#json = format === "json";
    this.#maxBytes = maxBytes;
    this.#start = encodeText((this.#json ? "" : "#") + start);
    this.#room = this.#start.length + 2 * MAX_COUNT_DIGITS +
      this.#counts("", "").length;
    const least = this.#room + MAX_CELL_BYTES + 2;
    if (!(maxBytes >= LEAST_MAX_BYTES && maxBytes >= least)) {
      throw new RangeError(
        `Cannot write parts of ${maxBytes} bytes: ` +
          `${Math.max(least, LEAST_MAX_BYTES)} are needed`,
      );
    }
    this.#at = this.#room;
    this.#view = viewOf(Math.min(maxBytes, Math.max(least, FIRST_CAPACITY)));
    this.#limit = this.#lastStart();
  }

  /**
   * Adds a cell.
   *
   * @param x int32
   * @param y int32
   * @param value int32
   * @param time When it was observed, ms since 1970, 0 to 1e14
   * @throws {RangeError} If the time is out of range
   * @throws {Error} If the writer is finished
   */
  cell(x: number, y: number, value: number, time: number): void {
    while (this.#at > this.#limit) this.#makeRoom();
    const view = this.#view;
    let at = this.#at;
    if (this.#json) view.setUint8(at++, OPEN);
    at = writeField(view, at, x);
    at = writeField(view, at, y);
    at = writeField(view, at, value);
    at = this.#times.write(view, at, time);
    if (this.#json) {
      view.setUint16(at, CLOSE_COMMA);
      at += 2;
    } else view.setUint8(at++, LF);
    this.#at = at;
  }

  /**
   * Ends the last part.
   *
   * @returns The payloads, part 1 first; at least one. They share no buffer
   */
  finish(): Uint8Array<ArrayBuffer>[] {
    this.#endPart();
    this.#finished = true;
    this.#limit = -1; // so that another cell asks for room, and is refused
    const count = String(this.#full.length);
    return this.#full.map(({ bytes, end }, index) => {
      const counts = encodeText(this.#counts(String(index + 1), count));
      const split = this.#room - counts.length;
      const begin = split - this.#start.length;
      bytes.set(this.#start, begin);
      bytes.set(counts, split);
      return bytes.subarray(begin, end);
    });
  }

  /** The end of a header, from the part's number on. */
  #counts(part: string, parts: string): string {
    return `${part},"parts":${parts}` + (this.#json ? ',"cells":[' : "}\n");
  }

  /** The last place where a cell may start that leaves room for the end. */
  #lastStart(): number {
    return this.#view.byteLength - MAX_CELL_BYTES - 2;
  }

  /** Grows the buffer while it may grow, then starts the next part. */
  #makeRoom(): void {
    if (this.#finished) throw new Error("Cannot add a cell: it is finished");
    const length = this.#view.byteLength;
    if (length < this.#maxBytes) {
      const grown = viewOf(Math.min(this.#maxBytes, 4 * length));
      new Uint8Array(grown.buffer).set(new Uint8Array(this.#view.buffer));
      this.#view = grown;
    } else {
      this.#endPart();
      this.#view = viewOf(Math.min(this.#maxBytes, NEXT_CAPACITY));
      this.#at = this.#room;
    }
    this.#limit = this.#lastStart();
  }

  #endPart(): void {
    let end = this.#at;
    if (this.#json) {
      if (end > this.#room) end--; // the comma behind the last cell
      this.#view.setUint16(end, CLOSE_OBJECT);
      end += 2;
    }
    this.#full.push({ bytes: new Uint8Array(this.#view.buffer), end });
  }
}

function viewOf(bytes: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(bytes));
}

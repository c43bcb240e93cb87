import { MAX_CELL_BYTES } from "./cells.ts";
import { writeInt, writeTime } from "./digits.ts";
import { LEAST_MAX_BYTES } from "./request.ts";
import { headerStart, type ReplyHeader } from "./response.ts";
import { encodeText } from "./text.ts";

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE_COMMA = 0x5d2c;
const CLOSE_OBJECT = 0x5d7d;
const LF = 0x0a;

const FIRST_CAPACITY = 4096;
const NEXT_CAPACITY = 256 * 1024;
const MAX_COUNT_DIGITS = 10; // of `part` and of `parts`

/** Options of {@linkcode ReplyWriter}. */
export interface ReplyWriterOptions extends ReplyHeader {
  /** JSON, or CSV behind a header line that starts with `#`. */
  readonly format: "json" | "csv";
  /** The most bytes of a part; {@linkcode LEAST_MAX_BYTES} or more. */
  readonly maxBytes: number;
}

/** A part being filled: room for the header, then cells up to `end`. */
interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: number;
}

/**
 * Writes a reply cell by cell, straight into the parts that will be published.
 *
 * How many parts there are is known only at the end, but each part's header
 * says it. So each starts with room for the longest header, and the header is
 * put right-aligned before the cells when all is written: no cell is copied.
 *
 * @example
 * ```ts
 * import { ReplyWriter } from "./reply_writer.ts";
 *
 * const writer = new ReplyWriter({
 *   layer: "default",
 *   revision: 812,
 *   time: 1700000000000,
 *   format: "json",
 *   maxBytes: 262144,
 * });
 * writer.cell(1, 2, 1, 1699999999000);
 * const parts = writer.finish();
 * console.log(new TextDecoder().decode(parts[0]));
 * // {"status":"ok","layer":"default",…,"cells":[[1,2,1,1699999999000]]}
 * ```
 */
export class ReplyWriter {
  readonly #json: boolean;
  readonly #maxBytes: number;
  readonly #start: Uint8Array;
  readonly #room: number; // for the header
  readonly #full: Part[] = [];
  #view: DataView<ArrayBuffer>;
  #at: number;
  #limit: number; // a cell that starts here or before it fits
  #finished = false;

  /**
   * @param options The header, the form and the size of parts
   * @throws {RangeError} If a part cannot hold the header and a cell
   */
  constructor(options: ReplyWriterOptions) {
    this.#json = options.format === "json";
    this.#maxBytes = options.maxBytes;
    this.#start = encodeText(
      (this.#json ? "" : "#") + headerStart(options),
    );
    this.#room = this.#start.length + 2 * MAX_COUNT_DIGITS +
      this.#counts("", "").length;
    const least = this.#room + MAX_CELL_BYTES + 2;
    if (!(this.#maxBytes >= LEAST_MAX_BYTES && this.#maxBytes >= least)) {
      throw new RangeError(
        `Cannot write a reply in parts of ${this.#maxBytes} bytes: ` +
          `${Math.max(least, LEAST_MAX_BYTES)} are needed`,
      );
    }
    this.#at = this.#room;
    this.#view = viewOf(
      Math.min(this.#maxBytes, Math.max(least, FIRST_CAPACITY)),
    );
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
   * @throws {Error} If the reply is finished
   */
  cell(x: number, y: number, value: number, time: number): void {
    while (this.#at > this.#limit) this.#makeRoom();
    const view = this.#view;
    let at = this.#at;
    if (this.#json) view.setUint8(at++, OPEN);
    at = writeInt(view, at, x);
    view.setUint8(at, COMMA);
    at = writeInt(view, at + 1, y);
    view.setUint8(at, COMMA);
    at = writeInt(view, at + 1, value);
    view.setUint8(at, COMMA);
    at = writeTime(view, at + 1, time);
    if (this.#json) {
      view.setUint16(at, CLOSE_COMMA);
      at += 2;
    } else view.setUint8(at++, LF);
    this.#at = at;
  }

  /**
   * Ends the reply.
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
    if (this.#finished) {
      throw new Error("Cannot add a cell: the reply is finished");
    }
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

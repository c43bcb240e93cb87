/**
 * Parses readings as CSV or TSV: one line for each, `x,y,value` or
 * `x,y,value,time`, or the columns that a header names, without quotes. Lines
 * end with LF or CRLF; the last line may end with the payload.
 *
 * @module
 */

import { plural } from "../common/plural.ts";
import type { ReadingBatch } from "./batch.ts";
import {
  explainInteger,
  explainTimeField,
  parseInteger,
  parsePlainLine,
  parseTimeField,
  skipSpace,
  trimSpace,
} from "./csv.ts";
import {
  type CsvLayout,
  layoutOf,
  lineHint,
  PLAIN_LAYOUT,
} from "./csv_layout.ts";
import { ProtocolError } from "./errors.ts";
import { batchOfLayer, type LayerOptions } from "./payload_layer.ts";
import type { Refusals } from "./refusals.ts";
import { decodeText, isJsonObject, parseJson, quoteBytes } from "./text.ts";
import { checkReadingTime, type TimeCheck } from "./time.ts";

/** Maximum length of a line in bytes, without its end. */
export const MAX_LINE_BYTES = 1024;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const HASH = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACE = 0x7b;

const NAMES = ["x", "y", "value"] as const;

/** Options of {@linkcode parseCsv} and {@linkcode CsvParser}. */
export interface CsvOptions extends LayerOptions {
  /** Which times are valid. Default: those of readings. */
  readonly check?: TimeCheck;
  /** True if tabs may separate fields. Default false. */
  readonly tabs?: boolean;
}

/**
 * Parses a payload and appends its readings to a batch. Invalid lines are
 * refused one by one; blank lines are skipped, but counted.
 *
 * @param bytes the payload
 * @param from offset of the first line
 * @param batch receives the valid readings; unchanged if this throws
 * @param refusals receives the invalid lines
 * @param options times, tabs, and what to do with the name of a layer
 * @param firstLine number of the first line
 * @throws {ProtocolError} "bad-header", "bad-layer" or "bad-json"
 */
export function parseCsv(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
  options: CsvOptions = {},
  firstLine: number = 1,
): void {
  const { check = checkReadingTime } = options;
  const end = bytes.length;
  const { length } = batch;
  let at = from;
  let line = firstLine;
  // Most payloads have only the usual lines, and need no parser.
  for (; at < end; line++) {
    const next = parsePlainLine(bytes, at, end, batch, check, true);
    if (next === -1) break;
    at = next;
  }
  if (at >= end) return;
  const layout = at > from ? PLAIN_LAYOUT : undefined;
  try {
    new CsvParser(options, layout).parse(bytes, at, batch, refusals, line);
  } catch (error) {
    batch.truncate(length); // it has no new sources: CSV names none
    throw error;
  }
}

/**
 * Parses CSV in blocks of whole lines. The first line that is not blank decides
 * the layout of all others, up to a line `#{…}`: a header names the columns.
 */
export class CsvParser {
  readonly #options: CsvOptions;
  readonly #check: TimeCheck;
  /** Undefined before the first line, and after a line `#{…}`. */
  #layout: CsvLayout | undefined;
  /** The layer that the last comment has named. */
  #layer: unknown;

  /**
   * Makes a parser of lines.
   *
   * @param options times, tabs, and what to do with the name of a layer
   * @param layout the layout of the lines; default: their first line decides
   */
  constructor(options: CsvOptions = {}, layout?: CsvLayout) {
    this.#options = options;
    this.#layout = layout;
    this.#check = options.check ?? checkReadingTime;
  }

  /** Returns a parser for the same lines, to parse some of them again. */
  copy(): CsvParser {
    const copy = new CsvParser(this.#options, this.#layout);
    copy.#layer = this.#layer;
    return copy;
  }

  /**
   * Parses the next lines, see {@linkcode parseCsv}.
   *
   * @returns the number of the line after them
   * @throws {ProtocolError} "bad-header", "bad-layer" or "bad-json"
   */
  parse(
    bytes: Uint8Array,
    from: number,
    batch: ReadingBatch,
    refusals: Pick<Refusals, "add">,
    firstLine: number,
  ): number {
    const end = bytes.length;
    const check = this.#check;
    let into = batchOfLayer(this.#layer, batch, this.#options);
    let line = firstLine;
    into.markLine(line);
    for (let at = from; at < end; line++) {
      const layout = this.#layout ?? PLAIN_LAYOUT;
      if (layout.isPlain) {
        const withTime = layout.columns > 3;
        let next = parsePlainLine(bytes, at, end, into, check, withTime);
        if (next !== -1) {
          this.#layout = layout;
          do {
            at = next;
            line++;
            if (at >= end) return line;
            next = parsePlainLine(bytes, at, end, into, check, withTime);
          } while (next !== -1);
        }
      }
      const lineEnd = bytes.indexOf(LF, at);
      const stop = lineEnd === -1 ? end : lineEnd;
      const { length } = into;
      if (isComment(bytes, at)) {
        this.#layer = readLayer(bytes, at, stop);
        this.#layout = undefined; // another header may follow
        into = batchOfLayer(this.#layer, batch, this.#options);
      } else if (
        this.#layout !== undefined || !this.#readFirst(bytes, at, stop)
      ) {
        this.#parseLine(bytes, at, stop, into, refusals, line);
      }
      if (into.length === length) into.markLine(line + 1);
      at = stop + 1;
    }
    return line;
  }

  /** Decides the layout. @returns true if the line is a header, or blank */
  #readFirst(bytes: Uint8Array, from: number, to: number): boolean {
    if (to > from && bytes[to - 1] === CR) to--;
    const first = skipSpace(bytes, from, to);
    if (first === to) return true;
    this.#layout = PLAIN_LAYOUT;
    // The usual lines begin with a number and are not decoded.
    if (!this.#options.tabs && isNumeric(bytes[first]!)) return false;
    if (to - from > MAX_LINE_BYTES) return false;
    const text = decodeText(bytes, from, to);
    this.#layout = layoutOf(text, this.#options.tabs ?? false) ?? PLAIN_LAYOUT;
    return this.#layout.hasHeader;
  }

  /** Parses any line: appends its reading or adds a refusal. */
  #parseLine(
    bytes: Uint8Array,
    from: number,
    to: number,
    batch: ReadingBatch,
    refusals: Pick<Refusals, "add">,
    line: number,
  ): void {
    const layout = this.#layout ?? PLAIN_LAYOUT;
    if (to > from && bytes[to - 1] === CR) to--;
    if (to - from > MAX_LINE_BYTES) {
      const length = to - from;
      refusals.add(
        "line-too-long",
        () =>
          `the line has ${length} bytes, more than ${MAX_LINE_BYTES}: ` +
          quoteBytes(bytes, from, to),
        line,
      );
      return;
    }
    if (skipSpace(bytes, from, to) === to) return;

    const { separator } = layout;
    // Field i is between stops[i] and stops[i + 1].
    const stops: number[] = [from - 1];
    // Only the name of a layer may be quoted (RFC 4180, 2), for its commas.
    let quoted = false;
    for (let at = from; at < to; at++) {
      if (bytes[at] === separator && !quoted) stops.push(at);
      else if (bytes[at] === QUOTE) quoted = layout.mayQuote && !quoted;
    }
    stops.push(to);
    const count = stops.length - 1;
    if (count < layout.required || count > layout.columns) {
      const { form } = layout;
      refusals.add(
        "bad-fields",
        () => explainFields(form, count, bytes, from, to),
        line,
      );
      return;
    }

    let into = batch;
    if (layout.layer !== -1 && layout.layer < count) {
      const stop = stops[layout.layer + 1]!;
      const first = skipSpace(bytes, stops[layout.layer]! + 1, stop);
      const last = trimSpace(bytes, first, stop);
      const name = unquoted(decodeText(bytes, first, last), layout);
      try {
        if (name !== "") into = batchOfLayer(name, batch, this.#options);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refusals.add(error.code, () => error.message, line);
        return;
      }
    }

    const numbers = [0, 0, 0];
    for (const [index, name] of NAMES.entries()) {
      const column = layout[name];
      const first = skipSpace(bytes, stops[column]! + 1, stops[column + 1]!);
      const last = trimSpace(bytes, first, stops[column + 1]!);
      const number = parseInteger(bytes, first, last);
      if (!(number >= -0x80000000 && number <= 0x7fffffff)) {
        refusals.add(
          `bad-${name}`,
          () =>
            explainInteger(name, number, bytes, first, last) +
            lineHint(decodeText(bytes, from, to), count),
          line,
        );
        return;
      }
      numbers[index] = number;
    }

    let time = NaN;
    if (layout.time !== -1 && layout.time < count) {
      const stop = stops[layout.time + 1]!;
      const first = skipSpace(bytes, stops[layout.time]! + 1, stop);
      const last = trimSpace(bytes, first, stop);
      // A table has empty fields where a value is not known.
      if (first < last || layout === PLAIN_LAYOUT) {
        time = this.#check(parseTimeField(bytes, first, last));
        if (Number.isNaN(time)) {
          refusals.add(
            "bad-time",
            () => explainTimeField(bytes, first, last),
            line,
          );
          return;
        }
      }
    }
    if (into !== batch) into.markLine(line);
    into.push(numbers[0]!, numbers[1]!, numbers[2]!, time);
  }
}

/** Returns true for a line `#{…}`, as in CSV replies. */
function isComment(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === HASH && bytes[at + 1] === OPEN_BRACE;
}

/** Returns the layer of a line `#{…}`. @throws {ProtocolError} "bad-json" */
function readLayer(bytes: Uint8Array, from: number, to: number): unknown {
  const head = parseJson(bytes.subarray(from + 1, to));
  return isJsonObject(head) ? head.layer : undefined;
}

/** Returns a name without the quotes of CSV. */
function unquoted(name: string, { mayQuote }: CsvLayout): string {
  return mayQuote && /^"[^]*"$/.test(name)
    ? name.slice(1, -1).replaceAll('""', '"')
    : name;
}

function isNumeric(byte: number): boolean {
  return byte === MINUS || byte === PLUS || (byte >= ZERO && byte <= NINE);
}

function explainFields(
  form: string,
  count: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  const fields = plural(count, "field");
  return `expected ${form}, found ${fields}: ${quoteBytes(bytes, from, to)}` +
    lineHint(decodeText(bytes, from, to), count);
}

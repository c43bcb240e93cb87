/**
 * Parses a payload of readings, CSV or JSON.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import { type CsvOptions, CsvParser, parseCsv } from "./csv_parser.ts";
import { ProtocolError } from "./errors.ts";
import { parseJsonReadings } from "./json.ts";
import { parseNdjson } from "./ndjson.ts";
import type { LayerOptions } from "./payload_layer.ts";
import { Refusals } from "./refusals.ts";
import { afterByteOrderMark, quote, skipBlank } from "./text.ts";

/** Options of {@linkcode parseReadings}. */
export interface ParseReadingsOptions extends LayerOptions {
  /**
   * The MQTT 5 Content Type (3.3.2.3.9), `text/csv`, `application/json`,
   * `application/x-ndjson` or `text/tab-separated-values`. Without one of
   * these, the first byte decides.
   */
  readonly contentType?: string | undefined;
}

/** How a payload is written. */
export type Format = "csv" | "tsv" | "json" | "ndjson";

const FORMATS: Readonly<Record<string, Format | undefined>> = Object.assign(
  Object.create(null),
  {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
  },
);
const LF = 0x0a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/**
 * Parses a payload of readings, CSV or JSON, and appends them to a batch.
 * Invalid lines and elements are refused one by one; the valid ones are kept.
 *
 * @param payload the application message
 * @param batch receives the valid readings; unchanged if this throws
 * @param options the content type, and what to do with the name of a layer
 * @returns the refused lines or elements
 * @throws {ProtocolError} if the payload as a whole is not valid: "empty",
 * "bad-content-type", "bad-header", "bad-utf8", "bad-json", "bad-form", or
 * "bad-time", "bad-source" or "bad-layer" of a batch
 *
 * @example
 * ```ts
 * import { ReadingBatch } from "./batch.ts";
 * import { parseReadings } from "./readings.ts";
 *
 * const batch = new ReadingBatch();
 * const payload = new TextEncoder().encode("1,2,1\n1,three,0\n");
 * const refusals = parseReadings(payload, batch);
 * console.log(batch.length); // 1
 * console.log(refusals.kept[0]?.message); // y is not an integer: "three"
 * ```
 */
export function parseReadings(
  payload: Uint8Array,
  batch: ReadingBatch,
  options: ParseReadingsOptions = {},
): Refusals {
  const from = afterByteOrderMark(payload);
  const first = skipBlank(payload, from);
  if (first === payload.length) throw emptyError("the payload is empty");
  const refusals = new Refusals();
  batch.startPayload();
  switch (formatOf(payload[first]!, options.contentType)) {
    case "json":
      parseJsonReadings(payload, first, batch, refusals, options);
      break;
    case "ndjson":
      parseNdjson(payload, from, batch, refusals, options);
      break;
    case "tsv":
      parseTable(payload, from, batch, refusals, { ...options, tabs: true });
      break;
    default:
      parseTable(payload, from, batch, refusals, options);
  }
  return refusals;
}

/** Size of a slice of {@linkcode parseReadingsInSlices}: about 1 ms of work. */
export const PARSE_SLICE_BYTES: number = 128 * 1024;

/** Maximum size of JSON that is parsed at once: about 50 ms of work. */
export const MAX_JSON_BYTES: number = 4 * 1024 * 1024;

/**
 * As {@linkcode parseReadings}, but pauses after each slice of a payload of
 * lines (CSV, TSV, NDJSON). Other JSON is parsed at once.
 *
 * @param payload must not change before the end
 * @param batch not to be used before the end; unchanged if this throws
 * @throws {ProtocolError} as {@linkcode parseReadings}; "too-large" for JSON of
 * more than {@linkcode MAX_JSON_BYTES} that is not lines
 */
export function* parseReadingsInSlices(
  payload: Uint8Array,
  batch: ReadingBatch,
  options: ParseReadingsOptions = {},
): Generator<void, Refusals, void> {
  const from = afterByteOrderMark(payload);
  const first = skipBlank(payload, from);
  const format = payload.length <= PARSE_SLICE_BYTES || first === payload.length
    ? "json"
    : formatOf(payload[first]!, options.contentType);
  if (format === "json") {
    if (payload.length > MAX_JSON_BYTES) {
      throw new ProtocolError(
        "too-large",
        `the JSON has ${payload.length} bytes, more than ${MAX_JSON_BYTES}: send it in several messages, or as JSON lines`,
      );
    }
    return parseReadings(payload, batch, options);
  }
  const refusals = new Refusals();
  const { length } = batch;
  const sources = batch.sources.length;
  batch.startPayload();
  const csv = format === "ndjson"
    ? undefined
    : new CsvParser({ ...options, tabs: format === "tsv" });
  try {
    for (let at = from, line = 1; at < payload.length;) {
      const lineEnd = payload.indexOf(LF, at + PARSE_SLICE_BYTES);
      const end = lineEnd === -1 ? payload.length : lineEnd + 1;
      const slice = payload.subarray(0, end);
      line = csv === undefined
        ? parseNdjson(slice, at, batch, refusals, options, line)
        : csv.parse(slice, at, batch, refusals, line);
      at = end;
      yield;
    }
  } catch (error) {
    batch.truncate(length, sources);
    throw error;
  }
  if (csv !== undefined && batch.length === length) {
    checkNotEmpty(refusals, options);
  }
  return refusals;
}

/** Parses CSV or TSV. A payload with a header only has no readings. */
function parseTable(
  payload: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Refusals,
  options: CsvOptions,
): void {
  const { length } = batch;
  parseCsv(payload, from, batch, refusals, options);
  if (batch.length === length) checkNotEmpty(refusals, options);
}

/** @throws {ProtocolError} "empty" if no line was refused either */
function checkNotEmpty(refusals: Refusals, options: LayerOptions): void {
  if (refusals.total > 0 || options.batchOf !== undefined) return;
  throw emptyError("the payload has a header and no readings");
}

function formatOf(first: number, contentType: string | undefined): Format {
  if (contentType !== undefined) {
    const format = formatOfType(contentType);
    if (format !== undefined) return format;
  }
  return first === OPEN_BRACE || first === OPEN_BRACKET ? "json" : "csv";
}

/**
 * Returns the format that a content type means; undefined if the first byte of
 * the payload decides.
 *
 * @throws {ProtocolError} "bad-content-type" if it cannot be readings
 */
export function formatOfType(contentType: string): Format | undefined {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  const format = FORMATS[type];
  if (format === undefined && type.startsWith("multipart/")) {
    throw new ProtocolError(
      "bad-content-type",
      `the payload is ${quote(type)}, not readings`,
      {
        hint:
          "Send the file as it is, such as curl --data-binary @readings.csv.",
      },
    );
  }
  return format;
}

function emptyError(message: string): ProtocolError {
  return new ProtocolError("empty", message, {
    hint: "Send x,y,value or JSON.",
  });
}

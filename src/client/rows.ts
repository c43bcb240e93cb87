/**
 * Reads readings from a file or pipe in CSV, JSON or NDJSON.
 *
 * @module
 */
import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  Refusals,
} from "../protocol/mod.ts";
import { lineBlocks, MAX_ROW_BYTES } from "./lines.ts";

/** A file format. */
export type RowFormat = "csv" | "json" | "ndjson";

/** An invalid row. */
export interface BadRow {
  /** Number of the line, or of the element of a JSON array, from 1. */
  readonly line: number | undefined;
  /** Why the row is invalid. */
  readonly message: string;
}

/** The readings of one part of a file, and its bad rows. */
export interface Rows {
  readonly readings: ReadingBatch;
  /** The first of the bad rows. */
  readonly bad: readonly BadRow[];
  /** The number of bad rows. */
  readonly skipped: number;
}

const NEWLINE = 0x0a;
/** First byte of a byte order mark. */
const BOM_FIRST_BYTE = 0xef;
const CSV_HEADER = /^[^\S\n]*"?x"?\s*,\s*"?y"?\s*,/i;
const MAX_HEADER_BYTES = 256;
const decoder = new TextDecoder();

/** Returns the format by the extension of a file name; undefined if unknown. */
export function formatOf(path: string): RowFormat | undefined {
  const ending = /\.(csv|json|ndjson|jsonl)$/i.exec(path)?.[1]?.toLowerCase();
  return ending === "jsonl" ? "ndjson" : ending as RowFormat | undefined;
}

/**
 * Reads rows as they arrive.
 *
 * @param chunks the bytes of the file
 * @param format detected from the first bytes if undefined
 * @param strict true to end at the first bad row; else bad rows are skipped
 * @throws {ProtocolError} if a JSON document is malformed
 */
export async function* readRows(
  chunks: AsyncIterable<Uint8Array>,
  format: RowFormat | undefined,
  strict = false,
): AsyncGenerator<Rows> {
  if (format === undefined) {
    const [first, all] = await peek(chunks);
    yield* readRows(all, detectFormat(first), strict);
  } else if (format === "json") {
    yield parseDocument(await readAll(chunks), strict);
  } else {
    const parse = format === "csv" ? parseCsv : parseNdjson;
    for await (const { bytes, firstLine, tooLong } of lineBlocks(chunks)) {
      const rows = tooLong === undefined
        ? parse(bytes, firstLine, strict)
        : rowTooLong(firstLine, tooLong);
      yield rows;
      if (strict && rows.skipped > 0) return;
    }
  }
}

function rowTooLong(line: number, length: number): Rows {
  const message =
    `the line has ${length} bytes, more than the maximum of ${MAX_ROW_BYTES}`;
  return {
    readings: new ReadingBatch(0),
    bad: [{ line, message }],
    skipped: 1,
  };
}

function parseCsv(bytes: Uint8Array, firstLine: number, strict: boolean): Rows {
  if (firstLine === 1 && hasHeader(bytes)) {
    return parseCsv(afterLines(bytes, 1), 2, strict);
  }
  if (firstLine > 1 && bytes[0] === BOM_FIRST_BYTE) {
    return parseCsv(afterBlankLine(bytes), firstLine - 1, strict);
  }
  const readings = new ReadingBatch(bytes.length >>> 3);
  const refusals = parsePart(bytes, readings, "text/csv");
  const bad = refusals.kept.map(({ line, message }) => ({
    line: line! + firstLine - 1,
    message,
  }));
  if (strict && bad.length > 0) {
    const good = bytes.length -
      afterLines(bytes, bad[0]!.line - firstLine).length;
    readings.clear();
    parsePart(bytes.subarray(0, good), readings, "text/csv");
    return { readings, bad: bad.slice(0, 1), skipped: 1 };
  }
  return { readings, bad, skipped: refusals.total };
}

function parseNdjson(
  bytes: Uint8Array,
  firstLine: number,
  strict: boolean,
): Rows {
  const readings = new ReadingBatch();
  const bad: BadRow[] = [];
  let skipped = 0;
  let line = firstLine;
  for (let rest = bytes; rest.length > 0; rest = afterLines(rest, 1), line++) {
    const row = rest.subarray(0, lineEnd(rest));
    const before = readings.length;
    try {
      const refusals = parsePart(row, readings, "application/json");
      skipped += refusals.total;
      for (const { message } of refusals.kept) bad.push({ line, message });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      skipped++;
      bad.push({ line, message: error.message });
    }
    if (strict && skipped > 0) {
      readings.truncate(before);
      return { readings, bad: bad.slice(0, 1), skipped: 1 };
    }
  }
  return { readings, bad, skipped };
}

function parseDocument(bytes: Uint8Array, strict: boolean): Rows {
  const readings = new ReadingBatch();
  const refusals = parsePart(bytes, readings, "application/json");
  const bad = refusals.kept.map(({ line, message }) => ({ line, message }));
  if (strict && bad.length > 0) {
    readings.truncate((bad[0]!.line ?? 1) - 1); // an element is a reading
    return { readings, bad: bad.slice(0, 1), skipped: 1 };
  }
  return { readings, bad, skipped: refusals.total };
}

/** Parses like a message, but accepts input without readings. */
function parsePart(
  bytes: Uint8Array,
  readings: ReadingBatch,
  contentType: string,
): Refusals {
  try {
    return parseReadings(bytes, readings, { contentType });
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "empty") {
      return new Refusals();
    }
    throw error;
  }
}

/** Detects NDJSON by a first line that is complete JSON. */
function detectFormat(start: Uint8Array): RowFormat {
  const end = lineEnd(start);
  const line = decoder.decode(start.subarray(0, end));
  if (!/^\s*[{[]/.test(line)) return "csv";
  if (end === start.length) return "json";
  try {
    JSON.parse(line);
    return "ndjson";
  } catch {
    return "json";
  }
}

function hasHeader(bytes: Uint8Array): boolean {
  return CSV_HEADER.test(decoder.decode(bytes.subarray(0, MAX_HEADER_BYTES)));
}

/** Prepends an empty line: a byte order mark after the first line is an error. */
function afterBlankLine(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = NEWLINE;
  all.set(bytes, 1);
  return all;
}

/** Returns the bytes after a number of lines. */
function afterLines(bytes: Uint8Array, count: number): Uint8Array {
  let rest = bytes;
  for (; count > 0; count--) rest = rest.subarray(lineEnd(rest) + 1);
  return rest;
}

/** Returns the index of the first line feed, or the length. */
function lineEnd(bytes: Uint8Array): number {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? bytes.length : end;
}

/** Returns the first chunk, and all chunks including the first. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<[Uint8Array, AsyncIterable<Uint8Array>]> {
  const rest = chunks[Symbol.asyncIterator]();
  const head = await rest.next();
  const first: Uint8Array = head.done ? new Uint8Array(0) : head.value;
  const all = async function* () {
    yield first;
    yield* { [Symbol.asyncIterator]: () => rest };
  };
  return [first, all()];
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(ReadableStream.from(chunks)).arrayBuffer(),
  );
}

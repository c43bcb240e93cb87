import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  Refusals,
} from "../protocol/mod.ts";
import { lineBlocks, MAX_ROW_BYTES } from "./lines.ts";

/** How the rows of a file are written. */
export type RowFormat = "csv" | "json" | "ndjson";

/** A row that could not be used. */
export interface BadRow {
  /** Line of the file, or element of a JSON array, from 1. */
  readonly line: number | undefined;
  readonly message: string;
}

/** Readings that came together, and the rows among them that are none. */
export interface Rows {
  readonly readings: ReadingBatch;
  /** The first few bad rows. */
  readonly bad: readonly BadRow[];
  /** How many bad rows there were. */
  readonly skipped: number;
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = 0xef; // the first byte of it
const CSV_HEADER = /^[^\S\n]*"?x"?\s*,\s*"?y"?\s*,/i;
const HEADER_BYTES = 256;
const decoder = new TextDecoder();

/** The format that a file's name tells, if it does. */
export function formatOf(path: string): RowFormat | undefined {
  const ending = /\.(csv|json|ndjson|jsonl)$/i.exec(path)?.[1]?.toLowerCase();
  return ending === "jsonl" ? "ndjson" : ending as RowFormat | undefined;
}

/**
 * Reads rows as they come. A bad row costs only itself; if `strict`, reading
 * ends at the first one, and nothing behind it is given out.
 *
 * @param format How they are written; found out from the start if undefined
 * @throws {ProtocolError} if a JSON document is not valid as a whole
 */
export async function* readRows(
  chunks: AsyncIterable<Uint8Array>,
  format: RowFormat | undefined,
  strict = false,
): AsyncGenerator<Rows> {
  if (format === undefined) {
    const [first, all] = await peek(chunks);
    yield* readRows(all, sniff(first), strict);
  } else if (format === "json") {
    yield parseWhole(await gather(chunks), strict);
  } else {
    const parse = format === "csv" ? parseCsv : parseNdjson;
    for await (const { bytes, firstLine, tooLong } of lineBlocks(chunks)) {
      const rows = tooLong === undefined
        ? parse(bytes, firstLine, strict)
        : refused(firstLine, tooLong);
      yield rows;
      if (strict && rows.skipped > 0) return;
    }
  }
}

/** A line so long that it was not even held. */
function refused(line: number, length: number): Rows {
  const message =
    `the line has ${length} bytes, ${MAX_ROW_BYTES} are the most that is read`;
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
  if (firstLine > 1 && bytes[0] === BYTE_ORDER_MARK) {
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

function parseWhole(bytes: Uint8Array, strict: boolean): Rows {
  const readings = new ReadingBatch();
  const refusals = parsePart(bytes, readings, "application/json");
  const bad = refusals.kept.map(({ line, message }) => ({ line, message }));
  if (strict && bad.length > 0) {
    readings.truncate((bad[0]!.line ?? 1) - 1); // an element is a reading
    return { readings, bad: bad.slice(0, 1), skipped: 1 };
  }
  return { readings, bad, skipped: refusals.total };
}

/** As the wire is parsed, but that nothing is no fault of a part of a file. */
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

/** A first line that is JSON by itself is one of many; else it begins a document. */
function sniff(start: Uint8Array): RowFormat {
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
  return CSV_HEADER.test(decoder.decode(bytes.subarray(0, HEADER_BYTES)));
}

/** The bytes behind an empty line: a mark that starts them starts no file. */
function afterBlankLine(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = NEWLINE;
  all.set(bytes, 1);
  return all;
}

/** What follows so many lines. */
function afterLines(bytes: Uint8Array, count: number): Uint8Array {
  let rest = bytes;
  for (; count > 0; count--) rest = rest.subarray(lineEnd(rest) + 1);
  return rest;
}

/** Where the first line ends: at its line feed, or with the bytes. */
function lineEnd(bytes: Uint8Array): number {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? bytes.length : end;
}

/** The first chunk, and all chunks with it. */
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

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(ReadableStream.from(chunks)).arrayBuffer(),
  );
}

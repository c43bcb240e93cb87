/**
 * Decides the format of a file or pipe from its first line that is not blank.
 *
 * @module
 */
import { joinBytes } from "../common/bytes.ts";
import { afterByteOrderMark, skipBlank } from "../protocol/text.ts";

/** A format: lines of CSV or TSV, one JSON document, or lines of JSON. */
export type RowFormat = "csv" | "json" | "ndjson";

const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
/** The lines of server-sent events; a comment starts with a colon. */
export const EVENT_LINE = /^(?:event|data|id|retry)?:/;
/** Bytes that are enough for the name of a field of an event. */
export const EVENT_NAME_BYTES = 8;

const decoder = new TextDecoder();

/**
 * Returns the format by the extension of a file name; undefined if the content
 * decides, which shows CSV, TSV and JSON.
 */
export function formatOf(path: string): RowFormat | undefined {
  const ending = /\.(json|ndjson|jsonl)$/i.exec(path)?.[1]?.toLowerCase();
  return ending === "jsonl" ? "ndjson" : ending as RowFormat | undefined;
}

/** The format of an input, and the input with all its bytes. */
export interface DetectedInput {
  readonly format: RowFormat;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Detects the format of an input. Reads blank lines, and for JSON the first
 * line up to its end, so that lines are used as soon as they arrive.
 *
 * @param chunks the bytes of the input
 * @param isFile false for a pipe, whose next line may come much later
 */
export async function detectFormat(
  chunks: AsyncIterable<Uint8Array>,
  isFile: boolean,
): Promise<DetectedInput> {
  const source = chunks[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let start: Uint8Array = new Uint8Array(0);
  let format: RowFormat | undefined;
  let ended = false;
  while (format === undefined) {
    const next = await source.next();
    ended = next.done === true;
    if (!ended && next.value.length > 0) {
      head.push(next.value);
      // A document of many chunks is joined only once, at its first line end.
      if (!isOpenJson(start) || next.value.includes(NEWLINE)) {
        start = joinBytes(head);
      }
    }
    if (ended) start = joinBytes(head);
    format = formatAt(start, ended, isFile);
  }
  const all = async function* () {
    yield* head;
    if (!ended) yield* { [Symbol.asyncIterator]: () => source };
  };
  return { format, chunks: all() };
}

/** Returns the format of an input that begins like this, if it is known. */
function formatAt(
  start: Uint8Array,
  ended: boolean,
  isFile: boolean,
): RowFormat | undefined {
  const first = firstByte(start);
  if (first === start.length) return ended ? "csv" : undefined;
  const newline = start.indexOf(NEWLINE, first);
  const isComplete = newline >= 0;
  if (start[first] === OPEN_BRACE || start[first] === OPEN_BRACKET) {
    if (!isComplete) return ended ? "json" : undefined;
    if (!isJson(start.subarray(first, newline))) return "json";
    const hasMore = skipBlank(start, newline) < start.length;
    return hasMore || !(ended || isFile)
      ? "ndjson"
      : ended
      ? "json"
      : undefined;
  }
  const line = start.subarray(first, isComplete ? newline : undefined);
  if (!isComplete && !ended && line.length < EVENT_NAME_BYTES) return undefined;
  return EVENT_LINE.test(decoder.decode(line.subarray(0, EVENT_NAME_BYTES)))
    ? "ndjson"
    : "csv";
}

/** Returns true if the input is JSON and its first line is not complete. */
function isOpenJson(start: Uint8Array): boolean {
  const byte = start[firstByte(start)];
  return byte === OPEN_BRACE || byte === OPEN_BRACKET;
}

/** Returns the index of the first byte after a byte order mark and blanks. */
function firstByte(bytes: Uint8Array): number {
  return skipBlank(bytes, afterByteOrderMark(bytes));
}

function isJson(line: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(line));
    return true;
  } catch {
    return false;
  }
}

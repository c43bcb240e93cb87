/**
 * Reads readings from a file or pipe in CSV, TSV, JSON or NDJSON.
 *
 * @module
 */
import { ReadingBatch } from "../protocol/mod.ts";
import {
  type DetectedInput,
  detectFormat,
  type RowFormat,
} from "./input_format.ts";
import { lineBlocks, MAX_ROW_BYTES } from "./lines.ts";
import {
  type BadRow,
  type Block,
  CsvBlocks,
  parseDocument,
  parseNdjsonBlock,
} from "./row_parsers.ts";

/** Readings of one part of a file, all of one layer, and its bad rows. */
export interface Rows {
  readonly readings: ReadingBatch;
  /** The layer that the file names; undefined if it names none. */
  readonly layer?: string | undefined;
  /** The first of the bad rows. */
  readonly bad: readonly BadRow[];
  /** The number of bad rows. */
  readonly skipped: number;
}

/** Options of {@linkcode readRows}. */
export interface ReadRowsOptions {
  /** Default: decided by the first line that is not blank. */
  readonly format?: RowFormat | undefined;
  /** True to end at the first bad row. Default: bad rows are skipped. */
  readonly strict?: boolean | undefined;
  /** True to ignore the layers that the file names. Default false. */
  readonly ignoreLayers?: boolean | undefined;
  /** False for a pipe, whose lines are used as they arrive. Default false. */
  readonly isFile?: boolean | undefined;
}

/**
 * Reads rows as they arrive.
 *
 * @param chunks the bytes of the file
 * @param options format, layers, and what to do with bad rows
 * @throws {ProtocolError} if a JSON document, a CSV header or the comment of a
 * CSV reply is malformed
 */
export async function* readRows(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadRowsOptions = {},
): AsyncGenerator<Rows> {
  const { strict = false, ignoreLayers = false, isFile = false } = options;
  const { format, chunks: input } = await formatAndInput(
    chunks,
    options.format,
    isFile,
  );
  const parsing = { strict, ignoreLayers };
  if (format === "json") {
    yield* rowsOf(parseDocument(await readAll(input), parsing));
    return;
  }
  const csv = new CsvBlocks(parsing);
  for await (const { bytes, firstLine, tooLong } of lineBlocks(input)) {
    const block = tooLong !== undefined
      ? rowTooLong(firstLine, tooLong)
      : format === "csv"
      ? csv.parse(bytes, firstLine)
      : parseNdjsonBlock(bytes, firstLine, parsing);
    yield* rowsOf(block);
    if (strict && block.skipped > 0) return;
  }
}

/** Decides the format if it is not known. JSON may be a document or lines. */
async function formatAndInput(
  chunks: AsyncIterable<Uint8Array>,
  format: RowFormat | undefined,
  isFile: boolean,
): Promise<DetectedInput> {
  if (format === "csv" || format === "ndjson") return { format, chunks };
  const detected = await detectFormat(chunks, isFile);
  if (format === undefined || detected.format === "ndjson") return detected;
  return { format, chunks: detected.chunks };
}

/** Yields the readings of each layer; the last ones with the bad rows. */
function* rowsOf({ readings, bad, skipped }: Block): Generator<Rows> {
  const filled = [...readings].filter(([, { length }]) => length > 0);
  const last = filled.pop();
  for (const [layer, batch] of filled) {
    yield { readings: batch, layer, bad: [], skipped: 0 };
  }
  const [layer, batch] = last ?? [undefined, new ReadingBatch(0)];
  yield { readings: batch, layer, bad, skipped };
}

function rowTooLong(line: number, length: number): Block {
  const message =
    `the line has ${length} bytes, more than the maximum of ${MAX_ROW_BYTES}`;
  return { readings: new Map(), bad: [{ line, message }], skipped: 1 };
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(ReadableStream.from(chunks)).arrayBuffer(),
  );
}

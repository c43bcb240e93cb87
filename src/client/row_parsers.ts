/**
 * Parses parts of a file into readings and bad rows.
 *
 * @module
 */
import {
  CsvParser,
  parseNdjson,
  parseOriginal,
  parseReadings,
  ProtocolError,
  ReadingBatch,
  Refusals,
} from "../protocol/mod.ts";
import {
  afterByteOrderMark,
  encodeText,
  isJsonObject,
  parseJson,
} from "../protocol/text.ts";
import { EVENT_LINE, EVENT_NAME_BYTES } from "./input_format.ts";

/** An invalid row. */
export interface BadRow {
  /** Number of the line, or of the element of a JSON array, from 1. */
  readonly line: number | undefined;
  /** Why the row is invalid. */
  readonly message: string;
}

/** The readings of a part of a file, and its bad rows. */
export interface Block {
  /** By the layer that the file names; undefined for none. */
  readonly readings: ReadonlyMap<string | undefined, ReadingBatch>;
  /** The first of the bad rows. */
  readonly bad: readonly BadRow[];
  /** The number of bad rows. */
  readonly skipped: number;
}

/** How to parse. */
export interface ParseOptions {
  /** True to end at the first bad row. */
  readonly strict: boolean;
  /** True to ignore the layers that the file names. */
  readonly ignoreLayers: boolean;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const DATA_FIELD = "data:";
/** The map of an original server, as Python prints it. */
const ORIGINAL_MAP = /^\s*\{\s*\(/;
const MAX_START_BYTES = 64;

const decoder = new TextDecoder();

/** Parses blocks of lines of CSV or TSV. */
export class CsvBlocks {
  readonly #strict: boolean;
  #parser: CsvParser;
  #collected = new Collected();

  /** @param options how to parse */
  constructor({ strict, ignoreLayers }: ParseOptions) {
    this.#strict = strict;
    this.#parser = new CsvParser({
      tabs: true,
      batchOf: ignoreLayers
        ? undefined
        : (layer) => this.#collected.batchOf(layer),
    });
  }

  /**
   * Parses the next lines.
   *
   * @param firstLine number of the first line
   * @throws {ProtocolError} as {@linkcode CsvParser.parse}
   */
  parse(bytes: Uint8Array, firstLine: number): Block {
    const before = this.#strict ? this.#parser.copy() : undefined;
    const block = this.#parse(bytes, firstLine);
    if (before === undefined || block.skipped === 0) return block;
    this.#parser = before;
    const lines = block.bad[0]!.line! - firstLine;
    return untilFirst(block, this.#parse(firstLines(bytes, lines), firstLine));
  }

  #parse(bytes: Uint8Array, firstLine: number): Block {
    const collected = this.#collected = new Collected(bytes.length >>> 3);
    const from = firstLine === 1 ? afterByteOrderMark(bytes) : 0;
    const { unnamed, refusals } = collected;
    this.#parser.parse(bytes, from, unnamed, refusals, firstLine);
    return collected.block();
  }
}

/**
 * Parses lines of JSON, or server-sent events with JSON as their data.
 *
 * @param firstLine number of the first line
 */
export function parseNdjsonBlock(
  bytes: Uint8Array,
  firstLine: number,
  options: ParseOptions,
): Block {
  const collected = new Collected();
  const from = firstLine === 1 ? afterByteOrderMark(bytes) : 0;
  parseNdjson(
    withoutEventFields(bytes, from),
    from,
    collected.unnamed,
    collected.refusals,
    collected.layerOptions(options),
    firstLine,
  );
  const block = collected.block();
  if (!options.strict || block.skipped === 0) return block;
  const good = firstLines(bytes, block.bad[0]!.line! - firstLine);
  return untilFirst(block, parseNdjsonBlock(good, firstLine, options));
}

/**
 * Parses a JSON document, or the map of an original server.
 *
 * @throws {ProtocolError} if it is not valid as a whole
 */
export function parseDocument(
  bytes: Uint8Array,
  options: ParseOptions,
): Block {
  const collected = new Collected();
  try {
    const refusals = parseReadings(bytes, collected.unnamed, {
      contentType: "application/json",
      ...collected.layerOptions(options),
    });
    const block = collected.block(refusals);
    if (!options.strict || block.skipped === 0) return block;
    const good = firstElements(bytes, (block.bad[0]!.line ?? 1) - 1);
    return untilFirst(block, parseDocument(good, options));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (error.code === "empty") return new Collected().block();
    const start = decoder.decode(bytes.subarray(0, MAX_START_BYTES));
    if (!ORIGINAL_MAP.test(start)) throw error;
    const readings = parseOriginal(bytes.subarray(afterByteOrderMark(bytes)));
    return { readings: new Map([[undefined, readings]]), bad: [], skipped: 0 };
  }
}

/** Collects the readings of a block by layer. */
class Collected {
  readonly refusals = new Refusals();
  /** The readings without a layer. */
  readonly unnamed: ReadingBatch;
  readonly #readings: Map<string | undefined, ReadingBatch>;

  /** @param capacity number of readings to allocate memory for */
  constructor(capacity?: number) {
    this.unnamed = new ReadingBatch(capacity);
    this.#readings = new Map([[undefined, this.unnamed]]);
  }

  batchOf(layer: string): ReadingBatch {
    let batch = this.#readings.get(layer);
    if (batch === undefined) {
      batch = new ReadingBatch();
      this.#readings.set(layer, batch);
    }
    return batch;
  }

  layerOptions({ ignoreLayers }: ParseOptions) {
    return ignoreLayers
      ? {}
      : { batchOf: (layer: string) => this.batchOf(layer) };
  }

  block(refusals = this.refusals): Block {
    const bad = refusals.kept.map(({ line, message }) => ({ line, message }));
    return { readings: this.#readings, bad, skipped: refusals.total };
  }
}

/** The block up to its first bad row, whose readings are those of `good`. */
function untilFirst({ bad }: Block, { readings }: Block): Block {
  return { readings, bad: bad.slice(0, 1), skipped: 1 };
}

/** Replaces everything except the data of server-sent events by spaces. */
function withoutEventFields(bytes: Uint8Array, from: number): Uint8Array {
  let result = bytes;
  for (let at = from; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at);
    const stop = newline === -1 ? bytes.length : newline;
    const start = bytes.subarray(at, Math.min(at + EVENT_NAME_BYTES, stop));
    const field = EVENT_LINE.exec(decoder.decode(start))?.[0];
    if (field !== undefined) {
      if (result === bytes) result = bytes.slice();
      const end = field === DATA_FIELD ? at + DATA_FIELD.length : stop;
      result.fill(SPACE, at, end);
    }
    at = stop + 1;
  }
  return result;
}

/** Returns the bytes of the first lines. */
function firstLines(bytes: Uint8Array, count: number): Uint8Array {
  let end = 0;
  for (; count > 0; count--) end = bytes.indexOf(NEWLINE, end) + 1;
  return bytes.subarray(0, end);
}

/** Returns a JSON document with its first readings only. */
function firstElements(bytes: Uint8Array, count: number): Uint8Array {
  const document = parseJson(bytes);
  if (Array.isArray(document)) {
    return encodeText(JSON.stringify(document.slice(0, count)));
  }
  if (isJsonObject(document) && Array.isArray(document.cells)) {
    const cells = document.cells.slice(0, count);
    return encodeText(JSON.stringify({ ...document, cells }));
  }
  return encodeText("[]");
}

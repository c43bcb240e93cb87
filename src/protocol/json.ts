/**
 * Readings as JSON: an object, an array of objects, or a batch
 * `{"source":…,"time":…,"cells":[[x,y,value],[x,y,value,time],…]}`.
 */

import { type ReadingBatch, UNKNOWN } from "./batch.ts";
import {
  MAX_CELL_BYTES,
  readCellsHead,
  scanCells,
  writeCell,
} from "./cells.ts";
import { ProtocolError } from "./errors.ts";
import type { Refusals } from "./refusals.ts";
import { isInt32 } from "./region.ts";
import { describeJson, isJsonObject, parseJson, quote } from "./text.ts";
import { checkReadingTime, explainJsonTime, readJsonTime } from "./time.ts";
import { ByteWriter } from "./writer.ts";

/** The most UTF-16 code units of a source's name. */
export const MAX_SOURCE_LENGTH = 200;

/**
 * Parses a JSON payload and appends its readings to a batch. A bad element is
 * refused alone; it is counted from 1.
 *
 * @param bytes The payload
 * @param from Where the JSON starts
 * @param batch Where good readings go; all that throws, throws before the first
 * @param refusals Where bad elements go
 * @throws {ProtocolError} "bad-utf8", "bad-json", "bad-form", and "bad-time" or
 * "bad-source" where a batch has one for all its cells
 */
export function parseJsonReadings(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Refusals,
): void {
  if (parsePlainBatch(bytes, from, batch)) return;
  parseAnyReadings(bytes, from, batch, refusals);
}

/**
 * The batch form as nearly all senders write it: the cells last, their numbers
 * plain integers. What it reads, {@linkcode parseAnyReadings} would read alike.
 *
 * @returns False if it is not of that kind; the batch is as it was
 */
function parsePlainBatch(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
): boolean {
  const head = readCellsHead(bytes, from);
  if (head === undefined) return false;
  const { length } = batch;
  const sources = batch.sources.length;
  try {
    const { time, source } = readDefaults(head.object);
    const index = batch.source(source);
    if (scanCells(bytes, head.at, batch, checkReadingTime, time, index)) {
      return true;
    }
  } catch (error) {
    // Whether the rest is JSON at all decides what is said of it.
    if (!(error instanceof ProtocolError)) throw error;
  }
  batch.truncate(length, sources);
  return false;
}

/** All three forms, by JSON.parse. */
export function parseAnyReadings(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Refusals,
): void {
  const payload = parseJson(from === 0 ? bytes : bytes.subarray(from));
  if (Array.isArray(payload)) {
    for (const [index, element] of payload.entries()) {
      addElement(element, index + 1, batch, refusals);
    }
  } else if (!isJsonObject(payload)) {
    throw new ProtocolError(
      "bad-form",
      `the JSON is neither an object nor an array but ${describeJson(payload)}`,
    );
  } else if ("cells" in payload) {
    addBatch(payload, batch, refusals);
  } else if ("x" in payload || "y" in payload || "value" in payload) {
    addElement(payload, 1, batch, refusals);
  } else {
    throw new ProtocolError(
      "bad-form",
      'the JSON object has neither "cells" nor "x", "y" and "value"',
    );
  }
}

function addBatch(
  payload: Record<string, unknown>,
  batch: ReadingBatch,
  refusals: Refusals,
): void {
  const { cells } = payload;
  if (!Array.isArray(cells)) {
    throw new ProtocolError(
      "bad-form",
      `"cells" is not an array but ${describeJson(cells)}`,
    );
  }
  const defaults = readDefaults(payload);
  const source = batch.source(defaults.source);
  for (let i = 0; i < cells.length; i++) {
    const cell: unknown = cells[i];
    if (!Array.isArray(cell) || cell.length < 3 || cell.length > 4) {
      refusals.add("bad-fields", () => explainFields(cell), i + 1);
      continue;
    }
    const [x, y, value, own] = cell as unknown[];
    const time = own ?? defaults.time;
    addReading(x, y, value, time, source, i + 1, batch, refusals);
  }
}

/** What a batch says for all its cells: a time, or NaN, and a source, or "". */
function readDefaults(
  payload: Record<string, unknown>,
): { time: number; source: string } {
  const { time, source } = payload;
  const ms = isGiven(time) ? readJsonTime(time) : NaN;
  if (isGiven(time) && Number.isNaN(ms)) {
    throw new ProtocolError("bad-time", `the batch's ${explainJsonTime(time)}`);
  }
  const problem = sourceProblem(source);
  if (problem !== undefined) {
    throw new ProtocolError("bad-source", `the batch's ${problem}`);
  }
  return { time: ms, source: nameOf(source) };
}

function addElement(
  element: unknown,
  line: number,
  batch: ReadingBatch,
  refusals: Refusals,
): void {
  if (!isJsonObject(element)) {
    refusals.add("bad-element", () => explainElement(element), line);
    return;
  }
  const { x, y, value, time, source } = element;
  const problem = sourceProblem(source);
  if (problem !== undefined) {
    refusals.add("bad-source", () => problem, line);
    return;
  }
  const index = batch.source(nameOf(source));
  addReading(x, y, value, time ?? NaN, index, line, batch, refusals);
}

/** Adds a reading, or refuses it for the first of its fields that is bad. */
function addReading(
  x: unknown,
  y: unknown,
  value: unknown,
  time: unknown, // NaN, which JSON cannot say, if none is given
  source: number,
  line: number,
  batch: ReadingBatch,
  refusals: Refusals,
): void {
  const state = value === null
    ? UNKNOWN
    : typeof value === "boolean"
    ? Number(value)
    : value;
  if (!isInt32(x)) {
    return refusals.add("bad-x", () => explainInt32("x", x), line);
  }
  if (!isInt32(y)) {
    return refusals.add("bad-y", () => explainInt32("y", y), line);
  }
  if (!isInt32(state)) {
    return refusals.add("bad-value", () => explainInt32("value", value), line);
  }
  const ms = readJsonTime(time);
  if (Number.isNaN(ms) && !Number.isNaN(time)) {
    return refusals.add("bad-time", () => explainJsonTime(time), line);
  }
  batch.push(x, y, state, ms, source);
}

function explainFields(cell: unknown): string {
  const found = Array.isArray(cell)
    ? `${cell.length} elements`
    : describeJson(cell);
  return `expected [x,y,value] or [x,y,value,time], found ${found}`;
}

function explainElement(element: unknown): string {
  const problem = `expected an object, found ${describeJson(element)}`;
  return Array.isArray(element)
    ? `${problem}: arrays belong into {"cells":[…]}`
    : problem;
}

function explainInt32(name: string, value: unknown): string {
  if (value === undefined) return `${name} is missing`;
  if (typeof value !== "number") {
    return `${name} is not a number: ${describeJson(value)}`;
  }
  return Number.isInteger(value) || !Number.isFinite(value)
    ? `${name} is not a 32-bit integer: ${value}`
    : `${name} is not an integer: ${value}`;
}

/** `null` is as if left out. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** What is wrong with an optional source, if anything is. */
function sourceProblem(source: unknown): string | undefined {
  if (!isGiven(source)) return undefined;
  if (typeof source !== "string") {
    return `source is not a string: ${describeJson(source)}`;
  }
  if (source.length > MAX_SOURCE_LENGTH) {
    return `source has over ${MAX_SOURCE_LENGTH} characters: ${quote(source)}`;
  }
  return source.isWellFormed()
    ? undefined
    : `source has half of a surrogate pair: ${quote(source)}`;
}

function nameOf(source: unknown): string {
  return typeof source === "string" ? source : "";
}

/** Options of {@linkcode encodeBatchJson}. */
export interface EncodeBatchOptions {
  /** Who observed the readings, at most 200 characters. */
  readonly source?: string | undefined;
}

/**
 * Writes readings as a JSON batch, with the time where it is known. The form
 * has one source for all: the readings' own sources are not written.
 *
 * @param batch The readings
 * @param from The first of them
 * @param to Behind the last of them
 * @param options The source
 * @returns The payload, in a buffer of its own
 * @throws {ProtocolError} "bad-source"
 * @throws {RangeError} If a time is out of range
 */
export function encodeBatchJson(
  batch: ReadingBatch,
  from: number = 0,
  to: number = batch.length,
  options: EncodeBatchOptions = {},
): Uint8Array<ArrayBuffer> {
  const { source } = options;
  const problem = sourceProblem(source);
  if (problem !== undefined) throw new ProtocolError("bad-source", problem);
  const { x, y, value, time } = batch;
  const out = new ByteWriter();
  out.text(
    source ? `{"source":${JSON.stringify(source)},"cells":[` : '{"cells":[',
  );
  for (let i = from; i < to; i++) {
    out.reserve(MAX_CELL_BYTES);
    out.at = writeCell(out.view, out.at, x[i]!, y[i]!, value[i]!, time[i]!);
  }
  if (to > from) out.at--; // the comma behind the last cell
  out.text("]}");
  return out.finish();
}

/**
 * Parses and writes readings as JSON: an object, an array of objects, or a
 * batch `{"source":…,"time":…,"cells":[[x,y,value],[x,y,value,time],…]}`.
 *
 * @module
 */

import { type ReadingBatch, UNKNOWN } from "./batch.ts";
import {
  MAX_CELL_BYTES,
  readCellsHead,
  scanCells,
  writeCell,
} from "./cells.ts";
import { ProtocolError } from "./errors.ts";
import { batchOfLayer, type LayerOptions } from "./payload_layer.ts";
import type { Refusals } from "./refusals.ts";
import { isInt32 } from "./region.ts";
import { describeJson, isJsonObject, parseJson, quote } from "./text.ts";
import { checkReadingTime, explainJsonTime, readJsonTime } from "./time.ts";
import { ByteWriter } from "../common/byte_writer.ts";

/** Maximum length of a source's name in UTF-16 code units. */
export const MAX_SOURCE_LENGTH = 200;

/** Options of {@linkcode parseJsonReadings}. */
export interface JsonOptions extends LayerOptions {
  /** The line of a text of which this JSON is one line. */
  readonly line?: number;
}

const NO_OPTIONS: JsonOptions = {};

/**
 * Parses a JSON payload and appends its readings to a batch. Invalid elements
 * are refused one by one; their numbers count from 1.
 *
 * @param bytes the payload
 * @param from offset of the JSON text
 * @param batch receives the valid readings; unchanged if this throws
 * @param refusals receives the invalid elements
 * @param options what to do with the name of a layer
 * @throws {ProtocolError} "bad-utf8", "bad-json", "bad-form"; "bad-time",
 * "bad-source" or "bad-layer" if that of a whole batch is not valid
 */
export function parseJsonReadings(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
  options: JsonOptions = NO_OPTIONS,
): void {
  if (parsePlainBatch(bytes, from, batch, options)) return;
  parseAnyReadings(bytes, from, batch, refusals, options);
}

/**
 * Parses the usual form of a batch: the cells last, with plain integers.
 * Accepts only payloads for which {@linkcode parseAnyReadings} has the same
 * result.
 *
 * @returns false if the payload is not of this kind; the batch is unchanged
 */
function parsePlainBatch(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  options: JsonOptions,
): boolean {
  const head = readCellsHead(bytes, from);
  if (head === undefined) return false;
  let length = 0;
  let sources = 0;
  let into: ReadingBatch | undefined;
  try {
    const { time, source } = readDefaults(head.object);
    into = batchOfLayer(head.object.layer, batch, options, source);
    length = into.length;
    sources = into.sources.length;
    const index = into.source(source);
    if (options.line !== undefined) into.markSameLine(options.line);
    else if (into !== batch) into.markLine(1);
    if (scanCells(bytes, head.at, into, checkReadingTime, time, index)) {
      return true;
    }
  } catch (error) {
    // The caller parses again: an error in the JSON has priority over this one.
    if (!(error instanceof ProtocolError)) throw error;
  }
  into?.truncate(length, sources);
  return false;
}

/** Parses all three forms with JSON.parse. */
export function parseAnyReadings(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
  options: JsonOptions = NO_OPTIONS,
): void {
  const payload = parseJson(from === 0 ? bytes : bytes.subarray(from));
  if (Array.isArray(payload)) {
    for (const [index, element] of payload.entries()) {
      addElement(
        element,
        options.line ?? index + 1,
        batch,
        refusals,
        options,
      );
    }
  } else if (!isJsonObject(payload)) {
    throw new ProtocolError(
      "bad-form",
      `the JSON is neither an object nor an array but ${describeJson(payload)}`,
    );
  } else if ("cells" in payload) {
    addBatch(payload, batch, refusals, options);
  } else if ("x" in payload || "y" in payload || "value" in payload) {
    addElement(payload, options.line ?? 1, batch, refusals, options);
  } else {
    throw new ProtocolError(
      "bad-form",
      'the JSON object has neither "cells" nor "x", "y" and "value"',
      { source: validSource(payload.source) },
    );
  }
}

function addBatch(
  payload: Record<string, unknown>,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
  options: JsonOptions,
): void {
  const { cells } = payload;
  if (!Array.isArray(cells)) {
    throw new ProtocolError(
      "bad-form",
      `"cells" is not an array but ${describeJson(cells)}`,
      { source: validSource(payload.source) },
    );
  }
  const defaults = readDefaults(payload);
  const into = batchOfLayer(payload.layer, batch, options, defaults.source);
  const source = into.source(defaults.source);
  for (let i = 0; i < cells.length; i++) {
    const cell: unknown = cells[i];
    const line = options.line ?? i + 1;
    if (!Array.isArray(cell) || cell.length < 3 || cell.length > 4) {
      const describe = () => explainFields(cell);
      refusals.add("bad-fields", describe, line, defaults.source);
      continue;
    }
    const [x, y, value, own] = cell as unknown[];
    const time = own ?? defaults.time;
    addReading(x, y, value, time, source, line, into, refusals);
  }
}

/** Reads the time (or NaN) and the source (or "") of all cells of a batch. */
function readDefaults(
  payload: Record<string, unknown>,
): { time: number; source: string } {
  const { time, source } = payload;
  const ms = isGiven(time) ? readJsonTime(time) : NaN;
  if (isGiven(time) && Number.isNaN(ms)) {
    const message = `the batch's ${explainJsonTime(time)}`;
    throw new ProtocolError("bad-time", message, {
      source: validSource(source),
    });
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
  refusals: Pick<Refusals, "add">,
  options: JsonOptions,
): void {
  if (!isJsonObject(element)) {
    refuseElement(element, line, refusals);
    return;
  }
  const { x, y, value, time, source } = element;
  const problem = sourceProblem(source);
  if (problem !== undefined) {
    refuse("bad-source", problem, line, undefined, refusals);
    return;
  }
  const into = element.layer === undefined
    ? batch
    : batchOfElement(element, line, batch, refusals, options);
  if (into === undefined) return;
  const index = into.source(nameOf(source));
  addReading(x, y, value, time ?? NaN, index, line, into, refusals);
}

/**
 * Adds a reading, or a refusal. Separate functions refuse: a closure here would
 * be allocated for each reading.
 */
function addReading(
  x: unknown,
  y: unknown,
  value: unknown,
  time: unknown, // NaN, which JSON does not have, means none
  source: number,
  line: number,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
): void {
  const state = stateOf(value);
  const ms = readJsonTime(time);
  const isTime = !Number.isNaN(ms) || Number.isNaN(time);
  if (isInt32(x) && isInt32(y) && isInt32(state) && isTime) {
    batch.markLine(line);
    batch.push(x, y, state, ms, source);
  } else {
    const sender = batch.sources[source];
    refuseReading({ x, y, value, time }, line, sender, refusals);
  }
}

function stateOf(value: unknown): unknown {
  if (value === null) return UNKNOWN;
  return typeof value === "boolean" ? Number(value) : value;
}

/** Adds a refusal for the first invalid field of a reading. */
function refuseReading(
  { x, y, value, time }: Record<"x" | "y" | "value" | "time", unknown>,
  line: number,
  source: string | undefined,
  refusals: Pick<Refusals, "add">,
): void {
  const [code, describe] = !isInt32(x)
    ? ["bad-x", () => explainInt32("x", x)] as const
    : !isInt32(y)
    ? ["bad-y", () => explainInt32("y", y)] as const
    : !isInt32(stateOf(value))
    ? ["bad-value", () => explainInt32("value", value)] as const
    : ["bad-time", () => explainJsonTime(time)] as const;
  refusals.add(code, describe, line, source);
}

/** Returns the batch of an element's layer; undefined if it was refused. */
function batchOfElement(
  { layer, source }: Record<string, unknown>,
  line: number,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
  options: JsonOptions,
): ReadingBatch | undefined {
  try {
    return batchOfLayer(layer, batch, options);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    refuse(error.code, error.message, line, nameOf(source), refusals);
    return undefined;
  }
}

function refuseElement(
  element: unknown,
  line: number,
  refusals: Pick<Refusals, "add">,
): void {
  refusals.add("bad-element", () => explainElement(element), line);
}

function refuse(
  code: string,
  message: string,
  line: number,
  source: string | undefined,
  refusals: Pick<Refusals, "add">,
): void {
  refusals.add(code, () => message, line, source);
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
    ? `${problem}: put arrays into {"cells":[…]}`
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

/** Returns false for `null` too. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Returns what is wrong with an optional source; undefined if it is valid. */
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

/** Returns the source of a payload that is refused for another reason. */
function validSource(source: unknown): string | undefined {
  const isValid = sourceProblem(source) === undefined;
  return isValid ? nameOf(source) || undefined : undefined;
}

/** Options of {@linkcode encodeBatchJson}. */
export interface EncodeBatchOptions {
  /** The sender of the readings, at most 200 characters. */
  readonly source?: string | undefined;
}

/**
 * Writes readings as a JSON batch, with times if they are known. A batch has
 * one source; the sources of single readings are not written.
 *
 * @param batch the readings
 * @param from index of the first reading
 * @param to index after the last reading
 * @param options the source
 * @returns the payload, in a separate buffer
 * @throws {ProtocolError} "bad-source"
 * @throws {RangeError} if a time is out of range
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
  if (to > from) out.at--; // the comma after the last cell
  out.text("]}");
  return out.finish();
}

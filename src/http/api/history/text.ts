/**
 * Writes answers about the past as text, in parts.
 *
 * @module
 */
import { statusOf } from "../../../grid/status.ts";
import type { PastCells } from "../../../history/answers.ts";
import { DEFAULT_LAYER } from "../../../protocol/topics.ts";
import { csvField, csvHeader, type TimeForm } from "../cell_rows.ts";
import type { Table } from "./columns.ts";

/** Numbers or rows of a part. */
const PART_ROWS = 1024;

/** A column of numbers. */
type Numbers = ArrayLike<number | null>;

/**
 * Writes a value as JSON, as `JSON.stringify` does but in parts. Typed arrays
 * are arrays, and NaN is null.
 *
 * @param value a tree of objects and arrays
 */
function* writeJson(value: unknown): Generator<string, void> {
  if (isNumbers(value)) {
    yield* writeNumbers(value);
  } else if (Array.isArray(value)) {
    let before = "[";
    for (const item of value) {
      yield before;
      yield* writeJson(item);
      before = ",";
    }
    yield before === "[" ? "[]" : "]";
  } else if (typeof value === "object" && value !== null) {
    let before = "{";
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield `${before}${JSON.stringify(key)}:`;
      yield* writeJson(member);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  } else yield JSON.stringify(value);
}

/** Writes a value as {@linkcode writeJson} does, and the end of the line. */
export function* writeJsonLine(value: unknown): Generator<string, void> {
  yield* writeJson(value);
  yield "\n";
}

/**
 * Writes a JSON object whose last member is a list of cells:
 * `[[x,y,value,time,stale],…]`, with null for an unknown time.
 *
 * @param head the members before
 * @param name of the list
 */
export function* writeCellRows(
  head: object,
  name: string,
  cells: PastCells,
  form: TimeForm,
): Generator<string, void> {
  yield `${JSON.stringify(head).slice(0, -1)},"${name}":[`;
  const { length, x, y, value, since, stale } = cells;
  const quote = form === "ms" ? "" : '"';
  for (let from = 0; from < length; from += PART_ROWS) {
    let text = "";
    for (let i = from; i < Math.min(from + PART_ROWS, length); i++) {
      const time = timeText(since[i]!, form);
      const shown = time === "" ? "null" : quote + time + quote;
      text += `${i === 0 ? "" : ","}[${x[i]},${y[i]},${value[i]},${shown},${
        stale[i]
      }]`;
    }
    yield text;
  }
  yield "]}\n";
}

/** Writes cells as CSV with the columns of `GET /api/v1/cells`. */
export function* writeCellsCsv(
  cells: PastCells,
  layer: string,
  form: TimeForm,
): Generator<string, void> {
  yield csvHeader(layer);
  const end = layer === DEFAULT_LAYER ? "\n" : `,${csvField(layer)}\n`;
  const { length, x, y, value, since, stale } = cells;
  for (let from = 0; from < length; from += PART_ROWS) {
    let text = "";
    for (let i = from; i < Math.min(from + PART_ROWS, length); i++) {
      const status = statusOf(value[i]!, stale[i] === 1);
      const time = timeText(since[i]!, form);
      text += `${x[i]},${y[i]},${value[i]},${status},${time}${end}`;
    }
    yield text;
  }
}

/** Writes a table as CSV (RFC 4180); unknown values are empty. */
export function* writeTable(
  { columns, length }: Table,
  form: TimeForm,
): Generator<string, void> {
  yield columns.map(({ name }) => name).join(",") + "\n";
  for (let from = 0; from < length; from += PART_ROWS) {
    let text = "";
    for (let i = from; i < Math.min(from + PART_ROWS, length); i++) {
      const fields = columns.map(({ kind, at }) => {
        const value = at(i);
        if (value === null) return "";
        return kind === "time"
          ? timeText(Number(value), form)
          : csvField(String(value));
      });
      text += fields.join(",") + "\n";
    }
    yield text;
  }
}

/** Returns a time as text; empty for NaN. */
function timeText(ms: number, form: TimeForm): string {
  if (Number.isNaN(ms)) return "";
  return form === "ms" ? String(ms) : new Date(ms).toISOString();
}

function isNumbers(value: unknown): value is Numbers {
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView);
  if (!Array.isArray(value) || value.length === 0) return false;
  const [first] = value;
  return first === null || typeof first === "number";
}

function* writeNumbers(numbers: Numbers): Generator<string, void> {
  const { length } = numbers;
  if (length === 0) {
    yield "[]";
    return;
  }
  for (let from = 0; from < length; from += PART_ROWS) {
    let text = from === 0 ? "[" : ",";
    const to = Math.min(from + PART_ROWS, length);
    for (let i = from; i < to; i++) {
      const number = numbers[i]!;
      if (i > from) text += ",";
      text += number === null || Number.isNaN(number) ? "null" : number;
    }
    yield text;
  }
  yield "]";
}

/**
 * Reads the parts of replies and deltas: shared header fields, and cells.
 *
 * @module
 */

import { ReadingBatch } from "./batch.ts";
import { readCellsHead, scanCells } from "./cells.ts";
import type { MapMoment } from "./part_writer.ts";
import { isInt32 } from "./region.ts";
import { describeJson, isCount, parseJson } from "./text.ts";
import { checkReplyTime } from "./time.ts";

/** Any client can announce parts: more would fill the receiver's memory. */
const MAX_PARTS = 1_000_000;

/** Throws an error with the reason. */
export type Fail = (reason: string) => never;

/** A JSON message whose cells are read separately. */
export interface PartMessage {
  /** The message as JSON, possibly without its `cells`. */
  readonly body: unknown;
  /** Returns the cells of the message. Throws if they are not valid. */
  readonly cells: () => ReadingBatch;
}

/**
 * Reads a JSON message. If the cells have the form that the server writes, they
 * are parsed without JSON.parse.
 *
 * @throws {ProtocolError} "bad-utf8" or "bad-json"
 */
export function readPart(payload: Uint8Array, fail: Fail): PartMessage {
  const head = readCellsHead(payload, 0);
  if (head !== undefined) {
    const cells = new ReadingBatch(estimateCells(payload));
    const { object, at } = head;
    const all = scanCells(payload, at, cells, checkReplyTime, NaN, 0);
    if (all && !hasCellWithoutTime(cells)) {
      return {
        body: object,
        cells: () => cells,
      };
    }
  }
  const body = parseJson(payload);
  return {
    body,
    cells: () => readCells((body as { cells?: unknown }).cells, fail),
  };
}

/** Estimates the number of cells of a payload; usually too high. */
export function estimateCells(payload: Uint8Array): number {
  return Math.ceil(payload.length / 20);
}

/** Returns true if a cell has no time. */
export function hasCellWithoutTime(cells: ReadingBatch): boolean {
  for (let i = 0; i < cells.length; i++) {
    if (Number.isNaN(cells.time[i]!)) return true;
  }
  return false;
}

/** Reads the fields that replies and deltas share: moment and part number. */
export function readSharedFields(
  body: Record<string, unknown>,
  fail: Fail,
): MapMoment & { readonly part: number; readonly parts: number } {
  const { time, staleAfter, began, part, parts } = body;
  if (!isTime(time)) return fail("time is not in 0..1e14");
  if (
    staleAfter !== undefined &&
    !(typeof staleAfter === "number" && staleAfter >= 0)
  ) {
    return fail("staleAfter is not a number of 0 or more");
  }
  if (began !== undefined && !isTime(began)) {
    return fail("began is not in 0..1e14");
  }
  if (!isCount(part) || !isCount(parts) || part < 1 || part > parts) {
    return fail("part is not a number from 1 to parts");
  }
  if (parts > MAX_PARTS) return fail(`parts is over ${MAX_PARTS}`);
  return {
    time,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(began !== undefined && { began }),
    part,
    parts,
  };
}

/** Reads an integer of 0 or more; an error contains `name`. */
export function readCount(value: unknown, name: string, fail: Fail): number {
  return isCount(value)
    ? value
    : fail(`${name} is not an integer of 0 or more`);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(checkReplyTime(value));
}

function readCells(value: unknown, fail: Fail): ReadingBatch {
  if (!Array.isArray(value)) {
    return fail(`cells is not an array: ${describeJson(value)}`);
  }
  const cells = new ReadingBatch(value.length);
  for (let i = 0; i < value.length; i++) {
    const cell: unknown = value[i];
    if (!Array.isArray(cell) || cell.length !== 4) {
      return fail(`cell ${i + 1} is not [x,y,value,time]`);
    }
    const [x, y, state, time] = cell as unknown[];
    const ms = typeof time === "number" ? checkReplyTime(time) : NaN;
    if (!isInt32(x) || !isInt32(y) || !isInt32(state) || Number.isNaN(ms)) {
      return fail(`cell ${i + 1} has a number that is missing or out of range`);
    }
    cells.push(x, y, state, ms);
  }
  return cells;
}

/** What the readers of replies and of deltas share. */

import { ReadingBatch } from "./batch.ts";
import { readCellsHead, scanCells } from "./cells.ts";
import { isInt32 } from "./region.ts";
import type { MapMoment } from "./response.ts";
import { describeJson, parseJson } from "./text.ts";
import { checkReplyTime } from "./time.ts";

/** Throws what is wrong with a message. */
export type Fail = (reason: string) => never;

/** A JSON message whose cells are read apart from the rest of it. */
export interface PartMessage {
  /** The message as JSON; its `cells` may be left out. */
  readonly body: unknown;
  /** Its cells. Throws if they are none. */
  readonly cells: () => ReadingBatch;
}

/**
 * Reads a message in JSON, its cells in one pass over the bytes if they are
 * written as our servers write them.
 *
 * @throws {ProtocolError} "bad-utf8" or "bad-json"
 */
export function readPart(payload: Uint8Array, fail: Fail): PartMessage {
  const head = readCellsHead(payload, 0);
  if (head !== undefined) {
    const cells = new ReadingBatch(capacityFor(payload));
    const { object, at } = head;
    const all = scanCells(payload, at, cells, checkReplyTime, NaN, 0);
    if (all && !hasUntimed(cells)) return { body: object, cells: () => cells };
  }
  const body = parseJson(payload);
  return {
    body,
    cells: () => readCells((body as { cells?: unknown }).cells, fail),
  };
}

/** A guess, on the large side for usual cells; the columns grow if need be. */
export function capacityFor(payload: Uint8Array): number {
  return Math.ceil(payload.length / 20);
}

/** True if a cell does not say when it was observed. */
export function hasUntimed(cells: ReadingBatch): boolean {
  for (let i = 0; i < cells.length; i++) {
    if (Number.isNaN(cells.time[i]!)) return true;
  }
  return false;
}

/** The fields of a header that say when, and which part of how many it is. */
export function readShared(
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
    return fail("part and parts do not number it");
  }
  return {
    time,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(began !== undefined && { began }),
    part,
    parts,
  };
}

/** An integer of 0 or more, named in the error if it is not one. */
export function readCount(value: unknown, name: string, fail: Fail): number {
  return isCount(value)
    ? value
    : fail(`${name} is not an integer of 0 or more`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
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

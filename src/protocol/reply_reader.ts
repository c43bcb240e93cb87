import { ReadingBatch } from "./batch.ts";
import { readCellsHead, scanCells } from "./cells.ts";
import { parseCsv } from "./csv.ts";
import { ProtocolError } from "./errors.ts";
import { Refusals } from "./refusals.ts";
import type { Scalar } from "./request.ts";
import type { ErrorReply, ReplyHeader } from "./response.ts";
import { describeJson, isJsonObject, parseJson } from "./text.ts";
import { checkReplyTime } from "./time.ts";

/** One part of a reply. */
export interface ReplyPart extends ReplyHeader {
  readonly status: "ok";
  /** Which part it is, from 1. */
  readonly part: number;
  /** How many parts there are. */
  readonly parts: number;
  /** The cells in it, each with its time. */
  readonly cells: ReadingBatch;
}

const HASH = 0x23;
const LF = 0x0a;

/**
 * Parses one message of a reply, JSON or CSV.
 *
 * @param payload The application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-reply"
 */
export function parseReply(payload: Uint8Array): ReplyPart | ErrorReply {
  return payload[0] === HASH ? parseCsvReply(payload) : parseJsonReply(payload);
}

function parseCsvReply(payload: Uint8Array): ReplyPart {
  const feed = payload.indexOf(LF);
  const stop = feed === -1 ? payload.length : feed;
  const header = readHeader(parseJson(payload.subarray(1, stop)));
  if (header.status === "error") return fail("an error is not sent as CSV");
  const cells = new ReadingBatch(capacityFor(payload));
  const refusals = new Refusals();
  parseCsv(payload, stop + 1, cells, refusals, checkReplyTime, 2);
  const first = refusals.kept[0];
  if (first !== undefined) return fail(`line ${first.line}: ${first.message}`);
  if (hasUntimed(cells)) return fail("a cell has no time");
  return { ...header, cells };
}

function parseJsonReply(payload: Uint8Array): ReplyPart | ErrorReply {
  const head = readCellsHead(payload, 0);
  if (head !== undefined) {
    const cells = new ReadingBatch(capacityFor(payload));
    const { object, at } = head;
    const all = scanCells(payload, at, cells, checkReplyTime, NaN, 0);
    if (all && !hasUntimed(cells)) {
      const header = readHeader(object);
      return header.status === "error" ? header : { ...header, cells };
    }
  }
  const body = parseJson(payload);
  const header = readHeader(body);
  if (header.status === "error") return header;
  return { ...header, cells: readCells((body as { cells?: unknown }).cells) };
}

/** A guess, on the large side for usual cells; the columns grow if need be. */
function capacityFor(payload: Uint8Array): number {
  return Math.ceil(payload.length / 20);
}

function hasUntimed(cells: ReadingBatch): boolean {
  for (let i = 0; i < cells.length; i++) {
    if (Number.isNaN(cells.time[i]!)) return true;
  }
  return false;
}

function readCells(value: unknown): ReadingBatch {
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

function readHeader(body: unknown): Omit<ReplyPart, "cells"> | ErrorReply {
  if (!isJsonObject(body)) return fail("it is not a JSON object");
  const { transaction, status, layer, revision, time, staleAfter } = body;
  if (typeof transaction === "object" && transaction !== null) {
    return fail("transaction is not a scalar");
  }
  const echoed = transaction === undefined
    ? {}
    : { transaction: transaction as Scalar };
  if (status === "error") {
    return { status, ...echoed, ...readError(body.error) };
  }
  if (status !== "ok") return fail("status is neither ok nor error");
  if (typeof layer !== "string") return fail("layer is not a string");
  if (!isCount(revision)) {
    return fail("revision is not an integer of 0 or more");
  }
  if (typeof time !== "number" || Number.isNaN(checkReplyTime(time))) {
    return fail("time is not in 0..1e14");
  }
  if (
    staleAfter !== undefined &&
    !(typeof staleAfter === "number" && staleAfter >= 0)
  ) {
    return fail("staleAfter is not a number of 0 or more");
  }
  const { part, parts } = body;
  if (!isCount(part) || !isCount(parts) || part < 1 || part > parts) {
    return fail("part and parts do not number it");
  }
  return {
    status,
    ...echoed,
    layer,
    revision,
    time,
    ...(staleAfter !== undefined && { staleAfter }),
    part,
    parts,
  };
}

function readError(error: unknown): { code: string; message: string } {
  if (!isJsonObject(error)) return fail("error is not an object");
  const { code, message } = error;
  if (typeof code !== "string" || typeof message !== "string") {
    return fail("error has no code or no message");
  }
  return { code, message };
}

function isInt32(value: unknown): value is number {
  return typeof value === "number" && value === (value | 0);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function fail(reason: string): never {
  throw new ProtocolError("bad-reply", `the reply is not valid: ${reason}`);
}

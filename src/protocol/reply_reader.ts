/**
 * Parses replies, part by part.
 *
 * @module
 */

import { ReadingBatch } from "./batch.ts";
import { parseCsv } from "./csv_parser.ts";
import { type LayerDisplay, readDisplay } from "./display.ts";
import { ProtocolError } from "./errors.ts";
import {
  estimateCells,
  hasCellWithoutTime,
  readCount,
  readPart,
  readSharedFields,
} from "./part_reader.ts";
import { Refusals } from "./refusals.ts";
import { isInt32 } from "./region.ts";
import type { ErrorReply, ReplyHeader } from "./reply_writer.ts";
import type { Scalar } from "./request.ts";
import { isJsonObject, parseJson } from "./text.ts";
import { checkReplyTime } from "./time.ts";

/** One part of a reply. */
export interface ReplyPart extends ReplyHeader {
  /** Distinguishes it from an {@linkcode ErrorReply}. */
  readonly status: "ok";
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** The cells of this part, each with a time. */
  readonly cells: ReadingBatch;
}

/** The header that all parts of a reply with zones share. */
export interface ZonesReplyHeader {
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
  /** The revision of the map that the states are of; equal in all parts. */
  readonly revision: number;
  /** The server's time when it read the states, ms since 1970. */
  readonly time: number;
}

/** One part of a reply with zones. */
export interface ZonesPart extends ZonesReplyHeader {
  /** Distinguishes it from an {@linkcode ErrorReply}. */
  readonly status: "ok";
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** The states of zones as they were sent; not checked. */
  readonly zones: readonly unknown[];
}

/** One part of a reply with sources. */
export interface SourcesPart {
  /** Distinguishes it from an {@linkcode ErrorReply}. */
  readonly status: "ok";
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
  /** The server's time, ms since 1970. */
  readonly time: number;
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** The whole message; not checked. */
  readonly head: Record<string, unknown>;
  /** Sources as they were sent; not checked. */
  readonly sources: readonly unknown[];
}

/** A cell of a map of the past. */
export type PastCell = readonly [
  x: number,
  y: number,
  value: number,
  /** Since when it had this state, ms since 1970; null if not known. */
  since: number | null,
  /** 1 if the value was too old to be trusted, else 0. */
  stale: 0 | 1,
];

/** The header that all parts of a reply with a map of the past share. */
export interface PastReplyHeader {
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
  /** The layer of the cells. */
  readonly layer: string;
  /** The time of the map, ms since 1970. */
  readonly at: number;
  /**
   * True if nothing was recorded at that time: the cells are as they were last
   * known before.
   */
  readonly gap: boolean;
  /**
   * True if a part of the history is damaged: the cells whose state is not known
   * for that reason are unknown.
   */
  readonly damaged?: true;
  /** The server's time, ms since 1970. */
  readonly time: number;
  /** How to show the layer. Absent also if a part is too small for it. */
  readonly display?: LayerDisplay;
}

/** One part of a reply with the map as it was at a time. */
export interface PastPart extends PastReplyHeader {
  /** Distinguishes it from an {@linkcode ErrorReply}. */
  readonly status: "ok";
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** The cells of this part. */
  readonly past: readonly PastCell[];
}

/** One part of a reply with a series. */
export interface SeriesPart {
  /** Distinguishes it from an {@linkcode ErrorReply}. */
  readonly status: "ok";
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
  /** The server's time, ms since 1970. */
  readonly time: number;
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** The whole message; not checked. */
  readonly head: Record<string, unknown>;
  /** Steps as they were sent; not checked. */
  readonly series: readonly unknown[];
}

/** One message of any reply. */
export type AnyReply =
  | ReplyPart
  | PastPart
  | SeriesPart
  | ZonesPart
  | SourcesPart
  | ErrorReply;

const HASH = 0x23;
const LF = 0x0a;

/**
 * Parses one message of a reply with cells, JSON or CSV.
 *
 * @param payload the application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-reply"
 */
export function parseReply(payload: Uint8Array): ReplyPart | ErrorReply {
  const reply = parseAnyReply(payload);
  if ("zones" in reply) return fail("it has zones, not cells");
  if ("sources" in reply) return fail("it has sources, not cells");
  if ("series" in reply) return fail("it has a series, not cells");
  return "past" in reply ? fail("it is of a time in the past") : reply;
}

/**
 * Parses one message of a reply with zones or sources, or of one with cells: a
 * server that does not know zones or sources replies with cells.
 *
 * @param payload the application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-reply"
 */
export function parseAnyReply(payload: Uint8Array): AnyReply {
  return payload[0] === HASH ? parseCsvReply(payload) : parseJsonReply(payload);
}

function parseCsvReply(payload: Uint8Array): ReplyPart {
  const lineEnd = payload.indexOf(LF);
  const stop = lineEnd === -1 ? payload.length : lineEnd;
  const header = readHeader(parseJson(payload.subarray(1, stop)));
  if (header.status === "error") return fail("an error reply cannot be CSV");
  if (!("revision" in header) || "zones" in header) {
    return fail("only cells of the present can be read as CSV");
  }
  const cells = new ReadingBatch(estimateCells(payload));
  const refusals = new Refusals();
  const options = { check: checkReplyTime };
  try {
    parseCsv(payload, stop + 1, cells, refusals, options, 2);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return fail(error.message);
  }
  const first = refusals.kept[0];
  if (first !== undefined) return fail(`line ${first.line}: ${first.message}`);
  if (hasCellWithoutTime(cells)) return fail("a cell has no time");
  return { ...header, cells };
}

function parseJsonReply(payload: Uint8Array): AnyReply {
  const { body, cells } = readPart(payload, fail);
  const header = readHeader(body);
  if (header.status === "error" || !("layer" in header)) return header;
  if (!("at" in header)) return { ...header, cells: cells() };
  // Without cells, the body may be one whose cells were read separately.
  if (header.past.length === 0 && cells().length > 0) {
    return fail("a cell is not [x,y,value,time,stale]");
  }
  return header;
}

function readHeader(
  body: unknown,
):
  | Omit<ReplyPart, "cells">
  | PastPart
  | SeriesPart
  | ZonesPart
  | SourcesPart
  | ErrorReply {
  if (!isJsonObject(body)) return fail("not a JSON object");
  const { transaction, status, layer, revision, zones, sources, at } = body;
  const { series } = body;
  if (typeof transaction === "object" && transaction !== null) {
    return fail("transaction is an object or an array");
  }
  const echoed = transaction === undefined
    ? {}
    : { transaction: transaction as Scalar };
  if (status === "error") {
    return { status, ...echoed, ...readError(body.error) };
  }
  if (status !== "ok") return fail("status is neither ok nor error");
  if (Array.isArray(zones)) {
    const { time, part, parts } = readSharedFields(body, fail);
    const at = readCount(revision, "revision", fail);
    return { status, ...echoed, revision: at, time, part, parts, zones };
  }
  if (Array.isArray(sources)) {
    const { time, part, parts } = readSharedFields(body, fail);
    return { status, ...echoed, time, part, parts, head: body, sources };
  }
  if (Array.isArray(series)) {
    const { time, part, parts } = readSharedFields(body, fail);
    return { status, ...echoed, time, part, parts, head: body, series };
  }
  if (typeof layer !== "string") return fail("layer is not a string");
  const display = readDisplay(body.display);
  if (at !== undefined) {
    const { time, part, parts } = readSharedFields(body, fail);
    if (typeof at !== "number" || Number.isNaN(checkReplyTime(at))) {
      return fail("at is not in 0..1e14");
    }
    if (typeof body.gap !== "boolean") return fail("gap is not true or false");
    return {
      ...{ status, ...echoed, layer, at, gap: body.gap, time, part, parts },
      ...(body.damaged === true && { damaged: true as const }),
      ...(display && { display }),
      past: readPastCells(body.cells ?? []),
    };
  }
  return {
    status,
    ...echoed,
    layer,
    revision: readCount(revision, "revision", fail),
    ...readSharedFields(body, fail),
    ...(display && { display }),
  };
}

function readPastCells(cells: unknown): readonly PastCell[] {
  if (!Array.isArray(cells)) return fail("cells is not an array");
  for (const [index, cell] of cells.entries()) {
    const isCell = Array.isArray(cell) && cell.length === 5 &&
      cell.slice(0, 3).every(isInt32) &&
      (cell[3] === null ||
        typeof cell[3] === "number" &&
          !Number.isNaN(checkReplyTime(cell[3]))) &&
      (cell[4] === 0 || cell[4] === 1);
    if (!isCell) fail(`cell ${index + 1} is not [x,y,value,time,stale]`);
  }
  return cells as PastCell[];
}

function readError(error: unknown): { code: string; message: string } {
  if (!isJsonObject(error)) return fail("error is not an object");
  const { code, message } = error;
  if (typeof code !== "string" || typeof message !== "string") {
    return fail("error has no code or no message");
  }
  return { code, message };
}

function fail(reason: string): never {
  throw new ProtocolError("bad-reply", `the reply is not valid: ${reason}`);
}

/**
 * Writes, parses and follows deltas: the cells of a layer that changed between
 * two revisions.
 *
 * @module
 */

import { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import { readCount, readPart, readSharedFields } from "./part_reader.ts";
import {
  encodeHeaderStart,
  type MapMoment,
  momentFields,
  PartWriter,
} from "./part_writer.ts";
import { DEFAULT_PART_BYTES } from "./request_fields.ts";
import { checkStep } from "./revision_step.ts";
import { isJsonObject } from "./text.ts";

/** The header that all parts of a delta share. */
export interface ChangesHeader extends MapMoment {
  /** The layer of the cells. */
  readonly layer: string;
  /** The delta has all cells that changed after this revision … */
  readonly from: number;
  /**
   * … as they are at this one. Equal to `from`, without cells: the map has this
   * revision, and a client with an older one must send a request.
   */
  readonly to: number;
}

/** One part of a delta. */
export interface ChangesPart extends ChangesHeader {
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** The cells of this part, each with a time. */
  readonly cells: ReadingBatch;
}

/** Options of {@linkcode ChangesWriter}. */
export interface ChangesWriterOptions extends ChangesHeader {
  /** Maximum size of a part in bytes, 1024 or more. Default 256 KiB. */
  readonly maxBytes?: number;
}

/**
 * Writes a delta cell by cell, directly into the parts to publish.
 *
 * @example
 * ```ts
 * import { ChangesWriter, parseChanges } from "./changes.ts";
 *
 * const writer = new ChangesWriter({
 *   layer: "default",
 *   from: 812,
 *   to: 815,
 *   time: 1700000000000,
 * });
 * writer.cell(1, 2, 1, 1699999999000);
 * const [payload] = writer.finish();
 * console.log(parseChanges(payload!).to); // 815
 * ```
 */
export class ChangesWriter extends PartWriter {
  /**
   * Starts a delta.
   *
   * @param options header and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header and a cell
   */
  constructor(options: ChangesWriterOptions) {
    const { layer, from, to, maxBytes = DEFAULT_PART_BYTES } = options;
    super({
      headerStart: encodeHeaderStart({
        layer,
        from,
        to,
        ...momentFields(options),
      }),
      form: "cells",
      maxBytes,
    });
  }
}

/**
 * Parses one message of a delta.
 *
 * @param payload the application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-changes"
 */
export function parseChanges(payload: Uint8Array): ChangesPart {
  const { body, cells } = readPart(payload, fail);
  if (!isJsonObject(body)) return fail("not a JSON object");
  const { layer } = body;
  if (typeof layer !== "string") return fail("layer is not a string");
  const from = readCount(body.from, "from", fail);
  const to = readCount(body.to, "to", fail);
  if (from > to) return fail("from is greater than to");
  return { layer, from, to, ...readSharedFields(body, fail), cells: cells() };
}

function fail(reason: string): never {
  throw new ProtocolError(
    "bad-changes",
    `the changes are not valid: ${reason}`,
  );
}

/**
 * Maximum cells in the parts of an incomplete delta: any client can publish
 * parts. A server writes at most 100,000.
 */
const MAX_PENDING_CELLS = 1_000_000;
/** The same for parts, which may have no cells. */
const MAX_PENDING_PARTS = 10_000;

/** What to do after {@linkcode ChangesFollower.receive}. */
export type FollowResult =
  /** Nothing: the changes are known, or parts of the delta are missing. */
  | "wait"
  /** Deltas are missing: request the changes `since` the known revision. */
  | "gap"
  /** The delta is of another map: request the whole map. */
  | "other-map"
  /** Apply these cells, in this order. */
  | ReadingBatch;

/**
 * Decides how a receiver with a map at one revision applies deltas, so that it
 * detects every missed change. Buffers at most one delta.
 *
 * @example
 * ```ts
 * import { ChangesFollower, ChangesWriter, parseChanges } from "./changes.ts";
 *
 * const follower = new ChangesFollower({ revision: 812 });
 * for (const [from, to] of [[810, 811], [811, 815], [816, 817]] as const) {
 *   const writer = new ChangesWriter({ layer: "default", from, to, time: 0 });
 *   const [payload] = writer.finish();
 *   const result = follower.receive(parseChanges(payload!));
 *   const action = typeof result === "string" ? result : "apply";
 *   console.log(action, follower.revision);
 * }
 * // wait 812, apply 815, gap 815
 * ```
 */
export class ChangesFollower {
  readonly #began: number | undefined;
  #revision: number;
  /** The parts received of the delta {@linkcode #next}. */
  readonly #parts = new Map<number, ChangesPart>();
  #next: ChangesHeader | undefined;
  /** Cells in {@linkcode #parts}. */
  #pendingCells = 0;

  /**
   * Starts at a snapshot.
   *
   * @param map the header of the receiver's snapshot
   */
  constructor(map: { readonly revision: number; readonly began?: number }) {
    this.#revision = map.revision;
    this.#began = map.began;
  }

  /** The revision that the receiver has. */
  get revision(): number {
    return this.#revision;
  }

  /** {@linkcode MapMoment.began} of the receiver's map. */
  get began(): number | undefined {
    return this.#began;
  }

  /**
   * Processes a part. Parts may arrive in any order, and more than once.
   *
   * @param part the parsed message
   * @returns what the receiver has to do
   */
  receive(part: ChangesPart): FollowResult {
    if (part.began !== this.#began) return "other-map";
    const step = checkStep(this.#revision, part);
    if (step === "gap") return "gap";
    if (step === "known") return "wait";
    const { from, to } = part;
    if (this.#next?.from !== from || this.#next.to !== to) this.#dropParts();
    this.#next = part;
    this.#pendingCells += part.cells.length -
      (this.#parts.get(part.part)?.cells.length ?? 0);
    this.#parts.set(part.part, part);
    if (this.#parts.size < part.parts) {
      if (
        this.#pendingCells <= MAX_PENDING_CELLS &&
        this.#parts.size <= MAX_PENDING_PARTS
      ) return "wait";
      this.#dropParts();
      return "gap";
    }
    const cells = part.parts === 1 ? part.cells : this.#join();
    this.#dropParts();
    this.#revision = to;
    return cells;
  }

  #dropParts(): void {
    this.#parts.clear();
    this.#pendingCells = 0;
  }

  #join(): ReadingBatch {
    const cells = new ReadingBatch();
    for (let number = 1; number <= this.#parts.size; number++) {
      cells.append(this.#parts.get(number)!.cells);
    }
    return cells;
  }
}

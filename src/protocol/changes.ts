/** Deltas: what changed in a layer from one revision to the next that was told. */

import { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import { readCount, readPart, readShared } from "./part_reader.ts";
import { openHeader, PartWriter } from "./part_writer.ts";
import { DEFAULT_MAX_BYTES } from "./request.ts";
import { type MapMoment, sharedFields } from "./response.ts";
import { checkStep } from "./sequence.ts";
import { isJsonObject } from "./text.ts";

/** What all parts of a delta say alike. */
export interface ChangesHeader extends MapMoment {
  /** The layer that the cells are of. */
  readonly layer: string;
  /** The delta has all cells that changed after this revision … */
  readonly from: number;
  /**
   * … as they are at this one. Equal to `from`, without cells: so far the map
   * has come, and who is behind has to ask.
   */
  readonly to: number;
}

/** One part of a delta. */
export interface ChangesPart extends ChangesHeader {
  /** Which part it is, from 1. */
  readonly part: number;
  /** How many parts there are. */
  readonly parts: number;
  /** The cells in it, each with its time. */
  readonly cells: ReadingBatch;
}

/** Options of {@linkcode ChangesWriter}. */
export interface ChangesWriterOptions extends ChangesHeader {
  /** The most bytes of a part, 1024 or more. Default 256 KiB. */
  readonly maxBytes?: number;
}

/**
 * Writes a delta cell by cell, straight into the parts that will be published.
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
   * @param options The header and the size of parts
   * @throws {RangeError} If a part cannot hold the header and a cell
   */
  constructor(options: ChangesWriterOptions) {
    const { layer, from, to, maxBytes = DEFAULT_MAX_BYTES } = options;
    super({
      start: openHeader({ layer, from, to, ...sharedFields(options) }),
      format: "json",
      maxBytes,
    });
  }
}

/**
 * Parses one message of a delta.
 *
 * @param payload The application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-changes"
 */
export function parseChanges(payload: Uint8Array): ChangesPart {
  const { body, cells } = readPart(payload, fail);
  if (!isJsonObject(body)) return fail("they are not a JSON object");
  const { layer } = body;
  if (typeof layer !== "string") return fail("layer is not a string");
  const from = readCount(body.from, "from", fail);
  const to = readCount(body.to, "to", fail);
  if (from > to) return fail("from is greater than to");
  return { layer, from, to, ...readShared(body, fail), cells: cells() };
}

function fail(reason: string): never {
  throw new ProtocolError(
    "bad-changes",
    `the changes are not valid: ${reason}`,
  );
}

/** What the rule of {@linkcode ChangesFollower} says of a part. */
export type FollowResult =
  /** Nothing to do: known already, or the other parts of the delta are to come. */
  | "wait"
  /** Changes are missing: ask for what changed `since` the revision that one has. */
  | "gap"
  /** The revisions are of another map: ask for all of it. */
  | "other-map"
  /** These cells, in this order, are what changed. */
  | ReadingBatch;

/**
 * The rule by which a receiver that has a map at one revision takes deltas, so
 * that it never misses a change without knowing. It holds one delta at most.
 *
 * @example
 * ```ts
 * import { ChangesFollower, ChangesWriter, parseChanges } from "./changes.ts";
 *
 * const follower = new ChangesFollower({ revision: 812 });
 * for (const [from, to] of [[810, 811], [811, 815], [816, 817]] as const) {
 *   const writer = new ChangesWriter({ layer: "default", from, to, time: 0 });
 *   const [payload] = writer.finish();
 *   const result = follower.take(parseChanges(payload!));
 *   console.log(typeof result === "string" ? result : "apply", follower.revision);
 * }
 * // wait 812, apply 815, gap 815
 * ```
 */
export class ChangesFollower {
  readonly #began: number | undefined;
  #revision: number;
  /** The parts that have come of the delta that ends at {@linkcode #next}. */
  readonly #parts = new Map<number, ChangesPart>();
  #next: ChangesHeader | undefined;

  /** @param map Where the receiver's map stands: the header of its snapshot */
  constructor(map: { readonly revision: number; readonly began?: number }) {
    this.#revision = map.revision;
    this.#began = map.began;
  }

  /** The revision that the receiver has. */
  get revision(): number {
    return this.#revision;
  }

  /** When the map was begun that the receiver has, as its server says. */
  get began(): number | undefined {
    return this.#began;
  }

  /** Takes a part, in whatever order; what comes twice counts once. */
  take(part: ChangesPart): FollowResult {
    if (part.began !== this.#began) return "other-map";
    const step = checkStep(this.#revision, part);
    if (step === "gap") return "gap";
    if (step === "known") return "wait";
    const { from, to } = part;
    if (this.#next?.from !== from || this.#next.to !== to) this.#parts.clear();
    this.#next = part;
    this.#parts.set(part.part, part);
    if (this.#parts.size < part.parts) return "wait";
    const cells = part.parts === 1 ? part.cells : this.#join();
    this.#parts.clear();
    this.#revision = to;
    return cells;
  }

  #join(): ReadingBatch {
    const cells = new ReadingBatch();
    for (let number = 1; number <= this.#parts.size; number++) {
      cells.append(this.#parts.get(number)!.cells);
    }
    return cells;
  }
}

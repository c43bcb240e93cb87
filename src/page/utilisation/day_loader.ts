/// <reference lib="dom" />
/**
 * Requests the use of cells and zones by day, for the rows of the list that are
 * visible: neighbours in one request, a few requests at a time.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";
import type { UtilisationAnswer } from "../../history/answers.ts";

/** Requests at a time. */
const MAX_REQUESTS = 2;
/** The most cells of a request: the server answers for at most 1000. */
const MAX_CELLS = 900;
/** The side of a part of a large zone. */
const PART_SIDE = 30;
/** The most parts: larger zones have no figures by day. */
const MAX_PARTS = 24;
/** Results that are kept. */
const MAX_RESULTS = 2000;

/** The use in each day, in seconds of all cells together. */
export interface ByDay {
  /** The start of each day, ms since 1970. */
  readonly start: readonly number[];
  readonly occupied: readonly number[];
  readonly known: readonly number[];
  readonly cells: number;
}

/** Something with cells. */
export interface DayTarget {
  /** Identifies it. */
  readonly key: string;
  readonly region: Region;
  /** Whether a cell of the region belongs to it. */
  readonly has: (x: number, y: number) => boolean;
}

/** What there is of a target: undefined while it is loaded or has failed. */
export type DayResult = ByDay | "too-large" | undefined;

interface Waiting {
  readonly target: DayTarget;
  readonly onLoad: (result: ByDay) => void;
}

/** Loads the use by day. */
export class DayLoader {
  readonly #fetch: (
    region: Region,
    signal: AbortSignal,
  ) => Promise<UtilisationAnswer>;
  readonly #results = new Map<string, ByDay>();
  readonly #queue = new Map<string, Waiting>();
  readonly #abort = new AbortController();
  #running = 0;

  /** @param fetch requests a region by day */
  constructor(
    fetch: (
      region: Region,
      signal: AbortSignal,
    ) => Promise<UtilisationAnswer>,
  ) {
    this.#fetch = fetch;
  }

  /** Returns what is loaded already. */
  get({ key, region }: DayTarget): DayResult {
    if (partsOf(region).length > MAX_PARTS) return "too-large";
    return this.#results.get(key);
  }

  /** Loads a target soon. @param onLoad called with the result, not if it fails */
  load(target: DayTarget, onLoad: (result: ByDay) => void): void {
    this.#queue.set(target.key, { target, onLoad });
    // After other rows that become visible at the same time.
    setTimeout(() => this.#next(), 0);
  }

  /** Forgets a target that is not visible any more. */
  cancel({ key }: DayTarget): void {
    this.#queue.delete(key);
  }

  /** Ends all requests. */
  close(): void {
    this.#queue.clear();
    this.#abort.abort();
  }

  #next(): void {
    while (this.#running < MAX_REQUESTS && this.#queue.size > 0) {
      const batch = this.#takeBatch();
      this.#running++;
      this.#load(batch).catch(() => {
        // The rows stay without figures by day; all others are right.
      }).finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  /** Takes the first target, and others that fit into the same request. */
  #takeBatch(): Waiting[] {
    const [first] = this.#queue.values();
    const batch = [first!];
    let region = first!.target.region;
    for (const one of this.#queue.values()) {
      const both = union(region, one.target.region);
      if (one === first || cellsOf(both) > MAX_CELLS) continue;
      region = both;
      batch.push(one);
    }
    for (const { target } of batch) this.#queue.delete(target.key);
    return batch;
  }

  async #load(batch: readonly Waiting[]): Promise<void> {
    const all = batch.map(({ target }) => target.region).reduce(union);
    const answers: UtilisationAnswer[] = [];
    for (const part of partsOf(all)) {
      answers.push(await this.#fetch(part, this.#abort.signal));
    }
    for (const { target, onLoad } of batch) {
      const result = sum(answers, target);
      if (result === undefined) continue;
      if (this.#results.size >= MAX_RESULTS) this.#results.clear();
      this.#results.set(target.key, result);
      onLoad(result);
    }
  }
}

function sum(
  answers: readonly UtilisationAnswer[],
  { has }: DayTarget,
): ByDay | undefined {
  const start = answers.find(({ byDay }) => byDay)?.byDay?.start;
  if (start === undefined) return undefined;
  const occupied = start.map(() => 0);
  const known = start.map(() => 0);
  let count = 0;
  for (const { cells: { x, y }, byDay } of answers) {
    for (let row = 0; row < x.length; row++) {
      if (!has(x[row]!, y[row]!)) continue;
      // As in the sum of a zone: a cell without any reading does not count.
      if (byDay?.known[row]?.some((seconds) => seconds > 0)) count++;
      for (let day = 0; day < start.length; day++) {
        occupied[day]! += byDay?.occupied[row]?.[day] ?? 0;
        known[day]! += byDay?.known[row]?.[day] ?? 0;
      }
    }
  }
  return { start, occupied, known, cells: count };
}

/** Cuts a region into parts that the server answers by day. */
function partsOf(region: Region): Region[] {
  if (cellsOf(region) <= MAX_CELLS) return [region];
  const { x0, y0, x1, y1 } = region;
  const parts: Region[] = [];
  for (let y = y0; y <= y1; y += PART_SIDE) {
    for (let x = x0; x <= x1; x += PART_SIDE) {
      if (parts.length > MAX_PARTS) return parts;
      parts.push({
        x0: x,
        y0: y,
        x1: Math.min(x + PART_SIDE - 1, x1),
        y1: Math.min(y + PART_SIDE - 1, y1),
      });
    }
  }
  return parts;
}

function cellsOf({ x0, y0, x1, y1 }: Region): number {
  return (x1 - x0 + 1) * (y1 - y0 + 1);
}

function union(a: Region, b: Region): Region {
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

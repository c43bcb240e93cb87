/**
 * An hour of the past: the map at its begin, and its changes. Pure.
 *
 * @module
 */

import { CellTable } from "../../grid/cell_table.ts";
import type { GapMs } from "../../history/answers.ts";
import type { CellColumnsJson, ChangesJson } from "../feed/history_requests.ts";

const MINUTE_MS = 60_000;

/** An hour. */
export class PastHour {
  /** ms since 1970; the hour of the present ends with it. */
  readonly from: number;
  readonly to: number;
  readonly start: CellColumnsJson;
  readonly changes: CellColumnsJson;
  /** Number of changes. */
  readonly length: number;
  readonly #unknown: readonly GapMs[];
  readonly #startsInGap: boolean;
  /** The sum of the fresh occupied values at the begin of each minute. */
  #sums: Float64Array | undefined;

  constructor({ from, to, start, changes, gaps, damaged }: ChangesJson) {
    this.from = from;
    this.to = to;
    this.start = start.cells;
    this.changes = changes;
    this.length = changes.x.length;
    this.#unknown = [...gaps, ...damaged ?? []];
    this.#startsInGap = start.gap;
  }

  /** Returns the gap at a time: nothing was recorded, or it is damaged. */
  gapAt(ms: number): GapMs | undefined {
    const gap = this.#unknown.find(([from, to]) => from <= ms && ms < to);
    if (gap || !this.#startsInGap || ms !== this.from) return gap;
    return [this.from, this.from + 1000];
  }

  /** Returns how many changes there were up to a time, inclusive. */
  countUntil(ms: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = low + high >> 1;
      if (this.changes.since[middle]! <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Returns the sum of the values at the begin of the minute of a time. */
  sumAt(ms: number): number | undefined {
    if (ms < this.from || ms >= this.to || this.gapAt(ms)) return undefined;
    this.#sums ??= this.#sumMinutes();
    return this.#sums[Math.floor((ms - this.from) / MINUTE_MS)];
  }

  #sumMinutes(): Float64Array {
    const minutes = Math.ceil((this.to - this.from) / MINUTE_MS);
    const sums = new Float64Array(minutes);
    const table = new CellTable();
    let sum = 0;
    const apply = (
      { x, y, value, stale }: CellColumnsJson,
      index: number,
    ) => {
      const row = table.find(x[index]!, y[index]!);
      if (row >= 0) sum -= counted(table.value[row]!, table.stale[row]!);
      sum += counted(value[index]!, stale[index]!);
      table.set(x[index]!, y[index]!, value[index]!, 0, stale[index] === 1);
    };
    for (let i = 0; i < this.start.x.length; i++) apply(this.start, i);
    let index = 0;
    for (let minute = 0; minute < minutes; minute++) {
      const end = this.countUntil(this.from + minute * MINUTE_MS);
      for (; index < end; index++) apply(this.changes, index);
      sums[minute] = sum;
    }
    return sums;
  }
}

function counted(value: number, stale: number): number {
  return value > 0 && stale === 0 ? value : 0;
}

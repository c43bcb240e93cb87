/**
 * The counts of a layer over the last 30 minutes.
 *
 * @module
 */

import type { HistoryPoint } from "../../feed/messages.ts";

/** The length of the history, ms. */
export const HISTORY_MS: number = 30 * 60_000;
/** A point replaces the previous one if they are closer than this, ms. */
const MIN_STEP_MS = 4500;
/** The trend compares with the counts of this many minutes ago. */
const TREND_MINUTES = 5;

/** The counts at one time. */
export interface CountPoint {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  readonly people: number;
  readonly occupied: number;
}

/** The change of the number of people over some minutes. */
export interface Trend {
  readonly change: number;
  /** 1 to 5. */
  readonly minutes: number;
}

/** Points in order of time; old points are dropped. */
export class LayerHistory {
  #points: CountPoint[] = [];
  /** Whether the next point replaces the last one. */
  #provisional = false;

  /** The number of points. */
  get length(): number {
    return this.#points.length;
  }

  /** Returns a point; 0 is the oldest. */
  at(index: number): CountPoint | undefined {
    return this.#points[index];
  }

  /** Replaces all points with those of the server. */
  fill(points: readonly HistoryPoint[]): void {
    this.#points = points.map(([time, people, occupied]) => ({
      time,
      people,
      occupied,
    }));
    this.#provisional = false;
  }

  /** Adds the current counts. */
  add(point: CountPoint): void {
    const points = this.#points;
    if (this.#provisional) points.pop();
    const last = points.at(-1);
    // The clock was set back: a line cannot run backwards, so start again.
    if (last && point.time < last.time) points.length = 0;
    this.#provisional = last !== undefined &&
      point.time - last.time < MIN_STEP_MS;
    points.push(point);
    const from = point.time - HISTORY_MS;
    const first = points.findIndex(({ time }) => time >= from);
    // One older point is kept, so that the line begins at the edge.
    if (first > 1) points.splice(0, first - 1);
  }

  /** Returns the trend; undefined in the first minute. */
  trend(): Trend | undefined {
    const last = this.#points.at(-1);
    if (last === undefined) return undefined;
    const start = last.time - TREND_MINUTES * 60_000;
    const first = this.#points.findLast(({ time }) => time <= start) ??
      this.#points[0]!;
    const minutes = Math.floor((last.time - first.time) / 60_000);
    if (minutes < 1) return undefined;
    return {
      change: last.people - first.people,
      minutes: Math.min(minutes, TREND_MINUTES),
    };
  }

  /**
   * Returns the columns of the chart: seconds since 1970, occupied cells,
   * people.
   */
  columns(): [number[], number[], number[]] {
    return [
      this.#points.map(({ time }) => time / 1000),
      this.#points.map(({ occupied }) => occupied),
      this.#points.map(({ people }) => people),
    ];
  }
}

/// <reference lib="dom" />
/**
 * Loads the curves of days, and keeps those that were used last.
 *
 * @module
 */

import { messageOf } from "../../common/errors.ts";
import { fetchSeries, layerSeriesPath } from "../feed/history_requests.ts";
import { curveOf, type DayCurve } from "./day_curve.ts";
import type { SiteDay, SiteTime } from "./site_time.ts";

/** Days that are kept. */
const MAX_DAYS = 16;
/** A day that is not over is requested again after this time, ms. */
const REFRESH_MS = 60_000;

interface Entry {
  curve: DayCurve | undefined;
  problem: string | undefined;
  /** When it was requested, as `performance.now()`. */
  requestedAt: number;
  isOver: boolean;
}

/** The curves of a layer. */
export class DayCurves {
  readonly #layer: string;
  readonly #site: SiteTime;
  readonly #now: () => number;
  readonly #onLoad: () => void;
  readonly #days = new Map<number, Entry>();
  readonly #abort = new AbortController();

  /** @param onLoad called after a curve was loaded */
  constructor(
    layer: string,
    site: SiteTime,
    now: () => number,
    onLoad: () => void,
  ) {
    this.#layer = layer;
    this.#site = site;
    this.#now = now;
    this.#onLoad = onLoad;
  }

  /** Returns the curve of a day; undefined: it is being loaded. */
  of(day: SiteDay): DayCurve | undefined {
    const entry = this.#days.get(day.number);
    const isOld = entry !== undefined && !entry.isOver &&
      performance.now() - entry.requestedAt > REFRESH_MS;
    if (entry === undefined || isOld) void this.#load(day);
    return this.#days.get(day.number)?.curve;
  }

  /** Returns why the curve of a day could not be loaded. */
  problemOf({ number }: SiteDay): string | undefined {
    return this.#days.get(number)?.problem;
  }

  /** Returns the address of the counts of a day, as CSV. */
  csvOf({ from, to }: SiteDay): string {
    const { timezone } = this.#site;
    const query = { from, to, step: "15m", timezone } as const;
    return layerSeriesPath(this.#layer, query, "csv");
  }

  /** Ends all requests. */
  close(): void {
    this.#abort.abort();
  }

  async #load({ number, from, to }: SiteDay): Promise<void> {
    const now = this.#now();
    const entry: Entry = this.#days.get(number) ??
      { curve: undefined, problem: undefined, requestedAt: 0, isOver: false };
    entry.requestedAt = performance.now();
    entry.isOver = to <= now;
    this.#days.delete(number);
    this.#days.set(number, entry);
    const [unused] = this.#days.keys();
    if (this.#days.size > MAX_DAYS) this.#days.delete(unused!);
    const { timezone } = this.#site;
    const query = { from, to, step: "15m", timezone } as const;
    try {
      const path = layerSeriesPath(this.#layer, query);
      const series = await fetchSeries(path, this.#abort.signal);
      entry.curve = curveOf(series, Math.min(to, now));
      entry.problem = undefined;
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      entry.problem = messageOf(error);
      entry.isOver = false; // it is requested again
    }
    this.#onLoad();
  }
}

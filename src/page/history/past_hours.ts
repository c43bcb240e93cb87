/// <reference lib="dom" />
/**
 * Loads the past of a layer hour by hour, ahead of a replay, and keeps the hours
 * that were used last.
 *
 * @module
 */

import { messageOf } from "../../common/errors.ts";
import { fetchPastChanges } from "../feed/history_requests.ts";
import { PastHour } from "./past_hour.ts";

const HOUR_MS = 3_600_000;
/** Hours that are kept. */
const MAX_HOURS = 8;

/** The hours of a layer. */
export class PastHours {
  readonly #layer: string;
  readonly #bounds: () => readonly [oldest: number, now: number];
  readonly #onLoad: () => void;
  readonly #hours = new Map<number, PastHour>();
  readonly #loading = new Map<number, AbortController>();
  /** Why an hour could not be loaded. */
  readonly #problems = new Map<number, string>();

  /**
   * @param bounds returns the first recorded time and the present, ms
   * @param onLoad called after an hour was loaded, or could not be loaded
   */
  constructor(
    layer: string,
    bounds: () => readonly [oldest: number, now: number],
    onLoad: () => void,
  ) {
    this.#layer = layer;
    this.#bounds = bounds;
    this.#onLoad = onLoad;
  }

  /**
   * Returns the hour of a time; if it is not loaded, undefined, and it is
   * requested.
   *
   * @param ms within the bounds
   */
  at(ms: number): PastHour | undefined {
    const from = Math.floor(ms / HOUR_MS) * HOUR_MS;
    const hour = this.#hours.get(from);
    if (hour !== undefined && ms < hour.to) {
      this.#hours.delete(from);
      this.#hours.set(from, hour);
      return hour;
    }
    // The hour of the present has become longer.
    void this.#load(from);
    return undefined;
  }

  /** Returns the hour of a time if it is loaded. */
  loaded(ms: number): PastHour | undefined {
    return this.#hours.get(Math.floor(ms / HOUR_MS) * HOUR_MS);
  }

  /**
   * Requests the hours that are needed with or after that of a time. Others are
   * not requested any more.
   *
   * @param ms the first time
   * @param until the last time
   */
  prefetch(ms: number, until: number): void {
    const [oldest] = this.#bounds();
    const start = Math.max(ms, oldest);
    const first = Math.floor(start / HOUR_MS) * HOUR_MS;
    const last = Math.floor(until / HOUR_MS) * HOUR_MS;
    for (const [from, abort] of this.#loading) {
      if (from >= first && from <= last) continue;
      abort.abort();
      this.#loading.delete(from);
    }
    const [, now] = this.#bounds();
    for (let from = first; from <= last && from < now; from += HOUR_MS) {
      if (!this.#hours.has(from)) void this.#load(from);
    }
  }

  /** Returns why the hour of a time could not be loaded. */
  problemAt(ms: number): string | undefined {
    return this.#problems.get(Math.floor(ms / HOUR_MS) * HOUR_MS);
  }

  /** Lets failed hours be requested again. */
  retry(): void {
    this.#problems.clear();
  }

  /** Ends all requests. */
  close(): void {
    for (const abort of this.#loading.values()) abort.abort();
    this.#hours.clear();
  }

  async #load(from: number): Promise<void> {
    if (this.#loading.has(from) || this.#problems.has(from)) return;
    const abort = new AbortController();
    this.#loading.set(from, abort);
    const [oldest, now] = this.#bounds();
    try {
      const first = Math.max(from, oldest);
      const end = Math.max(first + 1000, Math.min(from + HOUR_MS, now));
      const hour = new PastHour(
        await fetchPastChanges(this.#layer, first, end, abort.signal),
      );
      if (abort.signal.aborted) return;
      this.#hours.set(from, hour);
      const [unused] = this.#hours.keys();
      if (this.#hours.size > MAX_HOURS) this.#hours.delete(unused!);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#problems.set(from, messageOf(error));
    } finally {
      if (this.#loading.get(from) === abort) this.#loading.delete(from);
    }
    this.#onLoad();
  }
}

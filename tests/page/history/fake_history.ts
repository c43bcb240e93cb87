/**
 * Answers the page's requests about the past without a server: days of a
 * made-up floor, of which every state can be computed.
 *
 * @module
 */
import type { Page, Route } from "playwright-core";
import type { GapMs } from "../../../src/history/answers.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const QUARTER_MS = 900_000;
/** A cell can change once in this time, ms. */
const SLOT_MS = 600_000;

/** A cell: its value while it is occupied; 0: always free, -1: unknown. */
export type FakeCell = readonly [x: number, y: number, value: number];

/** A zone by its name: how many of its cells count. */
export interface FakeZone {
  readonly title: string;
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number];
  readonly capacity?: number;
}

/** Options of {@linkcode FakeHistory}. */
export interface FakeHistoryOptions {
  readonly cells: readonly FakeCell[];
  readonly oldest: number;
  readonly now: number;
  readonly gaps?: readonly GapMs[];
  readonly zones?: Readonly<Record<string, FakeZone>>;
  readonly timezone?: string;
  /** Answers instead, such as an error. */
  readonly problem?: { readonly status: number; readonly body: object };
}

/** The past of a floor. */
export class FakeHistory {
  /** The addresses that were requested, without the origin. */
  readonly requests: string[] = [];
  problem: FakeHistoryOptions["problem"];
  readonly #options: FakeHistoryOptions;

  constructor(options: FakeHistoryOptions) {
    this.#options = options;
    this.problem = options.problem;
  }

  /** Answers for the server of a page. */
  async install(page: Page): Promise<void> {
    await page.route("**/api/v1/history**", (route) => this.#answer(route));
  }

  /** Returns the value of a cell at a time. */
  valueAt(index: number, ms: number): number {
    const [, , value] = this.#options.cells[index]!;
    if (value <= 0) return value;
    const phase = noise(index, 1) * SLOT_MS;
    const slot = Math.floor((ms + phase) / SLOT_MS);
    const hour = (slot * SLOT_MS - phase) % DAY_MS / HOUR_MS;
    const isThere = noise(index, slot) > 0.12;
    return noise(index, 2) < busyAt(hour) && isThere ? value : 0;
  }

  /** Returns the sum of the values at a time. */
  peopleAt(ms: number, zone?: FakeZone): number {
    let sum = 0;
    this.#options.cells.forEach(([x, y], index) => {
      if (zone) {
        const [x0, y0, x1, y1] = zone.box;
        if (x < x0 || y < y0 || x >= x1 || y >= y1) return;
      }
      sum += Math.max(0, this.valueAt(index, ms));
    });
    return sum;
  }

  async #answer(route: Route): Promise<void> {
    const { pathname, searchParams } = new URL(route.request().url());
    const path = pathname.slice(pathname.indexOf("/history") + 8);
    this.requests.push(path + "?" + searchParams);
    if (this.problem) {
      const { status, body } = this.problem;
      return await route.fulfill({ status, json: body });
    }
    const get = (name: string) => Number(searchParams.get(name));
    if (searchParams.get("format") === "csv") {
      return await route.fulfill({
        body: "x,y\n1,2\n",
        contentType: "text/csv",
      });
    }
    const json = path === ""
      ? this.#info()
      : path === "/changes"
      ? this.#changes(get("from"), get("to"))
      : this.#series(
        get("from"),
        get("to"),
        searchParams.get("step") === "1h" ? HOUR_MS : QUARTER_MS,
        this.#options.zones?.[decodeURIComponent(path.replace("/zones/", ""))],
      );
    await route.fulfill({ json });
  }

  #info() {
    const { oldest, now, gaps = [], timezone = "UTC" } = this.#options;
    return {
      ...{ recording: true, resolution: 1, cells: true, keep: 30 * 86_400 },
      ...{ keepRollups: 730 * 86_400, oldest, oldestRollup: oldest },
      ...{ newest: now, bytes: 1000, maxBytes: 1e9, lag: 0, tooLate: 0 },
      ...{ gaps, timezone },
    };
  }

  #inGap(ms: number): boolean {
    return (this.#options.gaps ?? []).some(([from, to]) =>
      from <= ms && ms < to
    );
  }

  #gapsIn(from: number, to: number): GapMs[] {
    return (this.#options.gaps ?? []).flatMap((gap): GapMs[] => {
      const [first, end] = [Math.max(from, gap[0]), Math.min(to, gap[1])];
      return first < end ? [[first, end]] : [];
    });
  }

  #changes(from: number, to: number) {
    const { cells } = this.#options;
    const start = emptyColumns();
    const found: [time: number, index: number, value: number][] = [];
    cells.forEach((_, index) => {
      const value = this.valueAt(index, from);
      push(start, cells[index]!, value, from - 60_000);
      const phase = noise(index, 1) * SLOT_MS;
      let before = value;
      const first = Math.floor((from + phase) / SLOT_MS) + 1;
      for (let slot = first;; slot++) {
        const time = Math.ceil((slot * SLOT_MS - phase) / 1000) * 1000;
        if (time >= to) break;
        const after = this.valueAt(index, time);
        if (after !== before && !this.#inGap(time)) {
          found.push([time, index, after]);
          before = after;
        }
      }
    });
    const changes = emptyColumns();
    for (const [time, index, value] of found.sort(([a], [b]) => a - b)) {
      push(changes, cells[index]!, value, time);
    }
    return {
      ...{ layer: "default", from, to, changes },
      start: { at: from, gap: this.#inGap(from), cells: start },
      gaps: this.#gapsIn(from, to),
    };
  }

  #series(from: number, to: number, step: number, zone?: FakeZone) {
    const { oldest, now, timezone = "UTC" } = this.#options;
    const columns = {
      start: [] as number[],
      least: [] as (number | null)[],
      mean: [] as (number | null)[],
      most: [] as (number | null)[],
      occupied: [] as (number | null)[],
      known: [] as number[],
      entries: [] as (number | null)[],
    };
    const end = Math.min(to, now);
    for (let at = from; at < end; at += step) {
      const until = Math.min(at + step, end);
      const unknown = this.#gapsIn(at, until).reduce(
        (sum, [first, last]) => sum + last - first,
        Math.max(0, Math.min(oldest, until) - at),
      );
      const known = 1 - unknown / (until - at);
      const isKnown = known > 0.001;
      const count = isKnown ? this.peopleAt(at + step / 2, zone) : null;
      columns.start.push(at);
      columns.mean.push(count);
      columns.least.push(count === null ? null : Math.floor(count * 0.94));
      columns.most.push(count === null ? null : Math.ceil(count * 1.05));
      columns.occupied.push(count === null ? null : count > 0 ? 1 : 0);
      columns.known.push(known);
      columns.entries.push(isKnown ? 1 : null);
    }
    return {
      ...{ from, to: end, step: step === QUARTER_MS ? "15m" : "1h" },
      ...{ timezone, layer: "default", capacity: zone?.capacity, ...columns },
      gaps: this.#gapsIn(from, end),
    };
  }
}

/** How busy the floor is, 0 to 1, at an hour of the day. */
function busyAt(hour: number): number {
  const rise = 1 / (1 + Math.exp(-(hour - 8.6) * 1.9));
  const fall = 1 / (1 + Math.exp((hour - 17) * 1.5));
  const lunch = 0.16 * Math.exp(-((hour - 12.3) ** 2) / 0.5);
  return Math.max(0, rise * fall - lunch);
}

/** A number from 0 up to 1 that is always the same. */
function noise(index: number, salt: number): number {
  let hash = Math.imul(index + 1, 0x9E3779B1) ^ Math.imul(salt + 7, 0x85EBCA6B);
  hash = Math.imul(hash ^ hash >>> 15, 0x2C1B3C6D);
  hash = Math.imul(hash ^ hash >>> 12, 0x297A2D39);
  return ((hash ^ hash >>> 15) >>> 0) / 2 ** 32;
}

interface Columns {
  readonly x: number[];
  readonly y: number[];
  readonly value: number[];
  readonly stale: number[];
  readonly since: number[];
}

function emptyColumns(): Columns {
  return { x: [], y: [], value: [], stale: [], since: [] };
}

function push(
  columns: Columns,
  [x, y]: FakeCell,
  value: number,
  since: number,
): void {
  columns.x.push(x);
  columns.y.push(y);
  columns.value.push(value);
  columns.stale.push(0);
  columns.since.push(since);
}

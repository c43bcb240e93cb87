/**
 * A small history for tests of the interfaces: states of cells in memory, as
 * the test wrote them. Series and utilisation are computed second by second of
 * the records only as far as such tests need it.
 *
 * @module
 */
import type {
  ChangesQuery,
  HistoryInfo,
  HistoryService,
  MapAtQuery,
  PastCells,
  PastChanges,
  PastMap,
  RegionSeriesQuery,
  Series,
  SeriesRange,
  Utilisation,
  UtilisationQuery,
  ZoneSeriesQuery,
} from "../../src/history/answers.ts";
import { cutSteps, timeZoneOf } from "../../src/history/calendar.ts";
import { contains, ProtocolError } from "../../src/protocol/mod.ts";

/** A state of a cell. */
export interface PastRecord {
  readonly layer?: string;
  /** Since when, ms since 1970. */
  readonly at: number;
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly stale?: boolean;
  /** True if the time is not known any more. */
  readonly isOld?: boolean;
}

/** Options of {@linkcode MemoryHistory}. */
export interface MemoryHistoryOptions {
  /** In order of time. */
  readonly records?: readonly PastRecord[];
  readonly gaps?: readonly (readonly [from: number, to: number])[];
  readonly oldest: number;
  readonly now: () => number;
  readonly zones?: readonly string[];
  /** Called before each answer. */
  readonly before?: () => Promise<void>;
}

const MAX_POINTS = 10_000;

/** A history in memory. */
export class MemoryHistory implements HistoryService {
  readonly #options: MemoryHistoryOptions;
  /** The questions that were asked. */
  readonly asked: object[] = [];

  constructor(options: MemoryHistoryOptions) {
    this.#options = options;
  }

  info(): HistoryInfo {
    const { oldest, now, gaps = [] } = this.#options;
    return {
      ...{ recording: true, resolution: 1, cells: true, keep: 2_592_000 },
      ...{ keepRollups: 63_072_000, oldest, oldestRollup: oldest },
      ...{ newest: now(), bytes: 4096, maxBytes: 1e9, lag: 250, tooLate: 3 },
      ...{ gaps, timezone: "Europe/Berlin", dropped: 4 },
      rows: { parts: 5, blocks: 6 },
    };
  }

  async mapAt(query: MapAtQuery): Promise<PastMap> {
    await this.#ask(query);
    return this.#mapAt(query);
  }

  async changes(query: ChangesQuery): Promise<PastChanges> {
    await this.#ask(query);
    const { layer, region, from, to } = query;
    this.#checkRange(from, to);
    const { records = [], gaps = [] } = this.#options;
    return {
      ...{ layer, from, to, gaps },
      start: this.#mapAt({ layer, region, at: from }),
      changes: columnsOf(
        records.filter(({ at, x, y, layer: of = "default" }) =>
          of === layer && at >= from && at < to &&
          (region === undefined || contains(region, x, y))
        ),
      ),
    };
  }

  async zoneSeries({ zone, ...range }: ZoneSeriesQuery): Promise<Series> {
    await this.#ask({ zone, ...range });
    if (!this.#options.zones?.includes(zone)) {
      throw new ProtocolError("unknown-zone", `there is no zone "${zone}"`, {
        hint: "occupancy zones list shows all zones.",
      });
    }
    return {
      ...this.#series(range),
      zone: { name: zone, title: zone },
      layer: "default",
      capacity: 12,
    };
  }

  async regionSeries(query: RegionSeriesQuery): Promise<Series> {
    await this.#ask(query);
    const { layer, region, ...range } = query;
    return { ...this.#series(range), layer, region };
  }

  async utilisation(query: UtilisationQuery): Promise<Utilisation> {
    await this.#ask(query);
    const { layer, region, from, to, timezone = "UTC" } = query;
    this.#checkRange(from, to);
    const { days = [1, 2, 3, 4, 5, 6, 7], hours = [0, 24] } = query;
    const { x, y, length } = this.#mapAt({ layer, region, at: to }).cells;
    const seconds = (to - from) / 1000;
    const week = () => Array.from({ length: 7 }, () => Array(24).fill(0));
    return {
      ...{ layer, region, from, to, days, hours, timezone, seconds },
      dayCount: 1,
      cells: {
        ...{ length, x, y },
        occupied: new Float64Array(length).fill(60),
        known: new Float64Array(length).fill(seconds),
        changes: new Uint32Array(length).fill(2),
        last: Float64Array.from({ length }, (_, i) => i === 0 ? from : NaN),
      },
      week: { occupied: week(), known: week() },
      ...(query.byDay && {
        byDay: {
          start: [from],
          occupied: Array.from({ length }, () => [60]),
          known: Array.from({ length }, () => [seconds]),
        },
      }),
      gaps: this.#options.gaps ?? [],
    };
  }

  async #ask(query: object): Promise<void> {
    this.asked.push(query);
    await this.#options.before?.();
  }

  #mapAt({ layer, region, at }: MapAtQuery): PastMap {
    this.#check(at);
    const { records = [], gaps = [] } = this.#options;
    const last = new Map<string, PastRecord>();
    for (const record of records) {
      const { x, y, layer: of = "default" } = record;
      if (of !== layer || record.at > at) continue;
      if (region !== undefined && !contains(region, x, y)) continue;
      last.set(`${x},${y}`, record);
    }
    const gap = gaps.some(([from, to]) => at >= from && at < to);
    return { layer, at, gap, cells: columnsOf([...last.values()]) };
  }

  #series({ from, to, step, timezone = "UTC" }: SeriesRange) {
    if ((to - from) / 900_000 > MAX_POINTS && step === "15m") {
      throw new ProtocolError(
        "bad-step",
        `a step of ${step} makes more than ${MAX_POINTS} points`,
        { hint: "Use step=1h." },
      );
    }
    this.#checkRange(from, to);
    const zone = timeZoneOf(timezone);
    const start = cutSteps(zone, from / 1000, to / 1000, step)
      .map((second) => second * 1000);
    // Nothing is known of the second step.
    const some = (value: number) =>
      start.map((_, index) => index === 1 ? null : value);
    return {
      ...{ from, to, step, timezone, start },
      ...{ least: some(0), mean: some(1.5), most: some(3) },
      ...{ occupied: some(0.25), entries: some(2) },
      known: start.map((_, index) => Number(index !== 1)),
      gaps: this.#options.gaps ?? [],
    };
  }

  #checkRange(from: number, to: number): void {
    if (from >= to) {
      throw new ProtocolError("bad-range", "from is not before to", {
        hint: "Use an earlier from.",
      });
    }
    this.#check(from);
    this.#check(to);
  }

  #check(at: number): void {
    const { oldest, now } = this.#options;
    const shown = new Date(at).toISOString();
    if (at < oldest) {
      throw new ProtocolError(
        "bad-time",
        `${shown} is before the first record`,
        { hint: `The oldest is of ${new Date(oldest).toISOString()}.` },
      );
    }
    if (at > now()) {
      throw new ProtocolError("bad-time", `${shown} is in the future`, {
        hint: "Use now.",
      });
    }
  }
}

function columnsOf(records: readonly PastRecord[]): PastCells {
  const { length } = records;
  return {
    length,
    x: Int32Array.from(records, ({ x }) => x),
    y: Int32Array.from(records, ({ y }) => y),
    value: Int32Array.from(records, ({ value }) => value),
    stale: Uint8Array.from(records, ({ stale }) => Number(stale === true)),
    since: Float64Array.from(records, ({ at, isOld }) => isOld ? NaN : at),
  };
}

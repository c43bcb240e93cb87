/** A random history of some days, and what it was in each second. */
import { cutSteps, timeZoneOf } from "../../../../src/history/calendar.ts";
import type { Step } from "../../../../src/history/answers.ts";
import { type Gap, gapAt } from "../../../../src/history/gaps.ts";
import { BEGAN } from "../../../../src/server/history/parts.ts";
import { HistoryQueries } from "../../../../src/server/history/queries/service.ts";
import { contains, type Region } from "../../../../src/protocol/region.ts";
import type { Zones } from "../../../../src/zones/mod.ts";
import {
  CaredStore,
  type Change,
  Model,
  randomChanges,
  rectangle,
} from "../support.ts";

/** 2025-10-24T00:00:00Z: in Berlin, 26 October has 25 hours. */
export const START = 1_761_264_000;
export const HOUR = 3600;
export const DAY = 24 * HOUR;
export const ZONE = "Europe/Berlin";

/** No state, or not known. */
const NONE = -2;
const UNKNOWN = -1;

/** Options of {@linkcode recordedDays}. */
export interface RecordedOptions {
  readonly seed?: number;
  readonly count?: number;
  /** Seconds since 1970. */
  readonly from?: number;
  readonly to?: number;
  /** Hours before this second are closed. Default: an hour before the end. */
  readonly closedTo?: number;
  readonly gaps?: readonly Gap[];
  readonly keepSeconds?: number;
  readonly cells?: boolean;
  /** True: the tables answer later. */
  readonly later?: boolean;
}

/** A history, what answers questions about it, and what it should answer. */
export class RecordedDays {
  readonly cared: CaredStore;
  readonly queries: HistoryQueries;
  readonly changes: readonly Change[];
  readonly model: Model;
  readonly gaps: readonly Gap[];
  readonly from: number;
  readonly to: number;
  readonly log: string[] = [];
  /** How often the recorder was asked to capture the map. */
  captures = 0;
  /** The clock of the server, and one that never jumps; ms. */
  now: number;
  monotonic = 0;
  problem: string | undefined;
  zones: Zones;

  constructor(
    cared: CaredStore,
    changes: readonly Change[],
    options: RecordedOptions,
    zones: Zones,
  ) {
    const { from, to } = timeOf(options);
    this.cared = cared;
    this.changes = changes;
    this.model = new Model(changes);
    this.gaps = options.gaps ?? [];
    this.from = from;
    this.to = to;
    this.now = to * 1000;
    this.zones = zones;
    this.queries = new HistoryQueries({
      tables: cared.tables,
      recorder: {
        dropped: 0,
        capture: () => {
          this.captures++;
          return Promise.resolve(true);
        },
        lagMs: 0,
        tooLate: 0,
      },
      log: { warnLimited: (_kind, line) => this.log.push(String(line)) },
      now: () => this.now,
      monotonic: () => this.monotonic,
      zones: () => this.zones,
      problem: () => this.problem,
      kept: {
        stepSeconds: 1,
        cells: options.cells ?? true,
        keepSeconds: options.keepSeconds ?? 30 * DAY,
        keepRollupsSeconds: 730 * DAY,
        maxBytes: 1e9,
        timezone: ZONE,
      },
    });
  }

  /** The states of the cells of a layer in each second. */
  seconds(layer: string, region?: Region): CellSeconds[] {
    const cells: CellSeconds[] = [];
    for (const ofCell of this.model.cells.values()) {
      const { layer: its, x, y } = ofCell[0]!;
      if (its !== layer || region && !contains(region, x, y)) continue;
      cells.push(new CellSeconds(x, y, ofCell, this.from, this.to));
    }
    return cells;
  }

  isGap(second: number): boolean {
    return gapAt(this.gaps, second) !== undefined;
  }
}

/** One cell in each second. */
export class CellSeconds {
  readonly x: number;
  readonly y: number;
  readonly #value: Int8Array;
  /** 1 in a second in which the state changes. */
  readonly #isChange: Uint8Array;
  readonly #from: number;

  constructor(
    x: number,
    y: number,
    changes: readonly Change[],
    from: number,
    to: number,
  ) {
    this.x = x;
    this.y = y;
    this.#from = from;
    this.#value = new Int8Array(to - from).fill(NONE);
    this.#isChange = new Uint8Array(to - from);
    let before: Change | undefined;
    for (const change of changes) {
      const { second, value, stale } = change;
      if (before?.value === value && before.stale === stale) continue;
      before = change;
      if (second >= to) continue;
      this.#isChange[second - from] = 1;
      this.#value.fill(stale === 1 ? UNKNOWN : value, second - from);
    }
  }

  /** True if it has a state. */
  has(second: number): boolean {
    return this.#at(second) > NONE;
  }

  /** The value if it is known and fresh, else undefined. */
  value(second: number): number | undefined {
    const value = this.#at(second);
    return value >= 0 ? value : undefined;
  }

  isChange(second: number): boolean {
    return this.#isChange[second - this.#from] === 1;
  }

  #at(second: number): number {
    return this.#value[second - this.#from] ?? NONE;
  }
}

/**
 * Deletes the oldest hours, until a part of the size is left.
 *
 * @returns the first second that is left
 */
export async function pruneTo(
  { cared, to }: RecordedDays,
  part: number,
): Promise<number> {
  const maxBytes = part * cared.tables.size().bytes;
  await cared.reopen({ maxBytes }).care(to - HOUR);
  return cared.tables.meta.get(BEGAN)!;
}

/** Makes a history of some days, with closed and open hours. */
export async function recordedDays(
  options: RecordedOptions = {},
): Promise<RecordedDays> {
  const { seed = 1, count = 6000, gaps = [] } = options;
  const { from, to } = timeOf(options);
  const changes = randomChanges(seed, from, to, count)
    .filter(({ second }) => gapAt(gaps, second) === undefined);
  const { MemoryStore } = await import("../../../../src/store/memory.ts");
  const zones: Zones = new Map([
    rectangle("hall", "a", [-20, 0, 20, 30]),
    { ...rectangle("tall", "a", [-33, -5, 70, 2000]), capacity: 30 },
  ].map((zone) => [zone.name, zone]));
  const cared = new CaredStore(new MemoryStore(), {
    zones,
    ...(options.keepSeconds !== undefined &&
      { keepSeconds: options.keepSeconds }),
    ...(options.cells !== undefined && { cells: options.cells }),
    ...(options.later !== undefined && { later: options.later }),
  });
  await cared.write((tables) => {
    tables.putMeta(BEGAN, from);
    for (const gap of gaps) tables.addGap(gap);
  });
  await cared.record(changes);
  await cared.care(options.closedTo ?? to - HOUR);
  return new RecordedDays(cared, changes, options, zones);
}

function timeOf({ from, to }: RecordedOptions) {
  return {
    from: from ?? START + 7 * HOUR + 123,
    to: to ?? START + 4 * DAY + 5 * HOUR + 678,
  };
}

/** Steps with their ends. */
export function stepsOf(
  from: number,
  to: number,
  step: Step,
): { from: number; to: number }[] {
  const starts = cutSteps(timeZoneOf(ZONE), from, to, step);
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? to }));
}

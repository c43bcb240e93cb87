/**
 * Simulates a car park with a sensor in each bay.
 *
 * @module
 */
import type { ReadingBatch } from "../protocol/mod.ts";
import { type Area, rowAreas, withAisles } from "./areas.ts";
import { Random } from "./random.ts";
import {
  DAY_MS,
  HOUR_MS,
  isWorkday,
  MINUTE_MS,
  type SceneOptions,
  SECOND_MS,
  SensorScene,
} from "./scene.ts";

const DEFAULT_BAYS = 300;
/** Each sensor reports once in this number of steps: each minute. */
const REPORT_STEPS = 60;
/** Two rows of bays stand back to back, with a lane of one cell after them. */
const BLOCK_ROWS = 2;
/** Shoppers come between these times. */
const OPEN_MS = { from: 7 * HOUR_MS, to: 21 * HOUR_MS };
/** Part of the bays with a car that stays for a working day, on workdays. */
const COMMUTERS = 0.35;
/** How long a bay is free between two shoppers in the mean: near, far away. */
const FREE_MS = { near: 15 * MINUTE_MS, far: 150 * MINUTE_MS };

/** The day of a bay. */
interface BayDay {
  /** Days since a Monday; -1 before the first reading. */
  day: number;
  /** Arrivals and departures in turn, in seconds since midnight, ascending. */
  times: readonly number[];
}

/**
 * A car park over the day. Each bay is a cell, with value 1 while a car stands
 * in it. Commuters stay for a working day, shoppers for minutes to hours; the
 * bays near the entrance, the first ones, are taken more often.
 */
export class Parking extends SensorScene {
  readonly width: number;
  readonly height: number;
  readonly #days: BayDay[];

  constructor(options: SceneOptions = {}) {
    super(options, DEFAULT_BAYS, REPORT_STEPS);
    const size = this.cells;
    this.width = Math.ceil(Math.sqrt(size * 3));
    this.height = withAisles(Math.ceil(size / this.width), BLOCK_ROWS);
    this.#days = Array.from({ length: size }, () => ({ day: -1, times: [] }));
  }

  /** The car park, and its double rows, each with the lane after it. */
  areas(): Area[] {
    return rowAreas(this, {
      whole: { name: "car-park", title: "Car park" },
      part: { name: "bays", title: "Bays" },
      cellsPerPart: this.width * BLOCK_ROWS,
      rowsPerPart: BLOCK_ROWS + 1,
    });
  }

  protected report(bay: number, out: ReadingBatch): void {
    const row = Math.floor(bay / this.width);
    out.push(
      bay % this.width,
      row + Math.floor(row / BLOCK_ROWS),
      this.#isTaken(bay) ? 1 : 0,
    );
  }

  #isTaken(bay: number): boolean {
    const today = this.#days[bay]!;
    const { day, second } = this.time;
    if (today.day !== day) {
      today.day = day;
      today.times = this.#planOf(bay, day);
    }
    let passed = 0;
    while (passed < today.times.length && today.times[passed]! <= second) {
      passed++;
    }
    return passed % 2 === 1;
  }

  /** Makes the arrivals and departures of a day. */
  #planOf(bay: number, day: number): number[] {
    const random = new Random(this.seed, bay, day);
    const times: number[] = [];
    const stay = (from: number, to: number) => {
      const end = Math.min(to, DAY_MS);
      if (from < end) times.push(seconds(from), seconds(end));
    };
    const commutes = isWorkday(day) && random.chance(COMMUTERS);
    const arrival = random.normal(8 * HOUR_MS, 35 * MINUTE_MS);
    const departure = arrival + random.normal(8.7 * HOUR_MS, 35 * MINUTE_MS);
    const far = bay / this.cells;
    const free = FREE_MS.near + (FREE_MS.far - FREE_MS.near) * far;
    let at = OPEN_MS.from;
    if (commutes) {
      stay(arrival, departure);
      at = departure;
    }
    for (;;) {
      at += random.unit() * 2 * free;
      if (at >= OPEN_MS.to) return times;
      const isShort = random.chance(0.7);
      const end = at +
        (isShort
          ? random.normal(45 * MINUTE_MS, 10 * MINUTE_MS)
          : random.normal(150 * MINUTE_MS, 30 * MINUTE_MS));
      stay(at, end);
      at = end + MINUTE_MS;
    }
  }
}

function seconds(ms: number): number {
  return Math.round(ms / SECOND_MS);
}

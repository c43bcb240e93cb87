/**
 * Simulates desks with sensors: free or occupied, over the day.
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

const DEFAULT_DESKS = 240;
/** Each sensor reports once in this number of steps: each minute. */
const REPORT_STEPS = 60;
/** Maximum number of absences in a day: lunch, meetings, coffee. */
const MAX_BREAKS = 6;
/** Length of a desk's plan: start and end of the day and of each break. */
const PLAN_LENGTH = 2 + 2 * MAX_BREAKS;
/** Desks stand in blocks of this size, with aisles of one cell between. */
const BLOCK = { columns: 4, rows: 2 };
/** Probability of presence; on workdays each person has one from min to max. */
const PRESENCE = { min: 0.35, max: 0.95, weekend: 0.03 };

/**
 * An office over the day. Each desk is a cell, with value 1 while a person sits
 * there. Each person has habits: arrival, lunch, meetings, breaks, departure.
 */
export class Desks extends SensorScene {
  readonly width: number;
  readonly height: number;
  readonly #columns: number;
  /** The day of each desk's plan; -1 if it has none. */
  readonly #plannedDay: Int32Array;
  /** The plan of each desk, in seconds since midnight. */
  readonly #plans: Int32Array;

  constructor(options: SceneOptions = {}) {
    super(options, DEFAULT_DESKS, REPORT_STEPS);
    const size = this.cells;
    this.#columns = Math.max(
      BLOCK.columns,
      Math.ceil(Math.sqrt(size * 2) / BLOCK.columns) * BLOCK.columns,
    );
    this.width = withAisles(this.#columns, BLOCK.columns);
    this.height = withAisles(Math.ceil(size / this.#columns), BLOCK.rows);
    this.#plannedDay = new Int32Array(size).fill(-1);
    this.#plans = new Int32Array(size * PLAN_LENGTH);
  }

  /** The office, and its rows of blocks, each with the aisle after it. */
  areas(): Area[] {
    return rowAreas(this, {
      whole: { name: "office", title: "Office" },
      part: { name: "desks", title: "Desks" },
      cellsPerPart: this.#columns * BLOCK.rows,
      rowsPerPart: BLOCK.rows + 1,
    });
  }

  protected report(desk: number, out: ReadingBatch): void {
    const column = desk % this.#columns;
    const row = Math.floor(desk / this.#columns);
    out.push(
      column + Math.floor(column / BLOCK.columns),
      row + Math.floor(row / BLOCK.rows),
      this.#isOccupied(desk) ? 1 : 0,
    );
  }

  #isOccupied(desk: number): boolean {
    const { day, second } = this.time;
    if (this.#plannedDay[desk] !== day) this.#makePlan(desk, day);
    const from = desk * PLAN_LENGTH;
    const plan = this.#plans;
    if (second < plan[from]! || second >= plan[from + 1]!) return false;
    for (let i = from + 2; i < from + PLAN_LENGTH; i += 2) {
      if (second >= plan[i]! && second < plan[i + 1]!) return false;
    }
    return true;
  }

  /** Makes the plan of a desk for a day. */
  #makePlan(desk: number, day: number): void {
    this.#plannedDay[desk] = day;
    const at = desk * PLAN_LENGTH;
    const plan = this.#plans.subarray(at, at + PLAN_LENGTH).fill(0);
    const habits = new Random(this.seed, desk, -1);
    const { min, max, weekend } = PRESENCE;
    const presence = min + (max - min) * habits.unit();
    const usualArrival = habits.normal(8.9 * HOUR_MS, 0.8 * HOUR_MS);
    const random = new Random(this.seed, desk, day);
    if (!random.chance(isWorkday(day) ? presence : weekend)) return;
    const arrival = random.normal(usualArrival, 15 * MINUTE_MS);
    const departure = arrival + random.normal(8.4 * HOUR_MS, 0.7 * HOUR_MS);
    const setSpan = (index: number, start: number, end: number) => {
      plan[index] = Math.round(start / SECOND_MS);
      plan[index + 1] = Math.round(end / SECOND_MS);
    };
    setSpan(0, arrival, Math.min(departure, DAY_MS));
    const lunch = random.normal(12.2 * HOUR_MS, 20 * MINUTE_MS);
    setSpan(2, lunch, lunch + random.normal(42 * MINUTE_MS, 9 * MINUTE_MS));
    const breaks = random.between(1, MAX_BREAKS - 1);
    for (let i = 1; i <= breaks; i++) {
      const isMeeting = random.chance(0.4);
      const start = isMeeting
        ? arrival + random.below(16) * 30 * MINUTE_MS
        : arrival + random.unit() * (departure - arrival);
      const duration = isMeeting
        ? random.between(1, 3) * 30 * MINUTE_MS
        : random.normal(12 * MINUTE_MS, 3 * MINUTE_MS);
      setSpan(2 + 2 * i, start, start + duration);
    }
  }
}

import type { ReadingBatch } from "../protocol/mod.ts";
import { Poll } from "./poll.ts";
import { Random } from "./random.ts";
import {
  DAY,
  DEFAULT_START,
  HOUR,
  isWorkday,
  MINUTE,
  type Scene,
  type SceneOptions,
  SECOND,
} from "./scene.ts";

const DEFAULT_SIZE = 240;
/** Steps in which every sensor reports once: each minute. */
const SLOTS = 60;
/** Absences in a day at most: lunch, meetings, coffee. */
const MAX_BREAKS = 6;
/** Numbers kept of a desk's day: from and to, then from and to of each break. */
const STRIDE = 2 + 2 * MAX_BREAKS;
/** Desks of a row that stand together, and rows that do; then there is an aisle. */
const CLUSTER = { wide: 4, high: 2 };

/** How often the owner of a desk comes, by habit: some nearly daily, some hardly. */
const PRESENCE = { least: 0.35, most: 0.95, weekend: 0.03 };

/**
 * An office over the day: a cell a desk, 1 while somebody sits there. Each desk
 * has a person with habits, who comes, goes to lunch, to meetings and home.
 */
export class Desks implements Scene {
  readonly stepMs = SECOND;
  readonly cells: number;
  readonly width: number;
  readonly height: number;
  readonly #seed: number;
  readonly #poll: Poll;
  readonly #columns: number;
  #now: number;
  /** For each desk, the day that its plan is of; -1 for none. */
  readonly #planned: Int32Array;
  /** For each desk, when somebody comes and goes and is away in between, s since midnight. */
  readonly #plan: Int32Array;

  constructor(options: SceneOptions = {}) {
    const { seed = 1, size = DEFAULT_SIZE, start = DEFAULT_START } = options;
    this.cells = size;
    this.#seed = seed;
    this.#now = start;
    this.#poll = new Poll(size, SLOTS);
    this.#columns = Math.max(
      CLUSTER.wide,
      Math.ceil(Math.sqrt(size * 2) / CLUSTER.wide) * CLUSTER.wide,
    );
    this.width = apart(this.#columns, CLUSTER.wide);
    this.height = apart(Math.ceil(size / this.#columns), CLUSTER.high);
    this.#planned = new Int32Array(size).fill(-1);
    this.#plan = new Int32Array(size * STRIDE);
  }

  begin(out: ReadingBatch): void {
    for (let desk = 0; desk < this.cells; desk++) this.#report(desk, out);
  }

  step(out: ReadingBatch): void {
    this.#now += this.stepMs;
    this.#poll.turn((desk) => this.#report(desk, out));
  }

  #report(desk: number, out: ReadingBatch): void {
    const column = desk % this.#columns;
    const row = Math.floor(desk / this.#columns);
    out.push(
      column + Math.floor(column / CLUSTER.wide),
      row + Math.floor(row / CLUSTER.high),
      this.#taken(desk) ? 1 : 0,
    );
  }

  #taken(desk: number): boolean {
    const day = Math.floor(this.#now / DAY);
    if (this.#planned[desk] !== day) this.#makePlan(desk, day);
    const second = (this.#now - day * DAY) / SECOND;
    const from = desk * STRIDE;
    const plan = this.#plan;
    if (second < plan[from]! || second >= plan[from + 1]!) return false;
    for (let i = from + 2; i < from + STRIDE; i += 2) {
      if (second >= plan[i]! && second < plan[i + 1]!) return false;
    }
    return true;
  }

  /** What the person at a desk does on a day. */
  #makePlan(desk: number, day: number): void {
    this.#planned[desk] = day;
    const at = desk * STRIDE;
    const plan = this.#plan.subarray(at, at + STRIDE).fill(0);
    const habits = new Random(this.#seed, desk, -1);
    const { least, most, weekend } = PRESENCE;
    const presence = least + (most - least) * habits.unit();
    const usual = habits.around(8.9 * HOUR, 0.8 * HOUR);
    const random = new Random(this.#seed, desk, day);
    if (!random.chance(isWorkday(day) ? presence : weekend)) return;
    const comes = random.around(usual, 15 * MINUTE);
    const goes = comes + random.around(8.4 * HOUR, 0.7 * HOUR);
    const put = (index: number, from: number, to: number) => {
      plan[index] = Math.round(from / SECOND);
      plan[index + 1] = Math.round(to / SECOND);
    };
    put(0, comes, Math.min(goes, DAY));
    const lunch = random.around(12.2 * HOUR, 20 * MINUTE);
    put(2, lunch, lunch + random.around(42 * MINUTE, 9 * MINUTE));
    const breaks = random.between(1, MAX_BREAKS - 1);
    for (let i = 1; i <= breaks; i++) {
      const meeting = random.chance(0.4);
      const leaves = meeting
        ? comes + random.below(16) * 30 * MINUTE
        : comes + random.unit() * (goes - comes);
      const away = meeting
        ? random.between(1, 3) * 30 * MINUTE
        : random.around(12 * MINUTE, 3 * MINUTE);
      put(2 + 2 * i, leaves, leaves + away);
    }
  }
}

/** How many cells some desks in a row take with the aisles between them. */
function apart(desks: number, cluster: number): number {
  return desks + Math.floor((desks - 1) / cluster);
}

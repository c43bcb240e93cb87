/**
 * Simulates robots that drive in a warehouse.
 *
 * @module
 */
import type { ReadingBatch } from "../protocol/mod.ts";
import { type Area, withParts } from "./areas.ts";
import { Random } from "./random.ts";
import type { Scene, SceneOptions } from "./scene.ts";

const DEFAULT_ROBOTS = 24;
/** Approximate number of cells for each robot, with shelves. */
const CELLS_PER_ROBOT = 60;
/**
 * Layout of the shelves in cells; `period` and `depth` along y, the others
 * along x.
 */
const SHELVES = { period: 4, depth: 2, length: 12, gap: 2 };
/** An aisle is not free while robots follow each other. */
const AISLE_CLEAR_AFTER_MS = 5000;
/** How long a robot loads at its target, in steps. */
const LOADING_STEPS = { min: 4, max: 30 };
/** The four cells next to a cell, as offsets of x and y. */
const NEIGHBOURS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;

// The content of a cell; a robot is stored as its number, from 1.
const FREE = 0;
const SHELF = -1;

/**
 * A warehouse: robots drive between shelves, one cell (half a metre) a step. A
 * robot reports the cell that it left as free, its own cell as occupied, and
 * the state of the cells next to it, so robots report each other's cells too.
 * Shelves are never reported.
 */
export class Robots implements Scene {
  readonly stepMs = 500;
  readonly width: number;
  readonly height: number;
  readonly cells: number;
  readonly #random: Random;
  /** The content of each cell, row by row. */
  readonly #floor: Int32Array;
  readonly #x: Int32Array;
  readonly #y: Int32Array;
  readonly #targetX: Int32Array;
  readonly #targetY: Int32Array;
  /** The direction in which a robot drives along a shelf: 1 or -1; else 0. */
  readonly #detour: Int8Array;
  /** Steps that a robot still loads. */
  readonly #loading: Int32Array;

  constructor({ seed = 1, size = DEFAULT_ROBOTS }: SceneOptions = {}) {
    this.#random = new Random(seed, 0);
    const area = size * CELLS_PER_ROBOT;
    this.width = Math.max(8, Math.ceil(Math.sqrt(area * 1.6)));
    this.height = Math.max(6, Math.ceil(area / this.width));
    this.#floor = new Int32Array(this.width * this.height);
    this.#placeShelves();
    this.cells = this.#floor.filter((content) => content === FREE).length;
    this.#x = new Int32Array(size);
    this.#y = new Int32Array(size);
    this.#targetX = new Int32Array(size);
    this.#targetY = new Int32Array(size);
    this.#detour = new Int8Array(size);
    this.#loading = new Int32Array(size);
    for (let robot = 0; robot < size; robot++) this.#placeRobot(robot);
  }

  /** Returns the position of each robot. */
  positions(): [x: number, y: number][] {
    return Array.from(this.#x, (x, robot) => [x, this.#y[robot]!]);
  }

  /** Returns true if a cell is in the warehouse and not a shelf. */
  isFloor(x: number, y: number): boolean {
    return x >= 0 && x < this.width && y >= 0 && y < this.height &&
      this.#floor[y * this.width + x] !== SHELF;
  }

  /**
   * The warehouse, and its aisles, each with the shelves after it. They are not
   * made for a number of robots: they have no capacity.
   */
  areas(): Area[] {
    const { width, height } = this;
    const whole = { x: 0, y: 0, width, height };
    const shelves = this.#shelfRows().length;
    const aisles = Array.from({ length: shelves + 1 }, (_, i): Area => {
      const y = i * SHELVES.period;
      return {
        ...{ name: `aisle-${i + 1}`, title: `Aisle ${i + 1}` },
        clearAfter: AISLE_CLEAR_AFTER_MS,
        ...{ x: 0, y, width },
        height: i < shelves ? SHELVES.period : height - y,
      };
    });
    return withParts(
      { name: "warehouse", title: "Warehouse", ...whole },
      aisles,
    );
  }

  begin(out: ReadingBatch): void {
    for (let robot = 0; robot < this.#x.length; robot++) {
      this.#report(robot, out);
    }
  }

  /** Moves the robots one by one, so that no two enter the same cell. */
  step(out: ReadingBatch): void {
    for (let robot = 0; robot < this.#x.length; robot++) {
      if (this.#loading[robot]! > 0) this.#loading[robot]!--;
      else this.#drive(robot, out);
      this.#report(robot, out);
    }
  }

  #drive(robot: number, out: ReadingBatch): void {
    const x = this.#x[robot]!;
    const y = this.#y[robot]!;
    const dx = this.#targetX[robot]! - x;
    const dy = this.#targetY[robot]! - y;
    if (dx === 0 && dy === 0) {
      this.#loading[robot] = this.#random.between(
        LOADING_STEPS.min,
        LOADING_STEPS.max,
      );
      this.#chooseTarget(robot);
      return;
    }
    const next = this.#nextCell(robot, x, y, dx, dy);
    if (next === undefined) return;
    this.#floor[y * this.width + x] = FREE;
    out.push(x, y, 0);
    [this.#x[robot], this.#y[robot]] = next;
    this.#floor[next[1] * this.width + next[0]] = robot + 1;
  }

  /**
   * Chooses the next cell: along the longer distance first, or along a shelf
   * that blocks the way. Returns undefined if no candidate is free.
   */
  #nextCell(
    robot: number,
    x: number,
    y: number,
    dx: number,
    dy: number,
  ): readonly [x: number, y: number] | undefined {
    const alongX = [x + Math.sign(dx), y] as const;
    const alongY = [x, y + Math.sign(dy)] as const;
    const detour = this.#detour[robot]!;
    // At the end of a detour y has priority: otherwise the robot would turn
    // back again and again.
    let candidates = detour === 0 && Math.abs(dx) > Math.abs(dy)
      ? [alongX, alongY]
      : [alongY, alongX];
    this.#detour[robot] = 0;
    if (dy !== 0 && !this.isFloor(...alongY)) {
      const side = detour || Math.sign(dx) || this.#randomSide();
      candidates = [[x + side, y]];
      this.#detour[robot] = this.isFloor(x + side, y) ? side : -side;
    }
    // A random neighbour resolves jams.
    const [rx, ry] = NEIGHBOURS[this.#random.below(NEIGHBOURS.length)]!;
    candidates.push([x + rx, y + ry]);
    return candidates.find((cell) => this.#isFree(...cell));
  }

  #randomSide(): number {
    return this.#random.chance(0.5) ? 1 : -1;
  }

  /** Reports the cell of a robot and the cells next to it. */
  #report(robot: number, out: ReadingBatch): void {
    const x = this.#x[robot]!;
    const y = this.#y[robot]!;
    out.push(x, y, 1);
    for (const [dx, dy] of NEIGHBOURS) {
      if (!this.isFloor(x + dx, y + dy)) continue;
      out.push(x + dx, y + dy, this.#isFree(x + dx, y + dy) ? 0 : 1);
    }
  }

  #isFree(x: number, y: number): boolean {
    return this.isFloor(x, y) && this.#floor[y * this.width + x] === FREE;
  }

  #placeRobot(robot: number): void {
    const [x, y] = this.#randomFreeCell();
    this.#x[robot] = x;
    this.#y[robot] = y;
    this.#floor[y * this.width + x] = robot + 1;
    this.#chooseTarget(robot);
  }

  #chooseTarget(robot: number): void {
    const [x, y] = this.#randomFreeCell();
    this.#targetX[robot] = x;
    this.#targetY[robot] = y;
  }

  /** Robots occupy only a part of the floor, so a free cell always exists. */
  #randomFreeCell(): [x: number, y: number] {
    for (;;) {
      const x = this.#random.below(this.width);
      const y = this.#random.below(this.height);
      if (this.#isFree(x, y)) return [x, y];
    }
  }

  #placeShelves(): void {
    const { depth, length, gap } = SHELVES;
    for (const y of this.#shelfRows()) {
      for (let x = 2; x < this.width - 2; x++) {
        if ((x - 2) % (length + gap) >= length) continue;
        for (let row = y; row < y + depth; row++) {
          this.#floor[row * this.width + x] = SHELF;
        }
      }
    }
  }

  /** The first row of each row of shelves. */
  #shelfRows(): number[] {
    const { period, depth } = SHELVES;
    const rows: number[] = [];
    for (let y = 2; y + depth < this.height - 1; y += period) rows.push(y);
    return rows;
  }
}

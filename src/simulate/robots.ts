import type { ReadingBatch } from "../protocol/mod.ts";
import { Random } from "./random.ts";
import type { Scene, SceneOptions } from "./scene.ts";

const DEFAULT_SIZE = 24;
/** Cells of floor that there are for each robot, about. */
const ROOM_FOR_EACH = 60;
/** Shelves stand in rows of two, with aisles of two between them. */
const SHELF = { period: 4, deep: 2, gap: 12, cross: 2 };
/** A robot that has arrived loads for so many steps. */
const LOADING = { least: 4, most: 30 };
/** The four cells beside one, as x and y. */
const BESIDE = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;

/**
 * A warehouse: robots drive on a grid between shelves, half a metre a step,
 * which is half a second. Each reports the cell that it left as free, the one
 * that it is in as occupied, and what it sees in the cells beside: so several
 * report the same cells. Shelves are never reported: nobody has been there.
 */
export class Robots implements Scene {
  readonly stepMs = 500;
  readonly width: number;
  readonly height: number;
  readonly cells: number;
  readonly #random: Random;
  /** Who is in a cell: 0 nobody, -1 a shelf, else the robot's number from 1. */
  readonly #floor: Int32Array;
  readonly #x: Int32Array;
  readonly #y: Int32Array;
  readonly #targetX: Int32Array;
  readonly #targetY: Int32Array;
  /** The way along a shelf that a robot has chosen: 1, -1, or 0 for none. */
  readonly #along: Int8Array;
  /** Steps that a robot stands still yet. */
  readonly #loading: Int32Array;

  constructor({ seed = 1, size = DEFAULT_SIZE }: SceneOptions = {}) {
    this.#random = new Random(seed, 0);
    const area = size * ROOM_FOR_EACH;
    this.width = Math.max(8, Math.ceil(Math.sqrt(area * 1.6)));
    this.height = Math.max(6, Math.ceil(area / this.width));
    this.#floor = new Int32Array(this.width * this.height);
    this.#putShelves();
    this.cells = this.#floor.filter((who) => who === 0).length;
    this.#x = new Int32Array(size);
    this.#y = new Int32Array(size);
    this.#targetX = new Int32Array(size);
    this.#targetY = new Int32Array(size);
    this.#along = new Int8Array(size);
    this.#loading = new Int32Array(size);
    for (let robot = 0; robot < size; robot++) this.#put(robot);
  }

  /** Where the robots are, one pair a robot. */
  positions(): [x: number, y: number][] {
    return Array.from(this.#x, (x, robot) => [x, this.#y[robot]!]);
  }

  /** Whether a cell is floor that a robot may be on. */
  isFloor(x: number, y: number): boolean {
    return x >= 0 && x < this.width && y >= 0 && y < this.height &&
      this.#floor[y * this.width + x] !== -1;
  }

  begin(out: ReadingBatch): void {
    for (let robot = 0; robot < this.#x.length; robot++) {
      this.#look(robot, out);
    }
  }

  step(out: ReadingBatch): void {
    for (let robot = 0; robot < this.#x.length; robot++) {
      if (this.#loading[robot]! > 0) this.#loading[robot]!--;
      else this.#drive(robot, out);
      this.#look(robot, out);
    }
  }

  /** One after the other, so that two never take the same cell. */
  #drive(robot: number, out: ReadingBatch): void {
    const x = this.#x[robot]!;
    const y = this.#y[robot]!;
    const dx = this.#targetX[robot]! - x;
    const dy = this.#targetY[robot]! - y;
    if (dx === 0 && dy === 0) {
      this.#loading[robot] = this.#random.between(LOADING.least, LOADING.most);
      this.#aim(robot);
      return;
    }
    const way = this.#wayFrom(robot, x, y, dx, dy);
    if (way === undefined) return;
    this.#floor[y * this.width + x] = 0;
    out.push(x, y, 0);
    [this.#x[robot], this.#y[robot]] = way;
    this.#floor[way[1] * this.width + way[0]] = robot + 1;
  }

  /** The cell to go to: the longer way first, along a shelf if one is in the way. */
  #wayFrom(
    robot: number,
    x: number,
    y: number,
    dx: number,
    dy: number,
  ): readonly [x: number, y: number] | undefined {
    const alongX = [x + Math.sign(dx), y] as const;
    const alongY = [x, y + Math.sign(dy)] as const;
    const along = this.#along[robot]!;
    // Who came along a shelf takes its end, or would turn back for ever.
    let ways = along === 0 && Math.abs(dx) > Math.abs(dy)
      ? [alongX, alongY]
      : [alongY, alongX];
    this.#along[robot] = 0;
    if (dy !== 0 && !this.isFloor(...alongY)) {
      const side = along || Math.sign(dx) || this.#anySide();
      ways = [[x + side, y]];
      this.#along[robot] = this.isFloor(x + side, y) ? side : -side;
    }
    // Who is in a jam goes anywhere.
    const [ax, ay] = BESIDE[this.#random.below(BESIDE.length)]!;
    ways.push([x + ax, y + ay]);
    return ways.find((way) => this.#isFree(...way));
  }

  #anySide(): number {
    return this.#random.chance(0.5) ? 1 : -1;
  }

  /** Reports where it is, and what is beside it. */
  #look(robot: number, out: ReadingBatch): void {
    const x = this.#x[robot]!;
    const y = this.#y[robot]!;
    out.push(x, y, 1);
    for (const [dx, dy] of BESIDE) {
      if (!this.isFloor(x + dx, y + dy)) continue;
      out.push(x + dx, y + dy, this.#isFree(x + dx, y + dy) ? 0 : 1);
    }
  }

  #isFree(x: number, y: number): boolean {
    return this.isFloor(x, y) && this.#floor[y * this.width + x] === 0;
  }

  #put(robot: number): void {
    const [x, y] = this.#anyFree();
    this.#x[robot] = x;
    this.#y[robot] = y;
    this.#floor[y * this.width + x] = robot + 1;
    this.#aim(robot);
  }

  #aim(robot: number): void {
    const [x, y] = this.#anyFree();
    this.#targetX[robot] = x;
    this.#targetY[robot] = y;
  }

  /** There always is one: robots take a part of the floor only. */
  #anyFree(): [x: number, y: number] {
    for (;;) {
      const x = this.#random.below(this.width);
      const y = this.#random.below(this.height);
      if (this.#isFree(x, y)) return [x, y];
    }
  }

  #putShelves(): void {
    const { period, deep, gap, cross } = SHELF;
    for (let y = 2; y + deep < this.height - 1; y += period) {
      for (let x = 2; x < this.width - 2; x++) {
        if ((x - 2) % (gap + cross) >= gap) continue;
        for (let row = y; row < y + deep; row++) {
          this.#floor[row * this.width + x] = -1;
        }
      }
    }
  }
}

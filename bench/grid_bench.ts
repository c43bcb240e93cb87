/**
 * `deno bench bench/grid_bench.ts`: compares the grid with simpler structures
 * that store the latest value of every coordinate.
 *
 * The simpler structures store only a value. The grid also stores time,
 * revision, freshness, first-seen order and counts, refuses late readings, and
 * can be scanned by region and by revision.
 *
 * The time per iteration is for all readings or cells named.
 *
 * @module
 */

import {
  CellRows,
  type Grid,
  MAX_TILE_BYTES,
  OccupancyMap,
  type ReadingColumns,
  type ScanOptions,
} from "../src/grid/mod.ts";

const MILLION = 1_000_000;
const NOW = 1_700_000_000_000;

/** Readings of a square, row by row. */
function dense(count: number): ReadingColumns {
  const side = Math.round(Math.sqrt(count));
  return readings(side * side, (i) => i % side, (i) => Math.floor(i / side));
}

/** Readings spread over 65,536 × 65,536: nearly each is alone in its tile. */
function scattered(count: number): ReadingColumns {
  const random = () => Math.floor(Math.random() * 65_536);
  return readings(count, random, random);
}

function readings(
  length: number,
  x: (i: number) => number,
  y: (i: number) => number,
): ReadingColumns {
  return {
    length,
    x: Int32Array.from({ length }, (_, i) => x(i)),
    y: Int32Array.from({ length }, (_, i) => y(i)),
    value: Int32Array.from({ length }, (_, i) => i % 3),
    time: new Float64Array(length).fill(NOW),
  };
}

/** A structure that stores the latest value of every coordinate. */
interface Contender {
  /** Stores readings. Adds `round` to the values, so that every cell changes. */
  apply(batch: ReadingColumns, round: number): void;
}

class StringMap implements Contender {
  readonly #values = new Map<string, number>();

  apply({ length, x, y, value }: ReadingColumns, round: number): void {
    for (let i = 0; i < length; i++) {
      this.#values.set(`${x[i]},${y[i]}`, value[i]! + round);
    }
  }
}

class NumberMap implements Contender {
  readonly #values = new Map<number, number>();

  apply({ length, x, y, value }: ReadingColumns, round: number): void {
    for (let i = 0; i < length; i++) {
      this.#values.set(y[i]! * 2 ** 26 + x[i]!, value[i]! + round);
    }
  }
}

/** A hash table over typed arrays: linear probing, at most half full. */
class OpenAddressing implements Contender {
  #x = new Int32Array(64);
  #y = new Int32Array(64);
  #value = new Int32Array(64);
  #used = new Uint8Array(64);
  #size = 0;

  apply({ length, x, y, value }: ReadingColumns, round: number): void {
    for (let i = 0; i < length; i++) this.#set(x[i]!, y[i]!, value[i]! + round);
  }

  #set(x: number, y: number, value: number): void {
    const mask = this.#used.length - 1;
    let slot = (Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77)) >>> 7 &
      mask;
    while (
      this.#used[slot] === 1 && (this.#x[slot] !== x || this.#y[slot] !== y)
    ) {
      slot = (slot + 1) & mask;
    }
    this.#value[slot] = value;
    if (this.#used[slot] === 1) return;
    this.#used[slot] = 1;
    this.#x[slot] = x;
    this.#y[slot] = y;
    if (++this.#size * 2 > this.#used.length) this.#grow();
  }

  #grow(): void {
    const old = {
      x: this.#x,
      y: this.#y,
      value: this.#value,
      used: this.#used,
    };
    const slots = 2 * old.used.length;
    this.#x = new Int32Array(slots);
    this.#y = new Int32Array(slots);
    this.#value = new Int32Array(slots);
    this.#used = new Uint8Array(slots);
    this.#size = 0;
    for (let slot = 0; slot < old.used.length; slot++) {
      if (old.used[slot] === 1) {
        this.#set(old.x[slot]!, old.y[slot]!, old.value[slot]!);
      }
    }
  }
}

class Tiles implements Contender {
  readonly map = new OccupancyMap({ staleAfter: 60_000 });
  /** The values of a batch plus the round: all structures do this addition. */
  #values = new Int32Array(0);

  apply(batch: ReadingColumns, round: number): void {
    if (this.#values.length < batch.length) {
      this.#values = new Int32Array(batch.length);
    }
    for (let i = 0; i < batch.length; i++) {
      this.#values[i] = batch.value[i]! + round;
    }
    this.map.apply("default", { ...batch, value: this.#values }, NOW);
  }

  get grid(): Grid {
    return this.map.layer("default")!;
  }
}

const contenders: Record<string, () => Contender> = {
  "grid": () => new Tiles(),
  "open addressing": () => new OpenAddressing(),
  "Map, number keys": () => new NumberMap(),
  "Map, string keys": () => new StringMap(),
};

const inputs = { "dense": dense(MILLION), "scattered": scattered(MILLION) };

for (const [input, batch] of Object.entries(inputs)) {
  for (const [name, make] of Object.entries(contenders)) {
    const group = `${input}: insert 1M`;
    Deno.bench({
      name: `${name}, ${group}`,
      group,
      n: 5,
      warmup: 1,
      fn: () => make().apply(batch, 0),
    });
  }
  for (const [name, make] of Object.entries(contenders)) {
    const group = `${input}: update 1M`;
    let contender: Contender | undefined;
    let round = 0;
    Deno.bench({
      name: `${name}, ${group}`,
      group,
      n: 10,
      warmup: 3,
      fn() {
        contender ??= fill(make(), batch); // during the warm-up
        contender.apply(batch, ++round);
      },
    });
  }
}

function fill<T extends Contender>(contender: T, batch: ReadingColumns): T {
  contender.apply(batch, 0);
  return contender;
}

// Operations of the grid only, with maps of three sizes.
const patch = dense(100_000);
const few = dense(9);
for (const count of [100_000, MILLION, 10 * MILLION]) {
  const cells = `${count / 1000}k cells`;
  let made: Tiles | undefined;
  const tiles = () => made ??= fill(new Tiles(), dense(count));
  const bench = (
    group: string,
    work: (tiles: Tiles, round: number) => void,
  ) => {
    let round = 0;
    Deno.bench({
      name: `${group}, of ${cells}`,
      group,
      n: 50,
      warmup: 20,
      fn: () => work(tiles(), ++round),
    });
  };
  const region = { x0: 100, y0: 100, x1: 199, y1: 199 };
  bench("update 100k", (tiles, round) => tiles.apply(patch, round));
  bench("read a region of 10k", ({ grid }) => void sum(grid, { region }));
  bench("change 9 cells and read the changes", (tiles, round) => {
    tiles.apply(few, round);
    sum(tiles.grid, { since: tiles.map.revision - 1 });
  });
  bench("age, no cell due", ({ map }) => void map.age(NOW));
}

for (const [input, batch] of Object.entries(inputs)) {
  let made: Tiles | undefined;
  const grid = () => (made ??= fill(new Tiles(), batch)).grid;
  let blobs: Uint8Array[] = [];
  const encode = () => {
    const tiles: Uint8Array[] = [];
    grid().beginSave();
    const bytes = new Uint8Array(MAX_TILE_BYTES);
    for (let saved; (saved = grid().nextSaved(bytes, 0));) {
      tiles.push(bytes.slice(0, saved.end));
    }
    grid().endSave(false);
    return tiles;
  };
  const bench = (group: string, work: () => void) =>
    Deno.bench({
      name: `${group} 1M, ${input}`,
      group,
      n: 10,
      warmup: 3,
      fn: work,
    });
  bench("read", () => void sum(grid(), {}));
  bench("read a snapshot", () => void sumSnapshot(grid()));
  bench("encode", () => void (blobs = encode()));
  bench("restore", () => {
    if (blobs.length === 0) blobs = encode();
    const map = new OccupancyMap();
    for (const bytes of blobs) map.restoreTiles("default", bytes);
  });
  const { bytes, size } = fill(new Tiles(), batch).grid;
  console.log(`grid, ${input} 1M: ${(bytes / size).toFixed(1)} bytes per cell`);
}

/** Reads every field that a reply has. */
function sum(grid: Grid, options: ScanOptions): number {
  let sum = 0;
  for (const cell = grid.cells(options); cell.next();) {
    sum += cell.x + cell.y + cell.value + cell.time;
  }
  return sum;
}

/** Reads the same fields from a snapshot. */
function sumSnapshot(grid: Grid): number {
  using snapshot = grid.snapshot();
  const rows = new CellRows();
  let sum = 0;
  for (let count; (count = snapshot.readTile(rows)) !== undefined;) {
    const { x, y, value, time } = rows;
    for (let i = 0; i < count; i++) sum += x[i]! + y[i]! + value[i]! + time[i]!;
  }
  return sum;
}

/**
 * A simple model of the occupancy map for comparison: a `Map` of objects that
 * follows the rules literally, without regard to speed.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type ApplyResult,
  type Cell,
  type CellCounts,
  CellRows,
  type Coordinates,
  type Grid,
  type LayerSnapshot,
  type LongUnknown,
  MAX_TILE_BYTES,
  type OccupancyMap,
  type ReadingColumns,
  type Region,
} from "../../src/grid/mod.ts";

/** One reading: x, y, value, time. */
export type Reading = readonly [number, number, number, number];

/** Readings as the columns that `OccupancyMap.apply` takes. */
export function columns(readings: readonly Reading[]): ReadingColumns {
  return {
    length: readings.length,
    x: Int32Array.from(readings, ([x]) => x),
    y: Int32Array.from(readings, ([, y]) => y),
    value: Int32Array.from(readings, ([, , value]) => value),
    time: Float64Array.from(readings, ([, , , time]) => time),
  };
}

/** All cells that a reader reads, which a snapshot reads too. */
export function scanned(
  grid: Grid,
  options: { region?: Region; since?: number } = {},
): Cell[] {
  const cells: Cell[] = [];
  for (const cell = grid.cells(options); cell.next();) {
    const { x, y, value, time, revision, freshness } = cell;
    cells.push({ x, y, value, time, revision, freshness });
  }
  assert.deepEqual(
    sorted(snapshotCells(grid.snapshot(options))).map((
      { order: _, ...cell },
    ) => cell),
    sorted(cells).map(({ revision: _, ...cell }) => cell),
  );
  return cells;
}

/** A cell of a snapshot. */
export type SnapshotCell = Omit<Cell, "revision"> & { readonly order: number };

/** The cells that a snapshot reads, at most those of some tiles. */
export function snapshotCells(
  snapshot: LayerSnapshot,
  tiles = Infinity,
): SnapshotCell[] {
  const rows = new CellRows();
  const cells: SnapshotCell[] = [];
  for (let read = 0; read < tiles; read++) {
    const count = snapshot.readTile(rows);
    if (count === undefined) break;
    for (let i = 0; i < count; i++) {
      cells.push({
        x: rows.x[i]!,
        y: rows.y[i]!,
        value: rows.value[i]!,
        time: rows.time[i]!,
        freshness: rows.freshness[i]! as Cell["freshness"],
        order: rows.order[i]!,
      });
    }
  }
  return cells;
}

/** All cells in first-seen order. */
export function inOrder(grid: Grid): Cell[] {
  return snapshotCells(grid.snapshot())
    .sort((a, b) => a.order - b.order)
    .map(({ x, y }) => grid.get(x, y)!);
}

/** Sorts cells by coordinate. */
export function sorted<T extends { x: number; y: number }>(
  cells: readonly T[],
): T[] {
  return cells.toSorted((a, b) => a.y - b.y || a.x - b.x);
}

/** The counts of these cells, counted one by one. */
export function recount(cells: readonly Cell[]): CellCounts {
  const known = cells.filter(({ value }) => value >= 0);
  const fresh = known.filter(({ freshness }) => freshness === 0);
  return {
    cells: cells.length,
    free: fresh.filter(({ value }) => value === 0).length,
    occupied: fresh.filter(({ value }) => value > 0).length,
    unknown: cells.length - known.length,
    stale: known.length - fresh.length,
    people: fresh.reduce((sum, { value }) => sum + value, 0),
  };
}

type Entry = { -readonly [Key in keyof Cell]: Cell[Key] };

function shown({ value, freshness }: Entry): number {
  return freshness === 2 && value >= 0 ? -1 : value;
}

/** The rules of the map, literally. */
export class Model {
  revision = 0;
  began: number | undefined;
  staleAfter: number;
  forgetAfter: number;
  readonly maxSkew: number;
  /** In first-seen order, which `Map` maintains. */
  readonly layers: Map<string, Map<string, Entry>> = new Map();

  constructor(staleAfter: number, forgetAfter: number, maxSkew: number) {
    this.staleAfter = staleAfter;
    this.forgetAfter = forgetAfter;
    this.maxSkew = maxSkew;
  }

  freshness(time: number, now: number): 0 | 1 | 2 {
    if (now - time > this.forgetAfter) return 2;
    return now - time > this.staleAfter ? 1 : 0;
  }

  apply(name: string, readings: readonly Reading[], now: number): ApplyResult {
    const layer = this.layers.get(name) ?? new Map<string, Entry>();
    const result = { changed: 0, renewed: 0, late: 0, future: 0 };
    for (const [x, y, value, time] of readings) {
      const old = layer.get(`${x},${y}`);
      const freshness = this.freshness(time, now);
      if (time - now > this.maxSkew) result.future++;
      else if (
        old !== undefined && time < old.time && old.time - now <= this.maxSkew
      ) result.late++;
      else if (
        old !== undefined && shown(old) === value &&
        (value < 0 || old.freshness === freshness)
      ) {
        Object.assign(old, { time, value, freshness });
        result.renewed++;
      } else {
        const revision = this.revision + 1;
        layer.set(`${x},${y}`, { x, y, value, time, revision, freshness });
        result.changed++;
      }
    }
    if (result.changed > 0) {
      this.layers.set(name, layer);
      this.revision++;
    }
    return result;
  }

  age(now: number): number {
    const cells = [...this.layers.values()].flatMap((layer) => [...layer]);
    return this.#age(cells, now);
  }

  /** Ages the cells of tiles of 32 by 32 cells. */
  ageTiles(name: string, { length, x, y }: Coordinates, now: number): number {
    const tiles = new Set(
      Array.from({ length }, (_, i) => `${x[i]},${y[i]}`),
    );
    const layer = this.layers.get(name) ?? new Map<string, Entry>();
    const cells = [...layer].filter(([key]) => {
      const [x = 0, y = 0] = key.split(",").map(Number);
      return tiles.has(`${x >> 5},${y >> 5}`);
    });
    return this.#age(cells, now);
  }

  #age(cells: readonly (readonly [string, Entry])[], now: number): number {
    let changed = 0;
    for (const [, cell] of cells) {
      const freshness = this.freshness(cell.time, now);
      if (freshness === cell.freshness) continue;
      cell.freshness = freshness;
      if (cell.value < 0) continue; // unknown before and after
      cell.revision = this.revision + 1;
      changed++;
    }
    if (changed > 0) this.revision++;
    return changed;
  }

  deleteLayer(name: string, now: number): boolean {
    if (!this.layers.delete(name)) return false;
    this.revision++;
    this.began = Math.max(now, (this.began ?? -1) + 1);
    return true;
  }

  /** Removes the cells that have been unknown for longer than `removeAfter`. */
  remove(name: string, now: number, removeAfter: number): number {
    const layer = this.layers.get(name) ?? new Map<string, Entry>();
    let removed = 0;
    for (const [key, { value, time, freshness }] of layer) {
      const isUnknown = value < 0
        ? now - time > removeAfter
        : freshness === 2 && now - time > this.forgetAfter + removeAfter;
      if (isUnknown && layer.delete(key)) removed++;
    }
    if (removed === 0) return 0;
    if (layer.size === 0) this.deleteLayer(name, now);
    else this.revision++;
    return removed;
  }

  /** The cells of a layer as the map shows them, in first-seen order. */
  cells(name: string): Cell[] {
    return Array.from(this.layers.get(name)?.values() ?? [], (cell) => ({
      ...cell,
      value: shown(cell),
    }));
  }
}

/** Asserts that map and model are equal, by every method of the map. */
export function assertSame(map: OccupancyMap, model: Model): void {
  assert.equal(map.revision, model.revision);
  assert.equal(map.only.began, model.began);
  assert.deepEqual(
    Array.from(map.layers(), ([name]) => name).sort(),
    [...model.layers.keys()].sort(),
  );
  let size = 0;
  for (const [name, grid] of map.layers()) {
    const cells = model.cells(name);
    size += cells.length;
    assert.equal(grid.size, cells.length);
    assert.deepEqual(inOrder(grid), cells);
    assert.deepEqual(sorted(scanned(grid)), sorted(cells));
    assert.deepEqual(grid.counts(), recount(cells));
    // A removed cell may have had the newest revision.
    assert.ok(grid.revision >= Math.max(...cells.map((c) => c.revision)));
    assert.ok(grid.revision <= map.revision);
    assert.ok(grid.latest >= Math.max(...cells.map(({ time }) => time)));
    for (const cell of cells) assert.deepEqual(grid.get(cell.x, cell.y), cell);
  }
  assert.equal(map.size, size);
}

/** Removes cells that have been unknown for long, as the server does. */
export function removeLongUnknown(
  map: OccupancyMap,
  layer: string,
  now: number,
  removeAfter: number,
): number {
  let removed = 0;
  let from: number | undefined = 0;
  const found: Coordinates[] = [];
  while (from !== undefined) {
    const slice: LongUnknown | undefined = map.layer(layer)?.longUnknown(
      from,
      now,
      map.ageing,
      removeAfter,
    );
    if (slice === undefined) break;
    found.push(slice.cells);
    from = slice.next;
  }
  for (const cells of found) removed += map.remove(layer, cells, now);
  return removed;
}

/** One saved tile. */
export interface TileBytes {
  readonly tile: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The next tile of a save. */
export function nextSaved(grid: Grid): TileBytes | undefined {
  const bytes = new Uint8Array(MAX_TILE_BYTES);
  const saved = grid.nextSaved(bytes, 0);
  return saved && { tile: saved.tile, bytes: bytes.slice(0, saved.end) };
}

/** The changed tiles of a layer. They stay marked as changed. */
export function tilesToSave(grid: Grid): TileBytes[] {
  grid.beginSave();
  const tiles: TileBytes[] = [];
  for (let saved; (saved = nextSaved(grid));) tiles.push(saved);
  grid.endSave(false);
  return tiles;
}

/** The tile coordinates in an encoded tile. */
export function coordinatesOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return `${view.getInt32(1, true)},${view.getInt32(5, true)}`;
}

/** Restores changed tiles of a map into another; they stay marked. */
export function restored(
  source: OccupancyMap,
  target: OccupancyMap,
): OccupancyMap {
  for (const [name, grid] of source.layers()) {
    for (const { bytes } of tilesToSave(grid)) target.restoreTiles(name, bytes);
  }
  return target;
}

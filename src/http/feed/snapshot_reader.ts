import type { Grid, Region } from "../../grid/mod.ts";
import { addCell, copyCell } from "../cell_columns.ts";
import { type CellColumns, newColumns } from "../../feed/columns.ts";

/** Cells lie in tiles of 32 by 32. */
const TILE_BITS = 5;
const TILE = 1 << TILE_BITS;
/** The most cells that a tile has. */
export const TILE_CELLS = TILE * TILE;
/** A view of no more tiles is read tile by tile of the view, else of the layer. */
const FEW_TILES = 4096;
/** Tiles between two looks at the clock. */
const STRIDE = 8;

/** Shared by all readers: sorting a tile is over before the next begins. */
const unsorted: CellColumns = newColumns(TILE_CELLS);
const keys = new Uint32Array(TILE_CELLS);

/** Which tiles to read: `at` gives the next, null past the last. */
interface TileWalk {
  next(): { readonly tx: number; readonly ty: number } | null;
}

/**
 * Reads a layer, or a part of it, a slice at a time; the layer may be written to
 * between slices.
 *
 * Each cell that was there when it began is read once, as it is when its slice is
 * read: what changes meanwhile may be in it or not, and must be told again.
 */
export class SnapshotReader {
  readonly #grid: Grid | undefined;
  readonly #region: Region | null;
  readonly #tiles: TileWalk;
  #done: boolean;

  /**
   * @param grid undefined for a layer that has no cells
   * @param region null for all of it
   */
  constructor(grid: Grid | undefined, region: Region | null) {
    this.#grid = grid;
    this.#region = region;
    this.#done = grid === undefined;
    this.#tiles = region !== null && tilesOf(region) <= FEW_TILES
      ? new SpanWalk(region)
      : new LayerWalk(grid);
  }

  /** True once all has been read. */
  get done(): boolean {
    return this.#done;
  }

  /**
   * Reads on.
   *
   * @param into has its cells added, as long as there is room for a whole tile
   * @param enough is asked now and then whether the slice has taken long enough
   */
  read(into: CellColumns, enough: () => boolean): void {
    const most = into.x.length - TILE_CELLS;
    for (let tiles = 1; !this.#done && into.length <= most; tiles++) {
      const tile = this.#tiles.next();
      if (tile === null) this.#done = true;
      else if (touches(this.#region, tile)) {
        this.#readTile(into, tile.tx, tile.ty);
      }
      if (tiles % STRIDE === 0 && enough()) return;
    }
  }

  #readTile(into: CellColumns, tx: number, ty: number): void {
    const first = into.length;
    const region = clip(tx, ty, this.#region);
    for (const cell = this.#grid!.cells({ region }); cell.next();) {
      addCell(into, cell);
    }
    sortRows(into, first);
  }
}

/** The tiles of a region, row by row, whether they hold cells or not. */
class SpanWalk implements TileWalk {
  readonly #x0: number;
  readonly #x1: number;
  readonly #y1: number;
  #tx: number;
  #ty: number;

  constructor({ x0, y0, x1, y1 }: Region) {
    this.#x0 = this.#tx = x0 >> TILE_BITS;
    this.#x1 = x1 >> TILE_BITS;
    this.#ty = y0 >> TILE_BITS;
    this.#y1 = y1 >> TILE_BITS;
  }

  next() {
    if (this.#ty > this.#y1) return null;
    const tile = { tx: this.#tx, ty: this.#ty };
    if (++this.#tx > this.#x1) {
      this.#tx = this.#x0;
      this.#ty++;
    }
    return tile;
  }
}

/**
 * The tiles that a layer has. They keep their numbers and new ones come last, so
 * it may be written to meanwhile.
 */
class LayerWalk implements TileWalk {
  readonly #grid: Grid | undefined;
  #tile = 0;

  constructor(grid: Grid | undefined) {
    this.#grid = grid;
  }

  next() {
    return this.#grid?.tileAt(this.#tile++) ?? null;
  }
}

function tilesOf({ x0, y0, x1, y1 }: Region): number {
  return ((x1 >> TILE_BITS) - (x0 >> TILE_BITS) + 1) *
    ((y1 >> TILE_BITS) - (y0 >> TILE_BITS) + 1);
}

function touches(
  region: Region | null,
  { tx, ty }: { readonly tx: number; readonly ty: number },
): boolean {
  if (region === null) return true;
  const { x0, y0, x1, y1 } = region;
  return tx >= x0 >> TILE_BITS && tx <= x1 >> TILE_BITS &&
    ty >= y0 >> TILE_BITS && ty <= y1 >> TILE_BITS;
}

/** What of a tile lies in a region. */
function clip(tx: number, ty: number, region: Region | null): Region {
  const x0 = tx * TILE;
  const y0 = ty * TILE;
  const x1 = x0 + TILE - 1;
  const y1 = y0 + TILE - 1;
  if (region === null) return { x0, y0, x1, y1 };
  return {
    x0: Math.max(x0, region.x0),
    y0: Math.max(y0, region.y0),
    x1: Math.min(x1, region.x1),
    y1: Math.min(y1, region.y1),
  };
}

/** Sorts the rows of one tile, row by row of the map: so they take the fewest bytes. */
function sortRows(cells: CellColumns, first: number): void {
  const count = cells.length - first;
  let last = -1;
  let sorted = true;
  for (let i = 0; i < count; i++) {
    const row = first + i;
    const place = (cells.y[row]! & TILE - 1) << TILE_BITS |
      cells.x[row]! & TILE - 1;
    if (place < last) sorted = false;
    last = place;
    keys[i] = place << 2 * TILE_BITS | i;
  }
  if (sorted) return;
  for (let i = 0; i < count; i++) copyCell(cells, first + i, unsorted, i);
  const order = keys.subarray(0, count).sort();
  for (let i = 0; i < count; i++) {
    copyCell(unsorted, order[i]! & TILE_CELLS - 1, cells, first + i);
  }
}

/**
 * Reads the cells of a view slice by slice. The map may change between slices.
 *
 * @module
 */
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import type { Grid } from "../../grid/mod.ts";
import {
  area,
  keyOf,
  TILE_BITS,
  TILE_CELLS,
  tileSpan,
} from "../../grid/tiles.ts";
import { contains, intersection, type Region } from "../../protocol/region.ts";
import { addCell, copyCell } from "../cell_columns.ts";

const TILE_SIZE = 1 << TILE_BITS;
/** For a view of more tiles, all tiles of the layer are visited instead. */
const MAX_VIEW_TILES = 4096;
/** Tiles between two calls of `isTimeUp`. */
const TILES_PER_CHECK = 8;

/** Buffers of `sortRows`, shared by all readers. */
const unsorted: CellColumns = newColumns(TILE_CELLS);
const keys = new Uint32Array(TILE_CELLS);

/** The coordinates of a tile. */
interface Tile {
  readonly tx: number;
  readonly ty: number;
}

/** An iterator over the tiles to read. */
interface TileWalk {
  /** Returns the next tile, null after the last. */
  next(): Tile | null;
}

/**
 * Reads the cells of a layer or of a region, a slice at a time.
 *
 * Each cell that existed at the start is read once, with its value at that
 * moment. A change after the start may be included or not, so it must be sent
 * again.
 */
export class SnapshotReader {
  readonly #grid: Grid | undefined;
  readonly #region: Region | null;
  /** The tiles that the region touches. */
  readonly #span: Region | null;
  readonly #tiles: TileWalk;
  #done: boolean;

  /**
   * @param grid undefined for a layer without cells
   * @param region null for the whole layer
   */
  constructor(grid: Grid | undefined, region: Region | null) {
    this.#grid = grid;
    this.#region = region;
    this.#span = region && tileSpan(region);
    this.#done = grid === undefined;
    this.#tiles = this.#span !== null && area(this.#span) <= MAX_VIEW_TILES
      ? new SpanWalk(this.#span)
      : new LayerWalk(grid);
  }

  /** True when all cells have been read. */
  get done(): boolean {
    return this.#done;
  }

  /**
   * Reads the next slice.
   *
   * @param into receives the cells, up to its capacity minus one tile
   * @param isTimeUp called every few tiles; returns true to end the slice
   */
  read(into: CellColumns, isTimeUp: () => boolean): void {
    const maxLength = into.x.length - TILE_CELLS;
    for (let tiles = 1; !this.#done && into.length <= maxLength; tiles++) {
      const tile = this.#tiles.next();
      if (tile === null) this.#done = true;
      else if (
        this.#span === null || contains(this.#span, tile.tx, tile.ty)
      ) {
        this.#readTile(into, tile);
      }
      if (tiles % TILES_PER_CHECK === 0 && isTimeUp()) return;
    }
  }

  #readTile(into: CellColumns, tile: Tile): void {
    const first = into.length;
    const region = clipTile(tile, this.#region);
    for (const cell = this.#grid!.cells({ region }); cell.next();) {
      addCell(into, cell);
    }
    sortRows(into, first);
  }
}

/** Walks over the tiles of a span row by row, with or without cells. */
class SpanWalk implements TileWalk {
  readonly #span: Region;
  #tx: number;
  #ty: number;

  constructor(span: Region) {
    this.#span = span;
    this.#tx = span.x0;
    this.#ty = span.y0;
  }

  next(): Tile | null {
    if (this.#ty > this.#span.y1) return null;
    const tile = { tx: this.#tx, ty: this.#ty };
    if (++this.#tx > this.#span.x1) {
      this.#tx = this.#span.x0;
      this.#ty++;
    }
    return tile;
  }
}

/**
 * Walks over the tiles of a layer: indexes are stable, new tiles are appended.
 */
class LayerWalk implements TileWalk {
  readonly #grid: Grid | undefined;
  #tile = 0;

  constructor(grid: Grid | undefined) {
    this.#grid = grid;
  }

  next(): Tile | null {
    return this.#grid?.tileAt(this.#tile++) ?? null;
  }
}

/** Returns the part of a tile that is in a region. */
function clipTile({ tx, ty }: Tile, region: Region | null): Region {
  const x0 = tx * TILE_SIZE;
  const y0 = ty * TILE_SIZE;
  const all = { x0, y0, x1: x0 + TILE_SIZE - 1, y1: y0 + TILE_SIZE - 1 };
  return region === null ? all : intersection(all, region);
}

/**
 * Sorts the cells of a tile by row, so that they take fewer bytes.
 */
function sortRows(cells: CellColumns, first: number): void {
  const count = cells.length - first;
  let last = -1;
  let isSorted = true;
  for (let i = 0; i < count; i++) {
    const key = keyOf(cells.x[first + i]!, cells.y[first + i]!);
    if (key < last) isSorted = false;
    last = key;
    keys[i] = key << 2 * TILE_BITS | i;
  }
  if (isSorted) return;
  for (let i = 0; i < count; i++) copyCell(cells, first + i, unsorted, i);
  const order = keys.subarray(0, count).sort();
  for (let i = 0; i < count; i++) {
    copyCell(unsorted, order[i]! & TILE_CELLS - 1, cells, first + i);
  }
}

/**
 * Reads the cells of a layer at one revision, in slices, for responses that are
 * sent while the map changes.
 *
 * @module
 */
import { type CellColumns, newColumns } from "../feed/columns.ts";
import {
  CellRows,
  Freshness,
  type Grid,
  type LayerSnapshot,
  SnapshotLostError,
} from "../grid/mod.ts";
import { area } from "../grid/tiles.ts";
import type { LimitCounts } from "../common/limit_counts.ts";
import { copyAtMost, type Selection } from "./cell_columns.ts";

/** Time of a slice; a tile more may be read. */
const SLICE_MS = 1;
/** Tiles between two looks at the clock. */
const TILES_PER_CHECK = 16;

/**
 * The selected cells of a layer as they were when it was created. Nothing is
 * copied, except tiles that change before they are read. Close it.
 */
export class LayerReading {
  readonly #snapshot: LayerSnapshot | undefined;
  readonly #reached: LimitCounts | undefined;
  /** A tile; its rows from `#next` to `#count` are not read yet. */
  readonly #rows = new CellRows();
  #count = 0;
  #next = 0;

  /**
   * @param grid the layer; undefined for a layer without cells
   * @param reached counts readings that failed
   */
  constructor(
    grid: Grid | undefined,
    { since, region }: Selection,
    reached?: LimitCounts,
  ) {
    this.#reached = reached;
    this.#snapshot = grid?.snapshot(
      region === undefined ? { since } : { since, region },
    );
  }

  /**
   * Appends the next cells, for about a millisecond.
   *
   * @param into receives the cells, up to its capacity
   * @returns false after the last cell
   * @throws {SnapshotLostError} if the layer changed faster than it was read
   */
  read(into: CellColumns): boolean {
    const capacity = into.x.length;
    const end = performance.now() + SLICE_MS;
    for (let tiles = 1; into.length < capacity; tiles++) {
      if (this.#next === this.#count) {
        const count = this.#readTile();
        if (count === undefined) return false;
        this.#next = 0;
        this.#count = count;
      }
      const room = capacity - into.length;
      const to = Math.min(this.#count, this.#next + room);
      copyRows(this.#rows, this.#next, to, into);
      this.#next = to;
      if (tiles % TILES_PER_CHECK === 0 && performance.now() > end) break;
    }
    return true;
  }

  #readTile(): number | undefined {
    try {
      return this.#snapshot?.readTile(this.#rows);
    } catch (error) {
      if (error instanceof SnapshotLostError) {
        this.#reached?.add("http-snapshot-bytes");
      }
      throw error;
    }
  }

  /** Frees the copies. Safe to call twice. */
  close(): void {
    this.#snapshot?.close();
  }
}

/**
 * Reads cells at once, if they are few.
 *
 * @param grid the layer; undefined for a layer without cells
 * @param maxCells the limit
 * @returns undefined if there are more, or if it takes more than a millisecond
 */
export function readFew(
  grid: Grid | undefined,
  selection: Selection,
  maxCells: number,
): CellColumns | undefined {
  const { region } = selection;
  if (
    grid === undefined || grid.size <= maxCells ||
    region !== undefined && area(region) <= maxCells
  ) return copyAtMost(maxCells, grid, selection);
  const reading = new LayerReading(grid, selection);
  try {
    // One more, to see that there are more.
    const cells = newColumns(maxCells + 1);
    return reading.read(cells) ? undefined : cells;
  } finally {
    reading.close();
  }
}

function copyRows(
  rows: CellRows,
  from: number,
  to: number,
  into: CellColumns,
): void {
  let row = into.length;
  for (let i = from; i < to; i++, row++) {
    const value = rows.value[i]!;
    into.x[row] = rows.x[i]!;
    into.y[row] = rows.y[i]!;
    into.value[row] = value;
    into.stale[row] = value >= 0 && rows.freshness[i] === Freshness.Stale
      ? 1
      : 0;
    into.time[row] = rows.time[i]!;
  }
  into.length = row;
}

/**
 * Reads the cells of a layer as they are at one moment, in slices, while the
 * layer changes.
 *
 * @module
 */

import { metaFreshness, metaKey } from "./cell_block.ts";
import {
  type ReadSource,
  type ScanOptions,
  selectTiles,
} from "./cell_reader.ts";
import { shownValue } from "./freshness.ts";
import type { FrozenTiles } from "./frozen_tiles.ts";
import { decodeTile, TileColumns } from "./tile_codec.ts";
import { TileCopies } from "./tile_copies.ts";
import type { TileMemory } from "./tile_memory.ts";
import { NO_TILE } from "./tile_table.ts";
import {
  area,
  clipRegion,
  holdsTile,
  TILE_CELLS,
  tileSpan,
  xOf,
  yOf,
} from "./tiles.ts";
import { contains, type Region } from "../protocol/region.ts";

/** Maximum memory of the copies of all snapshots of a map. */
const MAX_COPY_BYTES = 128 * 1024 * 1024;
/** Selecting more tiles takes longer than to check every tile in slices. */
const MAX_SELECTED_TILES = 16_384;
/** Tiles without a selected cell that one call of `readTile` skips. */
const MAX_SKIPPED_TILES = 4096;

/** Shared by all snapshots: one tile is decoded before the next. */
const decoded = new TileColumns();

/** Reusable columns with room for the cells of one tile; see `Cell`. */
export class CellRows {
  /** int32 */
  readonly x: Int32Array = new Int32Array(TILE_CELLS);
  /** int32 */
  readonly y: Int32Array = new Int32Array(TILE_CELLS);
  /** int32 */
  readonly value: Int32Array = new Int32Array(TILE_CELLS);
  /** ms since 1970 */
  readonly time: Float64Array = new Float64Array(TILE_CELLS);
  /** `Freshness` */
  readonly freshness: Uint8Array = new Uint8Array(TILE_CELLS);
  /** The rank of the coordinate in first-seen order, uint32. */
  readonly order: Uint32Array = new Uint32Array(TILE_CELLS);
}

/**
 * The cells cannot be read to the end: the layers of the map have changed
 * faster than their snapshots were read, and the copies need too much memory.
 */
export class SnapshotLostError extends Error {
  /** `SnapshotLostError` */
  override readonly name = "SnapshotLostError";

  /** Creates the error. */
  constructor() {
    super(
      "Cannot read the layer to the end: it changes faster than it is read",
    );
  }
}

/** The memory for copies of tiles, which all layers of a map share. */
export class CopyBudget {
  /** The copies, also those of saves, which have no limit. */
  readonly copies = new TileCopies();
  readonly #maxBytes: number;
  /** The open snapshots, and the memory of their copies, in bytes. */
  readonly #snapshots = new Map<LayerSnapshot, number>();
  #bytes = 0;

  /** @param maxBytes limits the copies of snapshots. Default 128 MiB */
  constructor(maxBytes: number = MAX_COPY_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Memory of the copies of snapshots, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Records the memory of a snapshot. At the limit, the snapshot with the most
   * copies fails: it is read the slowest.
   */
  update(snapshot: LayerSnapshot, bytes: number): void {
    this.#bytes += bytes - (this.#snapshots.get(snapshot) ?? 0);
    this.#snapshots.set(snapshot, bytes);
    while (this.#bytes > this.#maxBytes) {
      let largest = snapshot;
      let most = 0;
      for (const [other, bytes] of this.#snapshots) {
        if (bytes > most) [largest, most] = [other, bytes];
      }
      largest.fail();
    }
  }

  /** Removes a snapshot that has ended. Safe to call twice. */
  remove(snapshot: LayerSnapshot): void {
    this.#bytes -= this.#snapshots.get(snapshot) ?? 0;
    this.#snapshots.delete(snapshot);
  }
}

/** What a {@linkcode LayerSnapshot} reads. */
export interface SnapshotSource extends ReadSource {
  readonly budget: CopyBudget;
}

/**
 * The cells of a layer as they were when it was created. The layer may change
 * and may be deleted. It must be closed, unless it was read to the end.
 *
 * @example
 * ```ts
 * import { CellRows, type Grid } from "./mod.ts";
 *
 * function sum(grid: Grid): number {
 *   using snapshot = grid.snapshot();
 *   const rows = new CellRows();
 *   let sum = 0;
 *   for (let n; (n = snapshot.readTile(rows)) !== undefined;) {
 *     for (let i = 0; i < n; i++) sum += rows.value[i]!;
 *   }
 *   return sum;
 * }
 * ```
 */
export class LayerSnapshot implements Disposable {
  /** No more cells than this are selected. */
  readonly maxCells: number;
  readonly #source: SnapshotSource;
  readonly #frozen: FrozenTiles;
  readonly #writes: number;
  readonly #since: number;
  readonly #bounds: Region | undefined;
  /** The tiles that the region touches. */
  readonly #span: Region | undefined;
  #failed = false;

  /**
   * For `Grid.snapshot` only.
   *
   * @param source the layer
   * @param size the number of its cells
   * @param options which cells
   * @throws {RangeError} if the region is not valid, see `clipRegion`
   */
  constructor(
    source: SnapshotSource,
    size: number,
    { region, since = 0 }: ScanOptions,
  ) {
    const { memory, budget } = source;
    this.#source = source;
    this.#writes = memory.writes;
    this.#since = since;
    this.#bounds = region && clipRegion(region);
    this.#span = this.#bounds && tileSpan(this.#bounds);
    const selected = selectTiles(
      source,
      this.#bounds,
      since,
      MAX_SELECTED_TILES,
    );
    this.maxCells = Math.min(
      selected?.reduce((sum, tile) => sum + memory.tiles.count(tile), 0) ??
        size,
      this.#bounds === undefined ? Infinity : area(this.#bounds),
    );
    this.#frozen = memory.copies.freeze(
      selected && Int32Array.from(selected).sort(),
      () => budget.update(this, this.bytes),
    );
  }

  /** True if nothing was written to the layer since this was created. */
  get isCurrent(): boolean {
    return this.#source.memory.writes === this.#writes;
  }

  /** Memory of the copies, in bytes. */
  get bytes(): number {
    return this.#frozen.bytes;
  }

  /**
   * Reads the cells of the next tile.
   *
   * @param rows receives the cells
   * @returns their number, 0 or more; undefined after the last tile
   * @throws {SnapshotLostError} if the copies need too much memory
   */
  readTile(rows: CellRows): number | undefined {
    if (this.#failed) throw new SnapshotLostError();
    const { tiles, slab } = this.#source.memory;
    const frozen = this.#frozen;
    const since = this.#since;
    const span = this.#span;
    for (let skipped = 0; skipped < MAX_SKIPPED_TILES; skipped++) {
      const tile = frozen.current;
      if (tile === NO_TILE) {
        this.close();
        return undefined;
      }
      const { copy } = frozen;
      if (copy !== undefined) {
        const count = this.#readCopy(copy, rows);
        frozen.advance();
        this.#source.budget.update(this, this.bytes);
        return count;
      }
      frozen.advance();
      if (tiles.revision(tile) <= since) continue;
      const tx = tiles.tx(tile);
      const ty = tiles.ty(tile);
      if (span !== undefined && !contains(span, tx, ty)) continue;
      const block = tiles.block(tile);
      const start = slab.offsetOf(block);
      const end = start + (1 << tiles.sizeClass(tile));
      const chunk = slab.chunkOf(block);
      const selection = this.#selection;
      return selectCells(chunk, [start, end], { tx, ty }, selection, rows);
    }
    return 0;
  }

  /** Ends the snapshot. Safe to call twice. */
  close(): void {
    const { memory, budget } = this.#source;
    memory.copies.release(this.#frozen);
    budget.remove(this);
  }

  /** Ends the snapshot: the next {@linkcode readTile} throws. */
  fail(): void {
    this.#failed = true;
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #selection(): Selection {
    return { since: this.#since, bounds: this.#bounds };
  }

  #readCopy(copy: Uint8Array, rows: CellRows): number {
    decodeTile(
      new DataView(copy.buffer, copy.byteOffset, copy.byteLength),
      decoded,
    );
    const { count, tx, ty } = decoded;
    const span = this.#span;
    if (span !== undefined && !contains(span, tx, ty)) return 0;
    return selectCells(decoded, [0, count], decoded, this.#selection, rows);
  }
}

/** Which cells of a tile {@linkcode selectCells} copies. */
interface Selection {
  /** Cells with a later revision; 0 for all. */
  readonly since: number;
  /** Only cells in it. */
  readonly bounds?: Region | undefined;
}

/** Copies the selected cells of a tile. Returns their number. */
function selectCells(
  { meta, value, order, time, revision }: Columns,
  [start, end]: readonly [number, number],
  { tx, ty }: { readonly tx: number; readonly ty: number },
  { since, bounds }: Selection,
  rows: CellRows,
): number {
  const clip = bounds && holdsTile(bounds, tx, ty) ? undefined : bounds;
  let count = 0;
  for (let slot = start; slot < end; slot++) {
    const found = meta[slot]!;
    if (found === 0) continue;
    if (since > 0 && revision[slot]! <= since) continue;
    const key = metaKey(found);
    const x = xOf(tx, key);
    const y = yOf(ty, key);
    if (clip !== undefined && !contains(clip, x, y)) continue;
    const freshness = metaFreshness(found);
    rows.x[count] = x;
    rows.y[count] = y;
    rows.value[count] = shownValue(value[slot]!, freshness);
    rows.time[count] = time[slot]!;
    rows.freshness[count] = freshness;
    rows.order[count] = order[slot]!;
    count++;
  }
  return count;
}

/**
 * Reads the cells of a tile that changed after a revision, as they are now.
 *
 * @param memory the layer
 * @param tile its number
 * @param since 0 for all cells
 * @param rows receives the cells
 * @returns their number
 */
export function readChangedCells(
  { tiles, slab }: TileMemory,
  tile: number,
  since: number,
  rows: CellRows,
): number {
  const block = tiles.block(tile);
  const start = slab.offsetOf(block);
  const end = start + (1 << tiles.sizeClass(tile));
  const at = { tx: tiles.tx(tile), ty: tiles.ty(tile) };
  return selectCells(slab.chunkOf(block), [start, end], at, { since }, rows);
}

/** The columns of a chunk, or of a decoded tile. */
interface Columns {
  readonly meta: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly order: ArrayLike<number>;
  readonly time: ArrayLike<number>;
  readonly revision: ArrayLike<number>;
}

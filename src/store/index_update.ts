/**
 * Brings the index of chunks up to date after a checkpoint, in steps: at once it
 * would take 25 ms for a million tiles.
 *
 * @module
 */
import type { Grid } from "../grid/mod.ts";
import type { Chunk, ChunkIndex } from "./chunk_index.ts";

/** A chunk that a checkpoint has written, with the numbers of its tiles. */
export type WrittenChunk = readonly [Chunk, readonly number[]];

/** The layers that are stored. A deleted one may have no memory any more. */
export type StoredGrids = ReadonlyMap<string, WeakRef<Grid>>;

/** Tiles whose chunks are checked together. */
const CHECKED_TILES = 4096;
/** A chunk with few tiles takes as long as this number of tiles. */
const MIN_CHUNK_TILES = 8;

/**
 * Adds the chunks of a complete checkpoint to an index. If most of the index is
 * garbage then, marks the tiles to write again in the next checkpoint: they are
 * marked before it begins, because that must take no time.
 */
export class IndexUpdate {
  readonly #index: ChunkIndex;
  /** Yields the number of tiles that it has handled. */
  #work: Generator<number, void, void> | undefined;
  #written: readonly WrittenChunk[] = [];
  /** The number of chunks that the index has. */
  #added = 0;
  #tiles = 0;

  /** @param index changed by nothing else while an update runs */
  constructor(index: ChunkIndex) {
    this.#index = index;
  }

  /** True if there is something left to do. */
  get isRunning(): boolean {
    return this.#work !== undefined;
  }

  /** The number of tiles to handle: first those of the checkpoint, then all. */
  get tiles(): number {
    return this.#tiles;
  }

  /** The ids of the chunks that the index does not have yet. */
  *ids(): Generator<number, void, void> {
    for (let i = this.#added; i < this.#written.length; i++) {
      yield this.#written[i]![0].id;
    }
  }

  /**
   * Begins an update, if there is something to do; the one before must have
   * ended.
   *
   * @param deleted layers whose chunks can be deleted
   * @param written the chunks of the checkpoint
   * @param grids the layers of the checkpoint
   */
  begin(
    deleted: ReadonlySet<string>,
    written: readonly WrittenChunk[],
    grids: StoredGrids,
  ): void {
    const isUpdated = deleted.size === 0 && written.length === 0;
    if (isUpdated && !this.#index.isMostlyGarbage) return;
    this.#written = written;
    this.#added = 0;
    this.#tiles = isUpdated
      ? this.#count(grids)
      : written.reduce((sum, [{ tiles }]) => sum + tiles, 0);
    this.#work = this.#update(deleted, grids);
  }

  /**
   * Does a part of the update, or nothing if none is running.
   *
   * @param maxTiles about the number of tiles to handle
   */
  step(maxTiles: number): void {
    for (let handled = 0; handled < maxTiles && this.#work !== undefined;) {
      const { done, value } = this.#work.next();
      if (done) this.#work = undefined;
      else handled += value;
    }
  }

  *#update(
    deleted: ReadonlySet<string>,
    grids: StoredGrids,
  ): Generator<number, void, void> {
    yield* this.#index.drop(deleted);
    while (this.#added < this.#written.length) {
      const [chunk, tiles] = this.#written[this.#added++]!;
      this.#index.add(chunk, tiles);
      yield Math.max(MIN_CHUNK_TILES, tiles.length);
    }
    this.#written = [];
    this.#added = 0;
    if (this.#index.isMostlyGarbage) yield* this.#markGarbage(grids);
  }

  #count(grids: StoredGrids): number {
    let count = 0;
    for (const layer of grids.keys()) count += this.#index.tileCount(layer);
    return count;
  }

  *#markGarbage(grids: StoredGrids): Generator<number, void, void> {
    this.#tiles = this.#count(grids);
    for (const [layer, stored] of grids) {
      const count = this.#index.tileCount(layer);
      for (let from = 0; from < count; from += CHECKED_TILES) {
        const grid = stored.deref();
        if (grid === undefined) break;
        const to = Math.min(count, from + CHECKED_TILES);
        for (const tile of this.#index.tilesToMove(layer, from, to)) {
          grid.markDirty(tile);
        }
        yield to - from;
      }
      yield MIN_CHUNK_TILES;
    }
  }
}

/**
 * Writes checkpoints: the changed tiles of the map go to the store as chunks,
 * then the journal before the checkpoint is deleted.
 *
 * A checkpoint runs in steps, so that no request waits for it. It writes the
 * tiles as they were when it began, to new chunks. The last step writes the
 * metadata: that these chunks are complete and where the journal continues;
 * until then a start ignores them. After it the index of chunks, which is only in
 * memory, is updated, and obsolete chunks and the journal are deleted: in steps
 * too.
 *
 * A chunk also names the `first` chunk of its layer: those with a lower id are of
 * a layer with the same name that was deleted. If the layer was not created
 * again, a chunk without tiles says so; it is deleted after them.
 *
 * @module
 */
import { type Grid, mapBytes, type MapShard } from "../grid/mod.ts";
import { ChangedTiles } from "./changed_tiles.ts";
import { encodeMeta, LAST_ALIVE_KEY } from "./checkpoint_meta.ts";
import type {
  CheckpointTarget,
  JournalPoint,
  LoadedCheckpoint,
  StepLimits,
  StoredChunk,
} from "./checkpoint_target.ts";
import { ChunkIndex } from "./chunk_index.ts";
import {
  IndexUpdate,
  type StoredGrids,
  type WrittenChunk,
} from "./index_update.ts";

/** Minimum number of obsolete chunks or journal rows that a step deletes. */
const MIN_DELETED_ROWS = 4;
/** Minimum number of tiles that a step moves in the index. */
const MIN_MOVED_TILES = 512;
/** Maximum number of such tiles: that takes about a millisecond. */
export const MAX_MOVED_TILES = 32_768;
/** The journal waits for the history up to this multiple of its limit. */
export const MAX_GROWTH = 3;

const DEFAULT_LIMITS: StepLimits = {
  writtenBytes: Infinity,
  deletedChunks: Infinity,
  movedTiles: MAX_MOVED_TILES,
};

/** The effects of a step, valid if its transaction is committed. */
interface Step<Position> {
  /** Number of obsolete chunks deleted, from the start of the list. */
  readonly deletedChunks: number;
  /** The last position of the journal that is deleted. */
  readonly deletedTo: Position;
  /** True if the checkpoint is complete. */
  readonly complete: boolean;
}

/** Writes checkpoints of one map. */
export class Checkpointer<Position> {
  readonly #target: CheckpointTarget<Position>;
  readonly #canComplete: () => boolean;
  readonly #index = new ChunkIndex();
  readonly #update = new IndexUpdate(this.#index);
  /** The tiles of the running checkpoint; undefined if none is running. */
  #tiles: ChangedTiles | undefined;
  /** Where the running checkpoint began. */
  #point: JournalPoint<Position>;
  /** Revision, thresholds and size of the map at that point. */
  #mapState: Readonly<Record<string, number>> = {};
  /**
   * The layers as they were stored last: a deleted one has another grid. Weak,
   * so that the memory of a deleted one is free before the next checkpoint,
   * which another server may write.
   */
  #grids: StoredGrids = new Map();
  /** By layer: its first chunk, if that is not 0. */
  readonly #firsts = new Map<string, number>();
  /** The layers that were deleted before the running checkpoint. */
  #deleted: ReadonlySet<string> = new Set();
  /** The first chunk of the running checkpoint. */
  #firstChunk = 0;
  /** Chunks that the running checkpoint has written, with their tiles. */
  #written: WrittenChunk[] = [];
  /** The highest id of a chunk so far. */
  #lastChunk = 0;
  /** Ids of chunks to delete. */
  #obsoleteChunks: number[] = [];
  /** Chunks without tiles, while a checkpoint is loaded. */
  #marks: number[] = [];
  /** The journal up to this position is deleted. */
  #deletedTo: Position;
  #checkpointed: Position;
  #step: Step<Position> | undefined;

  /**
   * @param target where the checkpoints are written
   * @param start the position before the first of the journal
   * @param canComplete false: the last step of a checkpoint waits, because
   * something else that needs the journal before it is not stored yet
   */
  constructor(
    target: CheckpointTarget<Position>,
    start: Position,
    canComplete: () => boolean = () => true,
  ) {
    this.#target = target;
    this.#canComplete = canComplete;
    this.#point = { position: start };
    this.#deletedTo = start;
    this.#checkpointed = start;
  }

  /**
   * True while a checkpoint is running, or the index is updated after it: no
   * other one should begin.
   */
  get running(): boolean {
    return this.#tiles !== undefined || this.#update.isRunning;
  }

  /** True if {@linkcode Checkpointer.step} has something to write or delete. */
  get hasWork(): boolean {
    return this.running || this.#obsoleteChunks.length > 0 ||
      this.#deletedTo !== this.#checkpointed;
  }

  /** The last position of the journal that the chunks include. */
  get checkpointed(): Position {
    return this.#checkpointed;
  }

  /**
   * Approximate size of the chunks without garbage, in bytes: of the checkpoint
   * before, until the index is updated.
   */
  get liveBytes(): number {
    return this.#index.liveBytes;
  }

  /** The id of the first chunk of the checkpoint that was begun last. */
  get firstChunk(): number {
    return this.#firstChunk;
  }

  /**
   * The ids of all chunks that the last checkpoint needs. Until the index is
   * updated, also of some that it does not need.
   */
  *chunkIds(): Generator<number, void, void> {
    yield* this.#index.ids();
    yield* this.#update.ids();
  }

  /**
   * Takes over chunks of others.
   *
   * @param ids of chunks to delete
   * @param lastChunk the next chunks get higher ids
   */
  adopt(ids: Iterable<number>, lastChunk: number): void {
    for (const id of ids) this.#obsoleteChunks.push(id);
    this.#lastChunk = Math.max(this.#lastChunk, lastChunk);
  }

  /**
   * Restores the tiles of a chunk of the last checkpoint. Call it for all of
   * them, the highest id first, and then {@linkcode Checkpointer.loaded}.
   *
   * @param map empty before the first chunk
   * @param chunk its checksum is checked
   * @throws {RangeError} if the bytes are not valid tiles
   */
  restoreChunk(map: MapShard, chunk: StoredChunk): void {
    const { id, layer, bytes, first, began } = chunk;
    const isGarbage = id < (this.#firsts.get(layer) ?? 0);
    if (!isGarbage && first > 0) this.#firsts.set(layer, first);
    if (bytes.length === 0) {
      this.#marks.push(id);
      return;
    }
    const current: number[] = [];
    const tiles = isGarbage ? 0 : map.restoreTiles(
      layer,
      bytes,
      (tile) => current.push(tile),
      began,
    );
    this.#index.add({ id, layer, bytes: bytes.length, tiles }, current);
  }

  /**
   * Ends the loading of a checkpoint.
   *
   * Chunks of an incomplete checkpoint will be deleted. If some are still
   * present when the next checkpoint is complete, they do no harm: each of their
   * tiles is in a newer chunk, or has not changed.
   *
   * @param map has all its chunks
   */
  loaded(map: MapShard, loaded: LoadedCheckpoint<Position>): void {
    this.#checkpointed = loaded.position;
    this.#deletedTo = loaded.deletedTo;
    this.#lastChunk = loaded.incomplete.reduce(
      (last, id) => Math.max(last, id),
      loaded.lastChunk,
    );
    this.#grids = weakly(map.layers());
    this.#obsoleteChunks = [
      ...loaded.incomplete,
      ...this.#index.takeDeletable(),
      ...this.#marks,
    ];
    this.#marks = [];
    // The tiles of chunks with much garbage must be marked.
    this.#update.begin(new Set(), [], this.#grids);
  }

  /**
   * Begins a checkpoint of the map in its present state. If the index is not
   * updated yet, that is completed first, at once.
   *
   * @throws {RangeError} if a checkpoint of the map is already running
   */
  begin(map: MapShard, point: JournalPoint<Position>): void {
    this.updateIndex(Infinity);
    const deleted = new Set<string>();
    for (const [layer, stored] of this.#grids) {
      const grid = stored.deref();
      if (grid === undefined || map.layer(layer) !== grid) deleted.add(layer);
    }
    this.#tiles = new ChangedTiles(map, deleted);
    this.#deleted = deleted;
    this.#firstChunk = this.#lastChunk + 1;
    this.#point = point;
    this.#mapState = {
      revision: map.revision,
      ...map.ageing,
      ...(map.began !== undefined && { began: map.began }),
      cells: map.size,
      mapBytes: mapBytes(map),
    };
  }

  /**
   * Does a part of the update of the index, if there is one to do.
   *
   * @param maxTiles about the number of tiles to move
   * @returns true if a part is left
   */
  updateIndex(maxTiles: number): boolean {
    this.#update.step(maxTiles);
    for (const id of this.#index.takeDeletable()) this.#obsoleteChunks.push(id);
    return this.#update.isRunning;
  }

  /**
   * Writes a part of the checkpoint and deletes a part of the obsolete rows.
   * Call it within a transaction, and then
   * {@linkcode Checkpointer.stepCommitted} or
   * {@linkcode Checkpointer.stepFailed}.
   *
   * @param share the part of a whole checkpoint, above 0; 1 completes it, within
   * the limits
   */
  step(share: number, limits: StepLimits = DEFAULT_LIMITS): void {
    this.updateIndex(this.#movedTiles(share, limits));
    const countOf = (pending: number) =>
      Math.max(MIN_DELETED_ROWS, Math.ceil(2 * share * pending));
    const chunks = this.#obsoleteChunks.slice(
      0,
      Math.min(limits.deletedChunks, countOf(this.#obsoleteChunks.length)),
    );
    for (const id of chunks) this.#target.deleteChunk(id);
    const deletedTo = this.#deletedTo === this.#checkpointed
      ? this.#deletedTo
      : this.#target.deleteJournal(
        this.#deletedTo,
        this.#checkpointed,
        countOf,
      );
    const complete = this.#tiles !== undefined &&
      this.#writeTiles(this.#tiles, share, limits.writtenBytes);
    this.#step = { deletedChunks: chunks.length, deletedTo, complete };
  }

  /**
   * Returns how many tiles a step moves in the index: the update ends in the
   * first part of the time until the next checkpoint, which waits for it.
   */
  #movedTiles(share: number, { movedTiles }: StepLimits): number {
    const { tiles } = this.#update;
    // A large commit takes longer than these tiles.
    const most = Math.max(movedTiles, Math.ceil(4 * share * tiles));
    const moved = Math.max(MIN_MOVED_TILES, Math.ceil(8 * share * tiles));
    return Math.min(most, moved);
  }

  /**
   * Records the effects of a step. Call it after the commit of its transaction.
   *
   * @returns true if the checkpoint is complete
   */
  stepCommitted(): boolean {
    const { deletedChunks, deletedTo, complete } = this.#step!;
    this.#step = undefined;
    this.#obsoleteChunks.splice(0, deletedChunks);
    this.#deletedTo = deletedTo;
    if (!complete) return false;
    this.#tiles!.end(true);
    this.#grids = weakly(this.#tiles!.layers);
    this.#tiles = undefined;
    this.#checkpointed = this.#point.position;
    for (const layer of this.#deleted) {
      if (!this.#grids.has(layer)) this.#firsts.delete(layer);
      else this.#firsts.set(layer, this.#firstChunk);
    }
    this.#update.begin(this.#deleted, this.#written, this.#grids);
    this.#written = [];
    return true;
  }

  /**
   * Abandons the running checkpoint, if any. Call it after the transaction of a
   * step failed. The update after a complete checkpoint goes on.
   */
  stepFailed(): void {
    this.#step = undefined;
    this.#tiles?.end(false);
    this.#tiles = undefined;
    for (const [{ id }] of this.#written) this.#obsoleteChunks.push(id);
    this.#written = [];
  }

  /** Writes the next tiles. Returns true if the checkpoint is complete. */
  #writeTiles(source: ChangedTiles, share: number, maxBytes: number): boolean {
    const target = source.read + Math.ceil(share * source.count);
    let written = 0;
    while (source.read < target && written < maxBytes) {
      const group = source.next();
      if (group === undefined) break;
      const { layer, began, tiles, bytes } = group;
      const id = ++this.#lastChunk;
      const first = this.#deleted.has(layer)
        ? this.#firstChunk
        : this.#firsts.get(layer) ?? 0;
      this.#target.insertChunk({ id, layer, bytes, first, began });
      written += bytes.length;
      const chunk = { id, layer, bytes: bytes.length, tiles: tiles.length };
      this.#written.push([chunk, tiles]);
    }
    if (source.read < source.count || !this.#canComplete()) return false;
    const { position, lastAlive } = this.#point;
    const meta = encodeMeta({
      ...this.#mapState,
      ...(lastAlive !== undefined && { [LAST_ALIVE_KEY]: lastAlive }),
      chunk: this.#lastChunk,
    });
    this.#target.writeMeta(meta, position);
    return true;
  }
}

function weakly(
  layers: Iterable<readonly [string, Grid]>,
): ReadonlyMap<string, WeakRef<Grid>> {
  return new Map(
    Array.from(layers, ([name, grid]) => [name, new WeakRef(grid)]),
  );
}

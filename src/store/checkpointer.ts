/**
 * Writes checkpoints: the changed tiles of the map go to the file as chunks,
 * then the journal rows before the checkpoint are deleted.
 *
 * A checkpoint runs in steps, one in the transaction of each commit, so that no
 * request waits for it. It writes the tiles as they were when it began, to new
 * rows. The last step writes to `meta` that these rows are complete and where
 * the journal continues; until then a start ignores them. Obsolete chunks and
 * journal rows are deleted in steps too.
 *
 * A chunk also names the `first` chunk of its layer: those with a lower id are of
 * a layer with the same name that was deleted. If the layer was not created
 * again, a chunk without tiles says so; it is deleted after them.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import {
  type Grid,
  mapBytes,
  MAX_TILE_BYTES,
  type OccupancyMap,
} from "../grid/mod.ts";
import { type Chunk, ChunkIndex } from "./chunk_index.ts";
import type { LoadGuard } from "./load_guard.ts";
import { checkedBytes, chunkBytes, readRows } from "./sqlite_rows.ts";

/** `Infinity` in the table `meta`: SQLite has no literal for it. */
export const STORED_INFINITY = -1;

/** The key of `lastAlive` in `meta`, named by earlier versions. */
export const LAST_ALIVE_KEY = "lastThere";

/** Size at which a chunk is full; the last tile may exceed this size. */
const CHUNK_BYTES = 32 * 1024;

/** Minimum number of obsolete rows that a step deletes. */
const MIN_DELETED_ROWS = 4;

/** The point of the journal at which a checkpoint begins. */
export interface JournalPosition {
  /** The last row whose entries were applied to the map; 0 if there is none. */
  readonly row: number;
  /** `Store.lastAlive` at this row. */
  readonly lastAlive?: number;
}

/** The effects of a step, valid if its transaction is committed. */
interface Step {
  /** Number of obsolete chunks deleted, from the start of the list. */
  readonly deletedChunks: number;
  /** The last journal row deleted. */
  readonly deletedRow: number;
  /** True if the checkpoint is complete. */
  readonly complete: boolean;
}

/** Writes checkpoints of one map to one database. */
export class Checkpointer {
  readonly #index = new ChunkIndex();
  readonly #insertChunk: StatementSync;
  readonly #deleteChunk: StatementSync;
  readonly #deleteJournal: StatementSync;
  readonly #writeMeta: StatementSync;
  /** The tiles of the running checkpoint; undefined if none is running. */
  #tiles: ChangedTiles | undefined;
  /** Where the running checkpoint began. */
  #position: JournalPosition = { row: 0 };
  /** Revision, thresholds and size of the map at that point. */
  #mapState: Readonly<Record<string, number>> = {};
  /** The layers as they were stored last: a deleted one has another grid. */
  #grids: ReadonlyMap<string, Grid> = new Map();
  /** By layer: its first chunk, if that is not 0. */
  readonly #firsts = new Map<string, number>();
  /** The layers that were deleted before the running checkpoint. */
  #deleted: ReadonlySet<string> = new Set();
  /** The first chunk of the running checkpoint. */
  #firstChunk = 0;
  /** Chunks that the running checkpoint has written, with their tiles. */
  #written: (readonly [Chunk, readonly number[]])[] = [];
  /** The highest id of a chunk so far. */
  #lastChunk = 0;
  /** Ids of chunks to delete. */
  #obsoleteChunks: number[] = [];
  /** Journal rows up to this one are deleted. */
  #deletedRow = 0;
  #checkpointedRow = 0;
  #step: Step | undefined;

  constructor(db: DatabaseSync) {
    this.#insertChunk = db.prepare(
      "INSERT INTO chunk (id, layer, tiles, crc32, first, began) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#deleteChunk = db.prepare("DELETE FROM chunk WHERE id = ?");
    this.#deleteJournal = db.prepare("DELETE FROM journal WHERE id <= ?");
    this.#writeMeta = db.prepare(
      "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
    );
  }

  /** True while a checkpoint is running. */
  get running(): boolean {
    return this.#tiles !== undefined;
  }

  /** True if {@linkcode Checkpointer.step} has something to write or delete. */
  get hasWork(): boolean {
    return this.running || this.#obsoleteChunks.length > 0 ||
      this.#deletedRow < this.#checkpointedRow;
  }

  /** The last journal row that the chunks include. */
  get checkpointedRow(): number {
    return this.#checkpointedRow;
  }

  /** Approximate size of the chunks without garbage, in bytes. */
  get liveBytes(): number {
    return this.#index.liveBytes;
  }

  /**
   * Restores the map of the last checkpoint.
   *
   * @param map an empty map
   * @param meta the rows of `meta`
   * @param guard checks the size of the map
   * @throws {RangeError} if the stored data is not valid
   * @throws {StoreError} if the map is too large
   */
  load(
    db: DatabaseSync,
    map: OccupancyMap,
    meta: ReadonlyMap<string, number>,
    guard: LoadGuard,
  ): void {
    guard.checkMeta(meta);
    const lastValidChunk = meta.get("chunk");
    const checkpointedRow = meta.get("journal");
    if (lastValidChunk === undefined || checkpointedRow === undefined) {
      throw new RangeError("the position of the last checkpoint is missing");
    }
    this.#checkpointedRow = checkpointedRow;
    const { first } = db.prepare("SELECT min(id) AS first FROM journal").get()!;
    this.#deletedRow = Math.min(Number(first ?? Infinity) - 1, checkpointedRow);
    // Chunks of an incomplete checkpoint. If some are still present when the
    // next checkpoint is complete, they do no harm: each of their tiles is in a
    // newer chunk, or has not changed.
    const incomplete = db.prepare("SELECT id FROM chunk WHERE id > ?")
      .all(lastValidChunk).map(({ id }) => Number(id));
    this.#lastChunk = Math.max(lastValidChunk, ...incomplete);
    const newestFirst =
      "SELECT id, layer, tiles AS bytes, crc32, first, began FROM chunk WHERE id < ? ORDER BY id DESC LIMIT ?";
    const marks: number[] = [];
    for (const row of readRows(db, newestFirst, lastValidChunk + 1)) {
      const bytes = this.#loadChunk(map, row);
      if (bytes === 0) marks.push(Number(row.id));
      guard.loaded(bytes, () => chunkBytes(db));
    }
    this.#grids = new Map(map.layers());
    this.#obsoleteChunks = [
      ...incomplete,
      ...this.#index.takeDeletable(),
      ...marks,
    ];
  }

  /**
   * Begins a checkpoint of the map in its present state.
   *
   * @throws {RangeError} if a checkpoint of the map is already running
   */
  begin(map: OccupancyMap, position: JournalPosition): void {
    const deleted = new Set<string>();
    for (const [layer, grid] of this.#grids) {
      if (map.layer(layer) !== grid) deleted.add(layer);
    }
    if (this.#index.isMostlyGarbage) {
      for (const [layer, grid] of map.layers()) {
        if (deleted.has(layer)) continue;
        for (const tile of this.#index.tilesToMove(layer)) grid.markDirty(tile);
      }
    }
    this.#tiles = new ChangedTiles(map, deleted);
    this.#deleted = deleted;
    this.#firstChunk = this.#lastChunk + 1;
    this.#position = position;
    this.#mapState = {
      revision: map.revision,
      ...map.ageing,
      ...(map.began !== undefined && { began: map.began }),
      cells: map.size,
      mapBytes: mapBytes(map),
    };
  }

  /**
   * Writes a part of the checkpoint and deletes a part of the obsolete rows.
   * Call it within a transaction, and then
   * {@linkcode Checkpointer.stepCommitted} or
   * {@linkcode Checkpointer.stepFailed}.
   *
   * @param share the part of a whole checkpoint, above 0; 1 completes it
   */
  step(share: number): void {
    const countOf = (pending: number) =>
      Math.max(MIN_DELETED_ROWS, Math.ceil(2 * share * pending));
    const chunks = this.#obsoleteChunks.slice(
      0,
      countOf(this.#obsoleteChunks.length),
    );
    for (const id of chunks) this.#deleteChunk.run(id);
    const rows = this.#checkpointedRow - this.#deletedRow;
    const deletedRow = this.#deletedRow + Math.min(rows, countOf(rows));
    if (rows > 0) this.#deleteJournal.run(deletedRow);
    const complete = this.#tiles !== undefined &&
      this.#writeTiles(this.#tiles, share);
    this.#step = { deletedChunks: chunks.length, deletedRow, complete };
  }

  /**
   * Records the effects of a step. Call it after the commit of its transaction.
   *
   * @returns true if the checkpoint is complete
   */
  stepCommitted(): boolean {
    const { deletedChunks, deletedRow, complete } = this.#step!;
    this.#step = undefined;
    this.#obsoleteChunks.splice(0, deletedChunks);
    this.#deletedRow = deletedRow;
    if (!complete) return false;
    this.#tiles!.end(true);
    this.#grids = this.#tiles!.layers;
    this.#tiles = undefined;
    this.#checkpointedRow = this.#position.row;
    this.#index.drop(this.#deleted);
    for (const layer of this.#deleted) {
      if (!this.#grids.has(layer)) this.#firsts.delete(layer);
      else this.#firsts.set(layer, this.#firstChunk);
    }
    for (const [chunk, tiles] of this.#written) this.#index.add(chunk, tiles);
    this.#written = [];
    for (const id of this.#index.takeDeletable()) this.#obsoleteChunks.push(id);
    return true;
  }

  /**
   * Abandons the running checkpoint, if any. Call it after the transaction of a
   * step failed.
   */
  stepFailed(): void {
    this.#step = undefined;
    this.#tiles?.end(false);
    this.#tiles = undefined;
    for (const [{ id }] of this.#written) this.#obsoleteChunks.push(id);
    this.#written = [];
  }

  /** Writes the next tiles. Returns true if the checkpoint is complete. */
  #writeTiles(source: ChangedTiles, share: number): boolean {
    const target = source.read + Math.ceil(share * source.count);
    for (let group; source.read < target && (group = source.next());) {
      const { layer, began = null, tiles, bytes } = group;
      const id = ++this.#lastChunk;
      const first = this.#deleted.has(layer)
        ? this.#firstChunk
        : this.#firsts.get(layer) ?? 0;
      const sum = crc32(suffixOf(first, began), crc32(bytes));
      this.#insertChunk.run(id, layer, bytes, sum, first, began);
      const chunk = { id, layer, bytes: bytes.length, tiles: tiles.length };
      this.#written.push([chunk, tiles]);
    }
    if (source.read < source.count) return false;
    const { row, lastAlive } = this.#position;
    const meta = {
      ...this.#mapState,
      ...(lastAlive !== undefined && { [LAST_ALIVE_KEY]: lastAlive }),
      journal: row,
      chunk: this.#lastChunk,
    };
    for (const [key, value] of Object.entries(meta)) {
      this.#writeMeta.run(
        key,
        Number.isFinite(value) ? value : STORED_INFINITY,
      );
    }
    return true;
  }

  /**
   * Returns the size of the chunk, in bytes; 0 for a chunk that only marks a
   * deleted layer.
   */
  #loadChunk(map: OccupancyMap, row: Record<string, SQLOutputValue>): number {
    const id = Number(row.id);
    const layer = row.layer as string;
    const first = Number(row.first);
    const began = row.began as number | null;
    const bytes = checkedBytes(row, suffixOf(first, began));
    const isGarbage = id < (this.#firsts.get(layer) ?? 0);
    if (!isGarbage && first > 0) this.#firsts.set(layer, first);
    if (bytes.length === 0) return 0;
    const current: number[] = [];
    const tiles = isGarbage ? 0 : map.restoreTiles(
      layer,
      bytes,
      (tile) => current.push(tile),
      began ?? undefined,
    );
    this.#index.add({ id, layer, bytes: bytes.length, tiles }, current);
    return bytes.length;
  }
}

/** What the checksum of a chunk includes after its tiles. */
function suffixOf(first: number, began: number | null): string {
  return first === 0 && began === null ? "" : `${first} ${began}`;
}

/** Tiles of one layer, to be written as one chunk. */
interface TileGroup {
  readonly layer: string;
  /** `Grid.began` of the layer. */
  readonly began: number | undefined;
  /** Numbers of the tiles; empty for a layer that was deleted. */
  readonly tiles: readonly number[];
  /** The encoded tiles, valid until the next group is read. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads the changed tiles of a map as they are at its construction. */
class ChangedTiles {
  /** All layers of the map. */
  readonly layers: ReadonlyMap<string, Grid>;
  /** The number of tiles, and of deleted layers. */
  readonly count: number;
  readonly #buffer = new Uint8Array(CHUNK_BYTES + MAX_TILE_BYTES);
  readonly #layers: readonly (readonly [string, Grid])[];
  /** The deleted layers that were not created again. */
  readonly #deleted: readonly string[];
  #read = 0;
  #layer = 0;

  /**
   * @param deleted layers that were stored and then deleted
   * @throws {RangeError} if the tiles of the map are already being read
   */
  constructor(map: OccupancyMap, deleted: ReadonlySet<string>) {
    this.layers = new Map(map.layers());
    this.#layers = [...this.layers];
    this.#deleted = [...deleted].filter((layer) => !this.layers.has(layer));
    this.count = this.#layers.reduce(
      (sum, [, grid]) => sum + grid.beginSave(),
      this.#deleted.length,
    );
  }

  /** How much of {@linkcode count} was read so far. */
  get read(): number {
    return this.#read;
  }

  /** Reads the tiles of the next chunk; undefined after the last one. */
  next(): TileGroup | undefined {
    const layer = this.#deleted[this.#read];
    if (layer !== undefined) {
      this.#read++;
      return { layer, began: undefined, tiles: [], bytes: new Uint8Array(0) };
    }
    for (; this.#layer < this.#layers.length; this.#layer++) {
      const [layer, grid] = this.#layers[this.#layer]!;
      const tiles: number[] = [];
      let length = 0;
      while (length < CHUNK_BYTES) {
        const saved = grid.nextSaved(this.#buffer, length);
        if (saved === undefined) break;
        tiles.push(saved.tile);
        length = saved.end;
      }
      if (tiles.length === 0) continue;
      this.#read += tiles.length;
      const bytes = this.#buffer.subarray(0, length);
      return { layer, began: grid.began, tiles, bytes };
    }
    return undefined;
  }

  /**
   * Ends reading.
   *
   * @param stored false if the tiles must be saved again
   */
  end(stored: boolean): void {
    for (const [, grid] of this.#layers) grid.endSave(stored);
  }
}

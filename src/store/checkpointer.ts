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
 * @module
 */
import { crc32 } from "node:zlib";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { type Grid, MAX_TILE_BYTES, type OccupancyMap } from "../grid/mod.ts";
import { type Chunk, ChunkIndex } from "./chunk_index.ts";
import { checkedBytes, readRows } from "./sqlite_rows.ts";

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
  /** Revision and thresholds of the map at that point. */
  #mapState: Readonly<Record<string, number>> = {};
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
      "INSERT INTO chunk (id, layer, tiles, crc32) VALUES (?, ?, ?, ?)",
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
   * @throws {RangeError} if the stored data is not valid
   */
  load(
    db: DatabaseSync,
    map: OccupancyMap,
    meta: ReadonlyMap<string, number>,
  ): void {
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
      "SELECT id, layer, tiles AS bytes, crc32 FROM chunk WHERE id < ? ORDER BY id DESC LIMIT ?";
    for (const row of readRows(db, newestFirst, lastValidChunk + 1)) {
      this.#loadChunk(map, row);
    }
    this.#obsoleteChunks = [...incomplete, ...this.#index.takeDeletable()];
  }

  /**
   * Begins a checkpoint of the map in its present state.
   *
   * @throws {RangeError} if a checkpoint of the map is already running
   */
  begin(map: OccupancyMap, position: JournalPosition): void {
    if (this.#index.isMostlyGarbage) {
      for (const [layer, grid] of map.layers()) {
        for (const tile of this.#index.tilesToMove(layer)) grid.markDirty(tile);
      }
    }
    this.#tiles = new ChangedTiles(map);
    this.#position = position;
    this.#mapState = { revision: map.revision, ...map.ageing };
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
    this.#tiles = undefined;
    this.#checkpointedRow = this.#position.row;
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
      const { layer, tiles, bytes } = group;
      const id = ++this.#lastChunk;
      this.#insertChunk.run(id, layer, bytes, crc32(bytes));
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

  #loadChunk(map: OccupancyMap, row: Record<string, SQLOutputValue>): void {
    const id = Number(row.id);
    const layer = row.layer as string;
    const bytes = checkedBytes(row);
    const current: number[] = [];
    const tiles = map.restoreTiles(layer, bytes, (tile) => current.push(tile));
    this.#index.add({ id, layer, bytes: bytes.length, tiles }, current);
  }
}

/** Tiles of one layer, to be written as one chunk. */
interface TileGroup {
  readonly layer: string;
  /** Numbers of the tiles. */
  readonly tiles: readonly number[];
  /** The encoded tiles, valid until the next group is read. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads the changed tiles of a map as they are at its construction. */
class ChangedTiles {
  /** The number of tiles. */
  readonly count: number;
  readonly #buffer = new Uint8Array(CHUNK_BYTES + MAX_TILE_BYTES);
  readonly #layers: readonly (readonly [string, Grid])[];
  #read = 0;
  #layer = 0;

  /** @throws {RangeError} if the tiles of the map are already being read */
  constructor(map: OccupancyMap) {
    this.#layers = [...map.layers()];
    this.count = this.#layers.reduce(
      (sum, [, grid]) => sum + grid.beginSave(),
      0,
    );
  }

  /** The number of tiles read so far. */
  get read(): number {
    return this.#read;
  }

  /** Reads the tiles of the next chunk; undefined after the last one. */
  next(): TileGroup | undefined {
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
      return { layer, tiles, bytes: this.#buffer.subarray(0, length) };
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

import { crc32 } from "node:zlib";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { OccupancyMap } from "../grid/mod.ts";
import { type Chunk, ChunkIndex } from "./chunk_index.ts";
import { Fold } from "./fold.ts";
import { checkedBytes, readRows } from "./rows.ts";

/** Rows of garbage deleted at a time, at least. */
const LEAST_DELETED = 4;

/** How "never" is written: SQLite has no infinity of its own. */
export const FOREVER = -1;

/** What is known of the moment that a fold is of, besides the map. */
export interface Moment {
  /** The last journal row whose entries the map has. */
  readonly journal: number;
  /** See `Store.lastAlive`. */
  readonly lastAlive?: number;
}

/** The row of `meta` that holds `lastAlive`; files of earlier versions have it. */
export const LAST_ALIVE_KEY = "lastThere";

/** What one step has done, once its transaction is kept. */
interface Step {
  /** Chunks of the list of garbage, from its start. */
  readonly deleted: number;
  /** The last journal row deleted. */
  readonly trimmed: number;
  /** True if the fold is complete. */
  readonly complete: boolean;
}

/**
 * Puts what the journal led to into chunks of tiles, a little with each commit,
 * so that nobody waits for it.
 *
 * A fold writes the tiles that changed as they were at one moment, in new rows.
 * These count for nothing until its last step says so, in one row of `meta`:
 * from then on the chunks up to there hold, and the journal begins behind that
 * moment. What is no longer needed is deleted as slowly.
 */
export class Checkpoint {
  readonly #index = new ChunkIndex();
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #trim: StatementSync;
  readonly #writeMeta: StatementSync;
  #fold: Fold | undefined;
  /** Of the fold under way: rows of `meta`. */
  #moment: Moment & Readonly<Record<string, number>> = { journal: 0 };
  /** The chunks of the fold under way. */
  #written: (readonly [Chunk, readonly number[]])[] = [];
  /** The last chunk written at all. */
  #last = 0;
  /** Ids of chunks that can be deleted. */
  #garbage: number[] = [];
  /** Journal rows up to the first are deleted, up to the second can be. */
  #trimmed = 0;
  #folded = 0;
  #step: Step | undefined;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      "INSERT INTO chunk (id, layer, tiles, crc32) VALUES (?, ?, ?, ?)",
    );
    this.#delete = db.prepare("DELETE FROM chunk WHERE id = ?");
    this.#trim = db.prepare("DELETE FROM journal WHERE id <= ?");
    this.#writeMeta = db.prepare(
      "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
    );
  }

  /** True while a fold is under way. */
  get folding(): boolean {
    return this.#fold !== undefined;
  }

  /** True if {@linkcode Checkpoint.step} has anything to do. */
  get busy(): boolean {
    return this.folding || this.#garbage.length > 0 ||
      this.#trimmed < this.#folded;
  }

  /** The last journal row that the chunks have. */
  get folded(): number {
    return this.#folded;
  }

  /** What the chunks take, without garbage, in bytes. */
  get liveBytes(): number {
    return this.#index.liveBytes;
  }

  /**
   * Fills an empty map with what the chunks have.
   *
   * @param meta The rows of `meta`
   * @throws {RangeError} If they have something else than tiles
   */
  load(
    db: DatabaseSync,
    map: OccupancyMap,
    meta: ReadonlyMap<string, number>,
  ): void {
    const complete = meta.get("chunk");
    const folded = meta.get("journal");
    if (complete === undefined || folded === undefined) {
      throw new RangeError("it does not say how far it has come");
    }
    this.#folded = folded;
    const { first } = db.prepare("SELECT min(id) AS first FROM journal").get()!;
    this.#trimmed = Math.min(Number(first ?? Infinity) - 1, this.#folded);
    // What a fold has left behind that was not completed. If the next one is,
    // it hides them: it has all their tiles, or as they were.
    const leftovers = db.prepare("SELECT id FROM chunk WHERE id > ?")
      .all(complete).map(({ id }) => Number(id));
    this.#last = Math.max(complete, ...leftovers);
    const newestFirst =
      "SELECT id, layer, tiles AS bytes, crc32 FROM chunk WHERE id < ? ORDER BY id DESC LIMIT ?";
    for (const row of readRows(db, newestFirst, complete + 1)) {
      this.#loadChunk(map, row);
    }
    this.#garbage = [...leftovers, ...this.#index.takeDead()];
  }

  /** Begins a fold of the map as it is, and of what else must be known of that moment. */
  begin(map: OccupancyMap, moment: Moment): void {
    if (this.#index.wasteful) {
      for (const [layer, grid] of map.layers()) {
        for (const tile of this.#index.tilesToMove(layer)) grid.markDirty(tile);
      }
    }
    this.#fold = new Fold(map);
    this.#moment = {
      ...moment,
      revision: map.revision,
      ...map.ageing,
    };
  }

  /**
   * Does some of what there is to do. Must be called within a transaction, and
   * {@linkcode Checkpoint.kept} or {@linkcode Checkpoint.abandon} after it.
   *
   * @param share How much, as a share of a whole fold: above 0; 1 does it all
   */
  step(share: number): void {
    const some = (all: number) => Math.ceil(2 * share * all);
    const chunks = Math.max(LEAST_DELETED, some(this.#garbage.length));
    const deleted = this.#garbage.slice(0, chunks);
    for (const id of deleted) this.#delete.run(id);
    const rows = this.#folded - this.#trimmed;
    const trimmed = this.#trimmed +
      Math.min(rows, Math.max(LEAST_DELETED, some(rows)));
    if (rows > 0) this.#trim.run(trimmed);
    const complete = this.#fold !== undefined && this.#write(this.#fold, share);
    this.#step = { deleted: deleted.length, trimmed, complete };
  }

  /** The transaction of the last step is kept. @returns true if a fold is complete */
  kept(): boolean {
    const { deleted, trimmed, complete } = this.#step!;
    this.#step = undefined;
    this.#garbage.splice(0, deleted);
    this.#trimmed = trimmed;
    if (!complete) return false;
    const fold = this.#fold!;
    this.#fold = undefined;
    fold.end(true);
    this.#folded = this.#moment.journal;
    for (const [chunk, tiles] of this.#written) this.#index.add(chunk, tiles);
    this.#written = [];
    for (const id of this.#index.takeDead()) this.#garbage.push(id);
    return true;
  }

  /** The transaction of the last step failed: the fold is given up, if there is one. */
  abandon(): void {
    this.#step = undefined;
    this.#fold?.end(false);
    this.#fold = undefined;
    for (const [{ id }] of this.#written) this.#garbage.push(id);
    this.#written = [];
  }

  /** Writes the next tiles of a fold; true if these were the last. */
  #write(fold: Fold, share: number): boolean {
    const goal = fold.taken + Math.ceil(share * fold.tiles);
    for (let group; fold.taken < goal && (group = fold.next());) {
      const { layer, tiles, bytes } = group;
      const id = ++this.#last;
      this.#insert.run(id, layer, bytes, crc32(bytes));
      const chunk = { id, layer, bytes: bytes.length, tiles: tiles.length };
      this.#written.push([chunk, tiles]);
    }
    if (fold.taken < fold.tiles) return false;
    const { lastAlive, ...moment } = this.#moment;
    const meta = {
      ...moment,
      ...(lastAlive !== undefined && { [LAST_ALIVE_KEY]: lastAlive }),
      chunk: this.#last,
    };
    for (const [key, value] of Object.entries(meta)) {
      this.#writeMeta.run(key, Number.isFinite(value) ? value : FOREVER);
    }
    return true;
  }

  #loadChunk(map: OccupancyMap, row: Record<string, SQLOutputValue>): void {
    const id = Number(row.id);
    const layer = row.layer as string;
    const bytes = checkedBytes(row);
    const present: number[] = [];
    const tiles = map.restoreTiles(layer, bytes, (tile) => present.push(tile));
    this.#index.add({ id, layer, bytes: bytes.length, tiles }, present);
  }
}

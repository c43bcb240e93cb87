/**
 * Checkpoints in an SQLite file: one step in the transaction of each commit.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MapShard } from "../grid/mod.ts";
import type { StoredMeta } from "./checkpoint_meta.ts";
import type { CheckpointTarget, StoredChunk } from "./checkpoint_target.ts";
import type { Checkpointer } from "./checkpointer.ts";
import type { LoadGuard } from "./load_guard.ts";
import { checkedBytes, chunkBytes, execute, readRows } from "./sqlite_rows.ts";

/** The key of the journal's position in the table `meta`. */
const JOURNAL_KEY = "journal";

/** Writes checkpoints to a database. Positions are ids of journal rows. */
export class SqliteCheckpointTarget implements CheckpointTarget<number> {
  readonly #insertChunk: StatementSync;
  readonly #deleteChunk: StatementSync;
  readonly #deleteJournal: StatementSync;
  readonly #writeMeta: StatementSync;

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

  insertChunk({ id, layer, bytes, first, began }: StoredChunk): void {
    const sum = crc32(suffixOf(first, began), crc32(bytes));
    execute(this.#insertChunk, id, layer, bytes, sum, first, began ?? null);
  }

  deleteChunk(id: number): void {
    execute(this.#deleteChunk, id);
  }

  writeMeta(meta: StoredMeta, row: number): void {
    for (const [key, value] of Object.entries(meta)) {
      this.#writeMeta.run(key, value);
    }
    this.#writeMeta.run(JOURNAL_KEY, row);
  }

  deleteJournal(
    from: number,
    to: number,
    countOf: (rows: number) => number,
  ): number {
    const rows = to - from;
    const row = from + Math.min(rows, countOf(rows));
    this.#deleteJournal.run(row);
    return row;
  }
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
export function loadCheckpoint(
  db: DatabaseSync,
  checkpointer: Checkpointer<number>,
  map: MapShard,
  meta: StoredMeta,
  guard: LoadGuard,
): void {
  guard.checkMeta(meta);
  const lastChunk = meta.chunk;
  const position = meta[JOURNAL_KEY];
  if (lastChunk === undefined || position === undefined) {
    throw new RangeError("the position of the last checkpoint is missing");
  }
  const { first } = db.prepare("SELECT min(id) AS first FROM journal").get()!;
  const deletedTo = Math.min(Number(first ?? Infinity) - 1, position);
  const incomplete = db.prepare("SELECT id FROM chunk WHERE id > ?")
    .all(lastChunk).map(({ id }) => Number(id));
  const newestFirst =
    "SELECT id, layer, tiles AS bytes, crc32, first, began FROM chunk WHERE id < ? ORDER BY id DESC LIMIT ?";
  for (const row of readRows(db, newestFirst, lastChunk + 1)) {
    const first = Number(row.first);
    const began = (row.began as number | null) ?? undefined;
    const bytes = checkedBytes(row, suffixOf(first, began));
    const id = Number(row.id);
    const layer = row.layer as string;
    checkpointer.restoreChunk(map, { id, layer, bytes, first, began });
    guard.loaded(bytes.length, () => chunkBytes(db));
  }
  checkpointer.loaded(map, { position, deletedTo, lastChunk, incomplete });
}

/** What the checksum of a chunk includes after its tiles. */
function suffixOf(first: number, began: number | undefined): string {
  return first === 0 && began === undefined ? "" : `${first} ${began ?? null}`;
}

import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { DEFAULT_AGEING, type OccupancyMap } from "../grid/mod.ts";
import { decodeEntries, EntryEncoder } from "./entry_codec.ts";
import { damaged, explainSqlite, openDatabase } from "./sqlite_file.ts";
import {
  applyEntry,
  type Durability,
  type Entry,
  type Store,
} from "./store.ts";

/**
 * When the journal is folded into tiles. It bounds what a start must replay,
 * and what the journal takes on disk.
 */
const MAX_JOURNAL_BYTES = 8 * 1024 * 1024;

/** Rows read at a time. */
const PAGE_ROWS = 500;

/** How a {@linkcode SqliteStore} is opened. */
export interface SqliteOptions {
  /** The file; made if it is not there. */
  readonly path: string;
  /**
   * What committed entries survive: `commit` the death of the process, `fsync`
   * (the default) the loss of power too.
   */
  readonly durability?: Durability;
  /** Bytes of journal after which it is folded into tiles. */
  readonly maxJournalBytes?: number;
}

/**
 * Keeps a map in one SQLite file.
 *
 * A commit appends its entries, as they are, to a journal: one row, whatever it
 * holds. Now and then the tiles that changed are written whole and the journal
 * is emptied, in one transaction. A start reads the tiles and replays the rest.
 */
export class SqliteStore implements Store {
  readonly description: string;
  readonly durable = true;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #maxJournalBytes: number;
  readonly #encoder = new EntryEncoder();
  readonly #append: StatementSync;
  readonly #writeTile: StatementSync;
  readonly #writeMeta: StatementSync;
  /** False if what is there could not be read: then it must stay as it is. */
  #loaded = false;
  #lastThere: number | undefined;
  #journalBytes = 0;
  #foldAt: number;
  #closed = false;

  /** @throws {StoreError} if the file cannot be used; it is left as it was */
  constructor(options: SqliteOptions) {
    const { path, durability = "fsync" } = options;
    this.description = `sqlite:${path}`;
    this.#path = path;
    this.#maxJournalBytes = options.maxJournalBytes ?? MAX_JOURNAL_BYTES;
    this.#foldAt = this.#maxJournalBytes;
    this.#db = openDatabase(path, durability);
    this.#append = this.#db.prepare("INSERT INTO journal (entries) VALUES (?)");
    this.#writeTile = this.#db.prepare(
      "INSERT OR REPLACE INTO tile (layer, tx, ty, cells) VALUES (?, ?, ?, ?)",
    );
    this.#writeMeta = this.#db.prepare(
      "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
    );
  }

  get lastThere(): number | undefined {
    return this.#lastThere;
  }

  load(map: OccupancyMap): void {
    try {
      this.#loadMeta(map);
      this.#loadTiles(map);
      this.#replay(map);
      this.#loaded = true;
    } catch (error) {
      throw error instanceof RangeError || error instanceof TypeError
        ? damaged(this.#path, error.message, error)
        : explainSqlite(this.#path, error);
    }
  }

  commit(entries: readonly Entry[]): void {
    const bytes = this.#encoder.encode(entries);
    try {
      this.#rollBack(); // within a transaction it would keep nothing
      this.#append.run(bytes); // a statement by itself is a transaction
    } catch (error) {
      throw explainSqlite(this.#path, error);
    }
    for (const entry of entries) this.#note(entry);
    this.#journalBytes += bytes.length;
  }

  applied(map: OccupancyMap): void {
    if (this.#journalBytes < this.#foldAt) return;
    // If it fails (a full disk), the journal still has everything: later, then.
    this.#foldAt = this.#fold(map)
      ? this.#maxJournalBytes
      : 2 * this.#journalBytes;
  }

  close(map?: OccupancyMap): void {
    if (this.#closed) return;
    this.#closed = true;
    if (map !== undefined && this.#loaded && this.#journalBytes > 0) {
      this.#fold(map);
    }
    this.#db.close();
  }

  /** Writes the tiles that changed and empties the journal; false if it could not. */
  #fold(map: OccupancyMap): boolean {
    const db = this.#db;
    try {
      db.exec("BEGIN");
      for (const [layer, grid] of map.layers()) {
        for (const tile of grid.dirtyTiles()) {
          const { tx, ty } = grid.tileAt(tile);
          this.#writeTile.run(layer, tx, ty, grid.encodeTile(tile));
        }
      }
      this.#writeMeta.run("revision", map.revision);
      if (this.#lastThere !== undefined) {
        this.#writeMeta.run("lastThere", this.#lastThere);
      }
      for (const [key, value] of Object.entries(map.ageing)) {
        this.#writeMeta.run(key, Number.isFinite(value) ? value : FOREVER);
      }
      db.exec("DELETE FROM journal");
      db.exec("COMMIT");
    } catch {
      try {
        this.#rollBack();
      } catch {
        // The disk is worse than full; the next commit tries again.
      }
      return false;
    }
    for (const [, grid] of map.layers()) grid.markClean();
    this.#journalBytes = 0;
    return true;
  }

  /** Remembers what is no part of the map. */
  #note(entry: Entry): void {
    if (entry.kind === "there") this.#lastThere = entry.now;
  }

  /** Ends a transaction that failed, unless SQLite has done so by itself. */
  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  #loadMeta(map: OccupancyMap): void {
    const rows = this.#db.prepare("SELECT key, value FROM meta").all();
    const meta = new Map(rows.map(({ key, value }) => [key, Number(value)]));
    this.#lastThere = meta.get("lastThere");
    const threshold = (key: keyof typeof DEFAULT_AGEING) => {
      const value = meta.get(key) ?? DEFAULT_AGEING[key];
      return value === FOREVER ? Infinity : value;
    };
    map.configure({
      staleAfter: threshold("staleAfter"),
      forgetAfter: threshold("forgetAfter"),
      maxSkew: threshold("maxSkew"),
    });
    map.restoreRevision(meta.get("revision") ?? 0);
  }

  #loadTiles(map: OccupancyMap): void {
    for (
      const [, layer, cells] of this.#rows(
        "SELECT rowid, layer, cells FROM tile WHERE rowid > ? ORDER BY rowid LIMIT ?",
      )
    ) {
      map.restoreTile(layer as string, cells as Uint8Array);
    }
    // Restored as they are on disk: nothing to write yet.
    for (const [, grid] of map.layers()) grid.markClean();
  }

  #replay(map: OccupancyMap): void {
    for (
      const [, entries] of this.#rows(
        "SELECT id, entries FROM journal WHERE id > ? ORDER BY id LIMIT ?",
      )
    ) {
      const bytes = entries as Uint8Array;
      for (const entry of decodeEntries(bytes)) {
        applyEntry(map, entry);
        this.#note(entry);
      }
      this.#journalBytes += bytes.length;
    }
  }

  /**
   * Reads rows in the order of their first column, some at a time. Not by iterate(): in
   * Deno 2.9.6 it takes an error in the middle for the end of the rows, and a
   * damaged file would read as a smaller map.
   */
  *#rows(sql: string): Generator<SQLOutputValue[]> {
    const page = this.#db.prepare(sql) as unknown as RowsAsArrays;
    page.setReturnArrays(true); // a fifth faster than objects
    let last: SQLOutputValue = -1;
    while (true) {
      const rows = page.all(last, PAGE_ROWS);
      yield* rows;
      if (rows.length < PAGE_ROWS) return;
      last = rows.at(-1)![0]!;
    }
  }
}

/** Of node:sqlite, but not yet of Deno's types for it. */
interface RowsAsArrays extends Omit<StatementSync, "all"> {
  setReturnArrays(enabled: boolean): void;
  all(...parameters: SQLOutputValue[]): SQLOutputValue[][];
}

/** How "never" is written: SQLite has no infinity of its own. */
const FOREVER = -1;

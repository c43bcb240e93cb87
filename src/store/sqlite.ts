import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { DEFAULT_AGEING, type OccupancyMap } from "../grid/mod.ts";
import { Checkpoint, FOREVER, LAST_ALIVE_KEY } from "./checkpoint.ts";
import { decodeEntries, EntryEncoder } from "./entry_codec.ts";
import { checkedBytes, readRows } from "./rows.ts";
import { damaged, explainSqlite, openDatabase } from "./sqlite_file.ts";
import {
  applyEntry,
  type Durability,
  type Entry,
  type Store,
} from "./store.ts";

/**
 * The journal is folded into tiles when it is larger than this, and than all
 * tiles: a fold may have to write all of them, and should not write more than
 * came in. Until a fold is complete the journal grows by as much again.
 */
const MAX_JOURNAL_BYTES = 8 * 1024 * 1024;

/** How a {@linkcode SqliteStore} is opened. */
export interface SqliteOptions {
  /** The file; made if it is not there. */
  readonly path: string;
  /**
   * What committed entries survive: `commit` the death of the process, `fsync`
   * (the default) the loss of power too.
   */
  readonly durability?: Durability;
  /** Bytes of journal after which it is folded, if there are not as many of tiles. Default 8 MiB. */
  readonly maxJournalBytes?: number;
}

/**
 * Keeps a map in one SQLite file.
 *
 * A commit appends its entries, as they are, to a journal: one row, whatever it
 * holds. Now and then the tiles that changed are written, a few with each commit
 * (see `checkpoint.ts`), and the journal begins anew. A start reads the tiles and
 * replays the rest.
 */
export class SqliteStore implements Store {
  readonly description: string;
  readonly durable = true;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #maxJournalBytes: number;
  readonly #encoder = new EntryEncoder();
  readonly #append: StatementSync;
  readonly #checkpoint: Checkpoint;
  /** False if what is there could not be read: then it must stay as it is. */
  #loaded = false;
  #lastAlive: number | undefined;
  /** The last row of the journal. */
  #lastEntry = 0;
  /** Bytes of the journal that are in no tile yet. */
  #journalBytes = 0;
  /** How many of these the fold under way has. */
  #foldingBytes = 0;
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
    try {
      this.#append = this.#db.prepare(
        "INSERT INTO journal (entries, crc32) VALUES (?, ?)",
      );
      this.#checkpoint = new Checkpoint(this.#db);
    } catch (error) {
      this.#db.close();
      throw explainSqlite(path, error);
    }
  }

  get lastAlive(): number | undefined {
    return this.#lastAlive;
  }

  load(map: OccupancyMap): void {
    try {
      const meta = this.#loadMeta(map);
      this.#checkpoint.load(this.#db, map, meta);
      this.#replay(map);
      this.#loaded = true;
    } catch (error) {
      throw error instanceof RangeError || error instanceof TypeError
        ? damaged(this.#path, error.message, error)
        : explainSqlite(this.#path, error);
    }
    this.#foldAt = this.#journalLimit();
  }

  commit(entries: readonly Entry[]): void {
    const bytes = this.#encoder.encode(entries);
    try {
      this.#rollBack(); // within a transaction it would keep nothing
      const kept = this.#checkpoint.busy && this.#commitWithStep(bytes);
      if (!kept) this.#appendRow(bytes); // a statement by itself is a transaction
    } catch (error) {
      throw explainSqlite(this.#path, error);
    }
    for (const entry of entries) this.#note(entry);
    this.#journalBytes += bytes.length;
  }

  applied(map: OccupancyMap): void {
    if (this.#checkpoint.folding || this.#journalBytes < this.#foldAt) return;
    this.#beginFold(map);
  }

  close(map?: OccupancyMap): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (map !== undefined && this.#loaded) this.#finishAll(map);
    } catch {
      // A full disk, for example. The journal still has everything.
    }
    this.#db.close();
  }

  /**
   * Commits, and does some of the checkpoint's work in the same transaction.
   *
   * @returns false if that failed: maybe there is no room for the work, but for
   * the entries by themselves
   */
  #commitWithStep(bytes: Uint8Array<ArrayBuffer>): boolean {
    const share = Math.min(1, bytes.length / this.#foldAt);
    try {
      this.#transaction(() => {
        this.#appendRow(bytes);
        this.#checkpoint.step(share);
      });
    } catch {
      this.#checkpoint.abandon();
      this.#foldAt = 2 * this.#journalBytes; // later, then
      this.#rollBack();
      return false;
    }
    this.#noteStep();
    return true;
  }

  #appendRow(bytes: Uint8Array<ArrayBuffer>): void {
    this.#lastEntry = Number(
      this.#append.run(bytes, crc32(bytes)).lastInsertRowid,
    );
  }

  #beginFold(map: OccupancyMap): void {
    this.#foldingBytes = this.#journalBytes;
    this.#checkpoint.begin(map, {
      journal: this.#lastEntry,
      ...(this.#lastAlive !== undefined && { lastAlive: this.#lastAlive }),
    });
  }

  #noteStep(): void {
    if (!this.#checkpoint.kept()) return;
    this.#journalBytes -= this.#foldingBytes;
    this.#foldAt = this.#journalLimit();
  }

  /** Leaves nothing but tiles. */
  #finishAll(map: OccupancyMap): void {
    this.#rollBack();
    while (this.#checkpoint.busy || this.#journalBytes > 0) {
      if (!this.#checkpoint.busy) this.#beginFold(map);
      this.#transaction(() => this.#checkpoint.step(1));
      this.#noteStep();
    }
  }

  /** Remembers what is no part of the map. */
  #note(entry: Entry): void {
    if (entry.kind === "alive") this.#lastAlive = entry.now;
  }

  #journalLimit(): number {
    return Math.max(this.#maxJournalBytes, this.#checkpoint.liveBytes);
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN");
    work();
    this.#db.exec("COMMIT");
  }

  /** Ends a transaction that failed, unless SQLite has done so by itself. */
  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  #loadMeta(map: OccupancyMap): Map<string, number> {
    const rows = this.#db.prepare("SELECT key, value FROM meta").all();
    const meta = new Map(
      rows.map(({ key, value }) => [key as string, Number(value)]),
    );
    this.#lastAlive = meta.get(LAST_ALIVE_KEY);
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
    return meta;
  }

  #replay(map: OccupancyMap): void {
    const { folded } = this.#checkpoint;
    this.#lastEntry = folded;
    for (
      const row of readRows(
        this.#db,
        "SELECT id, entries AS bytes, crc32 FROM journal WHERE id > ? ORDER BY id LIMIT ?",
        folded,
      )
    ) {
      const bytes = checkedBytes(row);
      for (const entry of decodeEntries(bytes)) {
        applyEntry(map, entry);
        this.#note(entry);
      }
      this.#journalBytes += bytes.length;
      this.#lastEntry = Number(row.id);
    }
  }
}

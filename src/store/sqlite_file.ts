/**
 * Opens the database file: checks that it is an intact occupancy store, locks
 * it, and updates its schema.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { HISTORY_SCHEMA } from "./history/schema.ts";
import {
  foreignFileError,
  missingDatabaseError,
  storeErrorOf,
} from "./sqlite_errors.ts";
import { type Durability, StoreError } from "./store.ts";
import type { StoreFiles } from "./store_files.ts";

/** `occu`, in the file header (https://sqlite.org/fileformat.html, 1.3.18). */
const APPLICATION_ID = 0x6f63_6375;
const SQLITE_HEADER = "SQLite format 3\0";

/**
 * The steps from each schema version to the next. Append new steps; never edit
 * the existing ones.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (
     key TEXT PRIMARY KEY,
     value REAL NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE tile (
     layer TEXT NOT NULL,
     tx INTEGER NOT NULL,
     ty INTEGER NOT NULL,
     cells BLOB NOT NULL,
     PRIMARY KEY (layer, tx, ty)
   ) STRICT;
   CREATE TABLE journal (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     entries BLOB NOT NULL
   ) STRICT;`,
  // Rows of many tiles, with checksums. A row of one tile becomes a chunk.
  `CREATE TABLE chunk (
     id INTEGER PRIMARY KEY,
     layer TEXT NOT NULL,
     tiles BLOB NOT NULL,
     crc32 INTEGER -- of the tiles; NULL if it was not known
   ) STRICT;
   ALTER TABLE journal ADD COLUMN crc32 INTEGER; -- of the entries
   INSERT INTO chunk (layer, tiles) SELECT layer, cells FROM tile;
   INSERT INTO meta SELECT 'chunk', coalesce(max(id), 0) FROM chunk;
   INSERT INTO meta VALUES ('journal', 0);
   DROP TABLE tile;`,
  // For layers that were deleted, see checkpointer.ts. The journal has new kinds
  // of entries too, which earlier versions cannot read.
  `ALTER TABLE chunk ADD COLUMN first INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE chunk ADD COLUMN began REAL;`,
  // The state of the embedded broker and the zones, see records.ts.
  `CREATE TABLE record (
     id INTEGER PRIMARY KEY,
     value BLOB NOT NULL,
     crc32 INTEGER NOT NULL -- of the value
   ) STRICT;`,
  HISTORY_SCHEMA,
];

/** Only the user of the server may read the map. */
const FILE_MODE = 0o600;

/**
 * Opens a database, or creates it. A file that is not a store is not changed.
 *
 * @param path the file
 * @param durability what committed transactions survive
 * @throws {StoreError} if the file cannot be used
 */
export function openDatabase(
  path: string,
  durability: Durability,
): DatabaseSync {
  checkHeader(path);
  try {
    createFile(path);
  } catch {
    // It exists, or SQLite reports why it cannot be used.
  }
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // The lock is held until the database is closed: there is only one writer,
    // and SQLite needs no shared memory to coordinate others.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    checkOwner(db, path);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec(
      `PRAGMA synchronous = ${durability === "fsync" ? "FULL" : "NORMAL"}`,
    );
    migrate(db);
    db.exec("BEGIN IMMEDIATE; COMMIT"); // creates the log
    return db;
  } catch (error) {
    db?.close();
    throw storeErrorOf(path, error);
  }
}

/** Rejects a file that is not a database, before SQLite opens it. */
function checkHeader(path: string): void {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return checkNoLog(path);
    throw new StoreError(`Cannot open ${path}`, {
      hint: "Check the permissions of the file.",
      cause: error,
    });
  }
  try {
    if (file.statSync().isDirectory) {
      throw new StoreError(`Cannot open ${path}: it is a directory`, {
        hint: `For example, use ${path}/occupancy.sqlite instead.`,
      });
    }
    const start = new Uint8Array(SQLITE_HEADER.length);
    const length = file.readSync(start);
    // SQLite makes a database of an empty file.
    if (length === null) return checkNoLog(path);
    if (new TextDecoder("latin1").decode(start) !== SQLITE_HEADER) {
      throw foreignFileError(path);
    }
  } finally {
    file.close();
  }
}

/**
 * Rejects a missing or empty database whose log exists: SQLite would delete the
 * log with its committed changes.
 */
function checkNoLog(path: string): void {
  try {
    if (Deno.statSync(`${path}-wal`).size === 0) return;
  } catch {
    return;
  }
  throw missingDatabaseError(path);
}

/**
 * Creates an empty file that only this user may read; SQLite gives its log the
 * same mode.
 *
 * @param path follows no link
 * @throws {Deno.errors.AlreadyExists} if there is such a file or link
 */
export function createFile(path: string): void {
  const options = { write: true, createNew: true, mode: FILE_MODE };
  Deno.openSync(path, options).close();
}

/**
 * Copies the log to the database, wherever that is now: then it is complete even
 * if the log is lost. If another file is in its place, also removes what the log
 * has: SQLite would write that over the other file at its next start.
 *
 * @param files the state of the files
 */
export function emptyLog(db: DatabaseSync, files: StoreFiles): void {
  const isReplaced = files.databaseDifference() === "replaced";
  const mode = isReplaced ? "TRUNCATE" : "PASSIVE";
  try {
    if (db.isTransaction) db.exec("ROLLBACK"); // a failed one
    db.exec(`PRAGMA wal_checkpoint(${mode})`);
  } catch {
    // The disk is full, for example. The log may still be there.
  }
}

/** Rejects a database of another program or of a newer version. */
function checkOwner(db: DatabaseSync, path: string): void {
  const version = readPragma(db, "user_version");
  const empty = db.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (empty && version === 0) return;
  if (readPragma(db, "application_id") !== APPLICATION_ID) {
    throw foreignFileError(path);
  }
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      `Cannot open ${path}: a newer version of occupancy wrote it`,
      {
        hint:
          "The file was not changed. Use that version, or another file with --store.",
      },
    );
  }
}

/** Updates the schema in one transaction. */
function migrate(db: DatabaseSync): void {
  const version = readPragma(db, "user_version");
  if (version === MIGRATIONS.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function readPragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0]);
}

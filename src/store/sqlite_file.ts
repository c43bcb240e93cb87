/**
 * Opening the database file: that it is ours, that it is whole, that nobody
 * else writes to it, and that its schema is the present one.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { DatabaseSync } from "node:sqlite";
import { type Durability, StoreError } from "./store.ts";

/** `occu`, in the header of the file (https://sqlite.org/fileformat.html, 1.3.18). */
const APPLICATION_ID = 0x6f63_6375;
const HEADER = "SQLite format 3\0";

/** What brings a file from each schema version to the next; never edited, only added to. */
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
  // Tiles many to a row; a tile by itself is a row of one.
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
];

const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
/** As `sqlite3_errstr()` says them. */
const RESULT_TEXTS: readonly (readonly [string, number])[] = [
  ["database is locked", SQLITE_BUSY],
  ["readonly database", SQLITE_READONLY],
  ["disk I/O error", SQLITE_IOERR],
  ["disk image is malformed", SQLITE_CORRUPT],
  ["malformed database schema", SQLITE_CORRUPT],
  ["database or disk is full", SQLITE_FULL],
  ["unable to open database file", SQLITE_CANTOPEN],
  ["file is not a database", SQLITE_NOTADB],
];

/**
 * Opens or makes a database. What is there and is not ours is left as it is.
 *
 * @throws {StoreError}
 */
export function openDatabase(
  path: string,
  durability: Durability,
): DatabaseSync {
  checkHeader(path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // Held until the end: one writer, and no shared memory to coordinate others.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    checkOwner(db, path);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec(
      `PRAGMA synchronous = ${durability === "fsync" ? "FULL" : "NORMAL"}`,
    );
    migrate(db);
    return db;
  } catch (error) {
    db?.close();
    throw explainSqlite(path, error);
  }
}

/** Says in words for people what SQLite says in codes (https://sqlite.org/rescode.html). */
export function explainSqlite(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error);
  const options = { cause: error };
  switch (resultCode(error, message)) {
    case SQLITE_BUSY:
      return new StoreError(`Another server is using ${path}`, {
        ...options,
        hint: "Stop it, or give this one a file of its own with --store.",
      });
    case SQLITE_READONLY:
      return readOnly(path, error);
    case SQLITE_IOERR:
      if (isReadOnly(path)) return readOnly(path, error);
      return new StoreError(`Cannot write to ${path}: ${message}`, {
        ...options,
        hint: "Check the disk, and what the system's log says of it.",
      });
    case SQLITE_CORRUPT:
      // What follows the colon may be any bytes of the file.
      return damaged(path, message.replace(/ ?\(.*/s, ""), error);
    case SQLITE_FULL:
      return new StoreError(`The disk is full: cannot write to ${path}`, {
        ...options,
        hint: "Make room; nothing that was acknowledged is lost.",
      });
    case SQLITE_CANTOPEN:
      return new StoreError(`Cannot open ${path}`, {
        ...options,
        hint: "Check that its directory is there and writable.",
      });
    case SQLITE_NOTADB:
      return foreign(path);
    default:
      return new StoreError(`Cannot use ${path}: ${message}`, options);
  }
}

/** The primary result code; not all errors carry it, but all carry its text. */
function resultCode(error: unknown, message: string): number | undefined {
  const { errcode } = error as { errcode?: number };
  if (errcode !== undefined) return errcode & 0xff;
  return RESULT_TEXTS.find(([text]) => message.includes(text))?.[1];
}

/** What is said of a file that is ours but broken. */
export function damaged(
  path: string,
  what: string,
  cause?: unknown,
): StoreError {
  return new StoreError(`The store ${path} is damaged: ${what}`, {
    hint:
      "It was left as it is. Put a copy back, or move it away to start empty.",
    cause,
  });
}

function readOnly(path: string, cause: unknown): StoreError {
  return new StoreError(`Cannot write to ${path}: it is read-only`, {
    hint: "Make the file and its directory writable.",
    cause,
  });
}

/** True if the file is there and may not be written to; SQLite calls that an I/O error. */
function isReadOnly(path: string): boolean {
  try {
    Deno.openSync(path, { write: true }).close();
    return false;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function foreign(path: string): StoreError {
  return new StoreError(`${path} is not an occupancy store`, {
    hint: "It was left as it is. Name another file with --store.",
  });
}

/** A file that is no database is refused before SQLite touches it. */
function checkHeader(path: string): void {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new StoreError(`Cannot open ${path}`, {
      hint: "Check who may read and write it.",
      cause: error,
    });
  }
  try {
    if (file.statSync().isDirectory) {
      throw new StoreError(`${path} is a directory`, {
        hint: "Name a file, for example with /occupancy.sqlite added.",
      });
    }
    const start = new Uint8Array(HEADER.length);
    const length = file.readSync(start);
    if (length === null) return; // empty: SQLite makes a database of it
    if (new TextDecoder("latin1").decode(start) !== HEADER) throw foreign(path);
  } finally {
    file.close();
  }
}

function checkOwner(db: DatabaseSync, path: string): void {
  const version = pragma(db, "user_version");
  const empty = db.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (empty && version === 0) return;
  if (pragma(db, "application_id") !== APPLICATION_ID) throw foreign(path);
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      `${path} was written by a newer version of occupancy`,
      {
        hint:
          "It was left as it is. Use that version, or another file with --store.",
      },
    );
  }
}

/** All or none: a migration that fails leaves the file at its old version. */
function migrate(db: DatabaseSync): void {
  const version = pragma(db, "user_version");
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

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0]);
}

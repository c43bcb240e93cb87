/**
 * Errors of SQLite and of its file, described for users.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import { StoreError } from "./store.ts";

// Result codes, https://sqlite.org/rescode.html
const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Texts of `sqlite3_errstr()`, for errors without a specific result code. */
const RESULT_TEXTS: readonly (readonly [string, number])[] = [
  ["database is locked", SQLITE_BUSY],
  ["readonly database", SQLITE_READONLY],
  ["disk I/O error", SQLITE_IOERR],
  ["disk image is malformed", SQLITE_CORRUPT],
  ["malformed database schema", SQLITE_CORRUPT],
  ["unsupported file format", SQLITE_CORRUPT],
  ["no such table", SQLITE_CORRUPT],
  ["no such column", SQLITE_CORRUPT],
  ["has no column named", SQLITE_CORRUPT],
  ["database or disk is full", SQLITE_FULL],
  ["unable to open database file", SQLITE_CANTOPEN],
  ["file is not a database", SQLITE_NOTADB],
];

/**
 * Converts an error of SQLite into an error for users.
 *
 * @param path the database file
 * @param error what was thrown; a StoreError is returned as it is
 * @param isOpen true if this process has the database open
 */
export function storeErrorOf(
  path: string,
  error: unknown,
  isOpen = false,
): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error);
  switch (resultCode(error, message)) {
    case SQLITE_BUSY:
      return new StoreError(`Cannot open ${path}: another server is using it`, {
        hint: "Stop the other server, or use another file with --store.",
        cause: error,
      });
    case SQLITE_READONLY:
      return readOnlyError(path, error);
    case SQLITE_IOERR:
      if (isOpen ? isUnchangeable(path) : isReadOnly(path)) {
        return readOnlyError(path, error);
      }
      return new StoreError(`Cannot write to ${path}: ${message}`, {
        hint: "Check the disk and the system log.",
        cause: error,
      });
    case SQLITE_CORRUPT:
      // The parentheses may contain bytes of the file.
      return damagedError(path, message.replace(/ ?\(.*/s, ""), error);
    case SQLITE_FULL:
      return new StoreError(`Cannot write to ${path}: the disk is full`, {
        hint: "Free some space. No acknowledged reading is lost.",
        cause: error,
      });
    case SQLITE_CANTOPEN:
      if (isOnReadOnlyFileSystem(path)) return readOnlyError(path, error);
      return new StoreError(`Cannot open ${path}`, {
        hint: "Check that its directory exists and is writable.",
        cause: error,
      });
    case SQLITE_NOTADB:
      return foreignFileError(path);
    default:
      return new StoreError(`Cannot use ${path}: ${message}`, {
        hint: "Check the file, or use another one with --store.",
        cause: error,
      });
  }
}

/** Converts an error of reading the content of an open file. */
export function readErrorOf(path: string, error: unknown): StoreError {
  return error instanceof RangeError || error instanceof TypeError
    ? damagedError(path, error.message, error)
    : storeErrorOf(path, error, true);
}

/**
 * Returns the error for a store file with invalid content.
 *
 * @param path the database file
 * @param problem what is invalid
 */
export function damagedError(
  path: string,
  problem: string,
  cause?: unknown,
): StoreError {
  return new StoreError(
    `Cannot read ${path}: the file is damaged (${problem})`,
    {
      hint:
        "The file was not changed. Restore a backup, or move the file away to start with an empty map.",
      cause,
    },
  );
}

/**
 * Returns the error for a file of another program.
 *
 * @param path the file
 */
export function foreignFileError(path: string): StoreError {
  return new StoreError(`Cannot open ${path}: it is not an occupancy store`, {
    hint: "The file was not changed. Use another file with --store.",
  });
}

/**
 * Returns the error for a store whose path no longer leads to its open file.
 *
 * @param path the database file
 * @param file which of the two files
 * @param difference what is at its path now
 */
export function vanishedError(
  path: string,
  file: "database" | "log",
  difference: "missing" | "replaced",
): StoreError {
  const what = difference === "missing"
    ? "was removed or moved"
    : "was replaced by another file";
  if (file === "log") {
    return new StoreError(`Cannot write to ${path}: ${path}-wal ${what}`, {
      hint:
        "Restart the server: no acknowledged reading is lost. Do not touch the file while the server runs.",
    });
  }
  return new StoreError(`Cannot write to ${path}: the file ${what}`, {
    hint:
      "Move the file back, or stop the server with SIGTERM: it then saves the map in a new file.",
  });
}

/**
 * Returns the error for a log without its database.
 *
 * @param path the database file
 */
export function missingDatabaseError(path: string): StoreError {
  return new StoreError(
    `Cannot open ${path}: it is missing, but ${path}-wal exists`,
    {
      hint:
        `Move the file back. To start with an empty map, move ${path}-wal away.`,
    },
  );
}

/**
 * Returns the error for a log that belongs to another database.
 *
 * @param path the database file
 */
export function replacedDatabaseError(path: string): StoreError {
  return new StoreError(
    `Cannot open ${path}: it was replaced while a server used it, and ${path}-wal belongs to the file before`,
    {
      hint:
        `Move the file before back. To use the present one, move ${path}-wal away.`,
    },
  );
}

function readOnlyError(path: string, cause: unknown): StoreError {
  if (isOnReadOnlyFileSystem(path)) {
    return readOnlyFileSystemError(`Cannot write to ${path}`, cause);
  }
  return new StoreError(`Cannot write to ${path}: it is read-only`, {
    hint: "Make the file and its directory writable.",
    cause,
  });
}

/**
 * Returns the error for a file system that is mounted read-only.
 *
 * @param message what cannot be done
 * @param cause the error that says so
 */
export function readOnlyFileSystemError(
  message: string,
  cause: unknown,
): StoreError {
  return new StoreError(`${message}: its file system is read-only`, {
    hint: READ_ONLY_FILE_SYSTEM_HINT,
    cause,
  });
}

/** What to do about a file system that is mounted read-only. */
export const READ_ONLY_FILE_SYSTEM_HINT =
  "Mount it for writing, or use a file on another file system with --store.";

/** Returns true for the error EROFS. */
export function isReadOnlyFileSystem(error: unknown): boolean {
  return (error as { code?: string }).code === "EROFS";
}

/** Returns true if no file can be created beside the file for that reason. */
function isOnReadOnlyFileSystem(path: string): boolean {
  const probe = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(probe);
    Deno.removeSync(probe);
    return false;
  } catch (error) {
    return isReadOnlyFileSystem(error);
  }
}

/**
 * Returns true if the file exists and cannot be opened for writing. SQLite
 * reports that as an I/O error.
 */
function isReadOnly(path: string): boolean {
  try {
    Deno.openSync(path, { write: true }).close();
    return false;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * Returns true if the file system refuses to change the file. Does not open it:
 * closing it would release SQLite's lock (https://sqlite.org/howtocorrupt.html,
 * 2.2).
 */
function isUnchangeable(path: string): boolean {
  try {
    const { mode } = Deno.statSync(path);
    if (mode !== null) Deno.chmodSync(path, mode & 0o7777);
    return false;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * Returns the primary result code, from the text if the error has no code or a
 * generic one.
 */
function resultCode(error: unknown, message: string): number | undefined {
  const { errcode } = error as { errcode?: number };
  if (errcode !== undefined && errcode !== SQLITE_ERROR) return errcode & 0xff;
  return RESULT_TEXTS.find(([text]) => message.includes(text))?.[1];
}

/**
 * Reads a SQLite file of a store that no server uses, and leaves it as it is:
 * opening it would change the file and create others beside it.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { checkLogOwner } from "../log_owner.ts";
import { missingDatabaseError } from "../sqlite_errors.ts";
import { isInUse } from "../sqlite_lock.ts";
import type { SqliteStore } from "../sqlite.ts";
import { StoreError } from "../store.ts";
import type { CopySource } from "./endpoints.ts";
import { countLostTransactions } from "../wal_check.ts";

/** A copy of a store's files. */
export interface FileCopy extends AsyncDisposable {
  /** The database; its log is beside it. */
  readonly path: string;
  /**
   * Opens the copy.
   *
   * @param onWarning receives lines about the copy, with the path of the original
   * @throws {StoreError} with the path of the original
   */
  open(onWarning: (line: string) => void): Promise<SqliteStore>;
  /** Returns an error about the copy as one about the original. */
  translate(error: unknown): unknown;
}

/**
 * Copies the files of a store to a new folder, which is removed at the end.
 *
 * @param path the database, which no server uses
 * @param folder where to make the folder; default: the system's one for
 * temporary files
 * @throws {StoreError} if the log belongs to another database
 */
export async function copyFiles(
  path: string,
  folder?: string,
): Promise<FileCopy> {
  checkLogOwner(path);
  const temporary = await Deno.makeTempDir({
    prefix: ".occupancy-copy-",
    ...(folder !== undefined && { dir: folder }),
  });
  const copy = `${temporary}/store.sqlite`;
  const remove = () => Deno.remove(temporary, { recursive: true });
  const translate = (error: unknown) => translated(error, copy, path);
  try {
    await Deno.copyFile(path, copy);
    await Deno.copyFile(`${path}-wal`, `${copy}-wal`).catch(
      (error: unknown) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      },
    );
  } catch (error) {
    await remove();
    throw new StoreError(`Cannot copy ${path}: ${messageOf(error)}`, {
      hint: `Check the permissions of the file, and the space in ${temporary}.`,
      cause: error,
    });
  }
  return {
    path: copy,
    translate,
    open: async (onWarning) => {
      const { SqliteStore } = await import("../sqlite.ts");
      try {
        return new SqliteStore({
          path: copy,
          durability: "commit",
          onWarning: (line) => onWarning(line.replaceAll(copy, path)),
        });
      } catch (error) {
        throw translate(error);
      }
    },
    [Symbol.asyncDispose]: remove,
  };
}

/**
 * Copies the files of a store to read them.
 *
 * @param path the database
 * @param folder as of {@linkcode copyFiles}
 * @throws {StoreError} if there is none, a server uses it, or its last changes
 * cannot be read
 */
export async function copySource(
  path: string,
  folder?: string,
): Promise<FileCopy> {
  const log = `${path}-wal`;
  const before = [await stateOf(path), await stateOf(log)];
  if (before[0] === undefined) {
    if (before[1] !== undefined) throw missingDatabaseError(path);
    throw new StoreError(`Cannot read ${path}: there is no such file`, {
      hint: "Check the path; it is relative to the current directory.",
    });
  }
  if (await isInUse(path)) throw usedError(path);
  const lost = countLostTransactions(log);
  if (lost > 0) {
    throw new StoreError(
      `Cannot copy ${path}: ${log} is damaged, its last ${lost} transactions cannot be read`,
      {
        hint:
          "Nothing was copied. To go on without these changes, start a server with the file once and stop it, then copy the file.",
      },
    );
  }
  const copy = await copyFiles(path, folder);
  // A server that was started meanwhile has changed the files.
  const after = [await stateOf(path), await stateOf(log)];
  if (`${before}` !== `${after}` || await isInUse(path)) {
    await copy[Symbol.asyncDispose]();
    throw usedError(path);
  }
  return copy;
}

/**
 * Opens a SQLite file as the source of a copy.
 *
 * @param folder as of {@linkcode copyFiles}
 * @param onWarning receives lines about problems that do not prevent the copy
 * @throws {StoreError} as {@linkcode copySource} does, or if it is no store
 */
export async function openSqliteSource(
  path: string,
  folder: string | undefined,
  onWarning: (line: string) => void,
): Promise<CopySource> {
  const files = await copySource(path, folder);
  let store: SqliteStore;
  try {
    store = await files.open(onWarning);
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
  return {
    description: path,
    owners: ["broker", "zones", "home-assistant", "zone-memories"],
    shards: 1,
    translate: files.translate,
    load: (map, limit) => {
      store.load(map, limit);
      return Promise.resolve(store);
    },
    [Symbol.asyncDispose]: async () => {
      store.close();
      await files[Symbol.asyncDispose]();
    },
  };
}

function usedError(path: string): StoreError {
  return new StoreError(`Cannot copy ${path}: a running server uses it`, {
    hint:
      "Stop the server and copy then. While it runs, copy from a snapshot of the file system: see Backup in docs/OPERATIONS.md.",
  });
}

/** Size and time of a file; undefined if there is none. */
async function stateOf(path: string): Promise<string | undefined> {
  try {
    const { isDirectory, size, mtime } = await Deno.stat(path);
    if (isDirectory) {
      throw new StoreError(`Cannot read ${path}: it is a directory`, {
        hint: `Name the file in it, such as sqlite:${path}/occupancy.sqlite.`,
      });
    }
    return `${size} ${mtime?.getTime()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof StoreError) throw error;
    throw new StoreError(`Cannot read ${path}`, {
      hint: "Check the permissions of the file and its directory.",
      cause: error,
    });
  }
}

function translated(error: unknown, copy: string, path: string): unknown {
  if (!(error instanceof StoreError)) return error;
  const hint = error.hint?.replaceAll(copy, path);
  return new StoreError(error.message.replaceAll(copy, path), {
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}

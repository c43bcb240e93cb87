/**
 * Writes a copy into a new SQLite file. It has another name until it is
 * complete, so that a server never takes a part of a map for the whole.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import { messageOf } from "../../common/errors.ts";
import { plural } from "../../common/plural.ts";
import { OccupancyMap } from "../../grid/mod.ts";
import { createDirectoryOf, directoryOf } from "../location.ts";
import { storeErrorOf } from "../sqlite_errors.ts";
import { createFile } from "../sqlite_file.ts";
import { isInUse } from "../sqlite_lock.ts";
import { type HistoryWork, type Records, StoreError } from "../store.ts";
import type { CopyTarget } from "./endpoints.ts";
import { copyHistory, isOfFile, summarizeHistory } from "./history.ts";
import { copyHistoryRows } from "./history_rows.ts";
import { copySource } from "./sqlite_source.ts";

/** SQLite's files, and that of `log_owner.ts`, beside the database. */
const SUFFIXES = ["", "-wal", "-shm", "-owner", "-journal"];
/** How often it is checked whether records cannot be committed. */
const CHECK_INTERVAL_MS = 100;
/** Larger files are not read to describe them: that would take seconds. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/**
 * Prepares a file.
 *
 * @param path the file; its folder is created if the one above exists
 * @param force true to replace a file that has a map
 * @throws {StoreError} if it has a map, a server uses it, or it cannot be
 * created
 */
export async function openSqliteTarget(
  path: string,
  force: boolean,
): Promise<CopyTarget> {
  createDirectoryOf(path);
  await assertReplaceable(path, force);
  const next = `${path}.new`;
  try {
    createFile(next);
  } catch (error) {
    throw newFileError(path, next, error);
  }
  const { SqliteStore } = await import("../sqlite.ts");
  const open = () => {
    try {
      return new SqliteStore({ path: next, durability: "fsync" });
    } catch (error) {
      throw storeErrorOf(next, error);
    }
  };
  let store: ReturnType<typeof open>;
  try {
    store = open();
  } catch (error) {
    await removeFiles(next);
    throw error;
  }
  return {
    owners: ["broker", "zones", "home-assistant", "zone-memories"],
    begin: () => {
      const map = new OccupancyMap();
      store.load(map);
      return Promise.resolve(map);
    },
    write: async (map, { records, lastAlive }, owners) => {
      for (const owner of owners) {
        // Before the first change, as the interface requires.
        for (const _ of store.records.load(owner));
        for (const [id, value] of records?.load(owner) ?? []) {
          const copy = Uint8Array.from(value);
          store.records.replace(id, () => copy); // keeps its id
        }
      }
      const now = Date.now();
      store.commit([
        { kind: "configure", now, ageing: map.ageing },
        ...lastAlive === undefined
          ? []
          : [{ kind: "alive", now: lastAlive } as const],
      ]);
      store.checkpoint(map);
      await recordsCommitted(store.records, () => store.problem());
    },
    writeHistory: async (history, signal) => {
      if (isOfFile(history)) {
        const summary = summarizeHistory(history);
        await copyHistory(history, store.history, signal);
        return summary;
      }
      const commit = (work: HistoryWork) => {
        store.historyWork = work;
        return store.commitHistory(Infinity);
      };
      return await copyHistoryRows(history, commit, signal)
        .finally(() => store.historyWork = undefined);
    },
    read: () => {
      store.close();
      store = open();
      const map = new OccupancyMap();
      store.load(map);
      return Promise.resolve({ map, extras: store });
    },
    complete: async () => {
      store.close();
      // Again: a server may have been started meanwhile.
      await assertReplaceable(path, force);
      const kept = await keepPresent(path);
      await Deno.rename(next, path);
      await syncFolder(path);
      return kept && `The file before is now ${kept}`;
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await removeFiles(next);
    },
  };
}

/** Removes a database and the files beside it. */
async function removeFiles(path: string): Promise<void> {
  for (const suffix of SUFFIXES) {
    await Deno.remove(path + suffix).catch(() => {}); // mostly not there
  }
}

async function recordsCommitted(
  records: Records,
  problem: () => StoreError | undefined,
): Promise<void> {
  const committed = new Promise<void>((resolve) =>
    records.afterCommit(() => resolve())
  );
  while (!await doneWithin(committed, CHECK_INTERVAL_MS)) {
    const error = problem();
    if (error !== undefined) throw error;
  }
}

/** @throws {StoreError} unless the file is missing, empty, or may be replaced */
async function assertReplaceable(path: string, force: boolean): Promise<void> {
  const info = await Deno.lstat(path).catch(() => undefined);
  const hasLog = await Deno.lstat(`${path}-wal`).then(
    ({ size }) => size > 0,
    () => false,
  );
  if (info === undefined && !hasLog) return;
  if (info !== undefined && !info.isFile) {
    throw new StoreError(
      `Cannot write ${path}: it is ${
        info.isDirectory ? "a directory" : "no plain file"
      }`,
      { hint: "Name a new file." },
    );
  }
  if (info !== undefined && await isInUse(path)) {
    throw new StoreError(`Cannot replace ${path}: a running server uses it`, {
      hint: "Stop the server, or name a new file.",
    });
  }
  if (force || (info?.size === 0 && !hasLog)) return;
  throw new StoreError(`Cannot write ${path}: ${await describe(path)}`, {
    hint:
      "Name a new file. --force replaces this one, and keeps it under another name.",
  });
}

/** What is in the file: `it has a map of 3 cells`. */
async function describe(path: string): Promise<string> {
  const unknown = "there is a file already"; // perhaps damaged, or foreign
  try {
    if ((await Deno.stat(path)).size > MAX_READ_BYTES) return unknown;
    await using copy = await copySource(path, directoryOf(path));
    const store = await copy.open(() => {});
    try {
      const map = new OccupancyMap();
      await store.load(map);
      return `it has a map of ${plural(map.size, "cell")}`;
    } finally {
      await store.close();
    }
  } catch {
    return unknown;
  }
}

/** Renames the present files. Returns the new name; undefined without files. */
async function keepPresent(path: string): Promise<string | undefined> {
  const time = new Date().toISOString().replace(/\.\d+|[-:]/g, "");
  const kept = `${path}.before-${time}`;
  let any = false;
  for (const suffix of SUFFIXES) {
    try {
      // The log of a database must never lie beside another one.
      await Deno.rename(path + suffix, kept + suffix);
      any = true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return any ? kept : undefined;
}

/** After this the new name survives a power loss. */
async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(directoryOf(path));
    await folder.sync();
  } catch {
    // Windows cannot open a folder.
  }
}

function newFileError(path: string, next: string, error: unknown): StoreError {
  return new StoreError(
    error instanceof Deno.errors.AlreadyExists
      ? `Cannot write ${path}: there is a file ${next}`
      : `Cannot write ${path}: ${messageOf(error)}`,
    {
      hint: error instanceof Deno.errors.AlreadyExists
        ? `Another copy may be running. If none is, delete ${next}.`
        : "Choose another file, or check the permissions of its folder.",
      cause: error,
    },
  );
}

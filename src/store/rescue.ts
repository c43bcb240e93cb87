/**
 * Saves the content of a database whose file was removed, moved or replaced
 * while it was open.
 *
 * @module
 */
import { backup, type DatabaseSync } from "node:sqlite";
import { messageOf } from "../common/errors.ts";
import { createDirectoryOf } from "./location.ts";
import { createFile } from "./sqlite_file.ts";
import type { StoreFiles } from "./store_files.ts";

/** Names to try for a file. */
const MAX_ATTEMPTS = 100;

/**
 * Saves an open database as a new file: at its path if that is free, else
 * beside it. Never throws.
 *
 * @param db the open database
 * @param path where its file was
 * @param files the state of its files
 * @param report receives a line about the result
 */
export async function rescueDatabase(
  db: DatabaseSync,
  path: string,
  files: StoreFiles,
  report: (line: string) => void,
): Promise<void> {
  let copy = `${path}.saved-${timestamp()}`;
  try {
    createDirectoryOf(path);
    copy = createFree(copy);
    await backup(db, copy);
    const hasOtherLog = !files.removeLog();
    const isFree = files.databaseDifference() === "missing" && !hasOtherLog;
    if (isFree) {
      Deno.renameSync(copy, path);
      report(`${path} was removed or moved: saved the map in a new file there`);
    } else {
      report(
        `${path} was replaced by another file: saved the map in ${copy}. To use it, stop the server and move it to ${path}`,
      );
    }
  } catch (error) {
    report(
      `${path} was removed or moved, and the map cannot be saved in ${copy}: ${
        messageOf(error)
      }`,
    );
  }
}

/**
 * Creates an empty file: another user of the folder may have made a link of that
 * name, so that the map would be written to the file behind it.
 *
 * @param path if it is not free, `path-2` is used, and so on
 * @returns the path of the file
 */
function createFree(path: string): string {
  for (let n = 1;; n++) {
    const free = n === 1 ? path : `${path}-${n}`;
    try {
      createFile(free);
      return free;
    } catch (error) {
      const isTaken = error instanceof Deno.errors.AlreadyExists;
      if (!isTaken || n === MAX_ATTEMPTS) throw error;
    }
  }
}

/** The present time for a file name, in UTC: `20260131T080000Z`. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+|[-:]/g, "");
}

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
  const copy = `${path}.saved-${timestamp()}`;
  try {
    createDirectoryOf(path);
    createFile(copy);
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

/** The present time for a file name, in UTC: `20260131T080000Z`. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+|[-:]/g, "");
}

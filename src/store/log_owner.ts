/**
 * Records which database a write-ahead log belongs to.
 *
 * A server that notices that its database was replaced empties the log. If it
 * is killed before that, SQLite would write the log of the old database over
 * the new one at the next start.
 *
 * So a file beside the log, `PATH-owner`, has the inodes of both while a server
 * runs. A copy of both files on another file system has other inodes: only a
 * known log beside an unknown database is an error. Devices are not compared,
 * because their numbers may change with a restart of the machine.
 *
 * @module
 */
import { replacedDatabaseError } from "./sqlite_errors.ts";

/** Only the user of the server may read it, as the store. */
const FILE_MODE = 0o600;

/**
 * Checks that the log belongs to the database, if that is known.
 *
 * @param path the database, which is not open
 * @throws {StoreError} if the log is that of another database
 */
export function checkLogOwner(path: string): void {
  const log = stat(`${path}-wal`);
  const database = stat(path);
  if (log === undefined || log.size === 0 || database === undefined) return;
  const [ownerInode, logInode] = readOwner(ownerFile(path));
  if (
    ownerInode === undefined || logInode !== log.ino ||
    ownerInode === database.ino
  ) return;
  throw replacedDatabaseError(path);
}

/**
 * Records that the log belongs to the database. Without the record, for example
 * on a full disk, the check is left out.
 *
 * @param path the open database
 */
export function recordLogOwner(path: string): void {
  const inodes = [path, `${path}-wal`].map((file) => stat(file)?.ino);
  if (inodes.some((inode) => typeof inode !== "number")) return;
  try {
    removeLogOwner(path);
    // Does not follow a link that another user of the folder has made.
    using file = Deno.openSync(ownerFile(path), {
      write: true,
      createNew: true,
      mode: FILE_MODE,
    });
    file.writeSync(new TextEncoder().encode(`${inodes.join(" ")}\n`));
  } catch {
    // The next start cannot check the log.
  }
}

/**
 * Removes the record if the database has no log: after a clean end.
 *
 * @param path the database, which is closed
 */
export function forgetLogOwner(path: string): void {
  if (stat(`${path}-wal`) === undefined) removeLogOwner(path);
}

function removeLogOwner(path: string): void {
  try {
    Deno.removeSync(ownerFile(path));
  } catch {
    // There is none, or it cannot be removed.
  }
}

function ownerFile(path: string): string {
  return `${path}-owner`;
}

/** Returns two inodes; none if the file has other content. */
function readOwner(path: string): (number | undefined)[] {
  try {
    const match = /^(\d+) (\d+)\n$/.exec(Deno.readTextFileSync(path));
    return match === null ? [] : match.slice(1).map(Number);
  } catch {
    return [];
  }
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Checks if a running server uses a database file, without leaving new files.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/**
 * Returns true if a running server uses a database file: it holds SQLite's
 * exclusive lock on the file, and has a `-wal` file beside it.
 *
 * @param path the database file
 */
export async function isInUse(path: string): Promise<boolean> {
  // Without this check, SQLite would create missing `-wal` and `-shm` files.
  if (!await exists(`${path}-wal`)) return false;
  const hadShm = await exists(`${path}-shm`);
  const locked = isLocked(path);
  // Created by SQLite if the server was killed.
  if (!locked && !hadShm) await Deno.remove(`${path}-shm`).catch(() => {});
  return locked;
}

function isLocked(path: string): boolean {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec("PRAGMA busy_timeout = 0");
    db.prepare("SELECT 1 FROM sqlite_schema").get();
    return false;
  } catch (error) {
    return /database is locked/.test(String((error as Error).message));
  } finally {
    db.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

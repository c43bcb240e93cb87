import { DatabaseSync } from "node:sqlite";

/**
 * True if another process holds an SQLite file for itself, as a running server
 * does. The file is opened for reading only and does not change.
 */
export function isLocked(path: string): boolean {
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

/**
 * Checks that the path of a store still leads to the files that SQLite has
 * open: the database and its write-ahead log.
 *
 * A file that was removed, moved or replaced stays usable for the process that
 * has it open: SQLite would go on committing to a file that no later start
 * finds.
 *
 * @module
 */
import { vanishedError } from "./sqlite_errors.ts";
import type { StoreError } from "./store.ts";

/** Minimum time between two checks while the files are in place, in ms. */
const CHECK_INTERVAL_MS = 500;

/**
 * Device and inode of a file. A path that leads to the same inode proves that
 * the file still has a name, so its link count is not needed.
 */
interface FileId {
  readonly dev: number;
  readonly ino: number | null;
}

/** How a file differs from the open one. */
type Difference = "missing" | "replaced";

/** The files of an open store. */
export class StoreFiles {
  readonly #path: string;
  readonly #walPath: string;
  readonly #database: FileId | undefined;
  readonly #wal: FileId | undefined;
  #checkedAt = -Infinity;
  #problem: StoreError | undefined;

  /** @param path the database, which SQLite has open together with its log */
  constructor(path: string) {
    this.#path = path;
    this.#walPath = `${path}-wal`;
    this.#database = idOf(path);
    this.#wal = idOf(this.#walPath);
  }

  /**
   * Checks the files, at most twice a second while they are in place.
   *
   * @returns why nothing may be stored; undefined while both files are in place
   */
  check(): StoreError | undefined {
    const now = performance.now();
    if (
      this.#problem === undefined && now - this.#checkedAt < CHECK_INTERVAL_MS
    ) return undefined;
    this.#checkedAt = now;
    const database = this.databaseDifference();
    const difference = database ?? differenceOf(this.#walPath, this.#wal);
    this.#problem = difference === undefined ? undefined : vanishedError(
      this.#path,
      database === undefined ? "log" : "database",
      difference,
    );
    return this.#problem;
  }

  /** How the path differs from the open database; undefined if it does not. */
  databaseDifference(): Difference | undefined {
    return differenceOf(this.#path, this.#database);
  }

  /**
   * Removes the log of the open database, if it is still there. SQLite leaves
   * it when the database was moved; another database must not find it.
   *
   * @returns false if there is a log of another database
   */
  removeLog(): boolean {
    const difference = differenceOf(this.#walPath, this.#wal);
    if (difference === undefined) Deno.removeSync(this.#walPath);
    return difference !== "replaced";
  }
}

function differenceOf(
  path: string,
  expected: FileId | undefined,
): Difference | undefined {
  const actual = idOf(path);
  if (actual === undefined) return "missing";
  return actual.dev === expected?.dev && actual.ino === expected.ino
    ? undefined
    : "replaced";
}

/** Returns undefined if the path leads to no file. */
function idOf(path: string): FileId | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return { dev, ino };
  } catch {
    return undefined;
  }
}

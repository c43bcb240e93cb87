/**
 * Reads rows of the database, in pages and with their checksums checked, and
 * runs transactions.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type {
  DatabaseSync,
  SQLInputValue,
  SQLOutputValue,
  StatementSync,
} from "node:sqlite";

const PAGE_ROWS = 250;

/**
 * Reads rows in the order of their id, in pages. Does not use `iterate()`: in
 * Deno 2.9.6 it ends silently on an error, so that a damaged file would give a
 * smaller map.
 *
 * @param sql selects `id` and other columns, sorted by id. First parameter: the
 * id after which to continue; second: the maximum number of rows
 * @param start the first parameter of the first page
 */
export function* readRows(
  db: DatabaseSync,
  sql: string,
  start: number,
): Generator<Record<string, SQLOutputValue>> {
  const page = db.prepare(sql);
  let last: SQLOutputValue = start;
  while (true) {
    const rows: Record<string, SQLOutputValue>[] = page.all(last, PAGE_ROWS);
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
    last = rows.at(-1)!.id!;
  }
}

/**
 * Returns the bytes of a row if they match its checksum. SQLite itself has no
 * checksums and would return the changed bytes of a bad disk.
 *
 * @param row has `id`, `bytes`, and `crc32`: their CRC-32, or null for rows of
 * schema 1
 * @param suffix what the CRC-32 includes after the bytes
 * @throws {RangeError} if the bytes differ from what was written
 */
export function checkedBytes(
  { id, bytes, crc32: expected }: Record<string, SQLOutputValue>,
  suffix = "",
): Uint8Array {
  if (
    !(bytes instanceof Uint8Array) ||
    (expected !== null && crc32(suffix, crc32(bytes)) !== expected)
  ) {
    throw new RangeError(`row ${id} has a wrong checksum`);
  }
  return bytes;
}

/**
 * Runs a statement that returns no rows. In Deno 2.9.6 the results of
 * `StatementSync.run` take more time than to write a row, and many of them tens
 * of megabytes, until garbage is collected.
 *
 * @throws {Error} as `StatementSync.run`
 */
export function execute(
  statement: StatementSync,
  ...parameters: SQLInputValue[]
): void {
  statement.get(...parameters);
}

/** Runs work in a transaction. Rolls it back if that throws. */
export function runTransaction(db: DatabaseSync, work: () => void): void {
  try {
    db.exec("BEGIN");
    work();
    db.exec("COMMIT");
  } catch (error) {
    // SQLite may have done so.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Returns the size of all chunks, in bytes. */
export function chunkBytes(db: DatabaseSync): number {
  const sql = "SELECT sum(length(tiles)) AS bytes FROM chunk";
  return Number(db.prepare(sql).get()!.bytes);
}

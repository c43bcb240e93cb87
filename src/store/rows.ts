import { crc32 } from "node:zlib";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";

/** Rows read at a time. */
const PAGE_ROWS = 250;

/**
 * Reads rows in the order of their id, some at a time. Not by iterate(): in Deno
 * 2.9.6 it takes an error in the middle for the end of the rows, and a damaged
 * file would read as a smaller map.
 *
 * @param sql Selects `id` and more, with two parameters: the id behind which, in
 * its order, to go on, and how many rows
 * @param start The first of these ids
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
 * The bytes of a row. SQLite has no checksums of its own: a disk that gives back
 * something else would otherwise be believed.
 *
 * @param row has `bytes`, and their `crc32` or null
 * @throws {RangeError} if they are not as they were written
 */
export function checkedBytes(
  { id, bytes, crc32: expected }: Record<string, SQLOutputValue>,
): Uint8Array {
  const found = bytes instanceof Uint8Array ? bytes : undefined;
  if (
    found === undefined || (expected !== null && crc32(found) !== expected)
  ) {
    throw new RangeError(`row ${id} is not as it was written`);
  }
  return found;
}

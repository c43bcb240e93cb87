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

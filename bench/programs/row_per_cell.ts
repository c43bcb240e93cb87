/**
 * The usual durable server: SQLite with one row per cell. It uses our parser,
 * and one transaction for all messages received together, as our server does.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { DatabaseSync } from "node:sqlite";
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { countProcessed, options } from "./marks.ts";
import { subscribe } from "./subscribe.ts";

const db = new DatabaseSync(`${options.folder}/rows.sqlite`);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
db.exec(`CREATE TABLE cell (
  x INTEGER, y INTEGER, value INTEGER, time REAL, PRIMARY KEY (x, y)
) WITHOUT ROWID`);
const upsert = db.prepare(
  `INSERT INTO cell VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
   SET value = excluded.value, time = excluded.time WHERE excluded.time >= time`,
);
const batch = new ReadingBatch();
let messages = 0;

function commit(): void {
  const now = Date.now();
  db.exec("BEGIN");
  for (let i = 0; i < batch.length; i++) {
    upsert.run(batch.x[i]!, batch.y[i]!, batch.value[i]!, now);
  }
  db.exec("COMMIT");
  batch.clear();
  countProcessed(messages);
  messages = 0;
}

await subscribe((payload) => {
  parseReadings(payload, batch);
  if (++messages === 1) setImmediate(commit);
});

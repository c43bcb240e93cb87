/**
 * Writes a store with many cells and closes it cleanly.
 *
 * @module
 */
import type { StoreContents } from "../cases/start_cases.ts";
import { Readings } from "../harness/packets.ts";

const BATCH = 100_000;
const { path, cells, order, root }: StoreContents = JSON.parse(Deno.args[0]!);

// The store is written by the code of the checkout that will read it.
const from = root === undefined
  ? new URL("../../src/", import.meta.url).href
  : `file://${root}src/`;
const { OccupancyMap }: typeof import("../../src/grid/mod.ts") = await import(
  `${from}grid/mod.ts`
);
const { SqliteStore }: typeof import("../../src/store/sqlite.ts") =
  await import(`${from}store/sqlite.ts`);
const { applyEntry }: typeof import("../../src/store/store.ts") = await import(
  `${from}store/store.ts`
);

const store = new SqliteStore({ path, durability: "commit" });
const map = new OccupancyMap();
store.load(map);
const readings = new Readings({
  topic: "",
  qos: 0,
  messages: 0,
  readingsPerMessage: BATCH,
  cells,
  order,
});
for (let n = 0; n < cells; n += BATCH) {
  const x = new Int32Array(BATCH);
  const y = new Int32Array(BATCH);
  const value = new Int32Array(BATCH);
  for (let i = 0; i < BATCH; i++) {
    readings.seek(n + i);
    x[i] = readings.x;
    y[i] = readings.y;
    value[i] = i % 3;
  }
  const now = Date.now();
  const time = new Float64Array(BATCH).fill(now);
  const columns = { length: BATCH, x, y, value, time };
  const entry = {
    kind: "apply",
    layer: "default",
    now,
    readings: columns,
  } as const;
  store.commit([entry]);
  applyEntry(map, entry);
  store.applied(map);
}
store.close(map);

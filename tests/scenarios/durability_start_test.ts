/** A server with a million cells on disk is soon there, whether it ended well or not. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { commitAndApply, readingsEntry } from "../store/support.ts";

const CELLS = 1_000_000;
const A_COMMIT = 10_000;
const SIDE = 1000;
const DEADLINE = 3000; // ms
const NOW = 1_760_000_000_000;

for (const end of ["closed", "killed"] as const) {
  Deno.test({
    name:
      `a million cells on disk, ${end}: the server is ready within ${DEADLINE} ms`,
    ...needs(),
    fn: async () => {
      await using folder = await tempDir();
      const path = `${folder.path}/map.sqlite`;
      await fill(path, end === "closed");
      const start = performance.now();
      await using server = occupancy([
        "server",
        "--listen",
        "127.0.0.1:0",
        "--store",
        `sqlite:${path}`,
      ]);
      await server.said(/Ready/);
      const passed = Math.round(performance.now() - start);
      assert.match(server.stderr, /Map: 1000000 cells/);
      assert.ok(passed < DEADLINE, `${passed} ms`);
    },
  });
}

/** Without an orderly end, the last of it is in the journal. */
async function fill(path: string, orderly: boolean): Promise<void> {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const store = new SqliteStore({ path, durability: "commit" });
  const map = new OccupancyMap();
  store.load(map);
  for (let from = 0; from < CELLS; from += A_COMMIT) {
    const rows = Array.from({ length: A_COMMIT }, (_, i) => {
      const n = from + i;
      return [n % SIDE, Math.trunc(n / SIDE), n % 3, NOW + n] as const;
    });
    commitAndApply(store, map, readingsEntry(NOW + CELLS, rows));
  }
  assert.equal(map.size, CELLS);
  store.close(orderly ? map : undefined);
}

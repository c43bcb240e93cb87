/** A server with a million cells on disk starts fast, after a stop and after a kill. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { commitAndApply, readingsEntry } from "../store/support.ts";

const CELLS = 1_000_000;
const COMMIT_CELLS = 10_000;
const SIDE = 1000;
const DEADLINE_MS = 3000;
const NOW = 1_760_000_000_000;

for (const end of ["closed", "killed"] as const) {
  Deno.test({
    name:
      `a million cells on disk, ${end}: the server is ready within ${DEADLINE_MS} ms`,
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
      await server.waitFor(/Ready/);
      const elapsed = Math.round(performance.now() - start);
      assert.match(server.stderr, /Map: 1000000 cells/);
      assert.ok(elapsed < DEADLINE_MS, `${elapsed} ms`);
    },
  });
}

/** Fills the store. If it is not closed, its latest entries are in the journal. */
async function fill(path: string, close: boolean): Promise<void> {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const store = new SqliteStore({ path, durability: "commit" });
  const map = new OccupancyMap();
  store.load(map);
  for (let from = 0; from < CELLS; from += COMMIT_CELLS) {
    const rows = Array.from({ length: COMMIT_CELLS }, (_, i) => {
      const n = from + i;
      return [n % SIDE, Math.trunc(n / SIDE), n % 3, NOW + n] as const;
    });
    commitAndApply(store, map, readingsEntry(NOW + CELLS, rows));
  }
  assert.equal(map.size, CELLS);
  store.close(close ? map : undefined);
}

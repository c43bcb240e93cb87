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
/** Of the processor, so that other processes do not count. */
const MAX_CPU_MS = 3000;
const TICK_MS = 10;
const NOW = 1_760_000_000_000;

for (const end of ["closed", "killed"] as const) {
  Deno.test({
    name:
      `a million cells on disk, ${end}: the server is ready after at most ${MAX_CPU_MS} ms of the processor`,
    ignore: needs().ignore || Deno.build.os !== "linux",
    fn: async () => {
      await using folder = await tempDir();
      const path = `${folder.path}/map.sqlite`;
      await fill(path, end === "closed");
      await using server = occupancy([
        "server",
        "--listen",
        "127.0.0.1:0",
        "--store",
        `sqlite:${path}`,
      ]);
      await server.waitFor(/Ready/);
      const used = cpuMs(server.pid);
      assert.match(server.stderr, /Map: 1000000 cells/);
      assert.ok(used < MAX_CPU_MS, `${used} ms`);
    },
  });
}

/** Returns the time of the processor that a process has used, in ms. */
function cpuMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // After the name in parentheses: utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
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

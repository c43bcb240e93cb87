/** How long the steps of a large checkpoint take: each is a part of one turn. */
import assert from "node:assert/strict";
import process from "node:process";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { CheckpointTarget } from "../../src/store/checkpoint_target.ts";
import { Checkpointer } from "../../src/store/checkpointer.ts";

const T0 = 1_700_000_000_000;
/** The goal of the server for a turn of the event loop, in ms. */
const MAX_TURN_MS = 50;

Deno.test({
  name: "no step of a checkpoint of three million scattered tiles is long",
  permissions: "none",
  fn() {
    const tiles = 3_000_000;
    const batch = 4096;
    const map = new OccupancyMap();
    const fill = (from: number, to: number, now: number) => {
      const x = new Int32Array(batch);
      const y = new Int32Array(batch);
      const value = new Int32Array(batch).fill(now % 5);
      const time = new Float64Array(batch).fill(now);
      for (let i = from; i < to; i += batch) {
        for (let j = 0; j < batch; j++) {
          x[j] = 32 * ((i + j) % 2000);
          y[j] = 32 * Math.floor((i + j) / 2000);
        }
        map.apply("default", { length: batch, x, y, value, time }, now);
      }
    };
    const target: CheckpointTarget<number> = {
      insertChunk() {},
      deleteChunk() {},
      writeMeta() {},
      deleteJournal: (_from, to) => to,
    };
    const checkpointer = new Checkpointer(target, 0);
    let longest = 0;
    const timed = (work: () => void) => {
      const [wall, cpu] = [performance.now(), cpuMs()];
      work();
      const ms = Math.min(performance.now() - wall, cpuMs() - cpu);
      longest = Math.max(longest, ms);
    };
    fill(0, tiles, T0);
    for (let position = 1; position <= 3; position++) {
      timed(() => checkpointer.begin(map.only, { position }));
      while (checkpointer.hasWork) {
        timed(() => {
          checkpointer.step(0.002);
          checkpointer.stepCommitted();
        });
      }
      // Most of what is stored becomes garbage.
      for (let i = 0; i < tiles; i += 3 * batch) {
        fill(i, i + 2 * batch, T0 + position);
      }
    }
    assert.ok(longest < MAX_TURN_MS, `a step took ${longest} ms`);
  },
});

/** Processor time of this thread, in ms, in steps of 10 ms. */
function cpuMs(): number {
  // Deno has it; its types of Node.js do not.
  const { threadCpuUsage } = process as unknown as {
    threadCpuUsage(): { user: number; system: number };
  };
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}

/** The history of a server that is killed under load has all that it acknowledged. */
import assert from "node:assert/strict";
import { runHistoryChaos } from "../chaos/history.ts";
import { needs } from "../support/needs.ts";

/** `deno task chaos` sends 60,000. */
const READINGS = 20_000;
const KILLS = 4;

Deno.test({
  name:
    `after ${KILLS} kills, the history at each second is that of the acknowledged readings`,
  ...needs(),
  fn: async () => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const report = await runHistoryChaos({
      readings: READINGS,
      kills: KILLS,
      seed,
    });
    assert.deepEqual(report.wrong, [], `seed ${seed}`);
    assert.ok(report.compared > 1_000_000);
    assert.equal(report.recoveries.length, KILLS + 1);
  },
});

/** Killed again and again under load: nothing that was acknowledged is gone. */
import assert from "node:assert/strict";
import { runChaos } from "../chaos/chaos.ts";
import { needs } from "../support/needs.ts";
import { BROKERS } from "../support/system.ts";

/** `deno task chaos` does 60,000. */
const READINGS = 20_000;
const KILLS = 5;

for (const broker of BROKERS) {
  Deno.test({
    name:
      `a server over ${broker} that is killed ${KILLS} times under load loses nothing`,
    ...needs("mosquitto"),
    fn: async () => {
      const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
      const report = await runChaos({
        broker,
        readings: READINGS,
        kills: KILLS,
        seed,
      });
      const again = `deno task chaos --readings ${READINGS} --seed ${seed}`;
      assert.deepEqual(report.lost, [], `lost; again with ${again}`);
      assert.deepEqual(report.invented, [], `invented; again with ${again}`);
      assert.equal(report.acknowledged, READINGS);
      assert.equal(report.recoveries.length, KILLS);
    },
  });
}

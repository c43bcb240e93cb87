/** A server that is killed repeatedly under load loses no acknowledged reading. */
import assert from "node:assert/strict";
import { runChaos } from "../chaos/chaos.ts";
import { needs } from "../support/needs.ts";
import { BROKERS } from "../support/system.ts";

/** `deno task chaos` sends 60,000. */
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
      const command = `deno task chaos --readings ${READINGS} --seed ${seed}`;
      assert.deepEqual(report.lost, [], `lost; repeat with ${command}`);
      assert.deepEqual(report.invented, [], `invented; repeat with ${command}`);
      assert.deepEqual(
        report.undelivered,
        [],
        `not delivered; repeat with ${command}`,
      );
      assert.equal(report.acknowledged, READINGS);
      assert.equal(report.recoveries.length, KILLS);
    },
  });
}

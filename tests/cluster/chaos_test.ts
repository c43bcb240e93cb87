/**
 * Servers of a group are killed, a master of Redis too, and one stands still:
 * nothing that was acknowledged is lost. `deno task chaos --cluster` has the
 * same with 60,000 readings.
 */
import assert from "node:assert/strict";
import { runClusterChaos } from "../chaos/cluster/cluster.ts";
import { problemsOf } from "../chaos/cluster/main.ts";
import { needs } from "../support/needs.ts";

const SIZES = { readings: 6000, kills: 3, seconds: 25 };

Deno.test({
  name:
    "a group of servers on a Redis Cluster: servers killed, a master killed, a master that stands still: nothing is lost, each request is answered once",
  ...needs("redis-server", "redis-cli", "mosquitto"),
  fn: async () => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const report = await runClusterChaos({ ...SIZES, seed });
    const { readings, kills, seconds } = SIZES;
    const command =
      `deno task chaos --cluster --readings ${readings} --kills ${kills} --seconds ${seconds} --seed ${seed}`;
    assert.deepEqual(problemsOf(report), [], `repeat with ${command}`);
    assert.equal(report.acknowledged, readings);
    assert.equal(report.failures.length, kills + 2);
    const { requests, refused, unanswered } = report;
    // While a master of Redis is away, the answer is an error.
    const good = requests - refused - unanswered;
    assert.ok(good > 100, `${good} of ${requests} answered without an error`);
  },
});

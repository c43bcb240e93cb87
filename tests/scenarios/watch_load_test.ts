/**
 * Watchers under load, with both brokers. `bench/watch_load.ts` is the benchmark
 * at full size.
 */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { residentMiB, watchLoad } from "../support/watch_load.ts";

for (const kind of BROKERS) {
  Deno.test({
    name:
      `watch over ${kind}: 5 watchers receive 100,000 changes per second, none lost`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(kind);
      const results = await watchLoad({
        url: system.url,
        watchers: 5,
        cells: 10_000,
        perSecond: 10,
        seconds: 3,
      });
      for (const watcher of results) {
        assert.equal(watcher.wrong, 0);
        assert.equal(watcher.cells, 10_000);
        assert.equal(watcher.snapshots, 1);
        assert.equal(watcher.requests, 1, "no delta was lost");
      }
      assert.equal(system.server.stats.requests, 5);
    },
  });
}

Deno.test({
  name:
    "watch: a client that does not read is disconnected, and does not delay watchers",
  ignore: needs().ignore || Deno.build.os !== "linux",
  fn: async () => {
    const port = freePort();
    await using server = occupancy([
      "server",
      "--listen",
      `127.0.0.1:${port}`,
      "--mqtt-unsent",
      "256KiB",
    ]);
    await server.waitFor(/Ready/);
    await using frozen = await RawConnection.open(port, "frozen");
    await frozen.subscribe("occupancy/changes");
    frozen.freeze();
    const before = residentMiB(server.pid)!;
    const [watcher] = await watchLoad({
      url: `mqtt://127.0.0.1:${port}`,
      watchers: 1,
      cells: 10_000,
      perSecond: 20,
      seconds: 9,
    });
    const after = residentMiB(server.pid)!;
    assert.equal(watcher!.wrong, 0);
    assert.equal(watcher!.requests, 1, "no delta was lost");
    assert.ok(watcher!.worstLagMs < 3000, `${watcher!.worstLagMs} ms behind`);
    assert.ok(after - before < 200, `from ${before} to ${after} MiB`);
    await until(() => /Disconnected the client "frozen"/.test(server.stderr), {
      what: () => `the frozen client to be disconnected: ${server.stderr}`,
    });
  },
});

/**
 * Watchers with real brokers: none falls behind, one that does not read costs
 * the server bounded memory and holds nobody up. `bench/watch_load.ts` is the
 * same at full size.
 */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { encodeConnect, encodeSubscribe } from "../support/packets.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { residentMiB, watchLoad } from "../support/watch_load.ts";

for (const kind of BROKERS) {
  Deno.test({
    name:
      `watch: ${kind}: 10 times a second 10,000 changes, 5 watchers: none falls behind, nothing is missed`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(kind);
      const followed = await watchLoad({
        url: system.url,
        watchers: 5,
        cells: 10_000,
        perSecond: 10,
        seconds: 3,
      });
      for (const watcher of followed) {
        assert.equal(watcher.wrong, 0);
        assert.equal(watcher.cells, 10_000);
        assert.equal(watcher.snapshots, 1);
        assert.equal(watcher.asked, 1, "no delta was missing");
        assert.ok(watcher.worstLag < 2000, `${watcher.worstLag} ms behind`);
      }
      assert.equal(system.server.stats.requests, 5);
    },
  });
}

Deno.test({
  name:
    "watch: one that does not read is cut off, costs bounded memory, and holds nobody up",
  ignore: needs().ignore || Deno.build.os !== "linux",
  fn: async () => {
    const port = freePort();
    await using server = occupancy([
      "server",
      "--listen",
      `127.0.0.1:${port}`,
    ]);
    await server.said(/Ready/);
    using frozen = await freeze(port);
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
    assert.equal(watcher!.asked, 1, "no delta was missing");
    assert.ok(watcher!.worstLag < 3000, `${watcher!.worstLag} ms behind`);
    assert.ok(after - before < 200, `from ${before} to ${after} MiB`);
    await until(() => /Disconnected frozen/.test(server.stderr), {
      what: () => `the frozen client to be disconnected: ${server.stderr}`,
    });
    assert.ok(frozen);
  },
});

/** A client that wants all changes, and then reads nothing. */
async function freeze(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(encodeConnect("frozen"));
  await connection.read(new Uint8Array(4)); // CONNACK
  await connection.write(encodeSubscribe("occupancy/changes"));
  await connection.read(new Uint8Array(5)); // SUBACK
  return connection;
}

/** A watch of zones, of a server that is killed and restarted. */
import assert from "node:assert/strict";
import { squareFeature } from "../server/zones/support.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { BROKERS } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const ROUNDS = 3;

/** GeoJSON of square zones beside each other. */
function zonesFile(...names: string[]): string {
  const features = names.map((name, i) => squareFeature(name, [4 * i, 0, 4]));
  return JSON.stringify({ type: "FeatureCollection", features });
}

for (const kind of BROKERS) {
  Deno.test({
    name:
      `watch of zones over ${kind}: no old state, no removed zone, although the server is killed ${ROUNDS} times`,
    ...needs("mosquitto"),
    fn: async () => {
      const { connect } = await import("../../src/mod.ts");
      const { startMosquitto } = await import("../support/mosquitto.ts");
      await using folder = await tempDir();
      const file = `${folder.path}/zones.geojson`;
      await Deno.writeTextFile(file, zonesFile("lobby", "cafe"));
      await using stack = new AsyncDisposableStack();
      const port = kind === "embedded"
        ? freePort()
        : stack.use(await startMosquitto()).port;
      const start = async () => {
        const server = occupancy([
          "server",
          kind === "embedded" ? "--listen" : "--broker",
          `127.0.0.1:${port}`,
          ...["--store", `sqlite:${folder.path}/map.db`, "--zones", file],
        ]);
        await server.waitFor(/Ready/);
        return server;
      };
      let server = await start();
      stack.defer(() => server[Symbol.asyncDispose]());
      await using client = await connect({
        broker: `mqtt://127.0.0.1:${port}`,
        timeout: 20_000,
      });
      const counts = new Map<string, number[]>();
      const removed: string[] = [];
      let snapshots = 0;
      const watching = (async () => {
        for await (const event of client.watchZones()) {
          if (event.kind === "event") continue;
          if (event.kind === "snapshot") snapshots++;
          else removed.push(...event.removed);
          for (const { zone, count } of event.zones) {
            counts.set(zone, [...counts.get(zone) ?? [], count]);
          }
        }
      })();
      const shown = (zone: string) => counts.get(zone)?.at(-1);
      await until(() => shown("cafe") === 0);
      for (let round = 1; round <= ROUNDS; round++) {
        await client.publish([{ x: 0, y: 0, value: 2 * round }]);
        await server[Symbol.asyncDispose](); // SIGKILL, perhaps before the state
        if (round === ROUNDS) {
          await Deno.writeTextFile(file, zonesFile("lobby"));
        }
        server = await start();
        await client.publish([{ x: 0, y: 0, value: 2 * round + 1 }]);
        await until(() => shown("lobby") === 2 * round + 1);
        const [lobby] = (await client.zones({ names: ["lobby"] })).zones;
        assert.equal(lobby?.count, 2 * round + 1);
      }
      await until(() => removed.length > 0);
      assert.deepEqual(removed, ["cafe"]);
      const all = counts.get("lobby")!;
      assert.deepEqual(all, [...new Set(all)].sort((a, b) => a - b));
      assert.equal(snapshots, 1);
      await client.close();
      await watching;
    },
  });
}

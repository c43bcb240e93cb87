/** Watchers of a server that is killed and restarted lose no change. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { BROKERS } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const ROUNDS = 3;

for (const kind of BROKERS) {
  Deno.test({
    name:
      `watch over ${kind}: one snapshot is sufficient while the server is killed ${ROUNDS} times`,
    ...needs("mosquitto"),
    fn: async () => {
      const { CellMap, connect } = await import("../../src/mod.ts");
      const { startMosquitto } = await import("../support/mosquitto.ts");
      await using folder = await tempDir();
      await using stack = new AsyncDisposableStack();
      const port = kind === "embedded"
        ? freePort()
        : stack.use(await startMosquitto()).port;
      const start = async () => {
        const server = occupancy([
          "server",
          kind === "embedded" ? "--listen" : "--broker",
          `127.0.0.1:${port}`,
          "--store",
          `sqlite:${folder.path}/map.db`,
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
      await client.publish([{ x: 0, y: 0, value: 1 }]);
      const kinds: string[] = [];
      let live: InstanceType<typeof CellMap> | undefined;
      const watching = (async () => {
        for await (const event of client.watch()) {
          kinds.push(event.kind);
          if (live === undefined) live = new CellMap(event);
          else live.apply(event);
        }
      })();
      await until(() => live?.size === 1);
      for (let round = 1; round <= ROUNDS; round++) {
        await client.publish([{ x: 0, y: 0, value: round + 1 }]);
        await server[Symbol.asyncDispose](); // SIGKILL, perhaps before the delta
        server = await start();
        await client.publish([{ x: round, y: round, value: round }]);
        await until(() => live!.get(round, round)?.value === round);
        assert.equal(live!.get(0, 0)!.value, round + 1);
        const { revision } = await client.request();
        await until(() => live!.revision === revision);
      }
      assert.equal(kinds.filter((kind) => kind === "snapshot").length, 1);
      await client.close();
      await watching;
    },
  });
}

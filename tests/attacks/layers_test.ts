/** Clients that create as many layers as they can. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy, type Running, runOccupancy } from "../support/processes.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

async function connect(url: string, clientId: string) {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const connection = new Connection({ url, clientId, subscriptions: [] });
  await connection.open({
    message: () => {},
    up: () => {},
    down: () => {},
    failed: () => {},
  });
  return {
    send: (layer: string, text: string) =>
      connection.publish(
        `occupancy/data/${layer}`,
        new TextEncoder().encode(text),
        { qos: 1 },
      ),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

const LAYERS = 10_000;

for (const broker of BROKERS) {
  Deno.test({
    name:
      `a client creates ${LAYERS} layers: the default layer is possible, a deleted layer makes room (${broker})`,
    ...needs(...(broker === "mosquitto" ? ["mosquitto"] as const : [])),
    fn: async () => {
      await using system = await startSystem(broker);
      const { map, server } = system;
      await using attacker = await connect(system.url, "attacker");
      await using good = await connect(system.url, "good");
      for (let first = 0; first < LAYERS + 100; first += 100) {
        const burst = Array.from({ length: 100 }, (_, i) => first + i);
        await Promise.all(burst.map((i) => attacker.send(`x${i}`, "1,1,1")));
      }
      const refused = () => server.stats.refused.get("too-many-layers") ?? 0;
      await until(() => map.layerCount === LAYERS && refused() === 100);
      await good.send("default", "1,2,3");
      await until(() => map.layer("default")?.get(1, 2)?.value === 3);
      await good.send("hall", "1,2,3");
      await until(() => refused() === 101);
      assert.notEqual(typeof server.deleteLayer("x17"), "string");
      await good.send("hall", "1,2,3");
      await until(() => map.layer("hall")?.get(1, 2)?.value === 3);
    },
  });
}

Deno.test({
  name:
    "layers of strangers go with --remove-after, known values stay, also after a kill",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const http = `127.0.0.1:${freePort()}`;
    const mqtt = `127.0.0.1:${freePort()}`;
    const start = async (): Promise<Running> => {
      const server = occupancy([
        ...["server", "--listen", mqtt, "--http", http],
        ...["--store", `sqlite:${dir.path}/map.sqlite`, "--max-layers", "50"],
        ...["--forget-after", "2s", "--remove-after", "1s"],
      ]);
      await server.waitFor(/Ready/);
      return server;
    };
    const list = async (): Promise<string[]> => {
      const { stdout } = await runOccupancy(["layers", "list", "--url", http]);
      return stdout.trim().split("\n").map((line) => line.split("\t")[0]!);
    };
    const send = async (layer: string, readings: string) => {
      await using client = await connect(`mqtt://${mqtt}`, "sensor");
      await client.send(layer, readings);
    };
    {
      await using server = await start();
      {
        await using attacker = await connect(`mqtt://${mqtt}`, "attacker");
        for (let i = 0; i < 100; i++) await attacker.send(`x${i}`, "1,1,1");
      }
      assert.equal((await list()).length, 50);
      // A sensor that works goes on reporting.
      const names = await until(async () => {
        await send("default", "1,2,3");
        const names = await list();
        return names.length === 1 && names;
      });
      assert.deepEqual(names, ["default"]);
      server.kill("SIGKILL");
      await server.ended();
    }
    await using server = await start();
    await send("default", "1,2,3");
    assert.deepEqual(await list(), ["default"]);
    await send("hall", "1,2,3");
    assert.deepEqual(await list(), ["default", "hall"]);
    const deleted = await runOccupancy([
      ...["layers", "delete", "--yes", "default", "--url", http],
    ]);
    assert.equal(deleted.code, 0, deleted.stderr);
    server.kill("SIGKILL"); // directly after the answer
    await server.ended();
    await using again = await start();
    assert.ok(!(await list()).includes("default"));
    again.kill("SIGTERM");
    assert.equal((await again.ended()).code, 0);
  },
});

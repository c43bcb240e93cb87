/** The library, with the embedded broker and with Mosquitto. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { freePort } from "../support/temp.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

const NOW = Date.now();

/** Starts a server and connects a client. */
async function start(kind: typeof BROKERS[number] = "embedded") {
  const { connect } = await import("../../src/mod.ts");
  const system = await startSystem(kind);
  const client = await connect({ broker: system.url });
  return {
    system,
    client,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await system[Symbol.asyncDispose]();
    },
  };
}

for (const kind of BROKERS) {
  Deno.test({
    name: `OccupancyClient publishes, requests and watches: ${kind} broker`,
    ...needs("mosquitto"),
    fn: async () => {
      const { CellMap } = await import("../../src/mod.ts");
      await using started = await start(kind);
      const { client } = started;
      await client.publish([
        { x: 1, y: 2, value: true, time: NOW },
        { x: -3, y: 4, value: 5, time: new Date(NOW) },
        { x: 0, y: 0, value: null },
      ], { source: "test" });
      const map = await client.request();
      assert.equal(map.size, 3);
      assert.deepEqual(map.get(1, 2), {
        x: 1,
        y: 2,
        value: 1,
        time: NOW,
        stale: false,
      });
      assert.equal(map.get(-3, 4)?.value, 5);
      assert.equal(map.get(0, 0)?.value, -1);
      assert.equal(map.get(9, 9), undefined);

      const abort = new AbortController();
      let live: InstanceType<typeof CellMap> | undefined;
      const watching = (async () => {
        for await (const event of client.watch({ signal: abort.signal })) {
          if (live === undefined) live = new CellMap(event);
          else live.apply(event);
        }
      })();
      await until(() => live?.size === 3);
      await client.publish({
        length: 2,
        x: [1, 50],
        y: Int32Array.of(2, 50),
        value: [0, 7],
      });
      await until(() => live?.get(50, 50)?.value === 7);
      assert.equal(live!.get(1, 2)!.value, 0);
      abort.abort();
      await watching;

      const since = map.revision!;
      const later = await client.request({ since });
      assert.deepEqual([...later].map(({ x }) => x).sort(), [1, 50]);
    },
  });
}

Deno.test({
  name:
    "OccupancyClient.request() and watch() return cells of the layer and region only",
  ...needs(),
  fn: async () => {
    await using started = await start();
    const { client } = started;
    const region = { x0: 0, y0: 0, x1: 1, y1: 1 };
    await client.publish([{ x: 0, y: 0, value: 1 }, { x: 5, y: 5, value: 1 }], {
      layer: "l2",
    });
    assert.equal((await client.request()).size, 0);
    assert.equal((await client.request({ layer: "l2" })).size, 2);
    assert.equal((await client.request({ layer: "l2", region })).size, 1);
    const swapped = { x0: 1, y0: 1, x1: 0, y1: 0 };
    const other = await client.request({ layer: "l2", region: swapped });
    assert.equal(other.size, 1);
    const future = await client.request({ layer: "l2", since: 5000 });
    assert.equal(future.size, 2);
    const events = client.watch({ layer: "l2", region: swapped });
    const first = await events.next();
    assert.equal(first.value!.cells.length, 1);
    await client.publish([{ x: 5, y: 5, value: 2 }, { x: 1, y: 1, value: 2 }], {
      layer: "l2",
    });
    const { cells } = (await events.next()).value!;
    assert.deepEqual([cells.length, cells.x[0], cells.value[0]], [1, 1, 2]);
    await events.return();
  },
});

Deno.test({
  name: "OccupancyClient.request() can be called many times at once",
  ...needs(),
  fn: async () => {
    await using started = await start();
    const { client } = started;
    await client.publish(
      Array.from({ length: 100 }, (_, x) => ({ x, y: 0, value: x })),
    );
    const maps = await Promise.all(
      Array.from(
        { length: 100 },
        (_, x) => client.request({ region: { x0: x, y0: 0, x1: x, y1: 0 } }),
      ),
    );
    maps.forEach((map, x) => {
      assert.equal(map.size, 1);
      assert.equal(map.get(x, 0)!.value, x);
    });
  },
});

Deno.test({
  name:
    "OccupancyClient.close() ends requests and watches, and can be called twice",
  ...needs(),
  fn: async () => {
    const { LinkError } = await import("../../src/mod.ts");
    await using started = await start();
    const { client } = started;
    const events = client.watch();
    await events.next();
    const next = events.next();
    await client.close();
    assert.equal((await next).done, true);
    await client.close();
    const closed = (error: unknown) =>
      error instanceof LinkError && error.code === "closed";
    await assert.rejects(client.request(), closed);
    await assert.rejects(client.publish([{ x: 1, y: 1, value: 1 }]), closed);
    await assert.rejects(client.watch().next(), closed);
  },
});

Deno.test({
  name:
    "OccupancyClient throws on a missing server, a rejected request and an abort",
  ...needs(),
  fn: async () => {
    const { connect, LinkError, NoAnswerError, ProtocolError, RefusedError } =
      await import("../../src/mod.ts");
    await assert.rejects(
      connect({ broker: `127.0.0.1:${freePort()}` }),
      (error) => error instanceof LinkError && error.code === "unreachable",
    );
    await assert.rejects(connect({ prefix: "a//b" }), ProtocolError);
    await using started = await start();
    const { client, system } = started;
    await assert.rejects(
      client.request({ region: { x0: 0.5, y0: 0, x1: 1, y1: 0 } }),
      (error) => error instanceof RefusedError && error.code === "bad-region",
    );
    await assert.rejects(client.publish([], { layer: "#" }), ProtocolError);
    await assert.rejects(
      client.publish([{ x: 0.5, y: 0, value: 1 }]),
      RangeError,
    );
    await assert.rejects(
      client.request({ signal: AbortSignal.abort(new Error("enough")) }),
      /enough/,
    );
    await using other = await connect({
      broker: system.url,
      prefix: "no/server",
      timeout: 50,
    });
    await assert.rejects(other.request(), NoAnswerError);
    await assert.rejects(other.watch().next(), NoAnswerError);
  },
});

Deno.test({
  name: "OccupancyClient.watch() continues after a restart of the broker",
  ...needs("mosquitto"),
  fn: async () => {
    const { connect, CellMap } = await import("../../src/mod.ts");
    const { startMosquitto } = await import("../support/mosquitto.ts");
    const { occupancy } = await import("../support/processes.ts");
    await using mosquitto = await startMosquitto();
    await using server = occupancy(["server", "--broker", mosquitto.url]);
    await server.waitFor(/Ready/);
    await using client = await connect({ broker: mosquitto.url });
    await client.publish([{ x: 1, y: 1, value: 1 }]);
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
    await mosquitto.kill();
    await mosquitto.start();
    await server.waitFor(/Reconnected to/); // Mosquitto lost the session
    await client.publish([{ x: 2, y: 2, value: 2 }]);
    await until(() => live?.get(2, 2)?.value === 2);
    assert.equal(kinds.filter((kind) => kind === "snapshot").length, 1);
    await client.close();
    await watching;
  },
});

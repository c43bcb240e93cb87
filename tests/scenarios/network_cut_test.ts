/**
 * A network that swallows everything for some time and closes no connection:
 * between server and broker, and between clients and broker. What TCP sends
 * again arrives late; what is lost leaves half-open connections.
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import type { CellMap } from "../../src/request/mod.ts";
import {
  type CutProxy,
  cutProxy,
  type Swallowed,
} from "../support/cut_proxy.ts";
import { documentedSettings } from "../support/documented_settings.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { serverLog } from "../support/server_log.ts";
import { startSystem } from "../support/system.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { type MapReply, requestMap, serverArgs, takeJson } from "./support.ts";

const NAME = "server-under-test";
/** Short, so that a half-open connection is detected in seconds. */
const KEEP_ALIVE_S = 4;
/** Longer than a silence that the server takes for normal. */
const CUT_MS = 6000;
const READINGS = 200;

/**
 * Cuts the network and returns the time when the server has read what was on
 * its way: it dates what waits with the last packet from the broker.
 *
 * @param answer resolves when the server has answered past the broker
 */
async function cut(
  proxy: CutProxy,
  swallowed: Swallowed,
  sensor: RawConnection,
  answer: () => Promise<void>,
): Promise<number> {
  proxy.cut(swallowed);
  await sensor.ping();
  // Twice: the first may have been answered in the turn before.
  for (let i = 0; i < 2; i++) await answer();
  return Date.now();
}

/** Sends readings without a time to Mosquitto, past the cut network. */
async function sendReadings(sensor: RawConnection): Promise<void> {
  const packets = Array.from(
    { length: READINGS },
    (_, i) =>
      encodePublish("occupancy/data", `${i},1,${i}`, {
        qos: i % 4 === 0 ? 0 : 1,
        id: 10 + i,
      }),
  );
  await sensor.write(Buffer.concat(packets));
  await sensor.expectAll("puback", READINGS - READINGS / 4);
}

function assertAllOld({ cells }: MapReply, sentAt: number, count: number) {
  const waited = cells.filter(([, y]) => y === 1);
  assert.ok(waited.length >= count, `${waited.length} of ${count}`);
  for (const [x, , value, time] of waited) {
    assert.equal(value, x);
    assert.ok(time! <= sentAt, `${x} is dated ${time! - sentAt} ms too new`);
  }
}

async function assertNewIsNew(sensor: RawConnection): Promise<void> {
  const before = Date.now();
  await sensor.write(encodePublish("occupancy/data", "9,9,1", { id: 9 }));
  const { cells } = await requestMap(sensor);
  const cell = cells.find(([, y]) => y === 9);
  assert.ok(cell![3]! >= before, `dated ${before - cell![3]!} ms too old`);
}

Deno.test({
  name:
    "a cut network between server and Mosquitto that TCP bridges: nothing is lost, and what waited is not shown as new",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(
      await documentedSettings(folder.path),
    );
    await using proxy = cutProxy(broker.port);
    const url = `mqtt://127.0.0.1:${proxy.port}`;
    await using server = occupancy([
      ...serverArgs(url, folder.path),
      ...["--http", "127.0.0.1:0"],
    ]);
    await server.waitFor(/Ready/);
    const [, http] = await server.waitFor(/Dashboard at (\S+)/);
    await using sensor = await RawConnection.open(broker.port, "sensor");
    await assertNewIsNew(sensor);

    const sentAt = await cut(proxy, "delayed", sensor, async () => {
      await (await fetch(`${http}healthz`)).bytes();
    });
    await sendReadings(sensor);
    await delay(CUT_MS);
    proxy.heal();
    assertAllOld(await requestMap(sensor), sentAt, READINGS);
    await assertNewIsNew(sensor);
    assert.doesNotMatch(server.stderr, /Disconnected/);
  },
});

/** A server in this process, over a proxy to Mosquitto. */
async function startServer(proxy: CutProxy) {
  const { OccupancyMap } = await import("../../src/grid/mod.ts");
  const { Topics } = await import("../../src/protocol/mod.ts");
  const { offlineState, Server } = await import("../../src/server/mod.ts");
  const { MemoryStore } = await import("../../src/store/memory.ts");
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const topics = new Topics();
  const lines: string[] = [];
  const server = new Server({
    link: new Connection({
      url: `mqtt://127.0.0.1:${proxy.port}`,
      clientId: NAME,
      subscriptions: topics.serverSubscriptions(NAME),
      will: { topic: topics.state, payload: offlineState(NAME, "0.0.0") },
      keepAlive: KEEP_ALIVE_S,
      sessionExpiry: 3600,
      connectTimeout: 1000,
      maxReconnectDelay: 500,
    }),
    store: new MemoryStore(),
    map: new OccupancyMap({ maxSkew: 60_000 }),
    topics,
    name: NAME,
    version: "0.0.0",
    log: serverLog((line) => lines.push(line)),
  });
  await server.start();
  return {
    lines,
    logged: (pattern: RegExp) =>
      until(() => lines.some((line) => pattern.test(line)), {
        deadline: 20_000,
        what: () => `${pattern} in ${lines.join("\n")}`,
      }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

Deno.test({
  name:
    "half-open connections between server and Mosquitto: the server reconnects, nothing is lost or shown as new",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(
      await documentedSettings(folder.path),
    );
    await using proxy = cutProxy(broker.port);
    await using server = await startServer(proxy);
    await using sensor = await RawConnection.open(broker.port, "sensor");
    await assertNewIsNew(sensor);

    // The server is in this process.
    const sentAt = await cut(proxy, "lost", sensor, () => sensor.ping());
    await sendReadings(sensor);
    await server.logged(/Disconnected from the broker/);
    proxy.heal();
    await server.logged(/Reconnected/);
    // The broker had sent those at QoS 0 into the cut connection.
    const atLeast = READINGS - READINGS / 4;
    await until(async () => {
      const { cells } = await requestMap(sensor);
      return cells.filter(([, y]) => y === 1).length >= atLeast;
    });
    assertAllOld(await requestMap(sensor), sentAt, atLeast);
    await assertNewIsNew(sensor);
    // The broker published the will of the lost connection in between.
    await using watcher = await RawConnection.open(broker.port, "watcher");
    await watcher.subscribe("occupancy/server/state");
    assert.equal((await takeJson(watcher)).state, "online");
  },
});

for (const swallowed of ["delayed", "lost"] as const) {
  Deno.test({
    name:
      `a client whose network is cut (${swallowed}): every reading arrives, none is doubled in effect`,
    ...needs(),
    fn: async () => {
      const { Connection } = await import("../../src/mqtt/connection.ts");
      const { Sender } = await import("../../src/client/sender.ts");
      const { ReadingBatch } = await import("../../src/protocol/mod.ts");
      await using system = await startSystem("embedded");
      await using proxy = cutProxy(system.port);
      const link = new Connection({
        url: `mqtt://127.0.0.1:${proxy.port}`,
        clientId: "client",
        keepAlive: 2,
        connectTimeout: 1000,
        maxReconnectDelay: 500,
      });
      await link.open({ message: () => {} });
      const sender = new Sender(link, {
        topic: "occupancy/data",
        batch: 10,
        interval: 10,
      });
      const batch = new ReadingBatch(READINGS);
      // Each cell twice: the second value must win.
      for (let i = 0; i < READINGS; i++) {
        batch.push(i % (READINGS / 2), 0, i, Date.now() + i - READINGS);
      }
      const sending = (async () => {
        await sender.send(batch);
        await sender.finish();
      })();
      await until(() => system.server.stats.accepted >= 20);
      proxy.cut(swallowed);
      await delay(4000);
      proxy.heal();
      await sending;
      assert.equal(sender.sent.readings, READINGS);
      const grid = system.map.layer("default")!;
      assert.equal(grid.size, READINGS / 2);
      for (let x = 0; x < READINGS / 2; x++) {
        assert.equal(grid.get(x, 0)!.value, READINGS / 2 + x);
      }
      if (swallowed === "lost") assert.ok(proxy.connections > 1);
      await link.close();
    },
  });

  Deno.test({
    name:
      `a watch whose network is cut (${swallowed}): one snapshot, then the map of the server`,
    ...needs(),
    fn: async () => {
      const { Connection } = await import("../../src/mqtt/connection.ts");
      const { CellMap, Watcher } = await import("../../src/request/mod.ts");
      const { Topics } = await import("../../src/protocol/mod.ts");
      await using system = await startSystem("embedded");
      await using sensor = await RawConnection.open(system.port, "sensor");
      await using proxy = cutProxy(system.port);
      const watcher = new Watcher({
        topics: new Topics(),
        name: "watch",
        timeout: 20_000,
      });
      const link = new Connection({
        url: `mqtt://127.0.0.1:${proxy.port}`,
        clientId: "watch",
        subscriptions: watcher.subscriptions,
        keepAlive: 2,
        connectTimeout: 1000,
        maxReconnectDelay: 500,
      });
      await link.open(watcher.handlersFor(link));
      await sensor.write(encodePublish("occupancy/data", "0,0,1", { id: 1 }));
      const kinds: string[] = [];
      let live: CellMap | undefined;
      const abort = new AbortController();
      const watching = (async () => {
        const { signal } = abort;
        for await (const event of watcher.watch(link, { signal })) {
          kinds.push(event.kind);
          if (live === undefined) live = new CellMap(event);
          else live.apply(event);
        }
      })();
      await until(() => live?.size === 1);
      proxy.cut(swallowed);
      await sendReadings(sensor);
      await delay(4000);
      proxy.heal();
      await sensor.write(encodePublish("occupancy/data", "0,0,2", { id: 2 }));
      await until(() => live!.revision === system.map.revision, {
        deadline: 15_000,
        what: () => `revision ${live!.revision} of ${system.map.revision}`,
      });
      assert.equal(live!.size, READINGS + 1);
      assert.equal(live!.get(0, 0)!.value, 2);
      assert.equal(kinds.filter((kind) => kind === "snapshot").length, 1);
      abort.abort();
      await watching;
      await link.close();
    },
  });
}

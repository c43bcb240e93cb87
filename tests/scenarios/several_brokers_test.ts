/** A server that joins two brokers, one of which goes and comes back. */
import assert from "node:assert/strict";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, type Running, runOccupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { requestMap } from "./support.ts";

const SESSIONS = ["persistence false"];

async function startServer(
  folder: string,
  ...brokers: Mosquitto[]
): Promise<{ server: Running; http: string } & AsyncDisposable> {
  const server = occupancy([
    "server",
    ...brokers.flatMap(({ url }) => ["--broker", url]),
    ...["--store", `sqlite:${folder}/map.sqlite`, "--http", "127.0.0.1:0"],
  ]);
  await server.waitFor(/Ready: /);
  const [, http] = await server.waitFor(/Dashboard at (\S+)/);
  return {
    server,
    http: http!,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Publishes a reading at QoS 1. */
async function send(client: RawConnection, payload: string): Promise<void> {
  await client.publish("occupancy/data", payload, { qos: 1, id: 5 });
  await client.take("puback");
}

async function ready(http: string) {
  const response = await fetch(`${http}readyz`);
  return { status: response.status, body: await response.json() };
}

Deno.test({
  name:
    "a server joins two brokers: one map, and a reply goes where its request came from",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using a = await startMosquitto(SESSIONS);
    await using b = await startMosquitto(SESSIONS);
    await using _server = await startServer(folder.path, a, b);
    await using onA = await RawConnection.open(a.port, "client");
    await using onB = await RawConnection.open(b.port, "client");
    await send(onA, "1,1,1");
    await send(onB, "2,2,2");
    // A request is answered after the readings of its own connection only.
    await until(async () => (await requestMap(onA)).cells.length === 2);
    for (const client of [onA, onB]) {
      for (const qos of [0, 1] as const) {
        const { cells } = await requestMap(client, { qos });
        assert.deepEqual(cells.map(([x, y, value]) => [x, y, value]), [
          [1, 1, 1],
          [2, 2, 2],
        ]);
      }
    }
    // The other client has subscribed to the same reply topic.
    await onB.ping();
    assert.ok(!onB.packets.some(({ cmd }) => cmd === "publish"));
    for (const client of [onA, onB]) {
      await client.subscribe("occupancy/changes", 0);
      await client.subscribe("occupancy/server/state", 1);
      const state = await client.take("publish");
      assert.equal(JSON.parse(state.payload.toString()).state, "online");
    }
    await onA.publish("occupancy/data", "3,3,3");
    for (const client of [onA, onB]) {
      await until(async () => {
        const { topic, payload } = await client.take("publish");
        assert.equal(topic, "occupancy/changes");
        const { cells } = JSON.parse(payload.toString());
        return cells.some(([x]: readonly number[]) => x === 3);
      });
    }
  },
});

Deno.test({
  name:
    "a broker goes away and comes back: the other one goes on, and health says which",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using a = await startMosquitto(SESSIONS);
    await using b = await startMosquitto(SESSIONS);
    await using started = await startServer(folder.path, a, b);
    const { server, http } = started;
    await using onA = await RawConnection.open(a.port, "sensor");
    assert.deepEqual(await ready(http), {
      status: 200,
      body: { status: "ready" },
    });

    await b.kill();
    await until(async () => (await ready(http)).body.warnings !== undefined);
    const { status, body } = await ready(http);
    assert.equal(status, 200);
    assert.equal(body.warnings[0].code, "broker-down");
    assert.match(body.warnings[0].message, new RegExp(`:${b.port}`));
    await server.waitFor(
      new RegExp(`Not connected to all brokers.*:${b.port}`),
    );
    const before = Date.now();
    await send(onA, "1,1,1");
    for (const qos of [0, 1] as const) {
      const { cells: [cell] } = await requestMap(onA, { qos });
      assert.ok(cell![3]! >= before, "dated as new: its broker was connected");
    }
    const summary = await (await fetch(`${http}api/v1/summary`)).json();
    assert.equal(summary.broker.up, true);
    assert.deepEqual(
      summary.broker.connections.map(({ up }: { up: boolean }) => up),
      [true, false],
    );
    const metrics = await (await fetch(`${http}metrics`)).text();
    assert.match(
      metrics,
      new RegExp(`connection_up{broker="${b.url}"} 0`),
    );

    await b.start();
    await server.waitFor(new RegExp(`Reconnected to ${b.url}`));
    await until(async () => (await ready(http)).body.warnings === undefined);
    await using onB = await RawConnection.open(b.port, "sensor");
    await send(onB, "2,2,2");
    assert.equal((await requestMap(onB)).cells.length, 2);

    await a.kill();
    await b.kill();
    await until(async () => (await ready(http)).status === 503);
    const down = (await ready(http)).body.reasons[0].message;
    for (const { port } of [a, b]) assert.match(down, new RegExp(`:${port}`));
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});

Deno.test({
  name:
    "one broker is enough to start; the other one is joined when it is there",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using a = await startMosquitto(SESSIONS);
    await using b = await startMosquitto(SESSIONS);
    await b.kill();
    await using started = await startServer(folder.path, a, b);
    const { server, http } = started;
    assert.equal((await ready(http)).body.warnings.length, 1);
    await b.start();
    await until(async () => (await ready(http)).body.warnings === undefined);
    await using onB = await RawConnection.open(b.port, "sensor");
    await send(onB, "2,2,2");
    assert.equal((await requestMap(onB)).cells.length, 1);
    server.kill();
    assert.equal((await server.ended()).code, 0);

    await a.kill();
    await b.kill();
    const both = ["--broker", a.url, "--broker", b.url];
    const { code, stderr } = await runOccupancy(["server", ...both]);
    assert.equal(code, 4);
    for (const { url } of [a, b]) assert.ok(stderr.includes(url), stderr);
    const twice = ["--broker", `u:secret@h`, "--broker", `mqtt://h`];
    const refused = await runOccupancy(["server", ...twice]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--broker twice with the same broker/);
    assert.ok(!refused.stderr.includes("secret"));
  },
});

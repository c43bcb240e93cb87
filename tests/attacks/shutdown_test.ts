/** SIGTERM ends the server within 10 s in every state. */
import assert from "node:assert/strict";
import { FakeBroker } from "../support/fake_broker.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy, type Running } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { flood, startAttacked } from "./requests_support.ts";

const MAX_END_MS = 10_000;

/** Sends SIGTERM and returns the standard error of the ended process. */
async function terminate(server: Running): Promise<string> {
  const start = performance.now();
  server.kill("SIGTERM");
  const { code, stderr } = await server.ended(30_000);
  const ms = performance.now() - start;
  assert.equal(code, 0, stderr);
  assert.ok(ms < MAX_END_MS, `ended after ${ms} ms`);
  assert.doesNotMatch(stderr, / {4}at /);
  return stderr;
}

Deno.test({
  name: "a server whose broker stands still ends, also with replies in flight",
  ...needs("mosquitto"),
  fn: async () => {
    await using attacked = await startAttacked("mosquitto");
    const { server, port, mosquitto } = attacked;
    await using attacker = await RawConnection.open(port, "attacker");
    await attacker.subscribe("occupancy/response/#");
    await flood(attacker, 100, (i) => ({ transaction: i, maxBytes: 1024 }));
    await attacker.take("publish");
    mosquitto!.freeze();
    await terminate(server);
  },
});

Deno.test({
  name: "a server that waits for a broker that answers nothing ends",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using server = occupancy(["server", "--broker", broker.url]);
    const connection = await broker.accept();
    await connection.take("connect");
    const start = performance.now();
    server.kill("SIGTERM");
    await server.ended(30_000);
    assert.ok(performance.now() - start < MAX_END_MS);
  },
});

Deno.test({
  name:
    "a server with half-open connections, open streams and unread replies ends",
  ...needs(),
  fn: async () => {
    const httpPort = freePort();
    await using attacked = await startAttacked("embedded", [
      ...["--http", `127.0.0.1:${httpPort}`],
    ]);
    const { server, port } = attacked;
    await using frozen = await RawConnection.open(port, "frozen");
    await frozen.subscribe("occupancy/response/#");
    await flood(frozen, 50, (i) => ({ transaction: i }));
    await frozen.take("publish");
    frozen.freeze();
    const sockets: Deno.TcpConn[] = [];
    for (const target of [port, httpPort, httpPort]) {
      sockets.push(
        await Deno.connect({ hostname: "127.0.0.1", port: target }),
      );
    }
    const text = new TextEncoder();
    await sockets[1]!.write(
      text.encode("POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\n"),
    );
    const stream = await fetch(`http://127.0.0.1:${httpPort}/api/v1/changes`);
    const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1/cells`);
    await terminate(server);
    await stream.body?.cancel().catch(() => {});
    await answer.body?.cancel().catch(() => {});
    for (const socket of sockets) socket.close();
  },
});

Deno.test({
  name:
    "what was acknowledged before SIGTERM in a flood is there after the next start",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const args = ["--store", `sqlite:${folder.path}/map.sqlite`];
    let last = 0;
    {
      await using attacked = await startAttacked("embedded", args);
      const { server, port } = attacked;
      await using attacker = await RawConnection.open(port, "attacker");
      await attacker.subscribe("occupancy/response/#");
      await flood(attacker, 500, (i) => ({ transaction: i, maxBytes: 1024 }));
      await using sensor = await RawConnection.open(port, "sensor");
      const sending = (async () => {
        for (let value = 2; !sensor.closed; value++) {
          await sensor.write(
            encodePublish("occupancy/data", `-1,-1,${value}`, { id: value }),
          );
          await sensor.take("puback");
          last = value;
        }
      })().catch(() => {});
      await until(() => last > 5);
      await terminate(server);
      await sending;
    }
    await using server = occupancy([
      "server",
      "--listen",
      "127.0.0.1:0",
      ...args,
    ]);
    const [, port] = await server.waitFor(/127\.0\.0\.1:(\d+)/);
    await server.waitFor(/Ready/);
    await using client = await RawConnection.open(Number(port), "reader");
    await client.subscribe("occupancy/response/r");
    await client.write(encodePublish(
      "occupancy/request",
      JSON.stringify({
        region: [-1, -1, -1, -1],
        replyTo: "occupancy/response/r",
      }),
      { id: 1 },
    ));
    const reply = await client.take("publish");
    const { cells } = JSON.parse(reply.payload.toString());
    assert.ok(cells[0][2] >= last, `${cells[0][2]} of ${last}`);
  },
});

/** Messages stored by a broker while the server is stopped, and warnings of losses. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { documentedSettings } from "../support/documented_settings.ts";
import {
  connack5,
  FakeBroker,
  grantSubscription,
} from "../support/fake_broker.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs, requireTool } from "../support/needs.ts";
import { occupancy, Running } from "../support/processes.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { requestMap, serverArgs } from "./support.ts";

/** More messages than Mosquitto stores by default. */
const WAITING_MESSAGES = 3000;
const MOSQUITTO_DEFAULT_MESSAGES = 1000;

Deno.test({
  name:
    "Mosquitto with the documented settings stores all messages while the server is stopped",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(
      await documentedSettings(folder.path),
    );
    const args = serverArgs(broker.url, folder.path);
    for (const [round, signal] of (["SIGTERM", "SIGKILL"] as const).entries()) {
      {
        await using server = occupancy(args);
        await server.waitFor(/Ready/);
        server.kill(signal);
        await server.ended();
      }
      await send(broker.port, WAITING_MESSAGES, round);
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      assert.equal(await count(broker.port), (round + 1) * WAITING_MESSAGES);
      assert.doesNotMatch(server.stderr, /Warning/);
    }
  },
});

Deno.test({
  name:
    "Mosquitto with the documented settings keeps stored messages when it restarts",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using brokerFolder = await tempDir();
    // If started by root, Mosquitto changes its user.
    await Deno.chmod(brokerFolder.path, 0o777);
    const port = freePort();
    const config = await brokerFolder.file(
      "mosquitto.conf",
      [
        `listener ${port} 127.0.0.1`,
        "allow_anonymous true",
        ...await documentedSettings(brokerFolder.path),
        "",
      ].join("\n"),
    );
    const args = serverArgs(`mqtt://127.0.0.1:${port}`, folder.path);
    const startBroker = async () => {
      const running = new Running(requireTool("mosquitto"), ["-c", config]);
      await running.waitFor(/mosquitto version \S+ running/);
      return running;
    };
    {
      await using broker = await startBroker();
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      server.kill("SIGKILL");
      await server.ended();
      await send(port, WAITING_MESSAGES);
      broker.kill("SIGTERM");
      await broker.ended();
    }
    await using _broker = await startBroker();
    await using server = occupancy(args);
    await server.waitFor(/Ready/);
    assert.equal(await count(port), WAITING_MESSAGES);
    assert.doesNotMatch(server.stderr, /Warning/);
  },
});

Deno.test({
  name: "Mosquitto with its defaults stores 1,000 messages: the server warns",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(["sys_interval 1"]);
    const args = serverArgs(broker.url, folder.path);
    {
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      server.kill("SIGTERM");
      await server.ended();
    }
    await send(broker.port, WAITING_MESSAGES);
    await using server = occupancy(args);
    await server.waitFor(
      /Warning: the broker has dropped 2000 (more )?messages/,
    );
    assert.equal(await count(broker.port), MOSQUITTO_DEFAULT_MESSAGES);

    // Also while the server is connected and does not read.
    server.kill("SIGSTOP");
    await send(broker.port, 2 * WAITING_MESSAGES, 1);
    server.kill("SIGCONT");
    await server.waitFor(/Warning: the broker has dropped \d+ more messages/);
  },
});

Deno.test({
  name:
    "a broker that loses the session: the server warns, after a reconnect and at the start",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(); // persistence false
    const args = serverArgs(broker.url, folder.path);
    {
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      assert.doesNotMatch(server.stderr, /Warning/, "the first start");
      await send(broker.port, 1);
      await broker.kill();
      await broker.start();
      await server.waitFor(/Reconnected to mqtt:\S+/);
      await server.waitFor(/The broker has lost this server's session/);
      server.kill("SIGTERM");
      await server.ended();
    }
    await broker.kill();
    await broker.start();
    await using server = occupancy(args);
    await server.waitFor(/Warning: the broker has no session for this server/);
    await server.waitFor(/Ready/);
  },
});

Deno.test({
  name:
    "a broker with a shorter session expiry than requested: the server warns",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker({
      five: connack5(0, { sessionExpiryInterval: 60 }),
    });
    await using server = occupancy(["server", "--broker", broker.url]);
    const raw = await broker.acceptClient();
    await grantSubscription(raw, await raw.take("subscribe"));
    await server.waitFor(
      /Warning: while this server is disconnected, the broker stores messages for 60 s only, instead of 604800 s \(--session-expiry\)/,
    );
    await server.waitFor(/Ready/);
  },
});

/** Sends `count` readings at QoS 1 and waits until all are acknowledged. */
async function send(port: number, count: number, row = 0): Promise<void> {
  await using raw = await RawConnection.open(port, "sender");
  await raw.write(Buffer.concat(
    Array.from(
      { length: count },
      (_, i) =>
        encodePublish("occupancy/data", `${i},${row},1`, { qos: 1, id: i + 1 }),
    ),
  ));
  let acknowledged = 0;
  await until(
    () => (acknowledged += raw.takeReceived("puback").length) === count,
    { what: () => `${count} PUBACKs; ${acknowledged} received` },
  );
}

/** Returns the number of cells of the map. */
async function count(port: number): Promise<number> {
  await using client = await RawConnection.open(port, "counter");
  const { parts, cells } = await requestMap(client);
  assert.equal(parts, 1);
  return cells.length;
}

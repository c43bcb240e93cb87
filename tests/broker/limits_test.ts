/** What bounds a client of the embedded broker, over real sockets. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { BrokerOptions } from "../../src/broker/broker.ts";
import type { LimitName } from "../../src/common/limit_counts.ts";
import { needs } from "../support/needs.ts";
import {
  encodeConnect,
  encodePublish,
  encodeSubscribe,
} from "../support/packets.ts";
import { until } from "../support/until.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { RecordingBroker } from "./recording_broker.ts";

/** Opens a broker that records which limits are reached. */
async function open(limits: BrokerOptions["limits"], more = {}) {
  const reached: LimitName[] = [];
  const server = await RecordingBroker.open({
    limits: limits ?? {},
    onLimit: (limit) => reached.push(limit),
    ...more,
  });
  return { server, reached };
}

Deno.test({
  name: "a full broker closes idle connections first, then refuses new ones",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      admission: { connections: 2, connectionsPerAddress: 2 },
    });
    await using _server = server;
    await using idle = await RawConnection.dial(server.port);
    await using first = await RawConnection.open(server.port, "first");
    await using second = await RawConnection.open(server.port, "second");
    await idle.ended();
    await using third = await RawConnection.dial(server.port);
    await third.ended();
    await first.ping();
    await second.ping();
    ok(reached.length >= 2);
    deepEqual(new Set(reached), new Set(["mqtt-connections-per-address"]));
    await first[Symbol.asyncDispose]();
    await until(() => server.broker.brokerState?.clients === 1);
    await using _fourth = await RawConnection.open(server.port, "fourth");
  },
});

Deno.test({
  name: "connections above the limit of a second are closed",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      admission: { connectionsPerSecond: 3 },
    });
    await using _server = server;
    for (let i = 0; i < 3; i++) {
      await using _client = await RawConnection.open(server.port, `${i}`);
    }
    await using refused = await RawConnection.dial(server.port);
    await refused.ended();
    deepEqual(reached, ["mqtt-connections-per-second"]);
  },
});

Deno.test({
  name: "a packet above the limit ends its connection, in MQTT 5 with 0x95",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      connection: { maxPacketBytes: 1000 },
    });
    await using _server = server;
    await using client = await RawConnection.dial(server.port);
    await client.connect("large", { version: 5 });
    const connack = await client.expect("connack");
    equal(connack.properties?.maximumPacketSize, 1000);
    await client.publish("other", new Uint8Array(2000));
    const { reasonCode } = await client.expect("disconnect");
    equal(reasonCode, 0x95);
    deepEqual(reached, ["mqtt-packet-bytes"]);
  },
});

Deno.test({
  name: "more messages in flight than the Receive Maximum end with 0x93",
  ...needs(),
  async fn() {
    const { server, reached } = await open(
      { connection: { receiveMaximum: 5 } },
      { acknowledge: false },
    );
    await using _server = server;
    await using client = await RawConnection.dial(server.port);
    await client.connect("hasty", { version: 5 });
    equal((await client.expect("connack")).properties?.receiveMaximum, 5);
    for (let id = 1; id <= 5; id++) {
      await client.publish("data", "1,1,1", { id });
    }
    await client.ping();
    await client.publish("data", "1,1,1", { id: 6 });
    equal((await client.expect("disconnect")).reasonCode, 0x93);
    deepEqual(reached, ["mqtt-receive-maximum"]);
  },
});

for (const topic of ["data", "other"]) {
  Deno.test({
    name:
      `4,096 messages at QoS 2 to ${topic} without a PUBREL: one more ends the connection, and their PUBRECs arrive before`,
    ...needs(),
    async fn() {
      const { server, reached } = await open({});
      await using _server = server;
      const connect = { clean: false };
      const publishes = Array.from(
        { length: 4097 },
        (_, i) => encodePublish(topic, "1,1,1", { qos: 2, id: i + 1 }),
      );
      const expectRecs = async (client: RawConnection) => {
        for (const { messageId } of await client.expectAll("pubrec", 4096)) {
          ids.add(messageId);
        }
      };
      const ids = new Set<number | undefined>();
      {
        await using client = await RawConnection.open(
          ...[server.port, "many", connect] as const,
        );
        await client.write(...publishes);
        await expectRecs(client);
        await client.ended();
      }
      equal(ids.size, 4096);
      deepEqual(reached, ["mqtt-unreleased"]);
      await using client = await RawConnection.open(
        ...[server.port, "many", connect] as const,
      );
      // Those that it has, and one that it releases.
      await client.write(...publishes.slice(0, 4096));
      await expectRecs(client);
      equal(ids.size, 4096);
      await client.send({ cmd: "pubrel", messageId: 7 });
      await client.expect("pubcomp");
      await client.write(publishes[4096]!);
      equal((await client.expect("pubrec")).messageId, 4097);
      await client.ping();
      await client.write(encodePublish(topic, "x", { qos: 2, id: 7 }));
      await client.ended();
      deepEqual(reached, ["mqtt-unreleased", "mqtt-unreleased"]);
    },
  });
}

Deno.test({
  name: "topics and filters with too many levels are refused",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      connection: { maxTopicLevels: 3 },
    });
    await using _server = server;
    await using client = await RawConnection.open(server.port, "deep");
    await client.write(encodeSubscribe("a/b/c"), encodeSubscribe("a/b/c/d"));
    deepEqual((await client.expect("suback")).granted, [0]);
    deepEqual((await client.expect("suback")).granted, [0x80]);
    await client.write(encodePublish("a/b/c/d", "x"));
    await client.ended();
    deepEqual(reached, ["mqtt-topic-levels", "mqtt-topic-levels"]);
  },
});

Deno.test({
  name: "a connection without CONNECT is closed after a time",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      connection: { connectTimeoutMs: 10 },
    });
    await using _server = server;
    await using silent = await RawConnection.dial(server.port);
    await silent.ended();
    deepEqual(reached, ["mqtt-connect-timeout"]);
  },
});

Deno.test({
  name: "the client with the most unsent bytes goes first, with 0x97",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      connection: { maxTotalUnsentBytes: 20_000_000 },
    });
    await using _server = server;
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("all");
    await frozen.subscribe("more");
    frozen.freeze();
    await using less = await RawConnection.open(server.port, "less");
    await less.subscribe("all");
    less.freeze();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("all");
    for (let i = 0; server.dropped.length === 0; i++) {
      // Parts of different buffers, so that each takes memory.
      await server.broker.publish("more", new Uint8Array(500_000));
      if (i % 4 === 0) {
        await server.broker.publish("all", new Uint8Array(100_000));
        await reader.expect("publish");
      }
      ok(i < 1000, "500 MB were sent");
    }
    deepEqual(server.dropped, [
      { id: "frozen", reason: "does not read its messages" },
    ]);
    deepEqual(reached, ["mqtt-unsent-bytes"]);
  },
});

Deno.test({
  name: "a client that takes nothing for a time is disconnected",
  ...needs(),
  async fn() {
    const { server, reached } = await open({
      connection: { stallTimeoutMs: 200 },
    });
    await using _server = server;
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("all");
    frozen.freeze();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("all");
    const sent = server.broker.publish("all", new Uint8Array(20_000_000));
    await reader.expect("publish");
    await sent;
    await server.until(() => server.dropped.length > 0, "dropped()");
    deepEqual(reached, ["mqtt-stalled-reader"]);
    await reader.ping();
  },
});

Deno.test({
  name: "incomplete packets take memory only for what has arrived",
  ...needs(),
  async fn() {
    const { server } = await open({});
    await using _server = server;
    const clients = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const client = await RawConnection.open(server.port, `${i}`);
        // A PUBLISH of 30 MB, of which 100 bytes arrive.
        await client.write(
          Uint8Array.of(0x30, 0x80, 0x87, 0xa7, 0x0e),
          new Uint8Array(100).fill(0x61),
        );
        return client;
      }),
    );
    await using other = await RawConnection.open(server.port, "other");
    await other.write(encodePublish("data", "1,1,1", { id: 1 }));
    await other.expect("puback");
    deepEqual(server.dropped, []);
    for (const client of clients) await client[Symbol.asyncDispose]();
  },
});

Deno.test({
  name: "what was sent behind CONNECT is handled, also when FIN follows",
  ...needs(),
  async fn() {
    const { server } = await open({});
    await using _server = server;
    const conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port,
    });
    const messages = Array.from(
      { length: 100 },
      (_, i) => encodePublish("data", `${i},1,1`),
    );
    const bytes = Buffer.concat([encodeConnect("short"), ...messages]);
    equal(await conn.write(bytes), bytes.length);
    conn.close();
    await server.untilReceived(100);
  },
});

Deno.test({
  name: "an acknowledgement of the wrong kind ends the connection with 0x82",
  ...needs(),
  async fn() {
    const { server } = await open({});
    await using _server = server;
    await using client = await RawConnection.dial(server.port);
    await client.connect("confused", { version: 5 });
    await client.expect("connack");
    await client.subscribe("all", 1);
    void server.broker.publish("all", new Uint8Array(1), { qos: 1 });
    const { messageId } = await client.expect("publish");
    // Of an unknown message: ignored.
    await client.send({ cmd: "puback", messageId: 7777 });
    await client.ping();
    await client.send({ cmd: "pubcomp", messageId: messageId! });
    equal((await client.expect("disconnect")).reasonCode, 0x82);
  },
});

/** Connects a WebSocket and sends data; resolves when it is closed. */
async function sendOverWebSocket(
  port: number,
  data: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, "mqtt");
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.onerror = () => {};
  socket.onopen = () => socket.send(data);
  await closed;
}

Deno.test({
  name: "a WebSocket message that is too long, or text, ends its connection",
  ...needs(),
  async fn() {
    const { server, reached } = await open(
      { connection: { maxPacketBytes: 100_000 } },
      { ws: { host: "127.0.0.1", port: 0 } },
    );
    await using _server = server;
    const { port } = server.broker.wsAddress!;
    await sendOverWebSocket(port, "text");
    deepEqual(reached, []);
    await sendOverWebSocket(port, new Uint8Array(200_000));
    deepEqual(reached, ["mqtt-websocket-message"]);
    const { status, body } = await fetch(`http://127.0.0.1:${port}`);
    await body?.cancel();
    equal(status, 426);
    await using client = await RawConnection.open(server.port, "other");
    await client.ping();
  },
});

Deno.test({
  name:
    "an acknowledged QoS 2 message is not delivered again after a reconnect",
  ...needs(),
  async fn() {
    const { server } = await open({}, { acknowledge: false });
    await using _server = server;
    const message = (dup: boolean) =>
      encodePublish("data", "once", { id: 5, qos: 2, dup });
    const options = { clean: false };
    await using first = await RawConnection.open(server.port, "two", options);
    await first.write(message(false));
    await server.untilReceived(1);
    // The server has not acknowledged it when the client comes again.
    await using again = await RawConnection.open(server.port, "two", options);
    await again.write(message(true));
    await again.ping();
    equal(server.received.length, 1);
    server.broker.acknowledge(server.received);
    equal((await again.expect("pubrec")).messageId, 5);
    await again.send({ cmd: "pubrel", messageId: 5 });
    await again.expect("pubcomp");
    equal(server.received.length, 1);
  },
});

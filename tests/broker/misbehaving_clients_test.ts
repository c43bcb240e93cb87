import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { needs } from "../support/needs.ts";
import {
  encodeConnect,
  encodePublish,
  encodeSubscribe,
} from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { within } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

const encoder = new TextEncoder();

/** Malformed input, and the reason that the broker reports. */
const MALFORMED: Record<
  string,
  { bytes: () => Uint8Array; reason?: RegExp }
> = {
  "an HTTP request": {
    bytes: () => encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  },
  "a TLS hello": {
    bytes: () => Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3),
  },
  "zeros": { bytes: () => new Uint8Array(100) },
  "a packet before CONNECT": {
    bytes: () => encodePublish("data", "1,2,3", { id: 1 }),
  },
  "a second CONNECT": {
    bytes: () =>
      Buffer.concat([encodeConnect("twice"), encodeConnect("twice")]),
  },
  "an unknown protocol": {
    bytes: () => Buffer.from(encodeConnect("x")).fill("HTTP", 4, 8),
  },
  "a packet length of five digits": {
    bytes: () =>
      Buffer.concat([
        encodeConnect("long"),
        Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 1),
      ]),
    reason: /longer than four bytes/,
  },
  "a packet that is too long": {
    bytes: () => Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f),
    reason: /larger than the limit/,
  },
  "an oversized PUBLISH": {
    bytes: () =>
      Buffer.concat([
        encodeConnect("big"),
        Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x01),
      ]),
    reason: /larger than the limit/,
  },
  "a PUBLISH to a wildcard": {
    bytes: () =>
      Buffer.concat([
        encodeConnect("wild"),
        encodePublish("data/#", "x", { id: 1 }),
      ]),
  },
  "a topic of 1,000 levels": {
    bytes: () =>
      Buffer.concat([
        encodeConnect("deep"),
        encodePublish("/".repeat(1000), "x"),
      ]),
  },
  "a PUBLISH cut short by its length": {
    bytes: () =>
      Buffer.concat([encodeConnect("cut"), Uint8Array.of(0x30, 2, 0, 9)]),
  },
};

for (const [name, { bytes, reason }] of Object.entries(MALFORMED)) {
  Deno.test({
    name: `createBroker() ends only the connection that sends ${name}`,
    ...needs(),
    async fn() {
      await using server = await RecordingBroker.open({
        limits: { connection: { maxPacketBytes: 1_000_000 } },
      });
      await using bystander = await RawConnection.open(
        server.port,
        "bystander",
      );
      await using client = await RawConnection.dial(server.port);
      await client.write(bytes());
      await client.ended();
      await server.until(() => server.dropped.length > 0, "dropped()");
      equal(server.dropped.length, 1);
      if (reason !== undefined) match(server.dropped[0]!.reason, reason);
      await bystander.write(encodePublish("data", "1,2,3", { id: 1 }));
      await bystander.expect("puback");
      equal(server.received.at(-1)!.topic, "data");
    },
  });
}

Deno.test({
  name: "createBroker() refuses a filter of 1,000 levels",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using client = await RawConnection.open(server.port, "deep");
    await client.write(encodeSubscribe("/".repeat(1000)));
    deepEqual((await client.expect("suback")).granted, [0x80]);
    await client.ping();
  },
});

Deno.test({
  name: "createBroker() ends connections without a complete CONNECT in time",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { connection: { connectTimeoutMs: 50 } },
    });
    await using silent = await RawConnection.dial(server.port);
    await using half = await RawConnection.dial(server.port);
    await half.write(encodeConnect("half").subarray(0, 9));
    await silent.ended();
    await half.ended();
    await server.until(() => server.dropped.length === 2, "dropped()");
    deepEqual(server.dropped.map(({ id }) => id), [undefined, undefined]);
  },
});

Deno.test({
  name:
    "createBroker() acknowledges messages to reserved and $ topics, drops and reports them",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      reserved: ["server/#", "out"],
    });
    await using watcher = await RawConnection.open(server.port, "watcher");
    await watcher.subscribe("#", 1);
    await watcher.subscribe("$SYS/#", 1);
    await using client = await RawConnection.open(server.port, "forger", {
      will: { topic: "server/state", payload: "offline" },
    });
    const retain = true;
    await client.write(
      encodePublish("$SYS/broker/forged", "0", { id: 1 }),
      encodePublish("server/state", "offline", { id: 2, retain }),
      encodePublish("server", "x", { id: 3, qos: 2, retain }),
      encodePublish("out", "x"),
      encodePublish("outer", "fine", { id: 4, retain }),
    );
    const answers = [];
    while (answers.length < 4) answers.push((await client.next())!.cmd);
    deepEqual(answers.sort(), [
      "puback",
      "puback",
      "puback",
      "pubrec",
    ]);
    await client[Symbol.asyncDispose]();
    await server.until(() => server.refused.length === 5, "the will");
    deepEqual(server.refused, [
      "forger $SYS/broker/forged",
      "forger server/state",
      "forger server",
      "forger out",
      "forger server/state",
    ]);
    await server.broker.publish("server/state", encoder.encode("online"), {
      retain,
    });
    const seen = [];
    do seen.push(await watcher.expect("publish")); while (
      seen.at(-1)!.topic !== "server/state"
    );
    deepEqual(
      seen.filter(({ topic }) => !topic.startsWith("$SYS"))
        .map(({ topic, payload }) => [topic, String(payload)]),
      [["outer", "fine"], ["server/state", "online"]],
    );
    ok(!seen.some(({ topic }) => topic === "$SYS/broker/forged"));
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name:
    "createBroker() passes messages to peerTopic to the server, and to no client",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      reserved: ["server/#"],
      peerTopic: "server/state",
    });
    await using watcher = await RawConnection.open(server.port, "watcher");
    await watcher.subscribe("#", 1);
    await using peer = await RawConnection.open(server.port, "peer", {
      will: { topic: "server/state", payload: "offline" },
    });
    const retain = true;
    await peer.write(
      encodePublish("server/state", "online", { id: 1, retain }),
      encodePublish("data", "1,2,3", { id: 2 }),
    );
    await peer.expectAll("puback", 2);
    await peer[Symbol.asyncDispose]();
    await server.untilReceived(3);
    deepEqual(server.texts(), ["online", "1,2,3", "offline"]);
    deepEqual(server.refused, []);
    equal((await watcher.expect("publish")).topic, "data");
    await using late = await RawConnection.open(server.port, "late");
    await late.subscribe("server/state");
    await late.ping(); // nothing is retained
  },
});

Deno.test({
  name:
    "createBroker() drops a subscriber that does not read; other clients wait at most drainTimeout",
  ...needs(),
  async fn() {
    const drainTimeout = 300;
    await using server = await RecordingBroker.open({
      limits: { connection: { stallTimeoutMs: drainTimeout } },
    });
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("changes/#");
    frozen.freeze();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("changes/#");
    await using publisher = await RawConnection.open(server.port, "publisher");

    const payload = new Uint8Array(100_000);
    let slowest = 0;
    for (let i = 0; server.dropped.length === 0; i++) {
      const start = performance.now();
      // One from the server and one from a client, both to all subscribers.
      const published = server.broker.publish("changes/a", payload);
      await publisher.write(
        encodePublish("changes/b", payload, { id: 1 + i % 9 }),
      );
      await reader.expect("publish");
      await reader.expect("publish");
      await publisher.expect("puback");
      await published;
      slowest = Math.max(slowest, performance.now() - start);
      ok(i < 5_000, "the broker sent 1 GB");
    }
    deepEqual(server.dropped, [{
      id: "frozen",
      reason: "does not read its messages",
    }]);
    ok(slowest < 2 * drainTimeout + 700, `${slowest} ms`);
  },
});

Deno.test({
  name: "createBroker() drops a subscriber immediately above maxUnsentBytes",
  ...needs(),
  async fn() {
    const limit = 10_000_000;
    await using server = await RecordingBroker.open({
      limits: { connection: { maxUnsentBytes: limit } },
    });
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("changes");
    frozen.freeze();
    const payload = new Uint8Array(1_000_000);
    const published: Promise<void>[] = [];
    for (let i = 0; i < 100; i++) {
      published.push(server.broker.publish("changes", payload));
    }
    await server.until(() => server.dropped.length > 0, "dropped()");
    match(server.dropped[0]!.reason, /does not read/);
    await within(Promise.all(published), "all to be published", 15_000);
  },
});

Deno.test({
  name:
    "createBroker() handles many messages without a receiver while a subscriber is frozen",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { connection: { stallTimeoutMs: 200 } },
    });
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("changes");
    frozen.freeze();
    const payload = new Uint8Array(200_000);
    const published = Array.from(
      { length: 200 },
      () => server.broker.publish("changes", payload),
    );
    const bytes = Buffer.concat(
      Array.from({ length: 20_000 }, () => encodePublish("unused", "x")),
    );
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        await using flood = await RawConnection.open(server.port, `flood ${i}`);
        await flood.write(bytes, encodePublish("data", "end", { id: 1 }));
        await flood.expect("puback");
      }),
    );
    await within(Promise.all(published), "all to be published", 15_000);
    await server.until(() => server.dropped.length > 0, "dropped()");
  },
});

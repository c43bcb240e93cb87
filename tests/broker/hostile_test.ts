import { deepEqual, equal, match, ok } from "node:assert/strict";
import { deadline, Harness, OFFLINE } from "./harness.ts";
import {
  concat,
  connectFrame,
  frame,
  publishFrame,
  RawClient,
  readPublish,
  Type,
} from "./raw_client.ts";

const encoder = new TextEncoder();

/** What is no MQTT, or no more of it than the first bytes, and what is said of it. */
const NONSENSE: Record<string, { bytes: Uint8Array; reason?: RegExp }> = {
  "an HTTP request": {
    bytes: encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  },
  "a TLS hello": {
    bytes: Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3),
  },
  "zeros": { bytes: new Uint8Array(100) },
  "a packet before CONNECT": { bytes: publishFrame("data", "1,2,3", 1) },
  "a second CONNECT": {
    bytes: concat([connectFrame("twice"), connectFrame("twice")]),
  },
  "an unknown protocol": {
    bytes: frame(0x10, "HTTP", Uint8Array.of(4, 2), 60, "x"),
  },
  "a packet length of five digits": {
    bytes: Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 1),
    reason: /malformed packet length/,
  },
  "a packet that is too long": {
    bytes: Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f),
    reason: /more than 1000000 bytes/,
  },
  "an oversized PUBLISH": {
    bytes: concat([
      connectFrame("big"),
      Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x01),
    ]),
    reason: /more than 1000000 bytes/,
  },
  "a PUBLISH to a wildcard": {
    bytes: concat([connectFrame("wild"), publishFrame("data/#", "x", 1)]),
  },
  "a topic of 1,000 levels": {
    bytes: concat([connectFrame("deep"), publishFrame("/".repeat(1000), "x")]),
  },
  "a filter of 1,000 levels": {
    bytes: concat([
      connectFrame("deep"),
      frame(0x82, 1, "/".repeat(1000), Uint8Array.of(0)),
    ]),
  },
  "a PUBLISH cut short by its length": {
    bytes: concat([connectFrame("cut"), Uint8Array.of(0x30, 2, 0, 9)]),
  },
};

for (const [name, { bytes, reason }] of Object.entries(NONSENSE)) {
  Deno.test({
    name: `createBroker() ends that connection, and no other, on ${name}`,
    ignore: OFFLINE,
    async fn() {
      await using server = await Harness.open({ maxPacketBytes: 1_000_000 });
      using bystander = await RawClient.connect(server.at, "bystander");
      using client = await RawClient.dial(server.at);
      await client.send(bytes);
      await client.ended();
      await server.until(() => server.dropped.length > 0, "dropped()");
      equal(server.dropped.length, 1);
      if (reason !== undefined) match(server.dropped[0]!.reason, reason);
      await bystander.send(publishFrame("data", "1,2,3", 1));
      await bystander.take(Type.PUBACK);
      equal(server.received.at(-1)!.topic, "data");
    },
  });
}

Deno.test({
  name:
    "createBroker() refuses MQTT 5 with CONNACK 1, so that clients can fall back",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    using client = await RawClient.dial(server.at);
    await client.send(
      frame(0x10, "MQTT", Uint8Array.of(5, 2), 60, Uint8Array.of(0), "five"),
    );
    const { body } = await client.take(Type.CONNACK);
    deepEqual([...body], [0, 1]);
    await client.ended();
    deepEqual(server.dropped, []); // it was told, and comes back with 3.1.1
  },
});

Deno.test({
  name:
    "createBroker() ends connections that do not say CONNECT in time, or half of it",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ connectTimeout: 50 });
    using silent = await RawClient.dial(server.at);
    using half = await RawClient.dial(server.at);
    await half.send(connectFrame("half").subarray(0, 9));
    await silent.ended();
    await half.ended();
    await server.until(() => server.dropped.length === 2, "dropped()");
    deepEqual(server.dropped.map(({ id }) => id), [undefined, undefined]);
  },
});

Deno.test({
  name:
    "createBroker() acknowledges messages to reserved and $ topics, routes and keeps none, and tells",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ reserved: ["server/#", "out"] });
    using watcher = await RawClient.connect(server.at, "watcher");
    await watcher.subscribe("#", 1);
    await watcher.subscribe("$SYS/#", 1);
    using client = await RawClient.connect(server.at, "liar", {
      will: { topic: "server/state", payload: "offline" },
    });
    const retain = true;
    await client.send(
      publishFrame("$SYS/broker/uptime", "0", 1),
      publishFrame("server/state", "offline", 2, { retain }),
      publishFrame("server", "x", 3, { qos: 2, retain }),
      publishFrame("out", "x"),
      publishFrame("outer", "fine", 4, { retain }),
    );
    const answers = [];
    while (answers.length < 4) answers.push((await client.next())!.type);
    deepEqual(answers.sort(), [
      Type.PUBACK,
      Type.PUBACK,
      Type.PUBACK,
      Type.PUBREC,
    ]);
    client[Symbol.dispose]();
    await server.until(() => server.refused.length === 5, "the will");
    deepEqual(server.refused, [
      "liar $SYS/broker/uptime",
      "liar server/state",
      "liar server",
      "liar out",
      "liar server/state",
    ]);
    await server.broker.publish("server/state", encoder.encode("online"), {
      retain,
    });
    const seen = [];
    do seen.push(readPublish(await watcher.take(Type.PUBLISH))); while (
      seen.at(-1)!.topic !== "server/state"
    );
    deepEqual(
      seen.map(({ topic, text }) => [topic, text])
        .filter(([topic]) => !topic!.startsWith("$SYS")),
      [["outer", "fine"], ["server/state", "online"]],
    );
    ok(!seen.some(({ topic }) => topic === "$SYS/broker/uptime"));
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name:
    "createBroker() drops a subscriber that does not read, and others wait no longer than drainTimeout",
  ignore: OFFLINE,
  async fn() {
    const drainTimeout = 300;
    await using server = await Harness.open({ drainTimeout });
    using frozen = await RawClient.connect(server.at, "frozen");
    await frozen.subscribe("changes/#");
    using reader = await RawClient.connect(server.at, "reader");
    await reader.subscribe("changes/#");
    using publisher = await RawClient.connect(server.at, "publisher");

    const payload = new Uint8Array(100_000);
    let slowest = 0;
    for (let i = 0; server.dropped.length === 0; i++) {
      const start = performance.now();
      // One from the server and one from a client, both to all.
      const published = server.broker.publish("changes/a", payload);
      await publisher.send(publishFrame("changes/b", payload, 1 + i % 9));
      await reader.take(Type.PUBLISH);
      await reader.take(Type.PUBLISH);
      await publisher.take(Type.PUBACK);
      await published;
      slowest = Math.max(slowest, performance.now() - start);
      ok(i < 5_000, "it was sent 1 GB");
    }
    deepEqual(server.dropped, [{ id: "frozen", reason: "drain timeout" }]);
    ok(slowest < drainTimeout + 700, `${slowest} ms`);
  },
});

Deno.test({
  name:
    "createBroker() drops a subscriber at once when more waits for it than is allowed",
  ignore: OFFLINE,
  async fn() {
    const limit = 10_000_000;
    await using server = await Harness.open({ maxUnsentBytes: limit });
    using frozen = await RawClient.connect(server.at, "frozen");
    await frozen.subscribe("changes");
    const payload = new Uint8Array(1_000_000);
    const published: Promise<void>[] = [];
    for (let i = 0; i < 100; i++) {
      published.push(server.broker.publish("changes", payload));
    }
    await server.until(() => server.dropped.length > 0, "dropped()");
    match(server.dropped[0]!.reason, /does not read/);
    await deadline(Promise.all(published), "all to be published");
  },
});

Deno.test({
  name:
    "createBroker() lives on with many messages to nobody, while a subscriber is frozen",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ drainTimeout: 200 });
    using frozen = await RawClient.connect(server.at, "frozen");
    await frozen.subscribe("changes");
    const payload = new Uint8Array(200_000);
    const published = Array.from(
      { length: 200 },
      () => server.broker.publish("changes", payload),
    );
    const bytes = concat(
      Array.from({ length: 20_000 }, () => publishFrame("nobody", "x")),
    );
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        using flood = await RawClient.connect(server.at, `flood ${i}`);
        await flood.send(bytes, publishFrame("data", "end", 1));
        await flood.take(Type.PUBACK);
      }),
    );
    await deadline(Promise.all(published), "all to be published");
    await server.until(() => server.dropped.length > 0, "dropped()");
  },
});

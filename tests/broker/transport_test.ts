import { deepEqual, equal, ok } from "node:assert/strict";
import { deadline, Harness, OFFLINE } from "./harness.ts";
import cert from "./fixtures/cert.pem" with { type: "text" };
import key from "./fixtures/key.pem" with { type: "text" };
import {
  concat,
  connectFrame,
  publishFrame,
  RawClient,
  readPublish,
  subscribeFrame,
  Type,
} from "./raw_client.ts";

const TWENTY_MB = 20_000_000;

/** Bytes that no shift or loss leaves the same. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

Deno.test({
  name:
    "createBroker() takes a QoS 0 flood of 200,000 messages whole and in order",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    using client = await RawClient.connect(server.at, "flood");
    const count = 200_000;
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      frames.push(publishFrame("data", `${i},0,1`));
    }
    await client.send(concat(frames));
    await server.receives(count);
    equal(server.received.length, count);
    const wrong = server.texts().findIndex((text, i) => text !== `${i},0,1`);
    equal(wrong, -1);
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name:
    "createBroker() delivers a QoS 0 flood of 50,000 messages to a subscriber, in order",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    using subscriber = await RawClient.connect(server.at, "reader");
    await subscriber.subscribe("other/#");
    using client = await RawClient.connect(server.at, "flood");
    const count = 50_000;
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      frames.push(publishFrame("other/a", `${i}`));
    }
    const sent = client.send(concat(frames));
    for (let i = 0; i < count; i++) {
      equal(readPublish(await subscriber.take(Type.PUBLISH)).text, `${i}`);
    }
    await sent;
  },
});

Deno.test({
  name: "createBroker() takes a packet of 20 MB from a client, and sends one",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    const payload = pattern(TWENTY_MB);
    using client = await RawClient.connect(server.at, "large");
    await client.subscribe("map");
    await client.send(publishFrame("data", payload, 1));
    await client.take(Type.PUBACK);
    equal(Buffer.compare(server.received[0]!.payload, payload), 0);

    const published = server.broker.publish("map", payload);
    const { bytes } = readPublish(await client.take(Type.PUBLISH));
    equal(Buffer.compare(bytes, payload), 0);
    await published;
  },
});

Deno.test({
  name:
    "createBroker() serves mqtt.js over WebSockets, floods and 5 MB included",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({
      ws: { host: "127.0.0.1", port: 0 },
    });
    await roundTrip(server, `ws://127.0.0.1:${server.broker.wsAddress!.port}`);
  },
});

Deno.test({
  name: "createBroker() serves mqtt.js over TLS, floods and 5 MB included",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({
      tls: { host: "127.0.0.1", port: 0, cert, key },
    });
    await roundTrip(
      server,
      `mqtts://127.0.0.1:${server.broker.tlsAddress!.port}`,
    );
  },
});

Deno.test({
  name: "createBroker() serves mqtt.js over WebSockets and TLS together",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({
      ws: { host: "127.0.0.1", port: 0, cert, key },
    });
    await roundTrip(server, `wss://127.0.0.1:${server.broker.wsAddress!.port}`);
  },
});

/** Subscribes, publishes 5 MB and 5,000 messages, and is sent all of it back. */
async function roundTrip(server: Harness, url: string): Promise<void> {
  const { default: mqtt } = await import("mqtt");
  const client = await deadline(
    mqtt.connectAsync(url, {
      ca: cert,
      protocolVersion: 4,
      reconnectPeriod: 0,
    }),
    "CONNACK",
  );
  try {
    const large = pattern(5_000_000);
    const back: Uint8Array[] = [];
    const all = Promise.withResolvers<void>();
    client.on("message", (_topic, payload) => {
      if (back.push(payload) === 5_002) all.resolve();
    });
    await client.subscribeAsync("data/#", { qos: 1 });
    await client.publishAsync("data/large", large as Buffer, { qos: 1 });
    for (let i = 0; i < 5_000; i++) client.publish("data", `${i}`);
    await client.publishAsync("data", "last", { qos: 1 });
    await deadline(all.promise, `all to come back (${back.length} did)`);
    equal(Buffer.compare(back[0]!, large), 0);
    const text = back.slice(1).map((payload) => payload.toString());
    const expected = Array.from({ length: 5_000 }, (_, i) => `${i}`);
    deepEqual(text, [...expected, "last"]);
    equal(server.received.length, 5_002);
  } finally {
    await client.endAsync(true);
  }
}

Deno.test({
  name: "createBroker() takes packets that come a byte at a time",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    using client = await RawClient.dial(server.at);
    const bytes = concat([
      connectFrame("slow"),
      publishFrame("data", "1,2,3", 1),
      publishFrame("data", "4,5,6", 2),
    ]);
    for (const byte of bytes) await client.send(Uint8Array.of(byte));
    await client.take(Type.CONNACK);
    await client.takeAll(Type.PUBACK, 2);
    deepEqual(server.texts(), ["1,2,3", "4,5,6"]);
  },
});

Deno.test({
  name: "createBroker() takes what a client sends along with its CONNECT",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    using client = await RawClient.dial(server.at);
    const messages = Array.from(
      { length: 3_000 },
      (_, i) => publishFrame("data", `${i}`, i + 1),
    );
    await client.send(
      connectFrame("hasty"),
      subscribeFrame("other"),
      ...messages,
    );
    await client.take(Type.CONNACK); // first of all (MQTT 3.1.1, 3.2)
    const types: number[] = [];
    while (types.length < 3_001) types.push((await client.next())!.type);
    equal(types.filter((type) => type === Type.PUBACK).length, 3_000);
    ok(types.includes(Type.SUBACK));
    deepEqual(server.texts(), messages.map((_, i) => `${i}`));
  },
});

/** PUBLISH of MQTT 5: aliases, properties, expiry, reason codes. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { delay } from "../../../src/common/async.ts";
import {
  FIRST,
  frame,
  join,
  properties,
  u16,
  u32,
} from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import { message, messages, ping, receive, texts } from "./trial.ts";

const PROTOCOL_ERROR = 0x82;
const NO_SUBSCRIBERS = 0x10;
const RECEIVE_MAXIMUM = 0x93;
const INVALID_ALIAS = 0x94;
const TOO_LARGE = 0x95;
const versions = [5] as const;

clause({
  name: "a topic alias stands for its topic, and can be set again (3.3.2.3.4)",
  versions,
}, async (t) => {
  const { client, connack } = await t.connack("alias");
  const maximum = connack.properties?.topicAliasMaximum ?? 0;
  await t.subscribe(client, "alias/#");
  const publish = (topic: string, payload: string, topicAlias: number) =>
    client.publish(topic, payload, { properties: { topicAlias } });
  await publish("alias/a", "1", 1);
  await publish("", "2", 1);
  await publish("alias/b", "3", maximum);
  await publish("", "4", maximum);
  await publish("alias/c", "5", 1);
  await publish("", "6", 1);
  const received = await messages(client);
  assert.deepEqual(
    received.map(({ topic, payload }) => `${topic} ${payload}`),
    ["a 1", "a 2", "b 3", "b 4", "c 5", "c 6"].map((text) => `alias/${text}`),
  );
  for (const { properties } of received) {
    assert.equal(properties?.topicAlias, undefined);
  }
});

clause({
  name: "topic alias 0, or above the maximum, closes with 0x94 (3.3.2-8, 9)",
  versions,
}, async (t) => {
  const { connack } = await t.connack("alias");
  const maximum = connack.properties?.topicAliasMaximum ?? 0;
  for (const alias of [0, maximum + 1, 65_535]) {
    await t.mustClose(
      frame(FIRST.publish, "a", properties(5, 0x23, u16(alias)), "x"),
      ...(alias === 0
        ? [INVALID_ALIAS, PROTOCOL_ERROR, 0x81]
        : [INVALID_ALIAS]),
    );
  }
});

clause({
  name:
    "an alias that is not set closes, also that of an earlier connection (3.3.2-12)",
  versions,
}, async (t) => {
  const first = await t.resume("alias");
  await first.publish("a", "x", { properties: { topicAlias: 1 } });
  await ping(first);
  await first.disconnect();
  const second = await t.resume("alias");
  await second.write(
    frame(FIRST.publish, "", properties(5, 0x23, u16(1)), "x"),
  );
  await t.closes(second, PROTOCOL_ERROR, INVALID_ALIAS);
});

clause({
  name: "properties are forwarded unchanged (3.3.2)",
  versions,
}, async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "properties", { qos: 1 });
  const writer = await t.connect("writer");
  const list = {
    payloadFormatIndicator: true,
    contentType: "text/plain",
    responseTopic: "reply/to",
    correlationData: Buffer.from([0, 1, 255]),
    userProperties: { a: ["1", "2"], b: "3" },
  };
  for (const qos of [0, 1, 2] as const) {
    await t.publish(writer, "properties", "x", { qos, properties: list });
    const { properties } = await message(reader);
    assert.deepEqual({ ...properties }, {
      ...list,
      userProperties: Object.assign(Object.create(null), list.userProperties),
    });
  }
});

clause({
  name: "User Properties keep their order, with equal names too (3.3.2-18)",
  versions,
}, async (t) => {
  const client = await t.connect("order");
  await t.subscribe(client, "order");
  const list = join(
    ...[["b", "1"], ["a", "2"], ["b", "3"], ["", ""], ["a", "2"]]
      .map(([name, value]) => join(0x26, name!, value!)),
  );
  let received = Buffer.alloc(0);
  client.onBytes = (bytes) => received = Buffer.concat([received, bytes]);
  await client.write(frame(FIRST.publish, "order", properties(5, list), 120));
  await message(client);
  assert.ok(received.includes(Buffer.from(list)), received.toString("hex"));
});

clause({
  name:
    "properties of retained messages and wills are forwarded (3.3.1.3, 3.1.3.2)",
  versions,
}, async (t) => {
  const writer = await t.connect("writer");
  const list = { contentType: "text/plain", userProperties: { a: "1" } };
  await t.publish(writer, "kept", "x", { retain: true, properties: list });
  const reader = await t.connect("reader");
  await t.subscribe(reader, "kept");
  const retained = await message(reader);
  assert.equal(retained.properties?.contentType, "text/plain");
  assert.equal(retained.properties?.userProperties?.a, "1");
  await t.subscribe(reader, "will");
  const dying = await t.connect("dying", {
    will: { topic: "will", payload: "y", properties: list },
  });
  await dying[Symbol.asyncDispose]();
  const will = await message(reader);
  assert.equal(will.properties?.contentType, "text/plain");
  assert.equal(will.properties?.userProperties?.a, "1");
});

clause({
  name: "properties are left out for a client of MQTT 3.1.1 (4.1)",
  versions,
}, async (t) => {
  const old = await t.connect("old", { version: 4 });
  await old.subscribe("mixed");
  const writer = await t.connect("writer");
  await t.publish(writer, "mixed", "x", {
    properties: { contentType: "text/plain", userProperties: { a: "1" } },
  });
  const { payload, properties } = await message(old);
  assert.equal(payload.toString(), "x");
  assert.equal(properties, undefined);
});

clause({
  name: "a message that has expired in the queue is not sent (3.3.2-5)",
  versions,
}, async (t) => {
  const first = await t.resume("offline");
  await t.subscribe(first, "expiry", { qos: 1 });
  await first.disconnect();
  const writer = await t.connect("writer");
  const publish = (payload: string, seconds?: number) =>
    t.publish(writer, "expiry", payload, {
      qos: 1,
      ...(seconds !== undefined &&
        { properties: { messageExpiryInterval: seconds } }),
    });
  await publish("short", 1);
  await publish("long", 100);
  await publish("ever");
  await delay(2100);
  const second = await t.resume("offline");
  const received = await messages(second);
  assert.deepEqual(texts(received), ["long", "ever"]);
  // What remains of the interval (3.3.2-6).
  const remains = received[0]!.properties!.messageExpiryInterval!;
  assert.ok(remains >= 90 && remains <= 98, `${remains} s`);
  assert.equal(received[1]!.properties?.messageExpiryInterval, undefined);
});

clause({
  name: "a retained message expires, with the remainder sent on (3.3.2-6)",
  versions,
}, async (t) => {
  const writer = await t.connect("writer");
  const publish = (topic: string, messageExpiryInterval: number) =>
    t.publish(writer, topic, "x", {
      retain: true,
      properties: { messageExpiryInterval },
    });
  await publish("expiry/short", 1);
  await publish("expiry/long", 100);
  await delay(2100);
  await t.subscribe(writer, "expiry/#");
  const received = await messages(writer);
  assert.deepEqual(received.map(({ topic }) => topic), ["expiry/long"]);
  const remains = received[0]!.properties!.messageExpiryInterval!;
  assert.ok(remains >= 90 && remains <= 98, `${remains} s`);
});

clause({
  name: "PUBACK and PUBREC are 0x10 without a subscriber, else 0 (3.4.2.1)",
  versions,
}, async (t) => {
  const client = await t.connect("writer");
  const none = await t.publish(client, "none", "x", { qos: 1 });
  assert.equal(none, NO_SUBSCRIBERS);
  // With PUBREC a broker may not know it yet.
  const later = await t.publish(client, "none", "x", { qos: 2 });
  assert.ok([0, NO_SUBSCRIBERS].includes(later), `${later}`);
  await t.subscribe(client, "some");
  for (const qos of [1, 2] as const) {
    assert.equal(await t.publish(client, "some", "x", { qos }), 0);
  }
});

clause({
  name:
    "more messages at QoS 2 than the Receive Maximum close with 0x93 (3.3.4-9)",
  versions,
  mosquitto: "it accepts them",
}, async (t) => {
  const { client, connack } = await t.connack("flood");
  const maximum = connack.properties?.receiveMaximum ?? 65_535;
  for (let id = 1; id <= Math.min(maximum + 1, 65_535); id++) {
    await client.publish("flood", "x", { qos: 2, id }).catch(() => {});
  }
  if (maximum >= 65_535) return; // cannot be exceeded
  await t.closes(client, RECEIVE_MAXIMUM);
});

clause({
  name: "as many messages as the Receive Maximum are accepted (3.3.4-9)",
  versions,
}, async (t) => {
  const { client, connack } = await t.connack("window");
  const maximum = Math.min(connack.properties?.receiveMaximum ?? 1000, 1000);
  for (let round = 0; round < 2; round++) {
    for (let id = 1; id <= maximum; id++) {
      await client.publish("window", "x", { qos: 2, id });
    }
    for (let id = 1; id <= maximum; id++) {
      assert.equal((await receive(client, "pubrec")).messageId, id);
    }
    for (let id = 1; id <= maximum; id++) {
      await client.send({ cmd: "pubrel", messageId: id });
    }
    for (let id = 1; id <= maximum; id++) {
      assert.equal((await receive(client, "pubcomp")).messageId, id);
    }
  }
});

clause({
  name: "PUBREC with an error ends the message (4.3.3)",
  versions,
}, async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "refused", { qos: 2 });
  const writer = await t.connect("writer");
  await t.publish(writer, "refused", "x", { qos: 2 });
  const { messageId } = await message(reader);
  await reader.send({ cmd: "pubrec", messageId: messageId!, reasonCode: 0x80 });
  await ping(reader);
  assert.deepEqual(reader.packets.map(({ cmd }) => cmd), []);
});

clause({
  name:
    "a packet above the Maximum Packet Size of the broker closes with 0x95 (3.2.2-15)",
  versions: [4, 5],
  limits: { maxPacketBytes: 1000 },
}, async (t) => {
  const { client, connack } = await t.connack("large");
  if (t.version === 5) {
    assert.equal(connack.properties?.maximumPacketSize, 1000);
  }
  const header = 2 + 3 + (t.version === 5 ? 1 : 0) + 1;
  await t.publish(client, "a", "x".repeat(900 - header), { qos: 1 });
  await t.mustClose(
    frame(FIRST.publish, "a", properties(t.version), Buffer.alloc(1000)),
    TOO_LARGE,
  );
});

clause({
  name: "PUBACK with an error ends the message (4.3.2)",
  versions,
}, async (t) => {
  const reader = await t.resume("reader");
  await t.subscribe(reader, "refused", { qos: 1 });
  const writer = await t.connect("writer");
  await t.publish(writer, "refused", "x", { qos: 1 });
  const { messageId } = await message(reader);
  await reader.send({ cmd: "puback", messageId: messageId!, reasonCode: 0x83 });
  await ping(reader);
  await reader.disconnect();
  assert.deepEqual(await messages(await t.resume("reader")), []);
});

clause({
  name:
    "a Message Expiry Interval of a will counts from its publication (3.1.3.2.4)",
  versions,
}, async (t) => {
  const reader = await t.resume("reader");
  await t.subscribe(reader, "will", { qos: 1 });
  const dying = await t.connect("dying", {
    will: {
      ...{ topic: "will", payload: "x", qos: 1 },
      properties: { messageExpiryInterval: 50 },
    },
  });
  await delay(1100);
  await dying.write(frame(FIRST.connack, u32(0)));
  const { properties } = await message(reader);
  const seconds = properties?.messageExpiryInterval ?? 0;
  assert.ok(seconds >= 48 && seconds <= 50, `${seconds} s`);
});

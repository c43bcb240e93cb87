/** PUBLISH from clients, in both versions. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FIRST, frame, properties, u16 } from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import {
  codeOf,
  drop,
  message,
  messages,
  ping,
  receive,
  texts,
} from "./trial.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const INVALID_TOPIC = 0x90;

clause("QoS 3 closes (3.3.1-4)", async (t) => {
  const none = properties(t.version);
  await t.mustClose(
    frame(FIRST.publish | 6, "a", u16(1), none, "x"),
    ...[MALFORMED, PROTOCOL_ERROR],
  );
});

clause({
  name: "DUP at QoS 0 closes (3.3.1-2)",
  mosquitto: "it ignores DUP at QoS 0",
}, async (t) => {
  const none = properties(t.version);
  await t.mustClose(
    frame(FIRST.publish | 8, "a", none, "x"),
    ...[MALFORMED, PROTOCOL_ERROR],
  );
});

clause("a topic with a wildcard closes (3.3.2-2)", async (t) => {
  const none = properties(t.version);
  for (const topic of ["#", "a/#", "+", "a/+/b", "a+", "a#"]) {
    await t.mustClose(
      frame(FIRST.publish, topic, none, "x"),
      ...[MALFORMED, PROTOCOL_ERROR, INVALID_TOPIC],
    );
  }
});

clause("an empty topic closes (4.7.3-1)", async (t) => {
  const none = properties(t.version);
  await t.mustClose(
    frame(FIRST.publish, "", none, "x"),
    ...[MALFORMED, PROTOCOL_ERROR, INVALID_TOPIC],
  );
});

clause("topics are exact: case, spaces, empty levels (4.7.3)", async (t) => {
  const reader = await t.connect("reader");
  const writer = await t.connect("writer");
  const topics = ["a b", "A b", "/a", "a/", "a//b", "/", " ", "ä/€/😀"];
  for (const topic of topics) await t.subscribe(reader, topic);
  for (const topic of [...topics, "a", "b", "a/b", "//"]) {
    await t.publish(writer, topic, topic);
  }
  assert.deepEqual(texts(await messages(reader)), topics);
});

clause("an empty payload is a message (3.3.3)", async (t) => {
  const client = await t.connect("empty");
  await t.subscribe(client, "empty");
  await t.publish(client, "empty", "");
  assert.equal((await message(client)).payload.length, 0);
});

clause(
  "QoS 1 is acknowledged with PUBACK and its identifier (4.3.2)",
  async (t) => {
    const client = await t.connect("writer");
    for (const id of [1, 255, 256, 65_535]) {
      await client.publish("a", "x", { id });
      assert.equal((await receive(client, "puback")).messageId, id);
    }
  },
);

clause("acknowledgements are in the order of the messages (4.6)", async (t) => {
  const client = await t.connect("writer");
  const ids = Array.from({ length: 100 }, (_, i) => i + 1);
  for (const id of ids) await client.publish("a", "x", { id });
  for (const id of ids) {
    assert.equal((await client.expect("puback")).messageId, id);
  }
});

clause("QoS 2 is exactly once within a connection (4.3.3)", async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "once", { qos: 0 });
  const client = await t.connect("writer");
  await client.publish("once", "first", { qos: 2, id: 7 });
  assert.equal((await receive(client, "pubrec")).messageId, 7);
  await client.publish("once", "first", { qos: 2, id: 7, dup: true });
  assert.equal((await receive(client, "pubrec")).messageId, 7);
  for (let i = 0; i < 2; i++) {
    await client.send({ cmd: "pubrel", messageId: 7 });
    assert.equal((await receive(client, "pubcomp")).messageId, 7);
  }
  // The identifier is free again.
  await t.publish(client, "once", "second", { qos: 2, id: 7 });
  assert.deepEqual(texts(await messages(reader)), ["first", "second"]);
});

clause("QoS 2 is exactly once across connections (4.3.3, 4.4)", async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "once", { qos: 2 });
  const first = await t.resume("writer");
  await first.publish("once", "x", { qos: 2, id: 9 });
  await receive(first, "pubrec");
  await drop(first);
  const second = await t.resume("writer");
  await second.publish("once", "x", { qos: 2, id: 9, dup: true });
  assert.equal((await receive(second, "pubrec")).messageId, 9);
  await second.send({ cmd: "pubrel", messageId: 9 });
  await receive(second, "pubcomp");
  await drop(second);
  const third = await t.resume("writer");
  await third.send({ cmd: "pubrel", messageId: 9 });
  assert.equal((await receive(third, "pubcomp")).messageId, 9);
  await ping(third);
  assert.deepEqual(texts(await messages(reader)), ["x"]);
});

clause(
  "a clean session forgets the identifiers of QoS 2 (3.1.2-6)",
  async (t) => {
    const reader = await t.connect("reader");
    await t.subscribe(reader, "once", { qos: 0 });
    const first = await t.resume("writer");
    await t.publish(first, "once", "0");
    await first.publish("once", "1", { qos: 2, id: 9 });
    await receive(first, "pubrec");
    await first.send({ cmd: "pubrel", messageId: 9 });
    await receive(first, "pubcomp");
    await first.publish("once", "2", { qos: 2, id: 10 });
    await receive(first, "pubrec");
    await drop(first);
    const second = await t.connect("writer");
    await t.publish(second, "once", "3", { qos: 2, id: 10 });
    const received = texts(await messages(reader));
    assert.deepEqual(received.filter((text) => text !== "2"), ["0", "1", "3"]);
  },
);

clause("an identifier may be used again after PUBACK (2.3.1-4)", async (t) => {
  const client = await t.connect("writer");
  await t.subscribe(client, "again");
  for (const payload of ["a", "b", "c"]) {
    await t.publish(client, "again", payload, { qos: 1, id: 3 });
  }
  assert.deepEqual(texts(await messages(client)), ["a", "b", "c"]);
});

clause(
  "client and broker may use one identifier at once (2.3.1)",
  async (t) => {
    const client = await t.connect("both");
    await t.subscribe(client, "both", { qos: 1 });
    await client.publish("both", "x", { id: 1 });
    const { messageId } = await message(client);
    await receive(client, "puback");
    await client.publish("other", "y", { id: messageId! });
    assert.equal((await receive(client, "puback")).messageId, messageId);
    await client.send({ cmd: "puback", messageId: messageId! });
    await ping(client);
  },
);

clause("DUP of a client is never passed on (3.3.1-3)", async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "dup", { qos: 2 });
  const client = await t.connect("writer");
  await client.publish("dup", "one", { qos: 1, id: 1, dup: true });
  await receive(client, "puback");
  await client.publish("dup", "two", { qos: 2, id: 2, dup: true });
  await receive(client, "pubrec");
  await client.send({ cmd: "pubrel", messageId: 2 });
  await receive(client, "pubcomp");
  const received = await messages(reader);
  assert.deepEqual(texts(received), ["one", "two"]);
  assert.deepEqual(received.map(({ dup }) => dup), [false, false]);
});

clause("PUBREL of an unknown identifier is answered (4.3.3)", async (t) => {
  const client = await t.connect("writer");
  await client.send({ cmd: "pubrel", messageId: 99 });
  const pubcomp = await receive(client, "pubcomp");
  assert.equal(pubcomp.messageId, 99);
  if (t.version === 5 && t.subject === "embedded") {
    assert.equal(codeOf(pubcomp), 0x92); // Packet Identifier not found
  }
});

clause("a payload of any bytes arrives unchanged (3.3.3)", async (t) => {
  const client = await t.connect("bytes");
  await t.subscribe(client, "bytes");
  const payload = Buffer.from(Array.from({ length: 512 }, (_, i) => i & 255));
  await t.publish(client, "bytes", payload);
  assert.deepEqual((await message(client)).payload, payload);
});

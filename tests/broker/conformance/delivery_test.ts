/** Delivery: windows, identifiers, order, redelivery, packet size. */
import assert from "node:assert/strict";
import type { PacketOf, PublishPacket } from "../../support/packets.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { clause } from "./clause.ts";
import {
  acknowledge,
  closed,
  codeOf,
  drop,
  message,
  messages,
  ping,
  receive,
  texts,
  type Trial,
} from "./trial.ts";

/** Messages that Mosquitto sends without an acknowledgement, at most. */
const WINDOW = 20;

async function publishAll(
  t: Trial,
  topic: string,
  count: number,
  qos: 1 | 2 = 1,
): Promise<void> {
  const writer = await t.connect("writer");
  for (let i = 0; i < count; i++) {
    await t.publish(writer, topic, `${i}`, { qos });
  }
  await writer.disconnect();
}

function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${from + i}`);
}

function idsOf(packets: readonly PublishPacket[]): number[] {
  return packets.map(({ messageId }) => messageId!);
}

clause({
  name: "overlapping filters store one message for an offline session (3.3.5)",
  mosquitto: { 5: "it stores one for each filter" },
}, async (t) => {
  const first = await t.resume("reader");
  for (const topic of ["one/a", "one/+", "one/#"]) {
    await t.subscribe(first, topic, { qos: 1 });
  }
  await first.disconnect();
  await publishAll(t, "one/a", 5);
  const second = await t.resume("reader");
  const received = await messages(second);
  assert.deepEqual(texts(received), numbers(5));
  for (const packet of received) await acknowledge(second, packet);
  await second.disconnect();
  assert.deepEqual(await messages(await t.resume("reader")), []);
});

clause("identifiers in flight are unique and not 0 (2.3.1-2)", async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "ids/1", { qos: 1 });
  await t.subscribe(reader, "ids/2", { qos: 2 });
  await publishAll(t, "ids/1", WINDOW / 2);
  await publishAll(t, "ids/2", WINDOW / 2, 2);
  const ids = idsOf(await messages(reader));
  assert.equal(ids.length, WINDOW);
  assert.equal(new Set(ids).size, WINDOW);
  assert.ok(!ids.includes(0));
});

clause(
  "an identifier is used again only after its acknowledgement (2.3.1-2)",
  async (t) => {
    const reader = await t.connect("reader");
    await t.subscribe(reader, "ids", { qos: 1 });
    await publishAll(t, "ids", 3);
    const [, kept, ...others] = await messages(reader);
    for (const packet of others) await acknowledge(reader, packet);
    const writer = await t.connect("more");
    for (let i = 0; i < 200; i++) {
      await t.publish(writer, "ids", `${i}`, { qos: 1 });
      const packet = await message(reader);
      assert.notEqual(packet.messageId, kept!.messageId);
      await acknowledge(reader, packet);
    }
  },
);

clause(
  "all messages of a session arrive, in order, after a pause (4.6)",
  async (t) => {
    for (const qos of [1, 2] as const) {
      const first = await t.resume(`reader-${qos}`);
      await t.subscribe(first, "order", { qos });
      await first.disconnect();
      const count = 100;
      await publishAll(t, "order", count, qos);
      const second = await t.resume(`reader-${qos}`);
      const received: string[] = [];
      while (received.length < count) {
        const packet = await message(second);
        received.push(packet.payload.toString());
        await acknowledge(second, packet);
      }
      assert.deepEqual(received, numbers(count));
      assert.deepEqual(await messages(second), []);
      await second.disconnect();
    }
  },
);

clause(
  "messages of all QoS from one client arrive in order at each QoS (4.6-5)",
  async (t) => {
    const reader = await t.connect("reader");
    await t.subscribe(reader, "mixed", { qos: 2 });
    const writer = await t.connect("writer");
    for (let i = 0; i < 30; i++) {
      const qos = (i % 3) as 0 | 1 | 2;
      await t.publish(writer, "mixed", `${i}`, { qos });
      if (qos > 0) await acknowledge(reader, await receivedAt(reader, `${i}`));
      else await receivedAt(reader, `${i}`);
    }
  },
);

async function receivedAt(
  client: RawConnection,
  payload: string,
): Promise<PublishPacket> {
  const packet = await message(client);
  assert.equal(packet.payload.toString(), payload);
  return packet;
}

clause(
  "after a reconnect: the same identifiers with DUP, in order, then the queue (4.4)",
  async (t) => {
    const first = await t.resume("reader");
    await t.subscribe(first, "again", { qos: 1 });
    await publishAll(t, "again", 10);
    const sent = await messages(first);
    assert.deepEqual(texts(sent), numbers(10));
    // Acknowledged out of order: the others stay.
    await acknowledge(first, sent[4]!);
    await ping(first);
    await drop(first);
    const writer = await t.connect("late");
    await ping(writer);
    for (let i = 10; i < 15; i++) {
      await t.publish(writer, "again", `${i}`, { qos: 1 });
    }
    const second = await t.resume("reader");
    const again = await messages(second);
    const missing = [...sent.slice(0, 4), ...sent.slice(5)];
    assert.deepEqual(texts(again), [...texts(missing), ...numbers(5, 10)]);
    assert.deepEqual(idsOf(again.slice(0, 9)), idsOf(missing));
    assert.deepEqual(
      again.slice(0, 9).map(({ dup }) => dup),
      missing.map(() => true),
    );
    // Those of the queue were never sent, or to a connection that had ended.
    const ids = idsOf(again);
    assert.equal(new Set(ids).size, ids.length);
  },
);

clause(
  "after a reconnect a message at QoS 2 goes on where it was (4.4)",
  async (t) => {
    const first = await t.resume("reader");
    await t.subscribe(first, "twice", { qos: 2 });
    await publishAll(t, "twice", 3, 2);
    const sent = await messages(first);
    // The first has PUBREC and PUBREL, the second PUBREC, the third nothing.
    await first.send({ cmd: "pubrec", messageId: sent[0]!.messageId! });
    await receive(first, "pubrel");
    await first.send({ cmd: "pubrec", messageId: sent[1]!.messageId! });
    await receive(first, "pubrel");
    await drop(first);
    const second = await t.resume("reader");
    await ping(second);
    const publishes = second.takeReceived("publish");
    assert.deepEqual(
      publishes.map(({ messageId, dup }) => [messageId, dup]),
      [[sent[2]!.messageId, true]],
    );
    const releases = second.takeReceived("pubrel");
    assert.deepEqual(
      releases.map(({ messageId }) => messageId),
      idsOf(sent.slice(0, 2)),
    );
    for (const { messageId } of releases) {
      await second.send({ cmd: "pubcomp", messageId: messageId! });
    }
    await acknowledge(second, publishes[0]!);
    await ping(second);
    await second.disconnect();
    const third = await t.resume("reader");
    await ping(third);
    assert.deepEqual(third.packets, []);
  },
);

clause("an acknowledged message is not sent again (4.3.2)", async (t) => {
  for (const qos of [1, 2] as const) {
    const first = await t.resume("reader");
    await t.subscribe(first, "done", { qos });
    await publishAll(t, "done", 3, qos);
    for (const packet of await messages(first)) {
      await acknowledge(first, packet);
    }
    await ping(first);
    await drop(first);
    const second = await t.resume("reader");
    assert.deepEqual(await messages(second), []);
    await t.unsubscribe(second, "done");
    await second.disconnect();
  }
});

clause(
  "a message at QoS 0 for a client that is away is dropped or kept, never stuck (4.3.1)",
  async (t) => {
    const first = await t.resume("reader");
    await t.subscribe(first, "zero", { qos: 1 });
    await first.disconnect();
    const writer = await t.connect("writer");
    await t.publish(writer, "zero", "0", { qos: 0 });
    await t.publish(writer, "zero", "1", { qos: 1 });
    const received = texts(await messages(await t.resume("reader")));
    assert.equal(received.at(-1), "1");
  },
);

clause("messages between the versions arrive (4.1)", async (t) => {
  const other = t.version === 5 ? 4 : 5;
  const reader = await t.connect("reader", { version: other });
  await reader.subscribe("mixed", 2);
  const writer = await t.connect("writer");
  for (const qos of [0, 1, 2] as const) {
    await t.publish(writer, "mixed", `${qos}`, { qos });
  }
  assert.deepEqual(texts(await messages(reader)), ["0", "1", "2"]);
});

const versions = [5] as const;

clause({
  name:
    "at most Receive Maximum messages are in flight, QoS 1 and 2 together (MQTT 5, 3.1.2.11.3)",
  versions,
  mosquitto: "it sends more",
}, async (t) => {
  for (const receiveMaximum of [1, 3]) {
    const reader = await t.connect("reader", {
      properties: { receiveMaximum },
    });
    await t.subscribe(reader, "window/1", { qos: 1 });
    await t.subscribe(reader, "window/2", { qos: 2 });
    const writer = await t.connect("writer");
    for (let i = 0; i < 12; i++) {
      const qos = i % 2 === 0 ? 1 : 2;
      await t.publish(writer, `window/${qos}`, `${i}`, { qos });
    }
    const received: PublishPacket[] = [];
    while (received.length < 12) {
      const now = await messages(reader);
      assert.ok(now.length <= receiveMaximum, `${now.length} at once`);
      if (now.length === 0) now.push(await message(reader));
      received.push(...now);
      for (const packet of now) await acknowledge(reader, packet);
    }
    assert.deepEqual(texts(received), numbers(12));
    assert.deepEqual(await messages(reader), []);
    await reader.disconnect();
  }
});

clause({
  name: "a message at QoS 2 is in flight until PUBCOMP (MQTT 5, 4.9)",
  versions,
}, async (t) => {
  const reader = await t.connect("reader", {
    properties: { receiveMaximum: 1 },
  });
  await t.subscribe(reader, "window", { qos: 2 });
  await publishAll(t, "window", 2, 2);
  const { messageId = 0 } = await message(reader);
  assert.deepEqual(await messages(reader), []);
  await reader.send({ cmd: "pubrec", messageId });
  await receive(reader, "pubrel");
  assert.deepEqual(await messages(reader), []);
  await reader.send({ cmd: "pubcomp", messageId });
  assert.equal((await message(reader)).payload.toString(), "1");
});

clause({
  name: "messages at QoS 0 do not wait for the window (MQTT 5, 4.9)",
  versions,
}, async (t) => {
  const reader = await t.connect("reader", {
    properties: { receiveMaximum: 1 },
  });
  await t.subscribe(reader, "window/#", { qos: 1 });
  await publishAll(t, "window/1", 2);
  const writer = await t.connect("zero");
  await t.publish(writer, "window/0", "zero");
  assert.deepEqual(texts(await messages(reader)), ["0", "zero"]);
});

clause({
  name: "the window of a reconnect is the new one (MQTT 5, 3.1.2.11.3)",
  versions,
  mosquitto: "it sends all that were in flight",
}, async (t) => {
  const first = await t.resume("reader", {
    properties: { receiveMaximum: 4 },
  });
  await t.subscribe(first, "window", { qos: 1 });
  await publishAll(t, "window", 6);
  assert.equal((await messages(first)).length, 4);
  await first.disconnect();
  const second = await t.resume("reader", {
    properties: { receiveMaximum: 2 },
  });
  const received = await messages(second);
  assert.deepEqual(texts(received), ["0", "1"]);
  while (received.length < 6) {
    await acknowledge(second, received.at(-2)!);
    await acknowledge(second, received.at(-1)!);
    received.push(await message(second), await message(second));
  }
  assert.deepEqual(texts(received), numbers(6));
});

clause({
  name:
    "a message above the client's Maximum Packet Size is skipped, not cut (MQTT 5, 3.1.2-25)",
  versions,
}, async (t) => {
  const reader = await t.resume("reader", {
    properties: { maximumPacketSize: 200, receiveMaximum: 2 },
  });
  await t.subscribe(reader, "size", { qos: 1 });
  const writer = await t.connect("writer");
  for (let i = 0; i < 4; i++) {
    await t.publish(writer, "size", `small ${i}`, { qos: 1 });
    await t.publish(writer, "size", "x".repeat(300), { qos: 1 });
  }
  const received: PublishPacket[] = [];
  while (received.length < 4) {
    const packet = await message(reader);
    await acknowledge(reader, packet);
    received.push(packet);
  }
  assert.deepEqual(texts(received), numbers(4).map((i) => `small ${i}`));
  await reader.disconnect();
  assert.deepEqual(await messages(await t.resume("reader")), []);
});

clause({
  name:
    "a packet of exactly the Maximum Packet Size is sent (MQTT 5, 3.1.2.11.4)",
  versions,
  mosquitto: "it does not count the fixed header",
}, async (t) => {
  const reader = await t.connect("reader", {
    properties: { maximumPacketSize: 100 },
  });
  await t.subscribe(reader, "size");
  const writer = await t.connect("writer");
  // Header 2, topic 6, properties 1.
  await t.publish(writer, "size", "x".repeat(91));
  await t.publish(writer, "size", "y".repeat(92));
  assert.deepEqual(texts(await messages(reader)), ["x".repeat(91)]);
});

clause(
  {
    name:
      "an acknowledgement of the wrong type is a protocol error (4.3.2, 4.3.3)",
    mosquitto: { 5: "it closes some connections without DISCONNECT" },
  },
  async (t) => {
    const writer = await t.connect("writer");
    const wrong = [
      { qos: 1, cmds: ["pubrec"] },
      { qos: 1, cmds: ["pubcomp"] },
      { qos: 2, cmds: ["puback"] },
      { qos: 2, cmds: ["pubcomp"] },
      { qos: 2, cmds: ["pubrec", "puback"] },
    ] as const;
    for (const [i, { qos, cmds }] of wrong.entries()) {
      const reader = await t.connect(`reader ${i}`);
      await t.subscribe(reader, "wrong", { qos });
      await t.publish(writer, "wrong", "x", { qos });
      const { messageId = 0 } = await message(reader);
      for (const cmd of cmds) await reader.send({ cmd, messageId });
      const packets = (await closed(reader))
        .filter(({ cmd }) => cmd !== "pubrel");
      const last = packets[0] as PacketOf<"disconnect"> | undefined;
      assert.equal(packets.length, t.version === 5 ? 1 : 0);
      if (last === undefined) continue;
      assert.equal(last.cmd, "disconnect");
      assert.equal(codeOf(last), 0x82);
    }
  },
);

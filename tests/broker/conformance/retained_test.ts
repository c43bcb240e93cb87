/** Retained messages. */
import assert from "node:assert/strict";
import { clause } from "./clause.ts";
import { acknowledge, messages, receive, texts } from "./trial.ts";

clause(
  "a retained message is set, replaced and cleared (3.3.1-5 to 11)",
  async (t) => {
    const writer = await t.connect("writer");
    const stored = async () => {
      const reader = await t.connect("reader");
      await t.subscribe(reader, "kept/#", { qos: 2 });
      const received = await messages(reader);
      await reader.disconnect();
      return received.map(({ topic, payload, qos, retain }) =>
        `${topic} ${payload} ${qos} ${retain}`
      );
    };
    assert.deepEqual(await stored(), []);
    await t.publish(writer, "kept/a", "one", { retain: true });
    assert.deepEqual(await stored(), ["kept/a one 0 true"]);
    await t.publish(writer, "kept/a", "two", { retain: true, qos: 1 });
    assert.deepEqual(await stored(), ["kept/a two 1 true"]);
    await t.publish(writer, "kept/a", "other", { qos: 1 });
    assert.deepEqual(await stored(), ["kept/a two 1 true"]);
    await t.publish(writer, "kept/b", "three", { retain: true, qos: 2 });
    assert.deepEqual((await stored()).sort(), [
      "kept/a two 1 true",
      "kept/b three 2 true",
    ]);
    await t.publish(writer, "kept/a", "", { retain: true });
    assert.deepEqual(await stored(), ["kept/b three 2 true"]);
    await t.publish(writer, "kept/b", "", { retain: true, qos: 2 });
    assert.deepEqual(await stored(), []);
  },
);

clause(
  "an empty message with RETAIN is delivered, but not kept (3.3.1-10, 11)",
  async (t) => {
    const client = await t.connect("client");
    await t.subscribe(client, "empty");
    await t.publish(client, "empty", "", { retain: true });
    const received = await messages(client);
    assert.deepEqual(
      received.map(({ payload, retain }) => [payload.length, retain]),
      [[0, false]],
    );
    await t.subscribe(client, "empty");
    assert.deepEqual(await messages(client), []);
  },
);

clause("RETAIN is 0 for subscriptions that exist (3.3.1-9)", async (t) => {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "live", { qos: 1 });
  const writer = await t.connect("writer");
  for (const qos of [0, 1, 2] as const) {
    await t.publish(writer, "live", "x", { qos, retain: true });
  }
  const received = await messages(reader);
  assert.deepEqual(received.map(({ retain }) => retain), [false, false, false]);
});

clause("a retained message is sent at the lesser QoS (3.8.4-6)", async (t) => {
  const writer = await t.connect("writer");
  for (const qos of [0, 1, 2] as const) {
    await t.publish(writer, `kept/${qos}`, `${qos}`, { qos, retain: true });
  }
  for (const granted of [0, 1, 2] as const) {
    const reader = await t.connect("reader");
    await t.subscribe(reader, "kept/+", { qos: granted });
    const received = await messages(reader);
    assert.deepEqual(
      received.sort((a, b) => a.topic < b.topic ? -1 : 1)
        .map(({ qos }) => qos),
      [0, 1, 2].map((qos) => Math.min(qos, granted)),
    );
  }
});

clause(
  "a retained message at QoS 1 or 2 is acknowledged as any other (3.8.4)",
  async (t) => {
    const writer = await t.connect("writer");
    for (const qos of [1, 2] as const) {
      await t.publish(writer, `kept/${qos}`, "x", { qos, retain: true });
    }
    const reader = await t.resume("reader");
    await t.subscribe(reader, "kept/#", { qos: 2 });
    const received = await messages(reader);
    assert.equal(received.length, 2);
    assert.equal(new Set(received.map(({ messageId }) => messageId)).size, 2);
    for (const packet of received) await acknowledge(reader, packet);
    await reader.disconnect();
    assert.deepEqual(await messages(await t.resume("reader")), []);
  },
);

clause(
  "a retained message that was not acknowledged is sent again on reconnect (4.4)",
  async (t) => {
    const writer = await t.connect("writer");
    await t.publish(writer, "kept", "x", { qos: 1, retain: true });
    const first = await t.resume("reader");
    await t.subscribe(first, "kept", { qos: 1 });
    const [sent] = await messages(first);
    await first.disconnect();
    const second = await t.resume("reader");
    const [again] = await messages(second);
    assert.deepEqual(
      [again?.payload.toString(), again?.messageId, again?.dup, again?.retain],
      ["x", sent!.messageId, true, true],
    );
  },
);

clause(
  "a retained message outlives its sender and reaches wildcards (3.3.1.3)",
  async (t) => {
    const writer = await t.connect("writer");
    await t.publish(writer, "a/b/c", "x", { retain: true });
    await writer.disconnect();
    for (const filter of ["#", "a/#", "a/b/c/#", "+/b/+", "a/b/c"]) {
      const reader = await t.connect("reader");
      await t.subscribe(reader, filter);
      assert.deepEqual(texts(await messages(reader)), ["x"], filter);
    }
    for (const filter of ["+", "+/+", "a/b", "a/b/c/+", "/#"]) {
      const reader = await t.connect("reader");
      await t.subscribe(reader, filter);
      assert.deepEqual(texts(await messages(reader)), [], filter);
    }
  },
);

clause("a resumed session gets no retained messages (3.1.2.4)", async (t) => {
  const writer = await t.connect("writer");
  await t.publish(writer, "kept", "x", { retain: true });
  const first = await t.resume("reader");
  await t.subscribe(first, "kept");
  assert.deepEqual(texts(await messages(first)), ["x"]);
  await first.disconnect();
  assert.deepEqual(await messages(await t.resume("reader")), []);
});

clause(
  "SUBACK comes first, or the message does, but both come (3.8.4)",
  async (t) => {
    const writer = await t.connect("writer");
    for (let i = 0; i < 50; i++) {
      await t.publish(writer, `many/${i}`, `${i}`, { retain: true });
    }
    const reader = await t.connect("reader");
    await reader.send({
      cmd: "subscribe",
      messageId: 5,
      subscriptions: [{ topic: "many/#", qos: 0 }],
    });
    const suback = await receive(reader, "suback");
    assert.equal(suback.messageId, 5);
    assert.equal(new Set(texts(await messages(reader))).size, 50);
  },
);

import assert from "node:assert/strict";
import { Sender, type SendOptions } from "../../src/client/send.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { FakeLink, settled } from "../support/fake_link.ts";
import { FakeClock } from "../support/fake_clock.ts";

const TOPIC = "occupancy/data";

function sender(options: Partial<SendOptions> = {}, manual = false) {
  const link = new FakeLink({ manual });
  return {
    link,
    sender: new Sender(link, { topic: TOPIC, ...options }),
    texts: () => link.textsOn(TOPIC),
  };
}

/** `count` readings: 0,0,1 and 1,0,1 and so on. */
function readings(count: number, sources: string[] = []): ReadingBatch {
  const batch = new ReadingBatch();
  for (let i = 0; i < count; i++) {
    batch.push(i, 0, 1, NaN, batch.source(sources[i] ?? ""));
  }
  return batch;
}

Deno.test({
  name:
    "Sender.send() puts so many readings into a message, in order, at QoS 1",
  permissions: "none",
  fn: async () => {
    const { sender: it, texts, link } = sender({ batch: 2 });
    await it.send(readings(3));
    await it.finish();
    assert.deepEqual(texts(), ["0,0,1\n1,0,1\n", "2,0,1\n"]);
    assert.ok(link.published.every(({ options }) => options.qos === 1));
    assert.deepEqual(it.sent, { readings: 3, messages: 2 });
  },
});

Deno.test({
  name: "Sender.send() never mixes sources in a message",
  permissions: "none",
  fn: async () => {
    const { sender: it, texts } = sender({ batch: 10 });
    await it.send(readings(4, ["a", "a", "b", ""]));
    assert.deepEqual(texts(), [
      '{"source":"a","cells":[[0,0,1],[1,0,1]]}',
      '{"source":"b","cells":[[2,0,1]]}',
      "3,0,1\n",
    ]);
  },
});

Deno.test({
  name: "Sender.send() on the original wire sends x,y,value alone",
  permissions: "none",
  fn: async () => {
    const { sender: it, texts } = sender({ original: true, batch: 10 });
    await it.send(readings(2));
    assert.deepEqual(texts(), ["0,0,1", "1,0,1"]);
  },
});

Deno.test({
  name: "Sender counts what is acknowledged, and finish() waits for all of it",
  permissions: "none",
  fn: async () => {
    const { sender: it, link } = sender({}, true);
    await it.send(readings(3));
    let finished = false;
    const finishing = it.finish().then(() => finished = true);
    link.published[1]!.settle();
    await settled();
    assert.deepEqual(it.sent, { readings: 1, messages: 1 });
    link.published[0]!.settle();
    await settled();
    assert.equal(finished, false);
    link.published[2]!.settle();
    await finishing;
    assert.deepEqual(it.sent, { readings: 3, messages: 3 });
  },
});

Deno.test({
  name: "Sender.send() has at most a thousand messages under way",
  permissions: "none",
  fn: async () => {
    const { sender: it, link } = sender({}, true);
    const sending = it.send(readings(1500));
    await settled();
    for (let i = 0; i < 1000; i++) await settled();
    assert.equal(link.published.length, 1000);
    for (let i = 0; i < 1500; i++) {
      link.published[i]!.settle();
      await settled();
    }
    await sending;
    await it.finish();
    assert.equal(it.sent.readings, 1500);
  },
});

Deno.test({
  name: "Sender throws what the link throws",
  permissions: "none",
  fn: async () => {
    const { sender: it, link } = sender({}, true);
    await it.send(readings(2));
    link.published[0]!.settle(new LinkError("refused", "not allowed"));
    link.published[1]!.settle();
    await assert.rejects(it.finish(), /not allowed/);
    await assert.rejects(it.send(readings(1)), /not allowed/);
  },
});

Deno.test({
  name: "Sender.send() pauses between messages, not before the first",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { sender: it, texts } = sender({ interval: 1000 });
    const sending = it.send(readings(3));
    await settled();
    assert.equal(texts().length, 1);
    clock.tick(999);
    await settled();
    assert.equal(texts().length, 1);
    clock.tick(1);
    await settled();
    assert.equal(texts().length, 2);
    clock.tick(1000);
    await sending;
    assert.equal(texts().length, 3);
  },
});

Deno.test({
  name: "Sender.send() ends at once when its signal says so, pauses too",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const controller = new AbortController();
    const { signal } = controller;
    const { sender: it, texts } = sender({ interval: 60_000, signal });
    const sending = it.send(readings(3));
    await settled();
    controller.abort();
    await sending;
    assert.equal(texts().length, 1);
    assert.equal(clock.pending, 0);
  },
});

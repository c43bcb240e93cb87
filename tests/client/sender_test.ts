import assert from "node:assert/strict";
import { Sender, type SendOptions } from "../../src/client/sender.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { FakeLink, settled } from "../support/fake_link.ts";
import { FakeClock } from "../support/fake_clock.ts";

const TOPIC = "occupancy/data";

function start(options: Partial<SendOptions> = {}, manual = false) {
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
  name: "Sender.send() publishes batches of readings, in order, at QoS 1",
  permissions: "none",
  fn: async () => {
    const { sender, texts, link } = start({ batch: 2 });
    await sender.send(readings(3));
    await sender.finish();
    assert.deepEqual(texts(), ["0,0,1\n1,0,1\n", "2,0,1\n"]);
    assert.ok(link.published.every(({ options }) => options.qos === 1));
    assert.deepEqual(sender.sent, { readings: 3, messages: 2 });
  },
});

Deno.test({
  name: "Sender.send() publishes one source per message",
  permissions: "none",
  fn: async () => {
    const { sender, texts } = start({ batch: 10 });
    await sender.send(readings(4, ["a", "a", "b", ""]));
    assert.deepEqual(texts(), [
      '{"source":"a","cells":[[0,0,1],[1,0,1]]}',
      '{"source":"b","cells":[[2,0,1]]}',
      "3,0,1\n",
    ]);
  },
});

Deno.test({
  name:
    "Sender.send() on the original wire publishes one x,y,value per message",
  permissions: "none",
  fn: async () => {
    const { sender, texts } = start({ original: true, batch: 10 });
    await sender.send(readings(2));
    assert.deepEqual(texts(), ["0,0,1", "1,0,1"]);
  },
});

Deno.test({
  name:
    "Sender.sent counts acknowledged messages, and finish() waits for all of them",
  permissions: "none",
  fn: async () => {
    const { sender, link } = start({}, true);
    await sender.send(readings(3));
    let finished = false;
    const finishing = sender.finish().then(() => finished = true);
    link.published[1]!.settle();
    await settled();
    assert.deepEqual(sender.sent, { readings: 1, messages: 1 });
    link.published[0]!.settle();
    await settled();
    assert.equal(finished, false);
    link.published[2]!.settle();
    await finishing;
    assert.deepEqual(sender.sent, { readings: 3, messages: 3 });
  },
});

Deno.test({
  name: "Sender.send() waits while 1,000 messages are unacknowledged",
  permissions: "none",
  fn: async () => {
    const { sender, link } = start({}, true);
    const sending = sender.send(readings(1500));
    await settled();
    for (let i = 0; i < 1000; i++) await settled();
    assert.equal(link.published.length, 1000);
    for (let i = 0; i < 1500; i++) {
      link.published[i]!.settle();
      await settled();
    }
    await sending;
    await sender.finish();
    assert.equal(sender.sent.readings, 1500);
  },
});

Deno.test({
  name: "Sender.send() and finish() throw the error of the link",
  permissions: "none",
  fn: async () => {
    const { sender, link } = start({}, true);
    await sender.send(readings(2));
    link.published[0]!.settle(new LinkError("refused", "not allowed"));
    link.published[1]!.settle();
    await assert.rejects(sender.finish(), /not allowed/);
    await assert.rejects(sender.send(readings(1)), /not allowed/);
  },
});

Deno.test({
  name:
    "Sender.send() waits for the interval between messages, not before the first",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { sender, texts } = start({ interval: 1000 });
    const sending = sender.send(readings(3));
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
  name:
    "Sender.send() ends at once when its signal is aborted, also in an interval",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const controller = new AbortController();
    const { signal } = controller;
    const { sender, texts } = start({ interval: 60_000, signal });
    const sending = sender.send(readings(3));
    await settled();
    controller.abort();
    await sending;
    assert.equal(texts().length, 1);
    assert.equal(clock.pending, 0);
  },
});

import assert from "node:assert/strict";
import type { Reply } from "../../src/server/reply.ts";
import { Outbox } from "../../src/server/outbox.ts";
import { FakeLink, settled } from "../support/fake_link.ts";
import { fakeContext } from "./support.ts";

const MB = 1024 * 1024;

function start() {
  const log: string[] = [];
  const link = new FakeLink({ manual: true });
  return { link, log, outbox: new Outbox(fakeContext({ link }, log)) };
}

function reply(topic: string, sizes: number[]): Reply {
  return {
    topic,
    parts: sizes.map((size) => new Uint8Array(size)),
    correlationData: Uint8Array.of(1, 2),
    contentType: "application/json",
  };
}

Deno.test({
  name:
    "Outbox.send() publishes the parts in order, at QoS 1, with their properties",
  permissions: "none",
  fn: async () => {
    const { outbox, link } = start();
    outbox.send(() => reply("r", Array.from({ length: 50 }, (_, i) => i)));
    assert.equal(link.published.length, 32, "parts in flight");
    for (let i = 0; i < 50; i++) {
      link.published[i]!.settle();
      await settled();
    }
    assert.deepEqual(
      link.published.map(({ payload }) => payload.length),
      Array.from({ length: 50 }, (_, i) => i),
    );
    for (const { topic, options } of link.published) {
      assert.equal(topic, "r");
      assert.equal(options.qos, 1);
      assert.equal(options.contentType, "application/json");
      assert.deepEqual(options.correlationData, Uint8Array.of(1, 2));
    }
    assert.equal(outbox.size, 0);
  },
});

Deno.test({
  name: "Outbox.send() writes a reply only when there is room for it",
  permissions: "none",
  fn: async () => {
    const { outbox, link } = start();
    const written: number[] = [];
    for (let i = 0; i < 5; i++) {
      outbox.send(() => {
        written.push(i);
        return reply(`r${i}`, [40 * MB]);
      });
    }
    assert.deepEqual(written, [0, 1], "the second crosses the limit");
    assert.equal(outbox.size, 5);
    link.published[0]!.settle();
    await settled();
    assert.deepEqual(written, [0, 1, 2]);
    for (let i = 1; i < 5; i++) {
      link.published[i]!.settle();
      await settled();
    }
    assert.deepEqual(written, [0, 1, 2, 3, 4]);
    assert.equal(outbox.size, 0);
  },
});

Deno.test({
  name: "Outbox.send() returns false when too many replies wait",
  permissions: "none",
  fn: () => {
    const { outbox } = start();
    outbox.send(() => reply("large", [64 * MB]));
    for (let i = 0; i < 10_000; i++) {
      assert.equal(outbox.send(() => reply("small", [1])), true);
    }
    let isWritten = false;
    const isAccepted = outbox.send(() => {
      isWritten = true;
      return reply("one too many", [1]);
    });
    assert.equal(isAccepted, false);
    assert.equal(isWritten, false);
  },
});

Deno.test({
  name: "Outbox logs a reply that could not be sent, and continues",
  permissions: "none",
  fn: async () => {
    const { outbox, link, log } = start();
    outbox.send(() => reply("a", [1]));
    outbox.send(() => reply("b", [1]));
    link.published[0]!.settle(new Error("gone"));
    await settled();
    assert.deepEqual(log, ["Cannot reply on a: gone"]);
    link.published[1]!.settle();
    await settled();
    assert.equal(outbox.size, 0);
  },
});

Deno.test({
  name:
    "Outbox.send() calls onSent when all parts are acknowledged, not after a failure",
  permissions: "none",
  fn: async () => {
    const { outbox, link } = start();
    const sent: string[] = [];
    for (const [topic, sizes] of [["a", [1, 1]], ["b", [1, 1]], ["c", []]]) {
      outbox.send(() => reply(topic as string, sizes as number[]), {
        onSent: () => sent.push(topic as string),
      });
    }
    const [a1, a2, b1, b2] = link.published;
    a1!.settle();
    b1!.settle();
    await settled();
    assert.deepEqual(sent, []);
    a2!.settle();
    b2!.settle(new Error("gone"));
    await settled();
    assert.deepEqual(sent, ["a"], "b failed, c has no parts");
  },
});

Deno.test({
  name: "Outbox.drained() resolves when all replies have been sent",
  permissions: "none",
  fn: async () => {
    const { outbox, link } = start();
    await outbox.drained();
    outbox.send(() => reply("a", [1, 1]));
    let drained = false;
    const waiting = outbox.drained().then(() => drained = true);
    link.published[0]!.settle();
    await settled();
    assert.equal(drained, false);
    link.published[1]!.settle();
    await waiting;
  },
});

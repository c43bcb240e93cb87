import assert from "node:assert/strict";
import type { Reply } from "../../src/server/answer.ts";
import { Outbox } from "../../src/server/outbox.ts";
import { FakeLink, settled } from "../support/fake_link.ts";

const MB = 1024 * 1024;

function outbox() {
  const link = new FakeLink({ manual: true });
  const failed: string[] = [];
  const outbox = new Outbox(link, (topic, error) => {
    failed.push(`${topic}: ${(error as Error).message}`);
  });
  return { link, failed, outbox };
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
    const { outbox: it, link } = outbox();
    it.send(() => reply("r", Array.from({ length: 50 }, (_, i) => i)));
    assert.equal(link.published.length, 32, "so many at once");
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
    assert.equal(it.size, 0);
  },
});

Deno.test({
  name: "Outbox writes a reply only when there is room for it",
  permissions: "none",
  fn: async () => {
    const { outbox: it, link } = outbox();
    const written: number[] = [];
    for (let i = 0; i < 5; i++) {
      it.send(() => {
        written.push(i);
        return reply(`r${i}`, [40 * MB]);
      });
    }
    assert.deepEqual(written, [0, 1], "the second crosses the limit");
    assert.equal(it.size, 5);
    link.published[0]!.settle();
    await settled();
    assert.deepEqual(written, [0, 1, 2]);
    for (let i = 1; i < 5; i++) {
      link.published[i]!.settle();
      await settled();
    }
    assert.deepEqual(written, [0, 1, 2, 3, 4]);
    assert.equal(it.size, 0);
  },
});

Deno.test({
  name: "Outbox.send() turns away what comes when too many wait",
  permissions: "none",
  fn: () => {
    const { outbox: it } = outbox();
    it.send(() => reply("large", [64 * MB]));
    for (let i = 0; i < 10_000; i++) {
      assert.equal(it.send(() => reply("small", [1])), true);
    }
    let asked = false;
    const taken = it.send(() => {
      asked = true;
      return reply("one too many", [1]);
    });
    assert.equal(taken, false);
    assert.equal(asked, false);
  },
});

Deno.test({
  name: "Outbox tells of a reply that could not be sent, and goes on",
  permissions: "none",
  fn: async () => {
    const { outbox: it, link, failed } = outbox();
    it.send(() => reply("a", [1]));
    it.send(() => reply("b", [1]));
    link.published[0]!.settle(new Error("gone"));
    await settled();
    assert.deepEqual(failed, ["a: gone"]);
    link.published[1]!.settle();
    await settled();
    assert.equal(it.size, 0);
  },
});

Deno.test({
  name:
    "Outbox.send() says so when the broker has the last part, not if it has not all",
  permissions: "none",
  fn: async () => {
    const { outbox: it, link } = outbox();
    const sent: string[] = [];
    for (const [topic, sizes] of [["a", [1, 1]], ["b", [1, 1]], ["c", []]]) {
      it.send(() => reply(topic as string, sizes as number[]), {
        sent: () => sent.push(topic as string),
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
    assert.deepEqual(sent, ["a"], "b failed, and c was no reply");
  },
});

Deno.test({
  name: "Outbox.drained() resolves when all has been sent",
  permissions: "none",
  fn: async () => {
    const { outbox: it, link } = outbox();
    await it.drained();
    it.send(() => reply("a", [1, 1]));
    let drained = false;
    const waiting = it.drained().then(() => drained = true);
    link.published[0]!.settle();
    await settled();
    assert.equal(drained, false);
    link.published[1]!.settle();
    await waiting;
  },
});

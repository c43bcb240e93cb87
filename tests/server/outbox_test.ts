import assert from "node:assert/strict";
import type { Reply, ReplyBody } from "../../src/server/reply.ts";
import { Outbox } from "../../src/server/outbox.ts";
import { FakeLink, settled } from "../support/fake_link.ts";
import { fakeContext } from "./support.ts";

const MB = 1024 * 1024;

function test(name: string, fn: () => void | Promise<void>) {
  Deno.test({ name, permissions: "none", fn });
}

function start() {
  const log: string[] = [];
  const idle: string[] = [];
  const link = new FakeLink({ manual: true });
  const context = fakeContext({ link }, log);
  let now = 0;
  const outbox = new Outbox(
    context,
    { onIdle: (topic) => idle.push(topic), onRoom: () => {} },
    () => now,
  );
  const publish = () => {
    while (outbox.publish(-1));
  };
  const advance = (ms: number) => void (now += ms);
  const { limited } = context.telemetry.stats;
  return { link, log, idle, outbox, publish, advance, limited };
}

function bodyOf(sizes: number[]): ReplyBody {
  const parts = sizes.map((size) => new Uint8Array(size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { length: parts.length, bytes, part: (index) => parts[index]! };
}

function reply(topic: string, sizes: number[]): Reply {
  return {
    topic,
    body: bodyOf(sizes),
    correlationData: Uint8Array.of(1, 2),
    contentType: "application/json",
  };
}

function topicsOf(link: FakeLink): string {
  return link.published.map(({ topic }) => topic).join("");
}

test("Outbox publishes the parts in order, at QoS 1, with their properties", async () => {
  const { outbox, link, publish } = start();
  const sizes = Array.from({ length: 50 }, (_, i) => i);
  outbox.add(reply("r", sizes));
  publish();
  assert.equal(link.published.length, 32, "parts in flight");
  for (let i = 0; i < 50; i++) {
    link.published[i]!.settle();
    await settled();
    publish();
  }
  assert.deepEqual(link.published.map(({ payload }) => payload.length), sizes);
  for (const { topic, options } of link.published) {
    assert.equal(topic, "r");
    assert.equal(options.qos, 1);
    assert.equal(options.contentType, "application/json");
    assert.deepEqual(options.correlationData, Uint8Array.of(1, 2));
  }
  assert.equal(outbox.size, 0);
});

test("Outbox publishes small replies to a topic whose parts are acknowledged late", () => {
  const { outbox, link, publish } = start();
  for (let i = 1; i <= 100; i++) {
    outbox.add(reply("r", [10]));
    publish();
    assert.equal(link.published.length, i);
  }
});

test("Outbox publishes the replies of several topics in turn", () => {
  const { outbox, link, publish } = start();
  const parts = Array.from({ length: 20 }, () => 1);
  for (const topic of "abc") outbox.add(reply(topic, parts));
  publish();
  const turn = (topic: string) => topic.repeat(8);
  const last = [..."abc"].map((topic) => topic.repeat(4)).join("");
  assert.equal(topicsOf(link), [..."abcabc"].map(turn).join("") + last);
});

test("Outbox publishes a small reply ahead of large ones", () => {
  const { outbox, link } = start();
  const parts = Array.from({ length: 20 }, () => 1);
  for (const topic of "abc") outbox.add(reply(topic, parts));
  outbox.publish(-1);
  outbox.add(reply("s", [1]));
  outbox.publish(-1);
  assert.equal(topicsOf(link).at(-1), "s");
  outbox.stop();
});

test("Outbox gives a large reply every fourth turn", () => {
  const { outbox, link } = start();
  outbox.add(reply("L", Array.from({ length: 9 }, () => 1)));
  for (const topic of "abcdefgh") outbox.add(reply(topic, [1]));
  for (let i = 0; i < 5; i++) outbox.publish(-1);
  assert.ok(topicsOf(link).includes("LLLLLLLL"));
  outbox.stop();
});

test("large replies wait for the acknowledgements of others; small ones do not", async () => {
  const { outbox, link, publish } = start();
  const parts = Array.from({ length: 40 }, () => 1);
  for (const topic of "abc") outbox.add(reply(topic, parts));
  publish();
  assert.equal(link.published.length, 64);
  outbox.add(reply("s", [1]));
  publish();
  assert.equal(topicsOf(link).at(-1), "s");
  for (let i = 0; i < 9; i++) link.published[i]!.settle();
  await settled();
  publish();
  assert.equal(link.published.length, 73);
  outbox.stop();
});

test("Outbox limits the bytes in flight, but publishes a longer part alone", async () => {
  const { outbox, link, publish } = start();
  outbox.add(reply("r", [3 * MB, 3 * MB, 3 * MB, 20 * MB]));
  publish();
  assert.equal(link.published.length, 3);
  for (let i = 0; i < 4; i++) {
    link.published[i]!.settle();
    await settled();
    publish();
  }
  assert.equal(link.published.length, 4);
  assert.equal(outbox.size, 0);
});

test("Outbox counts memory that replies share once", () => {
  const { outbox, idle, publish } = start();
  const owner = bodyOf([MB]);
  for (const topic of ["a", "b"]) {
    const { part, length, bytes } = owner;
    const body = topic === "a" ? owner : { part, length, bytes, owner };
    outbox.add({ ...reply(topic, []), body });
  }
  assert.equal(outbox.unsentBytes, MB);
  assert.equal(outbox.holds(owner), true);
  publish();
  assert.deepEqual(idle, ["a", "b"]);
  assert.equal(outbox.unsentBytes, 0);
  assert.equal(outbox.holds(owner), false);
});

test("Outbox drops the rest of a reply whose receiver is slow, when others wait", async () => {
  const { outbox, link, publish, advance, log, idle, limited } = start();
  outbox.add(reply("slow", Array.from({ length: 40 }, () => 1)));
  publish();
  advance(4000);
  outbox.dropSlow();
  assert.deepEqual(idle, [], "it has some seconds");
  advance(2000);
  outbox.dropSlow();
  assert.deepEqual(idle, ["slow"]);
  assert.equal(limited.of("slow-replies"), 1);
  assert.deepEqual(log, [
    "Cannot reply on slow: its receiver is slow, and other replies wait",
  ]);
  for (const { settle } of link.published) settle();
  await settled();
  assert.equal(outbox.size, 0);
  outbox.stop();
});

test("Outbox logs a reply that could not be sent, and continues", async () => {
  const { outbox, link, log, publish } = start();
  outbox.add(reply("a", [1]));
  outbox.add(reply("b", [1]));
  publish();
  link.published[0]!.settle(new Error("gone"));
  await settled();
  assert.deepEqual(log, ["Cannot reply on a: gone"]);
  link.published[1]!.settle();
  await settled();
  assert.equal(outbox.size, 0);
});

test("Outbox drops the rest of a large reply when its topic has no subscriber", async () => {
  const { outbox, link, publish, idle, limited } = start();
  let hasSubscriber = true;
  link.hasSubscriber = () => hasSubscriber;
  outbox.add(reply("r", Array.from({ length: 40 }, () => 1)));
  publish();
  assert.equal(link.published.length, 32);
  hasSubscriber = false;
  for (const { settle } of [...link.published]) settle();
  await settled();
  publish();
  assert.equal(link.published.length, 32);
  assert.deepEqual(idle, ["r"]);
  assert.equal(limited.of("replies-without-subscriber"), 1);
  assert.equal(outbox.size, 0);
  outbox.stop();
});

test("Outbox calls onSent when all parts are acknowledged, not after a failure", async () => {
  const { outbox, link, publish } = start();
  const sent: string[] = [];
  for (const topic of ["a", "b"]) {
    outbox.add(reply(topic, [1, 1]), () => sent.push(topic));
  }
  publish();
  const [a1, a2, b1, b2] = link.published;
  a1!.settle();
  b1!.settle();
  await settled();
  assert.deepEqual(sent, []);
  a2!.settle();
  b2!.settle(new Error("gone"));
  await settled();
  assert.deepEqual(sent, ["a"], "b failed");
});

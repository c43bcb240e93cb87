/** Replies are written in slices, in turn, and once for equal requests. */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../src/common/next_turn.ts";
import {
  type ParsedRequest,
  parseReply,
  parseRequest,
  ReadingBatch,
  type ReplyPart,
} from "../../src/protocol/mod.ts";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { Replies } from "../../src/server/replies.ts";
import { FakeLink } from "../support/fake_link.ts";
import { until } from "../support/until.ts";
import { createReplies, fakeContext, NOW } from "./support.ts";

/** The replies of the running test. */
let running: Replies[] = [];

function test(name: string, fn: () => void | Promise<void>) {
  Deno.test({
    name,
    permissions: "none",
    fn: async () => {
      running = [];
      await fn();
      for (const replies of running) replies.stop();
      await untilNextTurn();
    },
  });
}

/** Replies over a layer of `cells` cells, with a link that acknowledges. */
function start({ cells = 4, manual = false, shards = 1 } = {}) {
  const log: string[] = [];
  const errors: string[] = [];
  const link = new FakeLink({ manual });
  const map = new OccupancyMap({ maxSkew: 60_000 }, { shards });
  const context = fakeContext({ link, map }, log);
  const write = (value: number) => {
    const batch = new ReadingBatch(cells);
    for (let i = 0; i < cells; i++) {
      batch.push(i % 1000, Math.floor(i / 1000), value, NOW);
    }
    context.map.apply("default", batch, NOW);
  };
  write(0);
  const replies = createReplies(context, {
    onError: ({ code }) => void errors.push(code),
  });
  running.push(replies);
  const request = (topic: string, fields: Record<string, unknown> = {}) => {
    const replyTo = `occupancy/response/${topic}`;
    const payload = new TextEncoder().encode(
      JSON.stringify({ ...fields, replyTo }),
    );
    return replies.add(
      parseRequest(payload, { topics: context.topics }),
      () => {},
    );
  };
  /** The parts on a topic. */
  const parts = (topic: string): ReplyPart[] =>
    link.published.filter((message) => message.topic.endsWith(`/${topic}`))
      .map(({ payload }) => parseReply(payload) as ReplyPart);
  const { limited } = context.telemetry.stats;
  return {
    ...context,
    link,
    log,
    errors,
    replies,
    request,
    parts,
    write,
    limited,
  };
}

const LARGE = { maxBytes: 1024 };
const LARGE_CELLS = 400_000;

test("a small reply is published in the same turn", () => {
  const { request, parts } = start();
  request("a", { transaction: 7 });
  assert.deepEqual(parts("a").map(({ transaction }) => transaction), [7]);
});

test("a small reply is published while a large one is written", async () => {
  const { request, parts, replies, link } = start({ cells: LARGE_CELLS });
  request("large", LARGE);
  assert.equal(parts("large").length, 0);
  request("small", { region: [0, 0, 3, 0] });
  await replies.drained();
  assert.match(link.published[0]!.topic, /\/small$/);
  assert.equal(parts("small").length, 1);
  assert.equal(cellsOf(parts("large")).size, LARGE_CELLS);
});

test("all parts of a large reply have the revision of its beginning, although the layer changes", async () => {
  const { request, parts, replies, write, map } = start({ cells: LARGE_CELLS });
  const { revision } = map;
  request("a", LARGE);
  write(1);
  await replies.drained();
  const received = parts("a");
  assert.ok(received.every((part) => part.revision === revision));
  assert.deepEqual(new Set(cellsOf(received).values()), new Set([0]));
  assert.equal(cellsOf(received).size, LARGE_CELLS);
});

test("a reply has the revision of the layer's shard, and counts `since` by it", async () => {
  const { request, parts, replies, write, map } = start({ shards: 4 });
  const layer = "other";
  assert.notEqual(map.shardOf(layer), map.shardOf("default"));
  for (let value = 1; value <= 9; value++) {
    const batch = new ReadingBatch(1);
    batch.push(0, 0, value, NOW);
    map.apply(layer, batch, NOW);
  }
  request("a");
  request("b", { layer });
  request("c", { since: 1 });
  request("d", { since: 5 }); // above that of the layer, not that of the map
  write(1);
  request("e", { since: 1 });
  await replies.drained();
  const found = ["a", "b", "c", "d", "e"].map((topic) => {
    const [{ revision, cells }] = parts(topic) as [ReplyPart];
    return [revision, cells.length];
  });
  assert.deepEqual(found, [[1, 4], [9, 1], [1, 0], [1, 4], [2, 4]]);
});

test("the replies of one topic are published in the order of their requests", async () => {
  const { request, parts, replies } = start({ cells: LARGE_CELLS });
  for (let transaction = 0; transaction < 6; transaction++) {
    request("a", {
      transaction,
      ...(transaction % 2 === 0 ? LARGE : { region: [0, 0, 0, 0] }),
    });
  }
  await replies.drained();
  const order = parts("a").map(({ transaction }) => transaction as number);
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  assert.equal(new Set(order).size, 6);
});

test("equal requests on several topics get the same cells, each with its own transaction", async () => {
  const { request, parts, replies } = start({ cells: LARGE_CELLS });
  const topics = ["a", "b", "c"];
  for (const topic of topics) {
    request(topic, { ...LARGE, transaction: `for ${topic}` });
  }
  await replies.drained();
  for (const topic of topics) {
    const received = parts(topic);
    assert.equal(received.length, received[0]!.parts);
    assert.equal(cellsOf(received).size, LARGE_CELLS);
    assert.ok(
      received.every(({ transaction }) => transaction === `for ${topic}`),
    );
  }
});

test("a request after a change gets the change, although an equal one is being answered", async () => {
  const { request, parts, replies, write } = start({ cells: LARGE_CELLS });
  request("a", LARGE);
  request("b", { region: [0, 0, 1, 0] });
  write(1);
  request("b", { region: [0, 0, 1, 0] });
  request("c", LARGE);
  request("a", LARGE);
  await replies.drained();
  assert.deepEqual(new Set(cellsOf(parts("c")).values()), new Set([1]));
  const values = parts("a").map(({ cells }) => cells.value[0]);
  assert.deepEqual(new Set(values), new Set([0, 1]));
  assert.equal(values.at(-1), 1);
  assert.equal(parts("b").at(-1)!.cells.value[0], 1);
});

test("a reading that repeats its value is in the reply to a later request", async () => {
  const { request, parts, replies, map } = start();
  request("a");
  const again = new ReadingBatch();
  again.push(0, 0, 0, NOW + 5);
  map.apply("default", again, NOW + 5);
  request("a");
  await replies.drained();
  assert.deepEqual(parts("a").map(({ cells }) => cells.time[0]), [
    NOW,
    NOW + 5,
  ]);
});

test("identical requests that wait get one reply", async () => {
  const { request, parts, replies } = start({ cells: LARGE_CELLS });
  for (let i = 0; i < 1000; i++) request("a", { transaction: 1 });
  for (let i = 0; i < 10; i++) request("a", { transaction: 2 });
  await replies.drained();
  const firsts = parts("a").filter(({ part }) => part === 1);
  const transactions = firsts.map(({ transaction }) => transaction);
  // The first ones may be answered before the next arrive.
  assert.ok(transactions.length <= 5, `${transactions}`);
  assert.deepEqual(new Set(transactions), new Set([1, 2]));
  assert.equal(transactions.at(-1), 2);
});

test("a repeated request that waits gets no cells from before its repetition", async () => {
  const { request, parts, link, write } = start({
    cells: LARGE_CELLS,
    manual: true,
  });
  const query = { maxBytes: 16 * 1024 };
  request("a", { ...query, transaction: "first" });
  await until(() => parts("a").length > 0);
  request("a", query); // waits for the first reply
  write(1);
  request("b", query);
  await until(() => parts("b").length > 0);
  write(2);
  request("a", query);
  // The reply to b waits for acknowledgements, so its cells are kept.
  let settled = 0;
  const second = () => parts("a").find(({ transaction }) => !transaction);
  await until(() => {
    for (; settled < link.published.length; settled++) {
      const { topic, settle } = link.published[settled]!;
      if (topic.endsWith("/a")) settle();
    }
    return second() !== undefined;
  });
  assert.equal(second()!.cells.value[0], 2);
});

test("a topic without a subscriber gets no reply", async () => {
  const { request, link, replies, limited } = start({ cells: LARGE_CELLS });
  link.hasSubscriber = (topic) => topic.endsWith("/b");
  for (let i = 0; i < 100; i++) request("a", { ...LARGE, transaction: i });
  request("b", LARGE);
  await replies.drained();
  assert.ok(link.published.every(({ topic }) => topic.endsWith("/b")));
  assert.equal(limited.of("replies-without-subscriber"), 100);
});

test("requests of one topic are refused at the limit, those of others are not", () => {
  const { request } = start({ cells: LARGE_CELLS, manual: true });
  let accepted = 0;
  while (request("flood", { ...LARGE, transaction: accepted })) accepted++;
  // The first one may already be written.
  assert.ok(accepted === 5000 || accepted === 5001, `${accepted}`);
  assert.equal(request("other", LARGE), true);
});

test("large replies of many topics are refused at the limit, small ones are answered", async () => {
  const { request, parts, errors, limited } = start({
    cells: LARGE_CELLS,
    manual: true,
  });
  for (let i = 0; i < 1500; i++) {
    request(`t${i}`, { maxBytes: 1024 + i });
  }
  await until(() => limited.of("large-replies") > 400);
  request("small", { region: [0, 0, 0, 0] });
  await until(() => parts("small").length === 1);
  assert.ok(errors.every((code) => code === "overloaded"));
});

test("cells that cannot be written are reported, and further requests answered", async () => {
  const { request, parts, log, replies } = start({ cells: LARGE_CELLS });
  const original = DataView.prototype.setUint16;
  DataView.prototype.setUint16 = () => {
    throw new RangeError("Array buffer allocation failed");
  };
  try {
    request("a", LARGE);
    await until(() => log.length > 0);
  } finally {
    DataView.prototype.setUint16 = original;
  }
  assert.deepEqual(log, [
    "Cannot write a reply on occupancy/response/a: Array buffer allocation failed",
  ]);
  request("a", { region: [0, 0, 0, 0] });
  await replies.drained();
  assert.equal(parts("a").length, 1);
});

test("Replies.stop() drops what waits and ends drained()", async () => {
  const { request, replies, link } = start({
    cells: LARGE_CELLS,
    manual: true,
  });
  for (let i = 0; i < 10; i++) request("a", { ...LARGE, transaction: i });
  const drained = replies.drained();
  await until(() => link.published.length > 0);
  replies.stop();
  for (const { settle } of link.published) settle();
  await drained;
});

test("the original format has all cells in first-seen order, also of a large layer", async () => {
  const { request, link, replies } = start({ cells: LARGE_CELLS });
  request("a", { format: "original" });
  request("b", { format: "original", region: [5, 2, 6, 2] });
  await replies.drained();
  const [large] = link.textsOn("occupancy/response/a");
  const expected = Array.from(
    { length: LARGE_CELLS },
    (_, i) => `(${i % 1000}, ${Math.floor(i / 1000)}): 0`,
  );
  assert.equal(large, `{${expected.join(", ")}}`);
  assert.deepEqual(link.textsOn("occupancy/response/b"), [
    "{(5, 2): 0, (6, 2): 0}",
  ]);
});

test("an original client gets the reply of the JSON request's server", async () => {
  const { link, replies } = start();
  const original: ParsedRequest = {
    kind: "original",
    replyTopic: "occupancy/response",
  };
  replies.add(original, () => {});
  await replies.drained();
  assert.deepEqual(link.textsOn("occupancy/response"), [
    "{(0, 0): 0, (1, 0): 0, (2, 0): 0, (3, 0): 0}",
  ]);
});

/** The values of the cells in all parts; each cell must be in one. */
function cellsOf(parts: readonly ReplyPart[]): Map<string, number> {
  const values = new Map<string, number>();
  for (const { cells } of parts) {
    for (let i = 0; i < cells.length; i++) {
      const key = `${cells.x[i]},${cells.y[i]}`;
      assert.ok(!values.has(key), key);
      values.set(key, cells.value[i]!);
    }
  }
  return values;
}

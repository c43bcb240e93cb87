/** Requests about the past are answered by the history, a few at a time. */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../src/common/next_turn.ts";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { HistoryService } from "../../src/history/answers.ts";
import {
  parseAnyReply,
  parseRequest,
  PastAssembler,
  type PastPart,
  ReadingBatch,
  SeriesAssembler,
  type SeriesPart,
} from "../../src/protocol/mod.ts";
import type { Replies } from "../../src/server/replies.ts";
import { FakeLink } from "../support/fake_link.ts";
import {
  MemoryHistory,
  type MemoryHistoryOptions,
} from "../support/memory_history.ts";
import { until } from "../support/until.ts";
import { createReplies, fakeContext, NOW } from "./support.ts";

const OLDEST = NOW - 30 * 86_400_000;
const T = NOW - 3_600_000;
const RECORDS = [
  { at: T, x: 1, y: 1, value: 3, isOld: true },
  { at: T + 1000, x: 2, y: -1, value: 0, stale: true },
  { at: T + 2000, x: 9, y: 9, value: -1 },
  { at: T + 5000, x: 1, y: 1, value: 0 },
];

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

function memory(options: Partial<MemoryHistoryOptions> = {}): MemoryHistory {
  return new MemoryHistory({
    ...{ records: RECORDS, oldest: OLDEST, now: () => NOW, zones: ["lobby"] },
    ...options,
  });
}

function start(history: HistoryService | undefined) {
  const log: string[] = [];
  const errors: string[] = [];
  const link = new FakeLink();
  const map = new OccupancyMap({ maxSkew: 60_000 });
  const context = fakeContext({ link, map }, log);
  const batch = new ReadingBatch();
  batch.push(1, 1, 7, NOW);
  context.map.apply("default", batch, NOW);
  const replies = createReplies(context, {
    history,
    onError: ({ code }) => void errors.push(code),
  });
  running.push(replies);
  const request = (topic: string, fields: Record<string, unknown>) => {
    const replyTo = `occupancy/response/${topic}`;
    const payload = new TextEncoder().encode(
      JSON.stringify({ ...fields, replyTo }),
    );
    return replies.add(
      parseRequest(payload, { topics: context.topics }),
      () => {},
    );
  };
  const payloads = (topic: string) =>
    link.published.filter((one) => one.topic === `occupancy/response/${topic}`)
      .map(({ payload }) => payload);
  const parts = (topic: string) => payloads(topic).map(parseAnyReply);
  return { request, payloads, parts, replies, errors, link, log };
}

test("a request with `at` gets the map as it was", async () => {
  const { request, parts, replies } = start(memory());
  request("a", { at: T + 4000, transaction: 7 });
  await replies.drained();
  const [part] = parts("a");
  assert.deepEqual(part, {
    ...{ status: "ok", transaction: 7, layer: "default", at: T + 4000 },
    ...{ gap: false, time: NOW, part: 1, parts: 1 },
    past: [
      [1, 1, 3, null, 0],
      [2, -1, 0, T + 1000, 1],
      [9, 9, -1, T + 2000, 0],
    ],
  });
});

test("the reply may be CSV, or that of the original clients", async () => {
  const { request, payloads, replies, link } = start(
    memory({ gaps: [[T, NOW]] }),
  );
  request("a", { at: T + 4000, format: "csv", region: [0, 0, 9, 9] });
  request("b", { at: T + 4000, format: "original" });
  await replies.drained();
  const [csv] = payloads("a").map((bytes) => new TextDecoder().decode(bytes));
  assert.deepEqual(csv!.split("\n").slice(1), [
    "x,y,value,status,time",
    "1,1,3,occupied,",
    `9,9,-1,unknown,${T + 2000}`,
    "",
  ]);
  assert.match(csv!, /^#{.*"gap":true/);
  const [original] = payloads("b");
  assert.equal(
    new TextDecoder().decode(original),
    "{(1, 1): 3, (2, -1): 0, (9, 9): -1}",
  );
  const types = link.published.map(({ options }) => options?.contentType);
  assert.deepEqual(types, ["text/csv", undefined]);
});

test("a large map of the past is sent in parts", async () => {
  const records = Array.from({ length: 30_000 }, (_, i) => ({
    ...{ at: T, x: i % 200, y: Math.floor(i / 200), value: i % 3 },
  }));
  const { request, payloads, parts, replies } = start(memory({ records }));
  request("a", { at: "-1m", maxBytes: 4096 });
  request("b", { at: "-1m", maxBytes: 4096, transaction: "t" });
  await replies.drained();
  for (const topic of ["a", "b"]) {
    const assembler = new PastAssembler();
    for (const part of parts(topic)) assembler.add(part as PastPart);
    assert.equal(assembler.cells().length, 30_000);
    assert.ok(payloads(topic).every(({ length }) => length <= 4096));
  }
  assert.equal(parts("b").at(-1)!.transaction, "t");
});

test("a request with `zone` or a range gets a series", async () => {
  const history = memory();
  const { request, parts, replies } = start(history);
  const range = { from: "-1d", to: "now", step: "1h" };
  request("a", { zone: "lobby", ...range, transaction: 1, maxBytes: 1024 });
  request("b", {
    layer: "l2",
    region: [0, 0, 1, 1],
    ...range,
    timezone: "UTC",
  });
  await replies.drained();
  const seriesOf = (topic: string) => {
    const assembler = new SeriesAssembler();
    for (const part of parts(topic)) assembler.add(part as SeriesPart);
    return assembler.series();
  };
  assert.ok(parts("a").length > 1);
  const { zone, start: starts, timezone, mean } = seriesOf("a");
  assert.deepEqual(zone, { name: "lobby", title: "lobby" });
  assert.equal(timezone, "Europe/Berlin");
  assert.equal(starts.length, mean.length);
  assert.deepEqual(seriesOf("b").region, { x0: 0, y0: 0, x1: 1, y1: 1 });
  assert.equal(seriesOf("b").timezone, "UTC");
  assert.deepEqual(history.asked, [
    {
      ...{ zone: "lobby", from: NOW - 86_400_000, to: NOW, step: "1h" },
      timezone: "Europe/Berlin",
    },
    {
      ...{ layer: "l2", region: { x0: 0, y0: 0, x1: 1, y1: 1 } },
      ...{ from: NOW - 86_400_000, to: NOW, step: "1h", timezone: "UTC" },
    },
  ]);
});

test("a bad question gets an error reply that says what to do", async () => {
  const { request, parts, replies, errors } = start(memory({ oldest: T }));
  const table: [Record<string, unknown>, string, RegExp][] = [
    [{ at: "-2d" }, "bad-time", /before the first record. The oldest is of 20/],
    [{ at: NOW + 5000 }, "bad-time", /in the future/],
    [{ at: "now", timezone: "Mars" }, "bad-timezone", /no time zone "Mars"/],
    [{ zone: "lobby", from: "now", to: "-1h" }, "bad-range", /not before/],
    [{ zone: "lobby", from: NOW - 1e12, step: "15m" }, "bad-step", /10000/],
    [{ zone: "attic" }, "unknown-zone", /attic/],
  ];
  for (const [index, [fields]] of table.entries()) {
    request(String(index), { ...fields, transaction: index });
  }
  await replies.drained();
  for (const [index, [, code, message]] of table.entries()) {
    const [reply] = parts(String(index));
    assert.ok(reply?.status === "error");
    assert.deepEqual([reply.code, reply.transaction], [code, index]);
    assert.match(reply.message, message);
  }
  assert.deepEqual(errors, table.map(([, code]) => code));
});

test("without a history the error says so", async () => {
  const { request, parts, replies } = start(undefined);
  request("a", { at: "-1h" });
  request("b", { zone: "lobby" });
  request("c", {});
  await replies.drained();
  for (const topic of ["a", "b"]) {
    const [reply] = parts(topic);
    assert.ok(reply?.status === "error");
    assert.equal(reply.code, "history-off");
    assert.match(reply.message, /--no-history/);
  }
  assert.equal(parts("c")[0]!.status, "ok");
});

test("the replies of a topic stay in order; other topics do not wait", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const history = memory({ before: () => promise });
  const { request, parts, replies } = start(history);
  request("a", { at: "now", transaction: 1 });
  request("a", { transaction: 2 });
  request("b", { transaction: 3 });
  assert.equal(parts("b").length, 1);
  assert.equal(parts("a").length, 0);
  resolve();
  await replies.drained();
  assert.deepEqual(parts("a").map(({ transaction }) => transaction), [1, 2]);
});

test("two answers are in memory at a time; the others wait", async () => {
  const waits = Array.from(
    { length: 5 },
    () => Promise.withResolvers<void>(),
  );
  let asked = 0;
  const history = memory({ before: () => waits[asked++]!.promise });
  const { request, parts, replies } = start(history);
  const topics = ["a", "b", "c", "d", "e"];
  for (const [i, topic] of topics.entries()) request(topic, { at: T + i });
  await until(() => asked === 2);
  await untilNextTurn();
  assert.equal(asked, 2);
  for (const { resolve } of waits) resolve();
  await replies.drained();
  assert.equal(asked, 5);
  for (const topic of topics) assert.equal(parts(topic).length, 1, topic);
});

test("a question that fails frees its place, and the reply is dropped", async () => {
  let failures = 4;
  const history = memory({
    before: () => {
      if (failures-- > 0) throw new Error("broken");
      return Promise.resolve();
    },
  });
  const { request, parts, replies, log } = start(history);
  for (const topic of ["a", "b", "c", "d", "e"]) request(topic, { at: T });
  await replies.drained();
  assert.equal(parts("a").length, 0);
  assert.equal(parts("e").length, 1);
  assert.ok(log.some((line) => /Cannot write a reply.*broken/.test(line)));
});

/** The watcher over a fake link: the requests it sends and the events it yields. */
import assert from "node:assert/strict";
import { LinkError } from "../../src/mqtt/link.ts";
import {
  ChangesWriter,
  encodeErrorReply,
  type LayerDisplay,
  ReplyWriter,
  Topics,
} from "../../src/protocol/mod.ts";
import {
  NoAnswerError,
  RefusedError,
  Watcher,
  type WatcherOptions,
  type WatchEvent,
} from "../../src/request/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { until } from "../support/until.ts";

const NOW = 1_760_000_000_000;
const REQUEST = "occupancy/request";
const REPLY_TOPIC = "occupancy/response/me";
const CHANGES = "occupancy/changes";
const STATE = "occupancy/server/state";

type Cell = readonly [x: number, y: number, value: number];

/** Runs a watcher, collects its events, and sends it replies and deltas. */
class Watch implements AsyncDisposable {
  readonly link = new FakeLink();
  readonly watcher: Watcher;
  readonly events: WatchEvent[] = [];
  readonly #abort = new AbortController();
  /** The error that ended the watch; undefined if it ended without one. */
  readonly ended: Promise<unknown>;
  /** If set, the consumer waits for it after each event. */
  gate: Promise<void> | undefined;

  constructor(options: Partial<WatcherOptions> = {}) {
    this.watcher = new Watcher({
      topics: new Topics(),
      name: "me",
      timeout: 1000,
      requestInterval: 0,
      ...options,
    });
    void this.link.open(this.watcher.handlersFor(this.link));
    this.ended = this.#run().catch((error: unknown) => error);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for await (const event of this.watcher.watch(this.link, { signal })) {
      this.events.push(event);
      await this.gate;
    }
  }

  /** Waits for the request with this number, from 1. */
  async request(count: number) {
    const requests = () => this.link.textsOn(REQUEST);
    await until(() => requests().length >= count, {
      what: `${count} requests`,
    });
    assert.equal(requests().length, count);
    return JSON.parse(requests()[count - 1]!);
  }

  /** Replies to the request with this number. */
  async reply(
    count: number,
    revision: number,
    cells: readonly Cell[],
    rest: {
      began?: number;
      staleAfter?: number;
      display?: LayerDisplay;
    } = {},
  ) {
    const request = await this.request(count);
    const writer = new ReplyWriter({
      transaction: request.transaction,
      layer: "default",
      revision,
      time: NOW,
      format: "json",
      maxBytes: 1024,
      ...rest,
    });
    for (const cell of cells) writer.cell(...cell, NOW);
    for (const part of writer.finish()) this.receive(REPLY_TOPIC, part);
    return request;
  }

  async replyError(count: number, code: string): Promise<void> {
    const { transaction } = await this.request(count);
    this.receive(
      REPLY_TOPIC,
      encodeErrorReply({ transaction, code, message: "no" }),
    );
  }

  delta(
    from: number,
    to: number,
    cells: readonly Cell[] = [],
    rest: { began?: number; layer?: string } = {},
  ): void {
    const writer = new ChangesWriter({
      layer: "default",
      from,
      to,
      time: NOW,
      ...rest,
    });
    for (const cell of cells) writer.cell(...cell, NOW);
    for (const part of writer.finish()) this.receive(CHANGES, part);
  }

  receive(topic: string, payload: string | Uint8Array, retain = false): void {
    const message = incoming(topic, payload, { retain });
    this.link.handlers.message(message);
  }

  /**
   * Waits for the event with this number, from 1, and returns it as text: kind,
   * revision, cells.
   */
  async event(count: number): Promise<string> {
    await until(() => this.events.length >= count, { what: `${count} events` });
    const { kind, revision, cells } = this.events[count - 1]!;
    const text = Array.from(
      { length: cells.length },
      (_, i) => `${cells.x[i]},${cells.y[i]}=${cells.value[i]}`,
    );
    return [kind, revision, ...text].join(" ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("Watcher.watch() yields a snapshot, then changes", async () => {
  await using watch = new Watch({ layer: "default" });
  assert.deepEqual(watch.watcher.subscriptions, [REPLY_TOPIC, STATE, CHANGES]);
  const request = await watch.reply(1, 10, [[1, 2, 1]], { staleAfter: 5000 });
  assert.equal(request.since, undefined);
  assert.equal(await watch.event(1), "snapshot 10 1,2=1");
  assert.equal(watch.events[0]!.staleAfter, 5000);
  assert.equal(watch.events[0]!.time, NOW);
  watch.delta(8, 12, [[1, 2, 0], [3, 4, 2]]);
  assert.equal(await watch.event(2), "changes 12 1,2=0 3,4=2");
  assert.equal(watch.events[1]!.staleAfter, undefined);
});

test("Watcher.watch() yields how to show the layer, as of the last reply", async () => {
  await using watch = new Watch({ layer: "default" });
  const display = { unit: ["car", "cars"] } as const;
  await watch.reply(1, 10, [[1, 2, 1]], { display });
  await watch.event(1);
  watch.delta(10, 12, [[1, 2, 0]]);
  await watch.event(2);
  assert.deepEqual(watch.events.map(({ display }) => display), [
    display,
    display,
  ]);
});

test("Watcher.watch() yields an empty snapshot too", async () => {
  await using watch = new Watch();
  await watch.reply(1, 0, []);
  assert.equal(await watch.event(1), "snapshot 0");
});

test("Watcher.watch() misses no delta that arrives during its request", async () => {
  await using watch = new Watch();
  await watch.request(1);
  watch.delta(10, 11, [[1, 1, 1]]);
  watch.delta(11, 12, [[2, 2, 2]]);
  watch.delta(12, 13, [[3, 3, 3]]);
  await watch.reply(1, 12, [[1, 1, 1], [2, 2, 2]]);
  assert.equal(await watch.event(1), "snapshot 12 1,1=1 2,2=2");
  assert.equal(await watch.event(2), "changes 13 3,3=3");
});

test("Watcher.watch() ignores announcements from before the reply", async () => {
  await using watch = new Watch();
  await watch.request(1);
  watch.delta(10, 10);
  watch.delta(10, 11, [[1, 1, 1]]);
  await watch.reply(1, 12, [[1, 1, 1]]);
  assert.equal(await watch.event(1), "snapshot 12 1,1=1");
  watch.delta(12, 13, [[3, 3, 3]]);
  assert.equal(await watch.event(2), "changes 13 3,3=3");
  await watch.request(1); // the server was not restored to revision 10
});

test("Watcher.watch() requests what changed when a delta is missing", async () => {
  await using watch = new Watch();
  await watch.reply(1, 10, []);
  await watch.event(1);
  watch.delta(12, 13, [[1, 1, 1]]);
  watch.delta(13, 14, [[2, 2, 2]]);
  const request = await watch.reply(2, 13, [[0, 0, 9], [1, 1, 1]]);
  assert.equal(request.since, 10);
  assert.equal(await watch.event(2), "changes 13 0,0=9 1,1=1");
  assert.equal(await watch.event(3), "changes 14 2,2=2");
});

test("Watcher.watch() requests what changed after an empty delta of a later revision", async () => {
  await using watch = new Watch();
  await watch.reply(1, 10, []);
  await watch.event(1);
  watch.delta(10, 10);
  watch.delta(15, 15);
  assert.equal((await watch.reply(2, 15, [])).since, 10);
  watch.delta(15, 16, [[1, 1, 1]]);
  assert.equal(
    await watch.event(2),
    "changes 16 1,1=1",
    "no event without changes",
  );
});

test("Watcher.watch() yields a new snapshot when the server has another map", async () => {
  await using watch = new Watch();
  await watch.reply(1, 10, [[1, 1, 1]], { began: 1 });
  await watch.event(1);
  watch.delta(3, 12, [[2, 2, 2]], { began: 2 });
  assert.equal((await watch.reply(2, 12, [], { began: 2 })).since, 10);
  assert.equal(
    (await watch.reply(3, 12, [[2, 2, 2]], { began: 2 })).since,
    undefined,
  );
  assert.equal(await watch.event(2), "snapshot 12 2,2=2");
  // A server that was restored from a backup.
  watch.delta(5, 5, [], { began: 2 });
  assert.equal((await watch.reply(4, 5, [], { began: 2 })).since, 12);
  assert.equal(
    (await watch.reply(5, 5, [[3, 3, 3]], { began: 2 })).since,
    undefined,
  );
  assert.equal(await watch.event(3), "snapshot 5 3,3=3");
});

test("Watcher.watch() ignores malformed messages and those of other layers", async () => {
  await using watch = new Watch();
  await watch.reply(1, 10, []);
  watch.receive(CHANGES, "nonsense");
  watch.receive(CHANGES, '{"layer":"default","from":99,"to":100}');
  watch.delta(50, 60, [[1, 1, 1]], { layer: "l2" });
  watch.receive(`${CHANGES}/l2`, "{}");
  const [retained] = new ChangesWriter({
    layer: "default",
    from: 70,
    to: 80,
    time: NOW,
  }).finish();
  watch.receive(CHANGES, retained!, true);
  watch.delta(10, 11, [[2, 2, 2]]);
  assert.equal(await watch.event(2), "changes 11 2,2=2");
  assert.equal(watch.link.textsOn(REQUEST).length, 1);
});

test("Watcher.watch() yields only cells of its region", async () => {
  const region = { x0: 0, y0: 0, x1: 4, y1: 4 };
  await using watch = new Watch({ region });
  assert.deepEqual((await watch.reply(1, 10, [[1, 1, 1]])).region, [
    0,
    0,
    4,
    4,
  ]);
  watch.delta(10, 11, [[5, 1, 1], [-1, 0, 1]]);
  watch.delta(11, 12, [[4, 4, 1], [0, 5, 1], [0, 0, 3]]);
  assert.equal(await watch.event(2), "changes 12 4,4=1 0,0=3");
});

test("Watcher.watch() requests what changed after a reconnect and a server restart", async () => {
  await using watch = new Watch();
  watch.receive(STATE, '{"state":"online"}', true);
  await watch.reply(1, 10, []);
  await watch.event(1);
  watch.link.handlers.down?.("cut");
  watch.link.handlers.up?.();
  assert.equal((await watch.reply(2, 11, [[1, 1, 1]])).since, 10);
  assert.equal(await watch.event(2), "changes 11 1,1=1");
  watch.receive(STATE, '{"state":"offline"}');
  watch.receive(STATE, '{"state":"online"}');
  assert.equal((await watch.reply(3, 12, [[2, 2, 2]])).since, 11);
  assert.equal(await watch.event(3), "changes 12 2,2=2");
});

test("Watcher.watch() repeats a request during which the connection was lost", async () => {
  await using watch = new Watch({ timeout: 60_000 });
  const { transaction } = await watch.request(1);
  watch.link.handlers.down?.("cut");
  watch.link.handlers.up?.();
  assert.notEqual((await watch.request(2)).transaction, transaction);
  await watch.reply(2, 3, []);
  assert.equal(await watch.event(1), "snapshot 3");
});

test("Watcher.watch() requests what changed after a time without deltas", async () => {
  await using watch = new Watch({ checkAfter: 10 });
  await watch.reply(1, 10, []);
  assert.equal((await watch.reply(2, 11, [[1, 1, 1]])).since, 10);
  assert.equal(await watch.event(2), "changes 11 1,1=1");
});

test("Watcher.watch() recovers from forged deltas", async () => {
  await using watch = new Watch({ checkAfter: 200 });
  await watch.reply(1, 10, [[1, 1, 1]], { began: 1 });
  await watch.event(1);
  // Of another map: only what changed is requested.
  for (let i = 0; i < 10; i++) watch.delta(3, 4, [[9, 9, 9]], { began: i + 2 });
  assert.equal((await watch.reply(2, 10, [], { began: 1 })).since, 10);
  // With a revision that the server has not reached: its deltas look known.
  watch.delta(10, 1_000_000, [[9, 9, 9]], { began: 1 });
  assert.equal(await watch.event(2), "changes 1000000 9,9=9");
  const deltas = setInterval(
    () => watch.delta(10, 11, [[2, 2, 2]], { began: 1 }),
    10,
  );
  try {
    const { since } = await watch.reply(3, 11, [[1, 1, 1], [2, 2, 2]], {
      began: 1,
    });
    assert.equal(since, 1_000_000);
    await watch.reply(4, 11, [[1, 1, 1], [2, 2, 2]], { began: 1 });
    assert.equal(await watch.event(3), "snapshot 11 1,1=1 2,2=2");
  } finally {
    clearInterval(deltas);
  }
});

test("Watcher.watch() waits between two requests", async () => {
  await using watch = new Watch({ requestInterval: 50 });
  await watch.reply(1, 10, []);
  const start = performance.now();
  for (let n = 2; n <= 4; n++) {
    watch.delta(n * 100, n * 100);
    await watch.reply(n, n * 100, [[n, n, n]]);
    await watch.event(n);
  }
  assert.ok(performance.now() - start > 3 * 50 - 20);
});

test("Watcher.watch() yields the sum of the deltas to a slow consumer", async () => {
  await using watch = new Watch();
  const gate = Promise.withResolvers<void>();
  watch.gate = gate.promise;
  await watch.reply(1, 0, []);
  await watch.event(1);
  const cells = Array.from({ length: 1000 }, (_, i): Cell => [i, i, 1]);
  for (let n = 0; n < 400; n++) watch.delta(n, n + 1, cells);
  gate.resolve();
  assert.equal(
    (await watch.request(2)).since,
    0,
    "the buffered deltas were dropped",
  );
  watch.delta(400, 401, [[7, 7, 7]]);
  await watch.reply(2, 400, [[1, 1, 1]]);
  assert.equal(await watch.event(2), "changes 400 1,1=1");
  assert.equal(await watch.event(3), "changes 401 7,7=7");
});

test("Watcher.watch() throws when the broker or the server is unavailable for too long", async () => {
  const broker = new Watch({ timeout: 30 });
  await broker.reply(1, 1, []);
  broker.link.handlers.down?.("cut");
  const lost = await broker.ended;
  assert.ok(
    lost instanceof LinkError &&
      /Disconnected from the broker: cut/.test(lost.message),
  );

  const offline = new Watch({ timeout: 30 });
  await offline.reply(1, 1, []);
  offline.receive(STATE, '{"state":"online"}');
  offline.receive(STATE, '{"state":"offline"}');
  const error = await offline.ended;
  assert.ok(error instanceof NoAnswerError && /is offline/.test(error.message));

  const silent = new Watch({ timeout: 30 });
  assert.ok(await silent.ended instanceof NoAnswerError);

  const taken = new Watch();
  await taken.reply(1, 1, []);
  taken.link.handlers.failed?.(new LinkError("refused", "taken over"));
  assert.match(String(await taken.ended), /taken over/);
});

test("Watcher.watch() throws when the server rejects its request", async () => {
  const watch = new Watch();
  await watch.replyError(1, "bad-region");
  const error = await watch.ended;
  assert.ok(error instanceof RefusedError && error.code === "bad-region");
});

test("Watcher.watch() tolerates a failing store up to the timeout", async () => {
  const watch = new Watch({ timeout: 40, requestInterval: 5 });
  await watch.reply(1, 10, []);
  await watch.event(1);
  watch.delta(15, 15);
  await watch.replyError(2, "store-failing");
  await watch.reply(3, 15, [[1, 1, 1]]);
  assert.equal(await watch.event(2), "changes 15 1,1=1");
  watch.delta(20, 20);
  let over = false;
  void watch.ended.then(() => over = true);
  for (let n = 4; !over; n++) {
    await watch.replyError(n, "store-failing");
    await until(() => over || watch.link.textsOn(REQUEST).length > n);
  }
  const error = await watch.ended;
  assert.ok(error instanceof RefusedError && error.code === "store-failing");
});

test("Watcher.watch() ends when aborted, and can be called again", async () => {
  const link = new FakeLink();
  const watcher = new Watcher({
    topics: new Topics(),
    name: "me",
    timeout: 60_000,
  });
  await link.open(watcher.handlersFor(link));
  for (let n = 1; n <= 2; n++) {
    const abort = new AbortController();
    const events = watcher.watch(link, { signal: abort.signal });
    const first = events.next();
    await until(() => link.textsOn(REQUEST).length === n);
    await assert.rejects(watcher.watch(link).next(), /already watching/);
    abort.abort();
    assert.equal((await first).done, true);
  }
  const aborted = watcher.watch(link, { signal: AbortSignal.abort() });
  assert.equal((await aborted.next()).done, true);
});

/** The watcher over a link that the test plays: what it asks, and what it says. */
import assert from "node:assert/strict";
import { LinkError } from "../../src/mqtt/link.ts";
import {
  ChangesWriter,
  encodeErrorReply,
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
const MINE = "occupancy/response/me";
const CHANGES = "occupancy/changes";
const STATE = "occupancy/server/state";

type Cell = readonly [x: number, y: number, value: number];

/** A watcher that watches; its events are gathered. */
class Watch implements AsyncDisposable {
  readonly link = new FakeLink();
  readonly watcher: Watcher;
  readonly events: WatchEvent[] = [];
  readonly #abort = new AbortController();
  /** How the watching ended. */
  readonly ended: Promise<unknown>;
  /** If set, the consumer waits for it after each event. */
  gate: Promise<void> | undefined;

  constructor(options: Partial<WatcherOptions> = {}) {
    this.watcher = new Watcher({
      topics: new Topics(),
      name: "me",
      timeout: 1000,
      askPause: 0,
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

  /** Waits for the request of that number, from 1. */
  async asked(count: number) {
    const requests = () => this.link.textsOn(REQUEST);
    await until(() => requests().length >= count, { what: `${count} asked` });
    assert.equal(requests().length, count);
    return JSON.parse(requests()[count - 1]!);
  }

  /** Answers the request of that number. */
  async answer(
    count: number,
    revision: number,
    cells: readonly Cell[],
    rest: { began?: number; staleAfter?: number } = {},
  ) {
    const asked = await this.asked(count);
    const writer = new ReplyWriter({
      transaction: asked.transaction,
      layer: "default",
      revision,
      time: NOW,
      format: "json",
      maxBytes: 1024,
      ...rest,
    });
    for (const cell of cells) writer.cell(...cell, NOW);
    for (const part of writer.finish()) this.hears(MINE, part);
    return asked;
  }

  async refuse(count: number, code: string): Promise<void> {
    const { transaction } = await this.asked(count);
    this.hears(MINE, encodeErrorReply({ transaction, code, message: "no" }));
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
    for (const part of writer.finish()) this.hears(CHANGES, part);
  }

  hears(topic: string, payload: string | Uint8Array, retain = false): void {
    const message = incoming(topic, payload, { retain });
    this.link.handlers.message(message);
  }

  /** Waits for the event of that number, from 1; as text: kind, revision, cells. */
  async told(count: number): Promise<string> {
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

test("Watcher.watch() tells a snapshot, then what changes", async () => {
  await using it = new Watch({ layer: "default" });
  assert.deepEqual(it.watcher.subscriptions, [MINE, STATE, CHANGES]);
  const asked = await it.answer(1, 10, [[1, 2, 1]], { staleAfter: 5000 });
  assert.equal(asked.since, undefined);
  assert.equal(await it.told(1), "snapshot 10 1,2=1");
  assert.equal(it.events[0]!.staleAfter, 5000);
  assert.equal(it.events[0]!.time, NOW);
  it.delta(8, 12, [[1, 2, 0], [3, 4, 2]]);
  assert.equal(await it.told(2), "changes 12 1,2=0 3,4=2");
  assert.equal(it.events[1]!.staleAfter, undefined);
});

test("Watcher.watch() tells an empty map too", async () => {
  await using it = new Watch();
  await it.answer(1, 0, []);
  assert.equal(await it.told(1), "snapshot 0");
});

test("Watcher.watch() misses no delta that comes while it asks", async () => {
  await using it = new Watch();
  await it.asked(1);
  it.delta(10, 11, [[1, 1, 1]]);
  it.delta(11, 12, [[2, 2, 2]]);
  it.delta(12, 13, [[3, 3, 3]]);
  await it.answer(1, 12, [[1, 1, 1], [2, 2, 2]]);
  assert.equal(await it.told(1), "snapshot 12 1,1=1 2,2=2");
  assert.equal(await it.told(2), "changes 13 3,3=3");
});

test("Watcher.watch() asks what changed since when a delta is missing", async () => {
  await using it = new Watch();
  await it.answer(1, 10, []);
  await it.told(1);
  it.delta(12, 13, [[1, 1, 1]]);
  it.delta(13, 14, [[2, 2, 2]]);
  const asked = await it.answer(2, 13, [[0, 0, 9], [1, 1, 1]]);
  assert.equal(asked.since, 10);
  assert.equal(await it.told(2), "changes 13 0,0=9 1,1=1");
  assert.equal(await it.told(3), "changes 14 2,2=2");
});

test("Watcher.watch() asks when the server says that it has come further", async () => {
  await using it = new Watch();
  await it.answer(1, 10, []);
  await it.told(1);
  it.delta(10, 10);
  it.delta(15, 15);
  assert.equal((await it.answer(2, 15, [])).since, 10);
  it.delta(15, 16, [[1, 1, 1]]);
  assert.equal(await it.told(2), "changes 16 1,1=1", "nothing is no event");
});

test("Watcher.watch() starts over when the server has another map", async () => {
  await using it = new Watch();
  await it.answer(1, 10, [[1, 1, 1]], { began: 1 });
  await it.told(1);
  it.delta(3, 12, [[2, 2, 2]], { began: 2 });
  assert.equal(
    (await it.answer(2, 12, [[2, 2, 2]], { began: 2 })).since,
    undefined,
  );
  assert.equal(await it.told(2), "snapshot 12 2,2=2");
  // The map of a server that was put back to what it was.
  it.delta(5, 5, [], { began: 2 });
  assert.equal((await it.answer(3, 5, [], { began: 2 })).since, 12);
  assert.equal(
    (await it.answer(4, 5, [[3, 3, 3]], { began: 2 })).since,
    undefined,
  );
  assert.equal(await it.told(3), "snapshot 5 3,3=3");
});

test("Watcher.watch() passes over what is not from the server, or not for it", async () => {
  await using it = new Watch();
  await it.answer(1, 10, []);
  it.hears(CHANGES, "nonsense");
  it.hears(CHANGES, '{"layer":"default","from":99,"to":100}');
  it.delta(50, 60, [[1, 1, 1]], { layer: "l2" });
  it.hears(`${CHANGES}/l2`, "{}");
  const [retained] = new ChangesWriter({
    layer: "default",
    from: 70,
    to: 80,
    time: NOW,
  }).finish();
  it.hears(CHANGES, retained!, true);
  it.delta(10, 11, [[2, 2, 2]]);
  assert.equal(await it.told(2), "changes 11 2,2=2");
  assert.equal(it.link.textsOn(REQUEST).length, 1);
});

test("Watcher.watch() tells of its region only", async () => {
  const region = { x0: 0, y0: 0, x1: 4, y1: 4 };
  await using it = new Watch({ region });
  assert.deepEqual((await it.answer(1, 10, [[1, 1, 1]])).region, [0, 0, 4, 4]);
  it.delta(10, 11, [[5, 1, 1], [-1, 0, 1]]);
  it.delta(11, 12, [[4, 4, 1], [0, 5, 1], [0, 0, 3]]);
  assert.equal(await it.told(2), "changes 12 4,4=1 0,0=3");
});

test("Watcher.watch() asks again after a reconnect, and after a restart of the server", async () => {
  await using it = new Watch();
  it.hears(STATE, '{"state":"online"}', true);
  await it.answer(1, 10, []);
  await it.told(1);
  it.link.handlers.down?.("gone");
  it.link.handlers.up?.();
  assert.equal((await it.answer(2, 11, [[1, 1, 1]])).since, 10);
  assert.equal(await it.told(2), "changes 11 1,1=1");
  it.hears(STATE, '{"state":"offline"}');
  it.hears(STATE, '{"state":"online"}');
  assert.equal((await it.answer(3, 12, [[2, 2, 2]])).since, 11);
  assert.equal(await it.told(3), "changes 12 2,2=2");
});

test("Watcher.watch() asks anew if the connection is lost while it asks", async () => {
  await using it = new Watch({ timeout: 60_000 });
  const { transaction } = await it.asked(1);
  it.link.handlers.down?.("gone");
  it.link.handlers.up?.();
  assert.notEqual((await it.asked(2)).transaction, transaction);
  await it.answer(2, 3, []);
  assert.equal(await it.told(1), "snapshot 3");
});

test("Watcher.watch() asks whether it missed something when all is quiet", async () => {
  await using it = new Watch({ checkAfter: 10 });
  await it.answer(1, 10, []);
  assert.equal((await it.answer(2, 11, [[1, 1, 1]])).since, 10);
  assert.equal(await it.told(2), "changes 11 1,1=1");
});

test("Watcher.watch() asks no more often than it may", async () => {
  await using it = new Watch({ askPause: 50 });
  await it.answer(1, 10, []);
  const start = performance.now();
  for (let n = 2; n <= 4; n++) {
    it.delta(n * 100, n * 100);
    await it.answer(n, n * 100, [[n, n, n]]);
    await it.told(n);
  }
  assert.ok(performance.now() - start > 3 * 50 - 20);
});

test("Watcher.watch() sums up for a consumer that is slow", async () => {
  await using it = new Watch();
  const gate = Promise.withResolvers<void>();
  it.gate = gate.promise;
  await it.answer(1, 0, []);
  await it.told(1);
  const cells = Array.from({ length: 1000 }, (_, i): Cell => [i, i, 1]);
  for (let n = 0; n < 400; n++) it.delta(n, n + 1, cells);
  gate.resolve();
  assert.equal((await it.asked(2)).since, 0, "what waited was given up");
  it.delta(400, 401, [[7, 7, 7]]);
  await it.answer(2, 400, [[1, 1, 1]]);
  assert.equal(await it.told(2), "changes 400 1,1=1");
  assert.equal(await it.told(3), "changes 401 7,7=7");
});

test("Watcher.watch() gives up when broker or server are away for too long", async () => {
  const broker = new Watch({ timeout: 30 });
  await broker.answer(1, 1, []);
  broker.link.handlers.down?.("cut");
  const lost = await broker.ended;
  assert.ok(
    lost instanceof LinkError && /The broker is gone: cut/.test(lost.message),
  );

  const offline = new Watch({ timeout: 30 });
  await offline.answer(1, 1, []);
  offline.hears(STATE, '{"state":"online"}');
  offline.hears(STATE, '{"state":"offline"}');
  const away = await offline.ended;
  assert.ok(away instanceof NoAnswerError && /is offline/.test(away.message));

  const silent = new Watch({ timeout: 30 });
  assert.ok(await silent.ended instanceof NoAnswerError);

  const taken = new Watch();
  await taken.answer(1, 1, []);
  taken.link.handlers.failed?.(new LinkError("refused", "taken over"));
  assert.match(String(await taken.ended), /taken over/);
});

test("Watcher.watch() throws what the server refuses", async () => {
  const it = new Watch();
  await it.refuse(1, "bad-region");
  const error = await it.ended;
  assert.ok(error instanceof RefusedError && error.code === "bad-region");
});

test("Watcher.watch() bears with a store that fails, but not for ever", async () => {
  const it = new Watch({ timeout: 40, askPause: 5 });
  await it.answer(1, 10, []);
  await it.told(1);
  it.delta(15, 15);
  await it.refuse(2, "store-failing");
  await it.answer(3, 15, [[1, 1, 1]]);
  assert.equal(await it.told(2), "changes 15 1,1=1");
  it.delta(20, 20);
  let over = false;
  void it.ended.then(() => over = true);
  for (let n = 4; !over; n++) {
    await it.refuse(n, "store-failing");
    await until(() => over || it.link.textsOn(REQUEST).length > n);
  }
  const error = await it.ended;
  assert.ok(error instanceof RefusedError && error.code === "store-failing");
});

test("Watcher.watch() ends when it is told to, and can begin again", async () => {
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
    await assert.rejects(watcher.watch(link).next(), /watching already/);
    abort.abort();
    assert.equal((await first).done, true);
  }
  const aborted = watcher.watch(link, { signal: AbortSignal.abort() });
  assert.equal((await aborted.next()).done, true);
});

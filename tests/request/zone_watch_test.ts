/** The watcher of zones over a fake link. */
import assert from "node:assert/strict";
import {
  encodeErrorReply,
  Topics,
  ZonesReplyWriter,
} from "../../src/protocol/mod.ts";
import {
  RefusedError,
  ZoneWatcher,
  type ZoneWatcherOptions,
  type ZoneWatchEvent,
} from "../../src/request/mod.ts";
import type { ZoneState } from "../../src/zones/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { until } from "../support/until.ts";
import { eventOf, stateOf } from "../support/zone_states.ts";

const NOW = 1_760_000_000_000;
const REQUEST = "occupancy/request";
const REPLY_TOPIC = "occupancy/response/me";

/** Runs a watcher, collects its events, and sends it messages. */
class Watch implements AsyncDisposable {
  readonly link = new FakeLink();
  readonly watcher: ZoneWatcher;
  readonly events: string[] = [];
  readonly #abort = new AbortController();
  /** The error that ended the watch; undefined if it ended without one. */
  readonly ended: Promise<unknown>;
  /** If set, the consumer waits for it after each event. */
  gate: Promise<void> | undefined;

  constructor(options: Partial<ZoneWatcherOptions> = {}) {
    this.watcher = new ZoneWatcher({
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
      this.events.push(textOf(event));
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
  async reply(count: number, revision: number, ...zones: ZoneState[]) {
    const { transaction, zones: names } = await this.request(count);
    const writer = new ZonesReplyWriter({
      ...{ transaction, revision, time: NOW, maxBytes: 4096 },
    });
    for (const zone of zones) writer.zone(JSON.stringify(zone));
    for (const part of writer.finish()) this.receive(REPLY_TOPIC, part);
    return names;
  }

  async refuse(count: number, code: string): Promise<void> {
    const { transaction } = await this.request(count);
    const reply = encodeErrorReply({ transaction, code, message: "no" });
    this.receive(REPLY_TOPIC, reply);
  }

  state(zone: string, rest: Partial<ZoneState> = {}, retain = false): void {
    const state = JSON.stringify(stateOf(zone, rest));
    this.receive(`occupancy/zone/${zone}`, state, retain);
  }

  event(zone: string, ...rest: Parameters<typeof eventOf>[1][]): void {
    const event = JSON.stringify(eventOf(zone, ...rest));
    this.receive(`occupancy/zone/${zone}/event`, event);
  }

  receive(topic: string, payload: string | Uint8Array, retain = false): void {
    const message = incoming(topic, payload, { retain });
    this.link.handlers.message(message);
  }

  /** Waits for as many events, and returns the last ones, which are new. */
  async next(count = 1): Promise<string> {
    const total = this.#read + count;
    await until(() => this.events.length >= total, {
      what: () => `${total} events: ${this.events}`,
    });
    const events = this.events.slice(this.#read);
    this.#read = this.events.length;
    return events.join("; ");
  }
  #read = 0;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }
}

/** Such as `changes lobby=5 -cafe`. */
function textOf(event: ZoneWatchEvent): string {
  if (event.kind === "event") {
    const { zone, event: name } = event.event;
    return `${name} ${zone}${event.dropped > 0 ? ` +${event.dropped}` : ""}`;
  }
  const states = event.zones.map(({ zone, count }) => `${zone}=${count}`);
  const removed = event.kind === "changes"
    ? event.removed.map((zone) => `-${zone}`)
    : [];
  return [event.kind, ...states, ...removed].join(" ");
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("ZoneWatcher.watch() yields a snapshot, then changes and events", async () => {
  await using watch = new Watch();
  assert.deepEqual(watch.watcher.subscriptions, [
    ...[REPLY_TOPIC, "occupancy/server/state"],
    ...["occupancy/zone/+", "occupancy/zone/+/event"],
  ]);
  assert.equal(
    await watch.reply(1, 9, stateOf("lobby"), stateOf("cafe", { count: 0 })),
    true,
  );
  assert.equal(await watch.next(), "snapshot lobby=4 cafe=0");
  watch.state("lobby", { count: 5, revision: 10 });
  assert.equal(await watch.next(), "changes lobby=5");
  watch.state("cafe", { count: 1, revision: 11 });
  watch.event("cafe", { revision: 11 });
  assert.equal(await watch.next(2), "changes cafe=1; occupied cafe");
  watch.state("new", { count: 0, revision: 12 });
  watch.receive("occupancy/zone/lobby", "");
  assert.equal(await watch.next(), "changes new=0 -lobby");
  watch.receive("occupancy/zone/lobby", "");
  watch.state("cafe", { count: 1, revision: 11 }); // delivered twice
  watch.event("cafe", { revision: 11 });
  watch.event("cafe", { event: "cleared", revision: 13 });
  assert.equal(await watch.next(), "cleared cafe");
  assert.equal(watch.link.acknowledged.length, 10);
});

test("ZoneWatcher.watch() shows no retained state, and no forged message", async () => {
  await using watch = new Watch();
  await watch.request(1);
  watch.state("lobby", { count: 99, revision: 99 }, true);
  watch.state("gone", { count: 99, revision: 99 }, true);
  await watch.reply(1, 9, stateOf("lobby"));
  assert.equal(await watch.next(), "snapshot lobby=4");
  watch.state("lobby", { count: 99, revision: 99 }, true);
  for (
    const payload of [
      ...["no JSON", "[]", "{}", `{"zone":"lobby"}`, '"\u0000"'],
      ...[JSON.stringify(stateOf("cafe")), new Uint8Array([0xff])],
      " ".repeat(100_000),
    ]
  ) {
    watch.receive("occupancy/zone/lobby", payload);
    watch.receive("occupancy/zone/lobby/event", payload);
  }
  watch.receive("occupancy/zone/lobby/other", "1");
  watch.receive("occupancy/zone/", "1");
  watch.state("lobby", { count: 5, revision: 10 });
  assert.equal(await watch.next(), "changes lobby=5");
});

test("ZoneWatcher.watch() applies what arrives during a request only if it is later", async () => {
  await using watch = new Watch();
  await watch.request(1);
  watch.state("a", { count: 1, revision: 8 }); // older than the reply
  watch.event("a", { revision: 8 });
  watch.state("b", { count: 6, revision: 10 }); // later
  watch.event("b", { revision: 10 });
  watch.state("deleted", { revision: 7 });
  watch.state("made", { count: 1, revision: 12 });
  watch.state("aged", { count: 2, time: NOW + 5 });
  await watch.reply(1, 9, stateOf("a"), stateOf("b"), stateOf("aged"));
  assert.equal(
    await watch.next(3),
    "snapshot a=4 b=4 aged=4; changes b=6 made=1 aged=2; occupied b",
  );
});

test("ZoneWatcher.watch() compares revisions of one layer only: others may be independent", async () => {
  await using watch = new Watch();
  await watch.request(1);
  // The revision of the reply is the sum over the shards of the layers.
  watch.state("a", { count: 6, layer: "one", revision: 8 });
  watch.state("b", { count: 6, layer: "two", revision: 1001 });
  watch.state("made", { count: 1, layer: "one", revision: 8, time: NOW + 5 });
  watch.state("deleted", { layer: "two", revision: 900, time: NOW - 5 });
  watch.state("moved", { count: 6, layer: "one", revision: 8, time: NOW + 5 });
  watch.event("a", { layer: "one", revision: 8 });
  await watch.reply(
    1,
    1010,
    stateOf("a", { layer: "one", revision: 7 }),
    stateOf("b", { layer: "two", revision: 1002 }),
    stateOf("moved", { layer: "two", revision: 1002 }),
  );
  assert.equal(
    await watch.next(3),
    "snapshot a=4 b=4 moved=4; changes a=6 made=1 moved=6; occupied a",
  );
});

test("ZoneWatcher.watch() yields what changed while it was disconnected", async () => {
  await using watch = new Watch();
  await watch.reply(1, 9, stateOf("a"), stateOf("b"), stateOf("c"));
  await watch.next();
  watch.link.handlers.down?.("cut");
  watch.link.handlers.up?.();
  watch.state("a", { count: 3, revision: 8 }, true);
  await watch.request(2);
  watch.receive("occupancy/zone/b", ""); // before or after the reply?
  await watch.reply(
    2,
    20,
    stateOf("a"),
    stateOf("b", { count: 7, revision: 15 }),
    stateOf("d"),
  );
  assert.equal(await watch.next(), "changes b=7 d=4 -c");
  await watch.reply(3, 20, stateOf("a"), stateOf("d"));
  assert.equal(await watch.next(), "changes -b");
  watch.receive("occupancy/server/state", '{"state":"offline"}');
  watch.receive("occupancy/server/state", '{"state":"online"}');
  // An earlier map was restored.
  await watch.reply(4, 3, stateOf("a", { count: 2, revision: 2 }));
  watch.state("a", { count: 8, revision: 4 });
  assert.equal(await watch.next(2), "changes a=2 -d; changes a=8");
});

test("ZoneWatcher.watch() of some zones follows these, also if one is removed", async () => {
  await using watch = new Watch({ names: ["a", "b", "a"] });
  assert.deepEqual(watch.watcher.subscriptions.slice(2), [
    ...["occupancy/zone/a", "occupancy/zone/a/event"],
    ...["occupancy/zone/b", "occupancy/zone/b/event"],
  ]);
  assert.deepEqual(await watch.reply(1, 9, stateOf("a"), stateOf("b")), [
    "a",
    "b",
  ]);
  assert.equal(await watch.next(), "snapshot a=4 b=4");
  watch.state("other");
  watch.link.handlers.down?.("cut");
  watch.link.handlers.up?.();
  await watch.refuse(2, "no-zone");
  assert.equal(await watch.reply(3, 10, stateOf("a"), stateOf("c")), true);
  assert.equal(await watch.next(), "changes -b");
  watch.link.handlers.down?.("cut");
  watch.link.handlers.up?.();
  const again = stateOf("b", { count: 0 });
  assert.equal(await watch.reply(4, 11, stateOf("a"), again), true);
  assert.equal(await watch.next(), "changes b=0");
  watch.link.handlers.down?.("cut");
  watch.link.handlers.up?.();
  assert.deepEqual(await watch.reply(5, 11, stateOf("a"), again), ["a", "b"]);
});

test("ZoneWatcher.watch() throws if there is no such zone at the start", async () => {
  await using watch = new Watch({ names: ["a"] });
  await watch.refuse(1, "no-zone");
  const error = await watch.ended;
  assert.ok(error instanceof RefusedError);
  assert.equal(error.code, "no-zone");
});

test("ZoneWatcher.watch() requests all states after a time", async () => {
  await using watch = new Watch({ checkAfter: 20 });
  await watch.reply(1, 9, stateOf("a"));
  await watch.next();
  await watch.reply(2, 10, stateOf("a", { revision: 10, time: NOW + 1 }));
  await watch.reply(3, 10, stateOf("a", { count: 5, revision: 10 }));
  assert.equal(await watch.next(), "changes a=5");
});

test("ZoneWatcher.watch() yields the last states to a slow consumer, and bounds what waits", async () => {
  await using watch = new Watch();
  const gate = Promise.withResolvers<void>();
  watch.gate = gate.promise;
  await watch.reply(1, 9, stateOf("a"));
  await watch.next();
  for (let count = 1; count <= 10_003; count++) {
    watch.state("a", { count, revision: 9 + count });
    watch.event("a", {
      event: count % 2 === 0 ? "cleared" : "occupied",
      revision: 9 + count,
    });
  }
  watch.gate = undefined;
  gate.resolve();
  assert.match(
    await watch.next(10_001),
    /^changes a=10003; cleared a \+3; occupied a; .*occupied a$/,
  );
  for (let i = 0; i <= 20_000; i++) watch.state(`forged-${i}`);
  await watch.reply(2, 10, stateOf("a"));
  assert.match(await watch.next(), /^changes a=4( -forged-\d+)*$/);
});

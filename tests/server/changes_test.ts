/** The deltas of a server over a link that the test plays, on a clock of its own. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import {
  type ChangesPart,
  parseChanges,
  ReadingBatch,
  Topics,
} from "../../src/protocol/mod.ts";
import { Changes } from "../../src/server/changes.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, settled } from "../support/fake_link.ts";

const TOPIC = "occupancy/changes";

/** A feed over a map of its own; the link is up. */
class Feed implements Disposable {
  readonly clock = new FakeClock();
  readonly link: FakeLink;
  readonly map = new OccupancyMap({ staleAfter: 10_000 });
  readonly changes: Changes;
  storeFails = false;

  constructor({ manual = false, interval = 100, began = 5 } = {}) {
    this.link = new FakeLink({ manual });
    this.changes = new Changes({
      link: this.link,
      map: this.map,
      topics: new Topics(),
      clock: () => this.clock.now,
      interval,
      refresh: () => {
        if (this.storeFails) return undefined;
        this.map.age(this.clock.now);
        return this.clock.now;
      },
      began: () => began,
    });
    this.changes.up();
  }

  /** Changes cells from x0 on, each to this value. */
  change(count: number, value: number, layer = "default", x0 = 0): void {
    const batch = new ReadingBatch(count);
    for (let i = 0; i < count; i++) {
      batch.push(x0 + i, 0, value, this.clock.now);
    }
    this.map.apply(layer, batch, this.clock.now);
    this.changes.poke();
  }

  /** What was told since the last call. */
  told(topic = TOPIC): ChangesPart[] {
    const parts = this.link.published.filter((sent) => sent.topic === topic)
      .map(({ payload }) => parseChanges(payload));
    this.link.published.length = 0;
    return parts;
  }

  [Symbol.dispose](): void {
    this.changes.stop();
    this.clock[Symbol.dispose]();
  }
}

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("Changes tells at once, then what came meanwhile once an interval", () => {
  using feed = new Feed();
  for (let n = 1; n <= 30; n++) {
    feed.change(1, n);
    feed.clock.tick(n === 1 ? 0 : 10);
  }
  const told = feed.told();
  assert.deepEqual(
    told.map(({ from, to }) => [from, to]),
    [[0, 1], [1, 11], [11, 21]],
    "contiguous, at 0, 100 and 200 ms",
  );
  assert.deepEqual(told.map(({ cells }) => cells.value[0]), [1, 11, 21]);
  feed.clock.tick(10_000);
  assert.deepEqual(feed.told().map(({ to }) => to), [30], "the rest, once");
  assert.equal(feed.clock.pending, 0, "and nothing while nothing changes");
});

test("Changes tells at QoS 0, not retained, with what a receiver needs", () => {
  using feed = new Feed();
  feed.change(1, 1);
  feed.clock.tick(0);
  const { options } = feed.link.published[0]!;
  assert.deepEqual(options, { contentType: "application/json" });
  const [{ cells, ...header }] = feed.told() as [ChangesPart];
  assert.equal(cells.length, 1);
  assert.deepEqual(header, {
    layer: "default",
    from: 0,
    to: 1,
    time: feed.clock.now,
    staleAfter: 10_000,
    began: 5,
    part: 1,
    parts: 1,
  });
});

test("Changes tells each layer on its own topic, from its own last delta", () => {
  using feed = new Feed();
  feed.change(1, 1);
  feed.clock.tick(100);
  feed.change(1, 1, "l2");
  feed.clock.tick(100);
  feed.change(1, 2);
  feed.clock.tick(100);
  const { published } = feed.link;
  assert.deepEqual(
    published.map(({ topic, payload }) => {
      const { from, to } = parseChanges(payload);
      return [topic, from, to];
    }),
    [[TOPIC, 0, 1], [`${TOPIC}/l2`, 0, 2], [TOPIC, 1, 3]],
  );
});

test("Changes lets cells age to the time that it tells", () => {
  using feed = new Feed();
  feed.change(1, 1);
  feed.clock.tick(100);
  feed.told();
  feed.clock.tick(10_001);
  feed.change(1, 7, "default", 50); // nothing else would age cell 0 now
  feed.clock.tick(100);
  const [{ cells, time, staleAfter }] = feed.told() as [ChangesPart];
  const stale = Array.from(
    { length: cells.length },
    (_, i) => [cells.x[i], time - cells.time[i]! > staleAfter!],
  );
  assert.deepEqual(stale.sort(), [[0, true], [50, false]]);
});

test("Changes.up() tells how far each layer has come, without cells", () => {
  using feed = new Feed();
  feed.change(1, 1);
  feed.change(1, 1, "l2");
  feed.clock.tick(100);
  feed.changes.down();
  feed.change(1, 2);
  feed.clock.tick(1000);
  feed.told();
  feed.changes.up();
  const told = feed.link.published.map(({ topic, payload }) => {
    const { from, to, cells } = parseChanges(payload);
    return [topic, from, to, cells.length];
  });
  assert.deepEqual(told, [[TOPIC, 3, 3, 0], [`${TOPIC}/l2`, 3, 3, 0]]);
  feed.told();
  feed.clock.tick(1000);
  assert.equal(feed.told().length, 0, "what changed meanwhile is asked for");
  feed.change(1, 3);
  feed.clock.tick(100);
  assert.deepEqual(feed.told().map(({ from, to }) => [from, to]), [[3, 4]]);
});

test("Changes tells how far it has come after a delta was lost", async () => {
  using feed = new Feed({ manual: true });
  feed.change(1, 1);
  feed.clock.tick(0);
  feed.link.published[0]!.settle(new LinkError("closed", "not connected"));
  await settled();
  feed.told();
  feed.change(1, 2);
  feed.clock.tick(100);
  assert.deepEqual(
    feed.told().map(({ from, to, cells }) => [from, to, cells.length]),
    [[2, 2, 0]],
  );
});

test("Changes splits a large delta into parts of 256 KiB", () => {
  using feed = new Feed();
  feed.change(50_000, 1);
  feed.clock.tick(0);
  for (const { payload } of feed.link.published) {
    assert.ok(payload.length <= 256 * 1024);
  }
  const told = feed.told();
  assert.ok(told.length > 1);
  assert.deepEqual(
    told.map(({ from, to, part, parts }) => [from, to, part, parts]),
    told.map((_, i) => [0, 1, i + 1, told.length]),
  );
  assert.equal(told.reduce((sum, { cells }) => sum + cells.length, 0), 50_000);
});

test("Changes only tells how far it has come when too much changes, once a second", () => {
  using feed = new Feed();
  for (let n = 1; n <= 30; n++) {
    feed.change(100_001, n);
    feed.clock.tick(100);
  }
  const told = feed.told();
  assert.ok(told.length <= 4, `${told.length}`);
  for (const { from, to, cells } of told) {
    assert.equal(from, to);
    assert.equal(cells.length, 0);
  }
  feed.clock.tick(2000);
  assert.deepEqual(feed.told().map(({ from, to }) => [from, to]), [[30, 30]]);
  feed.change(1, 99);
  feed.clock.tick(2000);
  assert.deepEqual(
    feed.told().map(({ from, to, cells }) => [from, to, cells.length]),
    [[30, 31, 1]],
    "then deltas again",
  );
});

test("Changes keeps what cannot be sent in the map: 1,000 deltas behind is one", async () => {
  using feed = new Feed({ manual: true });
  for (let n = 1; n <= 1000; n++) {
    feed.change(10_000, n);
    feed.clock.tick(100);
  }
  const sent = [...feed.link.published];
  const bytes = sent.reduce((sum, { payload }) => sum + payload.length, 0);
  assert.ok(bytes < 17 * 1024 * 1024, `${bytes} bytes are under way`);
  const before = feed.told().at(-1)!;
  for (const { settle } of sent) settle();
  await settled();
  feed.clock.tick(100);
  const next = feed.told();
  assert.deepEqual(
    new Set(next.map(({ from, to }) => `${from} ${to}`)),
    new Set([`${before.to} 1000`]),
    "contiguous, and up to date",
  );
  assert.equal(next.reduce((sum, { cells }) => sum + cells.length, 0), 10_000);
  feed.link.published.forEach(({ settle }) => settle());
});

test("Changes waits while the store fails: what it would tell may not be true", () => {
  using feed = new Feed();
  feed.storeFails = true;
  feed.change(1, 1);
  feed.clock.tick(1000);
  assert.equal(feed.told().length, 0);
  feed.storeFails = false;
  feed.clock.tick(100);
  assert.deepEqual(feed.told().map(({ from, to }) => [from, to]), [[0, 1]]);
});

test("Changes tells nothing at all with an interval of 0", () => {
  using feed = new Feed({ interval: 0 });
  feed.change(1, 1);
  feed.changes.down();
  feed.changes.up();
  feed.clock.tick(1000);
  assert.equal(feed.told().length, 0);
});

test("Changes.stop() tells what is left", () => {
  using feed = new Feed();
  feed.change(1, 1);
  feed.clock.tick(0);
  feed.change(1, 2);
  feed.changes.stop();
  assert.deepEqual(feed.told().map(({ to }) => to), [1, 2]);
  assert.equal(feed.clock.pending, 0);
});

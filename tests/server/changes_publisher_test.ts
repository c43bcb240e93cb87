/** The deltas that a server publishes, over a fake link and a fake clock. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import {
  type ChangesPart,
  parseChanges,
  ReadingBatch,
} from "../../src/protocol/mod.ts";
import { ChangesPublisher } from "../../src/server/changes_publisher.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, settled } from "../support/fake_link.ts";
import { until } from "../support/until.ts";
import { fakeContext, NOW } from "./support.ts";

const TOPIC = "occupancy/changes";

/** A publisher over a map that the test changes; the link is connected. */
class System implements Disposable {
  readonly clock = new FakeClock();
  readonly link: FakeLink;
  readonly map: OccupancyMap;
  readonly changes: ChangesPublisher;
  storeFails = false;

  constructor(
    { manual = false, interval = 100, began = 5, shards = 1 } = {},
  ) {
    this.map = new OccupancyMap({ staleAfter: 10_000 }, { shards });
    this.link = new FakeLink({ manual });
    const context = fakeContext({
      link: this.link,
      map: this.map,
      clock: () => this.clock.now,
      changesInterval: interval,
    });
    context.map.begin(began);
    this.changes = new ChangesPublisher(context, {
      refresh: () => {
        if (this.storeFails) return undefined;
        this.map.age(this.clock.now);
        return this.clock.now;
      },
    });
    this.changes.connected();
  }

  /** Sets the cells (x0, 0) to (x0 + count - 1, 0) to a value. */
  change(count: number, value: number, layer = "default", x0 = 0): void {
    const batch = new ReadingBatch(count);
    for (let i = 0; i < count; i++) {
      batch.push(x0 + i, 0, value, this.clock.now);
    }
    this.map.apply(layer, batch, this.clock.now);
    this.changes.notify();
  }

  /** Returns what was published since the last call. */
  takeParts(topic = TOPIC): ChangesPart[] {
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

test("ChangesPublisher publishes the first change at once, later ones once per interval", () => {
  using system = new System();
  for (let n = 1; n <= 30; n++) {
    system.change(1, n);
    system.clock.tick(n === 1 ? 0 : 10);
  }
  const parts = system.takeParts();
  assert.deepEqual(
    parts.map(({ from, to }) => [from, to]),
    [[0, 1], [1, 11], [11, 21]],
    "contiguous, at 0, 100 and 200 ms",
  );
  assert.deepEqual(parts.map(({ cells }) => cells.value[0]), [1, 11, 21]);
  system.clock.tick(10_000);
  assert.deepEqual(
    system.takeParts().map(({ to }) => to),
    [30],
    "the rest, once",
  );
  assert.equal(system.clock.pending, 0, "no timer while nothing changes");
});

test("ChangesPublisher publishes at QoS 0, not retained, with the header of the map", () => {
  using system = new System();
  system.change(1, 1);
  system.clock.tick(0);
  const { options } = system.link.published[0]!;
  assert.deepEqual(options, { contentType: "application/json" });
  const [{ cells, ...header }] = system.takeParts() as [ChangesPart];
  assert.equal(cells.length, 1);
  assert.deepEqual(header, {
    layer: "default",
    from: 0,
    to: 1,
    time: system.clock.now,
    staleAfter: 10_000,
    began: 5,
    part: 1,
    parts: 1,
  });
});

test("ChangesPublisher publishes each layer on its own topic, from its last delta", () => {
  using system = new System();
  system.change(1, 1);
  system.clock.tick(100);
  system.change(1, 1, "l2");
  system.clock.tick(100);
  system.change(1, 2);
  system.clock.tick(100);
  const { published } = system.link;
  assert.deepEqual(
    published.map(({ topic, payload }) => {
      const { from, to } = parseChanges(payload);
      return [topic, from, to];
    }),
    [[TOPIC, 0, 1], [`${TOPIC}/l2`, 0, 2], [TOPIC, 1, 3]],
  );
});

test("ChangesPublisher publishes the revisions of each layer's shard", async () => {
  using system = new System({ shards: 4, manual: true });
  const { map, link, changes } = system;
  const [a, b] = ["a", "b"];
  assert.notEqual(map.shardOf(a), map.shardOf(b));
  /** The layers, `from` and `to` since the last call. */
  const taken = () =>
    link.published.splice(0).map((sent) => {
      sent.settle();
      const { layer, from, to } = parseChanges(sent.payload);
      return [layer, from, to];
    }).sort();
  for (let value = 1; value <= 5; value++) system.change(1, value, a);
  system.change(1, 1, b);
  system.clock.tick(0);
  assert.deepEqual(taken(), [[a, 0, 5], [b, 0, 1]]);
  system.change(1, 2, b);
  system.clock.tick(100);
  assert.deepEqual(taken(), [[b, 1, 2]]);
  system.clock.tick(100);
  assert.deepEqual(taken(), []);
  assert.equal(system.clock.pending, 0, "no timer while nothing changes");
  system.change(1, 6, a);
  system.clock.tick(0);
  link.published.splice(0)[0]!.settle(new LinkError("closed", "lost"));
  await settled();
  system.change(1, 7, a);
  system.clock.tick(100);
  assert.deepEqual(taken(), [[a, 7, 7]], "announced, and no other shard");
  map.deleteLayer(a, system.clock.now);
  changes.layerDeleted(a);
  system.clock.tick(100);
  assert.deepEqual(taken(), [[a, 8, 8]]);
});

test("ChangesPublisher announces a shard that has an earlier state, and continues from there", () => {
  using system = new System({ shards: 4 });
  const { map, changes } = system;
  const taken = () =>
    system.takeParts(`${TOPIC}/a`).map(({ from, to }) => [from, to]);
  for (let value = 1; value <= 5; value++) system.change(1, value, "a");
  system.change(1, 1, "b");
  system.clock.tick(0);
  assert.deepEqual(taken(), [[0, 5]]);
  const earlier = map.emptyShard();
  const batch = new ReadingBatch(1);
  batch.push(0, 0, 9, system.clock.now);
  earlier.apply("a", batch, system.clock.now);
  map.replaceShard(map.shardOf("a"), earlier);
  // Its revision is that of the last delta before the next one is published.
  for (let value = 2; value <= 5; value++) system.change(1, value, "a");
  assert.equal(map.revisionOf("a"), 5);
  changes.notify();
  system.clock.tick(100);
  assert.deepEqual(taken(), [[5, 5]]);
  system.change(1, 6, "a");
  system.clock.tick(100);
  assert.deepEqual(taken(), [[5, 6]]);
});

test("ChangesPublisher ages the cells to the time of the delta", () => {
  using system = new System();
  system.change(1, 1);
  system.clock.tick(100);
  system.takeParts();
  system.clock.tick(10_001);
  system.change(1, 7, "default", 50); // nothing else would age cell 0 now
  system.clock.tick(100);
  const [{ cells, time, staleAfter }] = system.takeParts() as [ChangesPart];
  const stale = Array.from(
    { length: cells.length },
    (_, i) => [cells.x[i], time - cells.time[i]! > staleAfter!],
  );
  assert.deepEqual(stale.sort(), [[0, true], [50, false]]);
});

test("ChangesPublisher.connected() announces the revision of each layer", () => {
  using system = new System();
  system.change(1, 1);
  system.change(1, 1, "l2");
  system.clock.tick(100);
  system.changes.disconnected();
  system.change(1, 2);
  system.clock.tick(1000);
  system.takeParts();
  system.changes.connected();
  const parts = system.link.published.map(({ topic, payload }) => {
    const { from, to, cells } = parseChanges(payload);
    return [topic, from, to, cells.length];
  });
  assert.deepEqual(parts, [[TOPIC, 3, 3, 0], [`${TOPIC}/l2`, 3, 3, 0]]);
  system.takeParts();
  system.clock.tick(1000);
  assert.equal(
    system.takeParts().length,
    0,
    "receivers request the changes",
  );
  system.change(1, 3);
  system.clock.tick(100);
  assert.deepEqual(system.takeParts().map(({ from, to }) => [from, to]), [[
    3,
    4,
  ]]);
});

test("ChangesPublisher announces its revision after a delta was lost", async () => {
  using system = new System({ manual: true });
  system.change(1, 1);
  system.clock.tick(0);
  system.link.published[0]!.settle(new LinkError("closed", "not connected"));
  await settled();
  system.takeParts();
  system.change(1, 2);
  system.clock.tick(100);
  assert.deepEqual(
    system.takeParts().map(({ from, to, cells }) => [from, to, cells.length]),
    [[2, 2, 0]],
  );
});

test("ChangesPublisher announces after an interval what was lost, without another change", async () => {
  using system = new System({ manual: true });
  const { link, clock } = system;
  const taken = () => link.published.splice(0);
  const headersOf = (sent: ReturnType<typeof taken>) =>
    sent.map(({ payload }) => {
      const { from, to, cells } = parseChanges(payload);
      return [from, to, cells.length];
    });
  const lost = async (sent: ReturnType<typeof taken>) => {
    for (const { settle } of sent) settle(new LinkError("closed", "lost"));
    await settled();
  };
  system.change(1, 1);
  clock.tick(0);
  const delta = taken();
  clock.tick(1000);
  assert.equal(clock.pending, 0, "no timer while nothing changes");
  await lost(delta);
  clock.tick(99);
  assert.deepEqual(headersOf(taken()), []);
  clock.tick(1);
  const announced = taken();
  assert.deepEqual(headersOf(announced), [[1, 1, 0]]);
  clock.tick(1000);
  await lost(announced);
  clock.tick(100);
  const again = taken();
  assert.deepEqual(headersOf(again), [[1, 1, 0]], "until it is sent");
  again[0]!.settle();
  await settled();
  clock.tick(1000);
  assert.deepEqual(headersOf(taken()), []);
  assert.equal(clock.pending, 0);
});

test("ChangesPublisher.connected() announces again after an interval what was lost", async () => {
  using system = new System({ manual: true });
  const { link, clock, changes } = system;
  system.change(1, 1);
  clock.tick(1000);
  const [delta] = link.published.splice(0);
  changes.disconnected();
  changes.connected();
  const [announced] = link.published.splice(0);
  // Of the connection before: its result is late.
  delta!.settle(new LinkError("closed", "lost"));
  announced!.settle();
  await settled();
  clock.tick(100);
  assert.deepEqual(system.takeParts().map(({ from, to }) => [from, to]), [[
    1,
    1,
  ]]);
  const other = new FakeLink({ manual: true });
  changes.connected(other);
  const [sent] = other.published.splice(0);
  sent!.settle(new LinkError("refused", "quota exceeded"));
  await settled();
  clock.tick(100);
  assert.equal(system.takeParts().length, 1, "on all connections");
});

test("ChangesPublisher announces a deletion again that was lost, without another change", async () => {
  using system = new System({ manual: true });
  const { link, clock, changes, map } = system;
  system.change(1, 1, "desk");
  clock.tick(1000);
  map.deleteLayer("desk", clock.now);
  changes.layerDeleted("desk");
  clock.tick(1000);
  const sent = link.published.splice(0).at(-1)!;
  sent.settle(new LinkError("refused", "quota exceeded"));
  await settled();
  clock.tick(100);
  const parts = system.takeParts(`${TOPIC}/desk`);
  assert.deepEqual(parts.map(({ from, to }) => [from, to]), [[2, 2]]);
});

test("ChangesPublisher splits a large delta into parts of 256 KiB", () => {
  using system = new System();
  system.change(50_000, 1);
  system.clock.tick(0);
  for (const { payload } of system.link.published) {
    assert.ok(payload.length <= 256 * 1024);
  }
  const parts = system.takeParts();
  assert.ok(parts.length > 1);
  assert.deepEqual(
    parts.map(({ from, to, part, parts }) => [from, to, part, parts]),
    parts.map((_, i) => [0, 1, i + 1, parts.length]),
  );
  assert.equal(parts.reduce((sum, { cells }) => sum + cells.length, 0), 50_000);
});

test("ChangesPublisher announces its revision once a second while too many cells change", () => {
  using system = new System();
  for (let n = 1; n <= 30; n++) {
    system.change(100_001, n);
    system.clock.tick(100);
  }
  const parts = system.takeParts();
  assert.ok(parts.length <= 4, `${parts.length}`);
  for (const { from, to, cells } of parts) {
    assert.equal(from, to);
    assert.equal(cells.length, 0);
  }
  system.clock.tick(2000);
  assert.deepEqual(system.takeParts().map(({ from, to }) => [from, to]), [[
    30,
    30,
  ]]);
  system.change(1, 99);
  system.clock.tick(2000);
  assert.deepEqual(
    system.takeParts().map(({ from, to, cells }) => [from, to, cells.length]),
    [[30, 31, 1]],
    "then deltas again",
  );
});

test("ChangesPublisher publishes one delta for 1,000 changes that could not be sent", async () => {
  using system = new System({ manual: true });
  for (let n = 1; n <= 1000; n++) {
    system.change(10_000, n);
    system.clock.tick(100);
  }
  const sent = [...system.link.published];
  const bytes = sent.reduce((sum, { payload }) => sum + payload.length, 0);
  assert.ok(bytes < 17 * 1024 * 1024, `${bytes} bytes are in flight`);
  const before = system.takeParts().at(-1)!;
  for (const { settle } of sent) settle();
  await settled();
  system.clock.tick(100);
  const next = system.takeParts();
  assert.deepEqual(
    new Set(next.map(({ from, to }) => `${from} ${to}`)),
    new Set([`${before.to} 1000`]),
    "contiguous, and up to date",
  );
  assert.equal(next.reduce((sum, { cells }) => sum + cells.length, 0), 10_000);
  system.link.published.forEach(({ settle }) => settle());
});

test("ChangesPublisher waits while the store fails", () => {
  using system = new System();
  system.storeFails = true;
  system.change(1, 1);
  system.clock.tick(1000);
  assert.equal(system.takeParts().length, 0);
  system.storeFails = false;
  system.clock.tick(100);
  assert.deepEqual(system.takeParts().map(({ from, to }) => [from, to]), [[
    0,
    1,
  ]]);
});

test("ChangesPublisher publishes nothing with an interval of 0", () => {
  using system = new System({ interval: 0 });
  system.change(1, 1);
  system.changes.disconnected();
  system.changes.connected();
  system.clock.tick(1000);
  assert.equal(system.takeParts().length, 0);
});

test("ChangesPublisher.stop() publishes the remaining changes", () => {
  using system = new System();
  system.change(1, 1);
  system.clock.tick(0);
  system.change(1, 2);
  system.changes.stop();
  assert.deepEqual(system.takeParts().map(({ to }) => to), [1, 2]);
  assert.equal(system.clock.pending, 0);
});

test("ChangesPublisher divides 3,000 layers into turns and continues after the last announcement of each", async () => {
  const link = new FakeLink();
  const map = new OccupancyMap();
  const context = fakeContext({ link, map, changesInterval: 5 });
  const changes = new ChangesPublisher(context, { refresh: () => NOW });
  const layers = 3000;
  const change = (value: number) => {
    for (let i = 0; i < layers; i++) {
      const batch = new ReadingBatch(1);
      batch.push(0, 0, value, NOW);
      map.apply(`l${i}`, batch, NOW);
    }
    changes.notify();
  };
  change(1);
  changes.connected();
  assert.ok(link.published.length < layers, "the first turn is short");
  change(2); // while it announces
  /** By layer: the revision of the last delta or announcement. */
  const last = new Map<string, number>();
  const receive = () => {
    for (const { payload } of link.published.splice(0)) {
      const { layer, from, to } = parseChanges(payload);
      assert.equal(from, last.get(layer) ?? to, "no gap");
      last.set(layer, to);
    }
    return [...map.layers()].every(([layer, grid]) =>
      (last.get(layer) ?? 0) >= grid.revision
    );
  };
  await until(receive);
  changes.disconnected();
  changes.stop();
});

test("ChangesPublisher announces a deletion after it has connected again, also if it was lost before", async () => {
  using system = new System({ manual: true });
  const { changes, map, clock, link } = system;
  system.change(1, 1, "desk");
  clock.tick(1000);
  changes.disconnected();
  map.deleteLayer("desk", clock.now);
  changes.layerDeleted("desk");
  clock.tick(1000);
  link.published.length = 0;
  for (let attempt = 0; attempt < 2; attempt++) {
    changes.connected();
    const [sent, ...others] = link.published.splice(0)
      .filter(({ topic }) => topic === `${TOPIC}/desk`);
    assert.equal(others.length, 0);
    const { from, to, began } = parseChanges(sent!.payload);
    assert.deepEqual([from, to, began], [
      map.revision,
      map.revision,
      map.only.began,
    ]);
    changes.disconnected();
    sent!.settle(new LinkError("unreachable", "Lost"));
    await settled();
  }
});

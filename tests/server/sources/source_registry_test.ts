/** The list of sources: its counts, its order and its bound. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LimitCounts } from "../../../src/common/limit_counts.ts";
import { ReadingBatch } from "../../../src/protocol/mod.ts";
import { SourceRegistry } from "../../../src/server/sources/source_registry.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A registry whose clocks the test moves; ms since 1970 are the same. */
function start({ maxSources }: { maxSources?: number } = {}) {
  let now = 1000;
  const limited = new LimitCounts();
  const registry = new SourceRegistry({
    began: now,
    ...(maxSources !== undefined && { maxSources }),
    monotonic: () => now,
    limited,
  });
  return {
    registry,
    limited,
    get now() {
      return now;
    },
    wait: (ms: number) => now += ms,
    hear(...names: string[]) {
      const batch = new ReadingBatch();
      for (const name of names) batch.push(1, 2, 1, now, batch.source(name));
      registry.record(batch, 0, batch.length, now);
    },
    names: () => registry.list().sources.map(({ source }) => source),
    of(name: string) {
      const { sources } = registry.list();
      return sources.find(({ source }) => source === name);
    },
  };
}

Deno.test({
  name: "SourceRegistry counts each reading once, accepted or refused",
  permissions: "none",
  fn: () => {
    const reading = fc.record({
      source: fc.constantFrom("", "a", "b", "c"),
      isDropped: fc.boolean(),
    });
    const batches = fc.array(fc.array(reading, { maxLength: 9 }), {
      maxLength: 9,
    });
    fc.assert(fc.property(batches, fc.nat(9), (batches, cut) => {
      const { registry, now } = start();
      const accepted = new Map<string, number>();
      const refused = new Map<string, number>();
      for (const readings of batches) {
        const batch = new ReadingBatch();
        for (const { source } of readings) {
          batch.push(0, 0, 0, 0, batch.source(source));
        }
        // The entries of a large batch, as the server applies them.
        const middle = Math.min(cut, batch.length);
        for (const [from, to] of [[0, middle], [middle, batch.length]]) {
          const dropped = readings.flatMap(({ isDropped }, i) =>
            isDropped && i >= from! && i < to! ? [i] : []
          );
          registry.record(batch, from!, to!, now, dropped);
        }
        for (const { source, isDropped } of readings) {
          const counts = isDropped ? refused : accepted;
          counts.set(source, (counts.get(source) ?? 0) + 1);
          if (isDropped) registry.refuse(source, 1, "late", now);
        }
      }
      const { sources, unnamed } = registry.list();
      const counted = [
        ...sources,
        ...(unnamed ? [{ source: "", ...unnamed }] : []),
      ];
      for (const { source, readings, refused: times } of counted) {
        assert.equal(readings, accepted.get(source) ?? 0, source);
        assert.equal(times, refused.get(source) ?? 0, source);
      }
      const names = new Set([...accepted.keys(), ...refused.keys()]);
      assert.equal(counted.length, names.size);
    }));
  },
});

Deno.test({
  name:
    "SourceRegistry has the first and the last arrival, and the last refusal",
  permissions: "none",
  fn: () => {
    const { hear, of, registry, wait } = start();
    hear("a", "a");
    wait(500);
    hear("a");
    wait(500);
    registry.refuse("a", 3, "late", 2000);
    const { rate: _, ...state } = of("a")!;
    assert.deepEqual(state, {
      source: "a",
      silent: false,
      first: 1000,
      last: 2000,
      readings: 3,
      refused: 3,
      lastRefused: { code: "late", time: 2000 },
    });
  },
});

Deno.test({
  name: "SourceRegistry has the rate of the last minute",
  permissions: "none",
  fn: () => {
    const { hear, of, wait } = start();
    const rate = () => of("a")!.rate;
    for (let second = 0; second < 150; second++) {
      hear("a", "a");
      wait(1000);
      if (second < 2) continue;
      assert.ok(Math.abs(rate() - 2) <= 0.1, `${rate()} after ${second} s`);
    }
    wait(30_000);
    assert.ok(rate() > 0.5 && rate() < 1.6, `${rate()} in the minute after`);
    wait(2 * MINUTE);
    assert.equal(rate(), 0);
  },
});

Deno.test({
  name: "SourceRegistry lists silent sources first, then by the last arrival",
  permissions: "none",
  fn: () => {
    const { hear, names, registry, wait, now: since } = start();
    hear("a", "b", "c");
    wait(MINUTE);
    hear("c");
    wait(MINUTE);
    hear("b");
    const events = registry.markSilent(MINUTE, since, 5);
    assert.deepEqual(events, [
      { source: "a", event: "silent", time: 5, last: 1000 },
      { source: "c", event: "silent", time: 5, last: 1000 + MINUTE },
    ]);
    hear("d");
    wait(1);
    assert.deepEqual(names(), ["a", "c", "b", "d"]);
    assert.equal(registry.silent, 2);
    assert.equal(registry.list({ limit: 2 }).sources.length, 2);
    assert.equal(registry.list({ contains: "D" }).sources.length, 1);
    assert.equal(registry.hasDue(MINUTE, since), false, "only once");
  },
});

Deno.test({
  name: "SourceRegistry: a flood of names does not replace sources that report",
  permissions: "none",
  fn: () => {
    const system = start({ maxSources: 100 });
    const { hear, of, registry, limited, wait } = system;
    const known = Array.from({ length: 40 }, (_, i) => `known${i}`);
    for (let minute = 0; minute <= 10; minute++, wait(MINUTE)) hear(...known);
    for (let i = 0; i < 100_000; i++) hear(`invented${i}`);
    assert.equal(registry.size, 100);
    for (const name of known) {
      assert.equal(of(name)?.readings, 11, name);
      assert.equal(of(name)?.silent, false);
    }
    assert.equal(limited.of("sources"), 100_000 - 60);
    assert.ok(of("invented99999"), "the latest of the others are listed");
    assert.equal(of("invented0"), undefined);
  },
});

Deno.test({
  name: "SourceRegistry counts sources that are one too many together",
  permissions: "none",
  fn: () => {
    const { hear, names, registry, wait, limited } = start({ maxSources: 2 });
    for (let minute = 0; minute <= 10; minute++, wait(MINUTE)) hear("a", "b");
    hear("c", "d");
    hear("c");
    registry.refuse("d", 5, "late", 0);
    const { unlisted } = registry.list();
    assert.deepEqual([unlisted?.readings, unlisted?.refused], [3, 5]);
    assert.deepEqual(names(), ["a", "b"]);
    assert.equal(limited.of("sources"), 4);
    wait(DAY);
    hear("b");
    wait(1);
    hear("c");
    assert.deepEqual(names(), ["b", "c"], "a has not reported for a day");
  },
});

Deno.test({
  name: "SourceRegistry: a silent source that is replaced is not counted",
  permissions: "none",
  fn: () => {
    const { hear, names, registry, wait, now } = start({ maxSources: 1 });
    const back: unknown[] = [];
    registry.onBack = (event) => back.push(event);
    hear("a");
    wait(MINUTE);
    assert.equal(registry.markSilent(MINUTE, now, 0).length, 1);
    hear("b");
    assert.deepEqual([names(), registry.silent], [["b"], 0]);
    hear("a");
    assert.deepEqual(back, []);
  },
});

/** One reading of a source. */
function readingOf(name: string): ReadingBatch {
  const batch = new ReadingBatch();
  batch.push(1, 2, 1, 0, batch.source(name));
  return batch;
}

Deno.test({
  name:
    "SourceRegistry has the first and the last arrival of shards that are loaded in any order",
  permissions: "none",
  fn: () => {
    const { registry, of, wait } = start();
    const now = wait(DAY);
    for (const age of [1000, 10 * MINUTE, MINUTE, 20 * MINUTE, 2000]) {
      registry.record(readingOf("a"), 0, 1, now - age, [], age);
    }
    const { first, last, readings, rate } = of("a")!;
    assert.deepEqual(
      [now - first, now - last, readings],
      [20 * MINUTE, 1000, 5],
    );
    assert.ok(rate < 0.1, `${rate}: most are older than a minute`);
    // It has reported after it was silent.
    for (const _ of registry.setSilent(new Map([["a", now - MINUTE]]), now));
    assert.equal(registry.silent, 0);
  },
});

Deno.test({
  name:
    "SourceRegistry: readings that this server gets late do not lower the last arrival; a clock that is set back does",
  permissions: "none",
  fn: () => {
    const { registry, of, hear, wait } = start();
    wait(DAY);
    hear("a");
    const now = wait(1000);
    hear("a");
    registry.record(readingOf("a"), 0, 1, now - MINUTE, [], 0, MINUTE);
    registry.refuse("a", 1, "late", now - MINUTE, 0, MINUTE);
    assert.equal(of("a")!.last, now);
    assert.equal(of("a")!.first, now - MINUTE);
    registry.record(readingOf("a"), 0, 1, now - 2 * MINUTE);
    assert.equal(of("a")!.last, now - 2 * MINUTE);
  },
});

Deno.test({
  name:
    "SourceRegistry.setSilent() pauses; what a source reports meanwhile counts",
  permissions: "none",
  fn: () => {
    const { registry, hear, of, now, wait } = start();
    const names = Array.from({ length: 3000 }, (_, i) => `s${i}`);
    hear(...names);
    wait(MINUTE);
    const work = registry.setSilent(new Map(names.map((n) => [n, now])), now);
    let pauses = 0;
    while (!work.next().done) if (pauses++ === 0) hear("s0", "s2999");
    assert.ok(pauses >= 5, `${pauses}`);
    assert.equal(registry.silent, 2998);
    assert.equal(of("s2999")!.silent, false);
  },
});

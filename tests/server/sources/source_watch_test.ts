/** When sources are silent, and the events about it. */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { ReadingBatch, type SourceEvent } from "../../../src/protocol/mod.ts";
import type { MarkerEvents } from "../../../src/server/markers.ts";
import { SourceWatch } from "../../../src/server/sources/source_watch.ts";
import { StoreError } from "../../../src/store/store.ts";
import { FakeLink } from "../../support/fake_link.ts";
import {
  FakeJournal,
  type FakeSharedStore,
} from "../../support/fake_shared_store.ts";
import { until } from "../../support/until.ts";
import { fakeContext, NOW } from "../support.ts";

const SILENT_AFTER = 60_000;

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await untilNextTurn();
}

/** A watch with a clock and a broker that the test moves. */
function start(store?: FakeSharedStore) {
  let now = NOW;
  const link = new FakeLink();
  const context = fakeContext({
    link,
    ...(store !== undefined && { store }),
    silentAfter: SILENT_AFTER,
    clock: () => now,
    monotonic: () => now,
  });
  context.status.link = { up: true, since: now, problem: undefined };
  const markers: MarkerEvents[] = [];
  const connections = {
    isPending: false,
    onInterrupted: undefined as (() => void) | undefined,
    publish: (events: MarkerEvents) => {
      markers.push(events);
      return { cancel: () => void markers.splice(markers.indexOf(events)) };
    },
  };
  const watch = new SourceWatch(context, {
    connections,
    pipeline: { processed: () => Promise.resolve() },
  });
  const observed: SourceEvent[] = [];
  watch.observe((event) => observed.push(event));
  return {
    watch,
    link,
    connections,
    context,
    markers,
    observed,
    wait: (ms: number) => now += ms,
    hear(...names: string[]) {
      const batch = new ReadingBatch();
      for (const name of names) batch.push(1, 2, 1, now, batch.source(name));
      context.registry.record(batch, 0, batch.length, now);
    },
    /** Ticks; the broker returns the marker, if there is one. */
    async tick() {
      watch.tick();
      markers.shift()?.onReturn();
      await turns(20);
    },
    /** The events so far, as `source event`. */
    events: () => observed.map(({ source, event }) => `${source} ${event}`),
    [Symbol.dispose]: () => watch.stop(),
  };
}

Deno.test({
  name: "SourceWatch publishes silent and back, once for each change",
  permissions: "none",
  fn: async () => {
    using system = start();
    const { hear, tick, wait, link, observed } = system;
    hear("a", "b/c");
    wait(SILENT_AFTER - 1);
    await tick();
    assert.deepEqual(system.events(), []);
    hear("a");
    wait(1);
    for (let i = 0; i < 3; i++) await tick();
    assert.deepEqual(system.events(), ["b/c silent"]);
    assert.equal(system.watch.silent, 1);
    wait(5000);
    hear("b/c", "b/c");
    hear("b/c");
    await tick();
    const events = [
      { source: "b/c", event: "silent", time: NOW + 60_000, last: NOW },
      { source: "b/c", event: "back", time: NOW + 65_000, last: NOW },
    ];
    assert.deepEqual(observed, events);
    assert.deepEqual(
      link.textsOn("occupancy/source/b%2Fc/event").map((text) =>
        JSON.parse(text)
      ),
      events,
    );
    const { qos, retain } = link.published[0]!.options;
    assert.deepEqual([qos, retain], [1, undefined]);
  },
});

Deno.test({
  name:
    "SourceWatch: after an interruption each source has the full time again",
  permissions: "none",
  fn: async () => {
    using system = start();
    const { hear, tick, wait, connections, context } = system;
    hear("a");
    wait(SILENT_AFTER - 1);
    connections.onInterrupted!(); // disconnected, and connected again
    wait(SILENT_AFTER - 1);
    await tick();
    context.status.link = { up: false, since: NOW, problem: "gone" };
    wait(10 * SILENT_AFTER);
    await tick();
    context.status.link = { up: true, since: NOW, problem: undefined };
    connections.isPending = true; // what has waited in the broker arrives
    wait(SILENT_AFTER);
    await tick();
    connections.isPending = false;
    context.status.storeProblem = new StoreError("The disk is full");
    wait(SILENT_AFTER);
    await tick();
    context.status.storeProblem = undefined;
    wait(SILENT_AFTER - 1);
    await tick();
    assert.deepEqual(system.events(), []);
    wait(1);
    await tick();
    assert.deepEqual(system.events(), ["a silent"]);
  },
});

Deno.test({
  name: "SourceWatch waits until a marker has passed the broker",
  permissions: "none",
  fn: async () => {
    using system = start();
    const { hear, tick, wait, watch, markers, connections } = system;
    hear("a", "b");
    wait(SILENT_AFTER);
    watch.tick();
    watch.tick();
    assert.equal(markers.length, 1);
    hear("a"); // it has waited in the broker
    markers.shift()!.onReturn();
    await turns(20);
    assert.deepEqual(system.events(), ["b silent"]);
    wait(SILENT_AFTER);
    watch.tick();
    const [marker] = markers;
    connections.onInterrupted!();
    marker!.onReturn();
    await turns(20);
    assert.equal(watch.silent, 1, "the connection was lost in between");
    wait(SILENT_AFTER);
    watch.tick();
    markers.shift()!.onFailure();
    await tick();
    assert.deepEqual(system.events(), ["b silent", "a silent"]);
  },
});

Deno.test({
  name:
    "SourceWatch publishes many events in several turns, all of them at stop",
  permissions: "none",
  fn: async () => {
    const system = start();
    const { hear, wait, watch, markers, observed } = system;
    const bursts: number[] = [];
    let burst = 0;
    watch.observe(() => {
      if (++burst > 1) return;
      void Promise.resolve().then(() => {
        bursts.push(burst);
        burst = 0;
      });
    });
    const names = Array.from({ length: 1000 }, (_, i) => `s${i}`);
    hear(...names);
    wait(SILENT_AFTER);
    watch.tick();
    markers.shift()!.onReturn();
    await until(() => observed.length > 0);
    const [first] = bursts;
    assert.ok(first! <= 100, `${first} in one turn`);
    hear(...names);
    watch.stop();
    assert.equal(observed.length, 2000);
    for (const name of names) {
      const events = observed.filter(({ source }) => source === name);
      assert.deepEqual(events.map(({ event }) => event), ["silent", "back"]);
    }
  },
});

Deno.test({
  name:
    "SourceWatch.list() has the counts of all sources, and those of its limit",
  permissions: "none",
  fn: async () => {
    using system = start();
    system.hear("a", "", "b");
    system.wait(SILENT_AFTER);
    system.hear("b");
    await system.tick();
    const { sources, unnamed, ...rest } = system.watch.list({ limit: 1 });
    assert.deepEqual(rest, {
      time: NOW + SILENT_AFTER,
      began: NOW,
      silentAfter: SILENT_AFTER,
      total: 2,
      silent: 1,
    });
    assert.deepEqual(sources.map(({ source }) => source), ["a"]);
    assert.equal(unnamed?.readings, 1);
  },
});

Deno.test({
  name: "SourceWatch marks no source after its server has stopped to lead",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal();
    const [own, other] = [journal.open("me"), journal.open("other")];
    using system = start(own);
    const { hear, wait, watch, markers, context } = system;
    own.load(context.map);
    own.follow({
      apply: () => Promise.resolve(),
      canPublish: () => true,
      onProblem: () => {},
    });
    context.leadership.start();
    journal.lease(own);
    // Leases end without a notice too, as while the process stands still.
    let mayLead = true;
    const holds = own.fenceOf.bind(own);
    own.fenceOf = (shard) => mayLead ? holds(shard) : undefined;
    hear("a");
    wait(SILENT_AFTER);
    await until(() => {
      watch.tick();
      return markers.length === 1;
    });
    mayLead = false;
    markers[0]!.onReturn();
    await turns(20);
    assert.equal(watch.silent, 0, "the lease has expired");
    mayLead = true;
    await until(() => {
      watch.tick();
      return markers.length === 1;
    });
    journal.lease(other);
    assert.equal(markers.length, 0, "its marker is cancelled");
    await turns(20);
    assert.equal(watch.silent, 0);
    own.kill();
    other.kill();
  },
});

/** Which messages the pipeline commits as one group. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Incoming } from "../../src/mqtt/link.ts";
import { untilNextTurn } from "../../src/common/next_turn.ts";
import { Freshness, OccupancyMap } from "../../src/grid/mod.ts";
import type { ServerOptions } from "../../src/server/context.ts";
import { Pipeline, type PipelineEvents } from "../../src/server/pipeline.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { until } from "../support/until.ts";
import { fakeContext, NOW } from "./support.ts";

/** The pipelines of the running test. */
let running: Pipeline[] = [];

function test(name: string, fn: () => void | Promise<void>) {
  Deno.test({
    name,
    permissions: "none",
    fn: async () => {
      running = [];
      await fn();
      for (const pipeline of running) pipeline.stop();
      await untilNextTurn();
    },
  });
}

/** A pipeline and the number of readings of each commit. */
function start(
  options: Partial<ServerOptions> = {},
  maxTurnMs?: number,
  events: Partial<PipelineEvents> = {},
) {
  const commits: number[] = [];
  const link = new FakeLink();
  const store = new FakeStore();
  store.onCommit = (readings) => commits.push(readings);
  const context = fakeContext({ link, store, ...options });
  const requests: Incoming[] = [];
  const pipeline = new Pipeline(context, {
    addReadings: () => {},
  }, {
    onReceive: () => {},
    onRequest: (request) => requests.push(request),
    onLayerGone: () => {},
    onApplied: () => {},
    onReloaded: () => {},
    onStoreProblem: () => {},
    ...events,
  }, maxTurnMs);
  running.push(pipeline);
  return { pipeline, commits, link, store, requests, map: context.map };
}

/**
 * Starts to apply a large payload to a map with a cell that becomes stale
 * meanwhile.
 */
async function startAgeing() {
  let now = NOW;
  const map = new OccupancyMap({ staleAfter: 1000 });
  const { pipeline, link } = start({ map, clock: () => now }, 0);
  pipeline.push(message("-1,-1,1"));
  pipeline.flush();
  assert.equal(pipeline.refresh(), NOW);
  pipeline.push(message(LARGE));
  await turnsUntil(() => map.size > 1, () => {});
  now += 5000;
  return { pipeline, link, now };
}

const message = (text: string) => incoming("occupancy/data", text);

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("Pipeline.push() commits messages of successive turns as one group", async () => {
  const { pipeline, commits, link } = start();
  for (let i = 0; i < 20; i++) {
    pipeline.push(message(`${i},0,1`));
    await turn();
  }
  await until(() => link.acknowledged.length === 20);
  assert.deepEqual(commits, [20]);
});

test("Pipeline.push() commits after a turn without messages", async () => {
  const { pipeline, commits, link } = start();
  pipeline.push(message("1,1,1"));
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.deepEqual(commits, [1]);
  assert.equal(link.acknowledged.length, 1);
  pipeline.push(message("1,1,1"));
  pipeline.push(message("1,1,1"));
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.deepEqual(commits, [1, 2]);
});

test("Pipeline.push() commits a large group while messages keep arriving", async () => {
  const { pipeline, commits } = start({}, Infinity); // a group a turn
  const large = message("1,1,1\n".repeat(10_000)); // 60 kB
  for (let i = 0; i < 20; i++) {
    pipeline.push(large);
    await turn();
  }
  await until(() => commits.length >= 4);
  assert.ok(Math.max(...commits) <= 60_000, String(commits));
});

/** Readings of 100,000 cells: some turns of work. */
const LARGE = Array.from(
  { length: 100_000 },
  (_, i) => `${i % 1000 * 32},${Math.floor(i / 1000)},1`,
).join("\n");

test("a large payload takes several turns: one commit, then later messages, in order", async () => {
  const { pipeline, commits, link, map, requests } = start({}, 0);
  const [large, small] = [message(LARGE), message("0,0,2")];
  const request = incoming("occupancy/request", "{}");
  pipeline.push(large);
  const turns = await turnsUntil(() => map.size > 0, () => {
    if (!link.acknowledged.includes(large)) return;
    throw new Error("acknowledged before it was applied");
  });
  assert.ok(turns >= 1);
  assert.deepEqual(commits, [100_000], "committed as one");
  assert.equal(link.acknowledged.length, 0);
  pipeline.push(small);
  pipeline.push(request);
  await until(() => requests.length === 1);
  assert.deepEqual(commits, [100_000, 1]);
  assert.deepEqual(link.acknowledged, [large, small, request]);
  assert.equal(map.size, 100_000);
  assert.equal(map.layer("default")!.get(0, 0)!.value, 2);
});

/** Waits in turns of the event loop, and returns their number. */
async function turnsUntil(
  condition: () => boolean,
  check: () => void,
): Promise<number> {
  for (let turns = 0; turns < 100_000; turns++) {
    check();
    if (condition()) return turns;
    await untilNextTurn(); // as the work does
  }
  throw new Error("not reached");
}

test("flush() and commit() first complete a large payload", async () => {
  for (const call of ["flush", "commit", "stop"] as const) {
    const { pipeline, link, map } = start({}, 0);
    pipeline.push(message(LARGE));
    await turnsUntil(() => map.size > 0, () => {});
    assert.equal(link.acknowledged.length, 0);
    if (call === "commit") pipeline.commit([{ kind: "age", now: NOW }]);
    else pipeline[call]();
    assert.equal(map.size, 100_000);
    assert.equal(link.acknowledged.length, 1);
  }
});

test("refresh() while a large payload is applied returns the time to which the map was aged", async () => {
  const { pipeline, link, now } = await startAgeing();
  assert.equal(pipeline.refresh(), NOW);
  assert.equal(link.acknowledged.length, 1, "not completed at once");
  await until(() => link.acknowledged.length === 2);
  await until(() => pipeline.refresh() === now);
});

test("refresh() returns a time at which late readings are stale that arrive stale", async () => {
  let now = NOW;
  const map = new OccupancyMap({ staleAfter: 1000 });
  const { pipeline } = start({ map, clock: () => now }, 0);
  pipeline.push(message("-1,-1,1"));
  pipeline.flush();
  assert.equal(pipeline.refresh(), NOW);
  now += 5000;
  const late = NOW + 500; // fresh at the time of the refresh
  pipeline.push(message(`-2,-1,1,${late}\n${LARGE}`));
  await turnsUntil(
    () => map.layer("default")!.get(-2, -1) !== undefined,
    () => {},
  );
  assert.ok(pipeline.isBusy, "the rest of the payload follows");
  const { freshness } = map.layer("default")!.get(-2, -1)!;
  const time = pipeline.refresh()!;
  assert.equal(freshness, Freshness.Stale);
  assert.ok(time - late > 1000, "a receiver finds it stale too");
  await pipeline.processed();
});

test("the journal of a large payload makes the same map with the same revisions", async () => {
  const store = new FakeStore({ durable: true });
  const { pipeline, link, map } = start({ store }, 0);
  pipeline.push(message("0,0,5"));
  pipeline.push(message(LARGE));
  pipeline.push(message("0,0,7"));
  await until(() => link.acknowledged.length === 3);
  const again = new OccupancyMap({ maxSkew: 60_000 });
  store.load(again);
  assert.equal(again.revision, map.revision);
  assert.deepEqual(cellsOf(again, "default"), cellsOf(map, "default"));
});

/** Returns the cells of a layer, in order. */
function cellsOf(map: OccupancyMap, layer: string): number[][] {
  const found: number[][] = [];
  map.layer(layer)!.scan((x, y, value, time, revision, freshness) =>
    found.push([y, x, value, time, revision, freshness])
  );
  return found.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d);
}

test("messages that arrive during a large payload whose commit fails wait, requests are answered", async () => {
  const { pipeline, commits, link, store, requests } = start();
  store.failing = true;
  pipeline.push(message(LARGE));
  pipeline.push(message(LARGE)); // too much for one group
  pipeline.push(message(LARGE));
  pipeline.push(incoming("occupancy/request", "{}"));
  await until(() => requests.length === 1);
  assert.deepEqual(link.acknowledged, []);
  store.failing = false;
  await until(() => link.acknowledged.length === 4);
  assert.deepEqual(requests.length, 1);
  assert.equal(commits.reduce((sum, count) => sum + count, 0), 300_000);
});

test("requests are answered in order, although an answer completes a group", async () => {
  let now = NOW;
  const map = new OccupancyMap({ staleAfter: 1000 });
  const answered: string[] = [];
  const { pipeline } = start({ map, clock: () => now }, undefined, {
    onRequest: ({ payload }) => {
      pipeline.refresh();
      answered.push(new TextDecoder().decode(payload));
    },
  });
  const request = (text: string) => incoming("occupancy/request", text);
  pipeline.push(message("1,1,1"));
  pipeline.flush();
  pipeline.push(message("x".repeat(2 * 1024 * 1024))); // fills the group
  for (const text of ["1", "2", "3"]) pipeline.push(request(text));
  pipeline.push(message("x".repeat(2 * 1024 * 1024)));
  for (const text of ["4", "5"]) pipeline.push(request(text));
  now += 5000; // cells are due
  await until(() => answered.length === 5);
  assert.deepEqual(answered, ["1", "2", "3", "4", "5"]);
});

test("requests at QoS 0 take no memory while the store fails", async () => {
  const { pipeline, store, link, requests, commits } = start();
  store.failing = true;
  pipeline.push(message("1,1,1"));
  pipeline.flush();
  const request = incoming("occupancy/request", "{}", { qos: 0 });
  pipeline.push(request);
  assert.deepEqual(requests, [request]);
  assert.deepEqual(link.acknowledged, [request]);
  store.failing = false;
  await until(() => commits.length === 1);
  assert.equal(requests.length, 1);
  assert.equal(link.acknowledged.length, 2);
});

test("the map ages between two groups of a load that does not end", async () => {
  const { pipeline, link, now } = await startAgeing();
  pipeline.push(message(LARGE));
  assert.equal(pipeline.refresh(), NOW, "during the first group");
  await turnsUntil(() => link.acknowledged.length === 2, () => {});
  await turnsUntil(() => pipeline.refresh() === now, () => {
    assert.equal(link.acknowledged.length, 2, "the second group waits");
  });
  await until(() => link.acknowledged.length === 3);
});

test("many cells age in several turns; the same journal makes the same map with the same revisions", async () => {
  let now = NOW;
  const store = new FakeStore({ durable: true });
  const ageing = { staleAfter: 1000, forgetAfter: 2000, maxSkew: 60_000 };
  const map = new OccupancyMap(ageing);
  const { pipeline, link } = start({ store, map, clock: () => now }, 0);
  pipeline.refresh();
  pipeline.push(message(LARGE)); // 4,000 tiles
  pipeline.push(incoming("occupancy/data/a", "1,1,1"));
  await until(() => link.acknowledged.length === 2);
  for (const shown of ["stale", "unknown"] as const) {
    const before = now;
    const { revision } = map;
    now += 1500;
    assert.equal(pipeline.refresh(), before, "not at once");
    pipeline.push(incoming("occupancy/data/b", "1,1,1"));
    const turns = await turnsUntil(() => pipeline.refresh() === now, () => {
      assert.equal(
        map.layer("b")?.get(1, 1)?.time,
        shown === "stale" ? undefined : before,
      );
    });
    assert.ok(turns > 2, `${turns} turns`);
    assert.ok(map.revision > revision + 2);
    assert.equal(map.layer("default")!.counts()[shown], 100_000);
    assert.equal(map.layer("a")!.counts()[shown], 1);
    await until(() => map.layer("b")?.get(1, 1)?.time === now);
  }
  const again = new OccupancyMap(ageing);
  store.load(again);
  assert.equal(again.revision, map.revision);
  for (const [layer, grid] of map.layers()) {
    assert.deepEqual(cellsOf(again, layer), cellsOf(map, layer));
    assert.deepEqual(again.layer(layer)!.counts(), grid.counts());
  }
});

for (const changes of ["once", "twice"] as const) {
  Deno.test({
    name: `cells that ${changes} become due are aged before what follows`,
    permissions: "none",
    fn: async () => {
      let now = NOW;
      const store = new FakeStore({ durable: true });
      const ageing = { staleAfter: 1000, forgetAfter: 2000 };
      const map = new OccupancyMap(ageing);
      const { pipeline, link } = start({ store, map, clock: () => now }, 0, {
        onRequest: () => pipeline.refresh(),
      });
      pipeline.refresh();
      pipeline.push(message(LARGE));
      pipeline.flush();
      now += 1500;
      // Both need a fresh map, and are of one group.
      pipeline.push(incoming("occupancy/request", "1"));
      pipeline.push(incoming("occupancy/request", "2"));
      await turnsUntil(() => link.acknowledged.length === 3, () => {});
      assert.ok(pipeline.isBusy, "the cells age");
      pipeline.push(incoming("occupancy/data/b", "1,1,1"));
      if (changes === "twice") {
        now += 1000;
        pipeline.flush();
      }
      await until(() => !pipeline.isBusy);
      const shown = changes === "once" ? "stale" : "unknown";
      assert.equal(map.layer("default")!.counts()[shown], 100_000);
      const aged = store.journal.flatMap((entry) =>
        entry.kind === "age-tiles"
          ? [...entry.tiles.x].map((x, i) =>
            `${entry.now}: ${x},${entry.tiles.y[i]}`
          )
          : []
      );
      assert.ok(aged.length > 0);
      assert.equal(new Set(aged).size, aged.length, "each tile once");
      assert.equal(store.journal.at(-1)!.kind, "apply", "after the ageing");
    },
  });
}

test("processed() waits for what has arrived, in turns, and not while the store fails", async () => {
  const { pipeline, link, store, map } = start({}, 0);
  await pipeline.processed(); // nothing has arrived
  pipeline.push(message(LARGE));
  await turnsUntil(() => map.size > 0, () => {});
  pipeline.push(message("0,0,7"));
  const done = pipeline.processed();
  assert.equal(link.acknowledged.length, 0, "not completed at once");
  await done;
  assert.equal(link.acknowledged.length, 2);
  assert.equal(map.layer("default")!.get(0, 0)!.value, 7);
  store.failing = true;
  pipeline.push(message("1,1,1"));
  await pipeline.processed();
  assert.equal(link.acknowledged.length, 2);
  pipeline.push(message("1,1,2"));
  await pipeline.processed();
  pipeline.stop();
});

/** Deleted layers, and cells that are removed after they were unknown for long. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { parseChanges } from "../../src/protocol/mod.ts";
import { LayerRemoval } from "../../src/server/layer_removal.ts";
import { Server } from "../../src/server/mod.ts";
import { Pipeline } from "../../src/server/pipeline.ts";
import { columns, type Reading } from "../grid/model.ts";
import { incoming } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { until } from "../support/until.ts";
import { fakeContext, type FakeOptions, fakeOptions, NOW } from "./support.ts";

const DATA = "occupancy/data";

async function startServer(options: Partial<FakeOptions> = {}) {
  const log: string[] = [];
  const fakes = { ...fakeOptions(log), ...options };
  const { link, store, map } = fakes;
  const server = new Server(fakes);
  await server.start();
  return {
    ...{ log, link, store, map, server },
    /** Publishes readings and waits until they are acknowledged. */
    send: async (layer: string, readings: string) => {
      const before = link.acknowledged.length;
      const topic = layer === "default" ? DATA : `${DATA}/${layer}`;
      link.handlers.message(incoming(topic, readings));
      await until(() => link.acknowledged.length > before);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

Deno.test({
  name: "the default layer is always possible, and a deleted layer makes room",
  permissions: "none",
  fn: async () => {
    await using system = await startServer({ maxLayers: 3 });
    const { server, map, send } = system;
    for (const layer of ["a", "b", "c", "d"]) await send(layer, "1,2,1");
    assert.equal(map.layerCount, 3);
    assert.equal(server.stats.refused.get("too-many-layers"), 1);
    await send("default", "1,2,1");
    assert.equal(map.layer("default")?.size, 1);
    await send("d", "1,2,1");
    assert.equal(server.stats.refused.get("too-many-layers"), 2);
    assert.deepEqual(await server.deleteLayer("a"), {
      cells: 1,
      free: 0,
      occupied: 1,
      unknown: 0,
      stale: 0,
      people: 1,
    });
    await send("d", "1,2,1");
    assert.deepEqual(
      [...map.layers()].map(([name]) => name),
      ["b", "c", "default", "d"],
    );
    assert.equal(server.stats.changedByLayer.has("a"), false);
  },
});

Deno.test({
  name: "deleteLayer() announces the deletion to clients with a copy",
  permissions: "none",
  fn: async () => {
    await using system = await startServer({ changesInterval: 1 });
    const { server, map, link, send } = system;
    await send("a", "1,2,1");
    const deltas = () =>
      link.textsOn("occupancy/changes/a")
        .map((text) => parseChanges(new TextEncoder().encode(text)));
    await until(() => deltas().length === 1);
    await server.deleteLayer("a");
    await until(() => deltas().length === 2);
    const [before, after] = deltas();
    assert.deepEqual(
      [after!.from, after!.to, after!.cells.length],
      [map.revision, map.revision, 0],
    );
    assert.notEqual(after!.began, before!.began);
    assert.equal(after!.began, map.beganOf("a"));
    await send("a", "5,6,1");
    await until(() => deltas().length === 3);
    const third = deltas()[2]!;
    assert.equal(third.began, after!.began);
    assert.deepEqual([third.cells.length, third.cells.x[0]], [1, 5]);
  },
});

Deno.test({
  name: "deleteLayer() deletes nothing while the store fails, and not later",
  permissions: "none",
  fn: async () => {
    await using system = await startServer();
    const { server, map, store, send } = system;
    assert.equal(await server.deleteLayer("a"), "no-layer");
    await send("a", "1,2,1");
    store.failing = true;
    assert.equal(await server.deleteLayer("a"), "store-failing");
    assert.equal(await server.deleteLayer("a"), "store-failing");
    store.failing = false;
    await until(() => server.storeProblem === undefined);
    assert.equal(map.layer("a")?.size, 1);
    assert.notEqual(typeof await server.deleteLayer("a"), "string");
    assert.equal(map.layer("a"), undefined);
  },
});

Deno.test({
  name: "deleteLayer() includes readings that arrived before",
  permissions: "none",
  fn: async () => {
    await using system = await startServer();
    const { server, map, link } = system;
    link.handlers.message(incoming(`${DATA}/a`, "1,2,1\n3,4,1"));
    const deleted = await server.deleteLayer("a");
    assert.equal(typeof deleted === "string" ? deleted : deleted.cells, 2);
    assert.equal(link.acknowledged.length, 1);
    assert.equal(map.layer("a"), undefined);
  },
});

Deno.test({
  name: "a deletion and removed cells are the same after a restart",
  permissions: "none",
  fn: async () => {
    const store = new FakeStore({ durable: true });
    const { server, map, send } = await startServer({ store });
    await send("a", "1,2,1");
    await send("b", "1,2,1");
    await server.deleteLayer("a");
    await send("a", "7,7,1");
    const { revision, began } = map.only;
    await server.stop();
    const again = await startServer({ store });
    assert.equal(again.map.revision, revision);
    assert.equal(again.map.only.began, began);
    assert.equal(again.map.only.beganOf("a"), began);
    assert.equal(again.map.only.beganOf("b"), undefined);
    assert.equal(again.map.layer("a")?.size, 1);
    await again.server.stop();
  },
});

/** The removal of long-unknown cells, with its own clock. */
function startRemoval(
  removeAfter: number,
  readings: Record<string, Reading[]>,
) {
  let now = NOW;
  const map = new OccupancyMap({ forgetAfter: 1000 });
  for (const [layer, rows] of Object.entries(readings)) {
    map.apply(layer, columns(rows), NOW);
  }
  const log: string[] = [];
  const store = new FakeStore();
  const options = { map, store, removeAfter, clock: () => now };
  const context = fakeContext(options, log);
  const gone: string[] = [];
  const pipeline = new Pipeline(context, { addReadings: () => {} }, {
    onReceive: () => {},
    onRequest: () => {},
    onLayerGone: (layer) => gone.push(layer),
    onApplied: () => {},
    onReloaded: () => {},
    onStoreProblem: () => {},
  });
  const removal = new LayerRemoval(context, pipeline);
  return {
    ...{ map, log, gone, store, removal, pipeline, context },
    stats: context.telemetry.stats,
    advance: (ms: number) => now += ms,
    [Symbol.dispose]: () => {
      removal.stop();
      pipeline.stop();
    },
  };
}

Deno.test({
  name: "cells that have been unknown for long are removed, known values never",
  permissions: "none",
  fn: async () => {
    using system = startRemoval(500, {
      mixed: [[1, 1, -1, NOW], [2, 1, 5, NOW], [3, 1, 7, NOW + 5000]],
      stranger: [[9, 9, -1, NOW]],
    });
    const { map, removal, gone, stats, log, advance } = system;
    advance(400);
    removal.tick();
    advance(200);
    await until(() => {
      removal.tick();
      return map.layer("stranger") === undefined;
    });
    assert.deepEqual(gone, ["stranger"]);
    assert.equal(map.layer("mixed")?.get(1, 1), undefined);
    assert.equal(map.layer("mixed")?.get(2, 1)?.value, 5);
    advance(600); // forgotten, but not for long
    map.age(NOW + 1200);
    removal.tick();
    assert.equal(map.layer("mixed")?.get(2, 1)?.value, -1);
    assert.equal(stats.removedCells, 2);
    advance(500);
    await until(() => {
      removal.tick();
      return map.layer("mixed")?.size === 1;
    });
    assert.equal(map.layer("mixed")?.get(3, 1)?.value, 7);
    assert.equal(stats.removedCells, 3);
    await until(() => log.some((line) => /^Removed \d+ cells/.test(line)));
  },
});

Deno.test({
  name: "no cell is removed after the clock was set, or while the store fails",
  permissions: "none",
  fn: async () => {
    using system = startRemoval(100, { a: [[1, 1, -1, NOW]] });
    const { map, removal, advance } = system;
    advance(1e9);
    removal.clockStepped();
    removal.tick();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(map.size, 1);
    using other = startRemoval(100, { a: [[1, 1, -1, NOW]] });
    other.advance(1e9);
    other.store.failing = true;
    other.removal.tick();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(other.map.size, 1);
    assert.equal(other.map.revision, 1);
    other.store.failing = false;
    await until(() => {
      other.removal.tick();
      return other.map.size === 0;
    });
  },
});

Deno.test({
  name: "a thousand layers and a large one are removed in slices",
  permissions: "none",
  fn: async () => {
    const large = Array.from({ length: 50_000 }, (_, i): Reading => {
      return [i % 500, Math.floor(i / 500), -1, NOW];
    });
    const layers = Array.from({ length: 1000 }, (_, i) => {
      return [`layer${i}`, [[1, 1, -1, NOW]]] as const;
    });
    using system = startRemoval(
      100,
      Object.fromEntries([
        ["large", large],
        ...layers as unknown as [string, Reading[]][],
      ]),
    );
    const { map, removal, stats, gone, store, advance } = system;
    let commits = 0;
    store.onCommit = () => commits++;
    advance(101);
    removal.tick();
    await until(() => map.layerCount === 0);
    assert.equal(stats.removedCells, 51_000);
    assert.equal(gone.length, 1001);
    assert.ok(commits >= 6 && commits < 100, `${commits} commits`);
  },
});

Deno.test({
  name: "cells are not removed while a large group is processed in turns",
  permissions: "none",
  fn: async () => {
    using system = startRemoval(500, { stranger: [[9, 9, -1, NOW]] });
    const { map, removal, pipeline, advance } = system;
    let isBusy = true;
    let reads = 0;
    Object.defineProperty(pipeline, "isBusy", {
      get: () => {
        reads++;
        return isBusy;
      },
    });
    advance(600);
    removal.tick();
    await until(() => reads >= 3);
    assert.ok(map.layer("stranger"));
    isBusy = false;
    await until(() => map.layer("stranger") === undefined);
  },
});

Deno.test({
  name: "a deletion whose commit takes too long is answered",
  permissions: "none",
  fn: async () => {
    using system = startRemoval(Infinity, { a: [[1, 1, 1, NOW]] });
    const { pipeline } = system;
    const never = new Promise<boolean>(() => {});
    const waiting = {
      isBusy: false,
      flush: () => true,
      processed: () => pipeline.processed(),
      refresh: () => pipeline.refresh(),
      // A shared store retries for ever.
      commit: () => never,
    };
    const removal = new LayerRemoval(system.context, waiting, 10);
    assert.equal(await removal.delete("a"), "store-failing");
  },
});

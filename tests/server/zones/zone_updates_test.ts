/** When the states of zones are brought up to date. */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { ZoneUpdates } from "../../../src/server/zones/zone_updates.ts";
import { ZoneIndex, ZoneTracker } from "../../../src/zones/mod.ts";
import { columns } from "../../grid/model.ts";
import { until, within } from "../../support/until.ts";
import { fakeContext } from "../support.ts";
import { NOW, squares } from "./support.ts";

/** Longer than an update takes to begin. */
const BEGIN_MS = 20;

/**
 * The updates of a zone.
 *
 * @param cost of an update, ms
 */
async function start({ cost = 0 } = {}) {
  const map = new OccupancyMap();
  const tracker = new ZoneTracker({
    map,
    makeIndex: (zones) => new ZoneIndex(zones),
  });
  const zones = await squares(["lobby", [0, 0, 2]]);
  tracker.replace(zones);
  /** Resolved by the test when an update is stored and published. */
  const stored: PromiseWithResolvers<void>[] = [];
  let costs = 0;
  const apply = (value: number) =>
    map.apply("default", columns([[0, 0, value, NOW]]), NOW);
  const onStore: (() => void)[] = [];
  const updates: ZoneUpdates = new ZoneUpdates(
    fakeContext({ map }),
    {
      // As the server: cells that become stale are a change of the map.
      refresh: () => {
        updates.notify();
        return NOW;
      },
    },
    tracker,
    {
      *remember() {},
      publish: () => {
        const one = Promise.withResolvers<void>();
        stored.push(one);
        onStore.shift()?.();
        return one.promise;
      },
      cost: () => costs += cost,
    },
  );
  return { updates, tracker, zones, stored, apply, onStore };
}

Deno.test({
  name: "an update that ages the map is followed by the next after its end",
  permissions: "none",
  fn: async () => {
    const { updates, tracker, stored, apply, onStore } = await start();
    apply(1);
    onStore.push(() => apply(2));
    const updated = updates.updated();
    await until(() => stored.length === 1);
    await delay(BEGIN_MS);
    assert.equal(
      stored.length,
      1,
      "an update begins before the last is stored",
    );
    stored[0]!.resolve();
    await within(updated, "the first update");
    const next = updates.updated();
    await until(() => stored.length === 2);
    stored[1]!.resolve();
    await within(next, "the next update");
    assert.equal(tracker.state("lobby")?.count, 2);
    updates.stop();
  },
});

Deno.test({
  name: "an update that took long is followed by a pause, but not for an edit",
  permissions: "none",
  fn: async () => {
    const { updates, tracker, zones, stored, apply } = await start({
      cost: 1000,
    });
    const first = updates.updated();
    await until(() => stored.length === 1);
    stored[0]!.resolve();
    await within(first, "the first update");
    const paused = performance.now();
    apply(1);
    updates.notify();
    await delay(BEGIN_MS);
    assert.equal(stored.length, 1, "a reading waits for the end of the pause");
    tracker.replace([{ ...zones[0]!, title: "Lobby" }]);
    updates.notify();
    await until(() => stored.length === 2);
    assert.ok(performance.now() - paused < 2000, "an edit does not wait");
    assert.equal(tracker.state("lobby")?.title, "Lobby");
    stored[1]!.resolve();
    updates.stop();
  },
});

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

Deno.test({
  name: "an update that ages the map is followed by the next after its end",
  permissions: "none",
  fn: async () => {
    const map = new OccupancyMap();
    const apply = (value: number) =>
      map.apply("default", columns([[0, 0, value, NOW]]), NOW);
    const tracker = new ZoneTracker({
      map,
      makeIndex: (zones) => new ZoneIndex(zones),
    });
    tracker.replace(await squares(["lobby", [0, 0, 2]]));
    const stored: PromiseWithResolvers<void>[] = [];
    // As the server: cells that become stale are a change of the map.
    const refresh = () => {
      updates.notify();
      return NOW;
    };
    const updates: ZoneUpdates = new ZoneUpdates(
      fakeContext({ map }),
      { refresh },
      tracker,
      {
        *remember() {},
        publish: () => {
          const one = Promise.withResolvers<void>();
          stored.push(one);
          if (stored.length === 1) apply(2);
          return one.promise;
        },
        cost: () => 0,
      },
    );
    apply(1);
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

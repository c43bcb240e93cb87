/** Clients that watch layers of a map with several shards, over a broker. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { randomIntegers } from "../support/random.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

const SHARDS = 4;
const LAYERS = ["a", "b", "c", "d", "e", "f"];
const ROUNDS = 60;

Deno.test({
  name: "watches of layers in several shards equal the map, without a gap",
  ...needs(),
  fn: async () => {
    const { CellMap, connect } = await import("../../src/mod.ts");
    await using system = await startSystem("embedded", { shards: SHARDS });
    const { map } = system;
    const shards = new Set(LAYERS.map((layer) => map.shardOf(layer)));
    assert.equal(shards.size, SHARDS, "a layer in each shard");
    const client = await connect({ broker: system.url });
    const abort = new AbortController();
    const live = new Map<string, InstanceType<typeof CellMap>>();
    const snapshots: string[] = [];
    const watches = LAYERS.map(async (layer) => {
      for await (const event of client.watch({ layer, signal: abort.signal })) {
        if (event.kind === "snapshot") snapshots.push(layer);
        const copy = live.get(layer);
        if (copy === undefined) live.set(layer, new CellMap(event));
        else copy.apply(event);
      }
    });
    await until(() => live.size === LAYERS.length);
    const random = randomIntegers(16);
    for (let round = 0; round < ROUNDS; round++) {
      const layer = LAYERS[random(LAYERS.length)]!;
      const readings = Array.from({ length: 1 + random(5) }, () => ({
        x: random(20),
        y: random(20),
        value: random(4),
      }));
      await client.publish(readings, { layer });
    }
    for (const layer of LAYERS) {
      const request = await client.request({ layer });
      assert.equal(request.revision, map.revisionOf(layer));
      await until(() => live.get(layer)!.revision === request.revision, {
        what: () => `${layer} at ${request.revision}`,
      });
      const cells = (of: Iterable<{ x: number; y: number; value: number }>) =>
        Array.from(of, ({ x, y, value }) => `${x},${y}=${value}`).sort();
      assert.deepEqual(cells(live.get(layer)!), cells(request));
    }
    assert.deepEqual(snapshots.sort(), LAYERS, "one snapshot each");
    abort.abort();
    await Promise.all(watches);
    await client.close();
  },
});

/** What HTTP shows of a store that several servers share. */
import assert from "node:assert/strict";
import type { SharedStatus } from "../../src/http/mod.ts";
import { needs } from "../support/needs.ts";
import { startServer } from "./support.ts";

const SHARED: SharedStatus = {
  members: ["a", "me"],
  shards: 3,
  held: [0, 2],
  lag: { entries: 2, ms: 1500 },
  damagedEntries: 1,
  sizes: [0, 1, 2].map((shard) => ({
    journalEntries: 10 + shard,
    journalBytes: 1000 + shard,
    checkpointBytes: 2000 + shard,
  })),
};

Deno.test({
  name: "GET metrics and summary have the state of a shared store",
  ...needs(),
  fn: async () => {
    let shared = SHARED;
    await using server = await startServer({ shared: () => shared });
    const scrape = async () => {
      const lines = (await (await server.get("/metrics")).text()).split("\n");
      return lines.filter((line) => /^occupancy_store_/.test(line)).sort();
    };
    assert.deepEqual(await scrape(), [
      ...[0, 1, 2].map((i) =>
        `occupancy_store_checkpoint_bytes{shard="${i}"} ${2000 + i}`
      ),
      "occupancy_store_damaged_entries_total 1",
      ...[0, 1, 2].map((i) =>
        `occupancy_store_journal_bytes{shard="${i}"} ${1000 + i}`
      ),
      ...[0, 1, 2].map((i) =>
        `occupancy_store_journal_entries{shard="${i}"} ${10 + i}`
      ),
      "occupancy_store_lag_entries 2",
      "occupancy_store_lag_seconds 1.5",
      "occupancy_store_leader 1",
      "occupancy_store_leases 2",
      "occupancy_store_members 2",
      "occupancy_store_shards 3",
      "occupancy_store_up 1",
    ]);
    const { store } = await server.json("/api/v1/summary");
    const { members, shards, held, lag } = SHARED;
    assert.deepEqual(store.shared, { members, shards, held, lag });
    // Sizes that are not known have no values.
    shared = { ...SHARED, held: [], sizes: undefined };
    const lines = await scrape();
    assert.ok(lines.includes("occupancy_store_leader 0"));
    assert.ok(!lines.some((line) => /_bytes|_journal/.test(line)));
  },
});

Deno.test({
  name: "a store of one server has no metrics of a shared one",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const text = await (await server.get("/metrics")).text();
    assert.deepEqual(text.match(/^occupancy_store_\w+/gm), [
      "occupancy_store_up",
    ]);
    const { store } = await server.json("/api/v1/summary");
    assert.equal(store.shared, undefined);
  },
});

Deno.test({
  name: "GET readyz is 503 while this server is far behind the shared store",
  ...needs(),
  fn: async () => {
    let ms = 5000;
    const shared = () => ({ ...SHARED, lag: { entries: 7, ms } });
    await using server = await startServer({ shared });
    assert.equal((await server.get("/readyz")).status, 200);
    ms = 6100;
    const response = await server.get("/readyz");
    assert.equal(response.status, 503);
    const { reasons } = await response.json();
    assert.deepEqual(reasons, [{
      code: "behind",
      message:
        "This server is 6 s behind the shared store (7 entries not applied)",
    }]);
    ms = 0;
    assert.equal((await server.get("/readyz")).status, 200);
  },
});

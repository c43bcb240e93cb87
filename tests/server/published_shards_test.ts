/** Which shards a server publishes, while leases move and the store fails. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { PublishedShards } from "../../src/server/published_shards.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { until } from "../support/until.ts";

Deno.test({
  name: "a new holder whose store fails does not publish until it works again",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: 2 });
    const store = journal.open("a");
    store.load(new OccupancyMap({}, { shards: 2 }));
    const events: string[] = [];
    const shards = new PublishedShards(store, {
      onBegin: (shard) => events.push(`begin ${shard}`),
      onEnd: (shard) => events.push(`end ${shard}`),
      isFailing: () => store.failing,
    });
    let problem = false;
    store.follow({
      apply: () => Promise.resolve(),
      onProblem: (error) => problem = error !== undefined,
    });
    shards.start();
    store.failing = true;
    assert.ok(problem);
    const { syncs } = store;
    journal.lease(store, [1]);
    await until(() => store.syncs > syncs + 1, { what: "a second attempt" });
    assert.deepEqual(events, []);
    assert.equal(shards.has(1), false);
    store.failing = false;
    await until(() => shards.has(1));
    assert.deepEqual(events, ["begin 1"]);
    store.failing = true;
    journal.lease(store, [0]);
    shards.stop(); // else its timer would be left
    store.kill();
  },
});

/** What is remembered of zones, as the next leader reads it. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { ZoneMemories } from "../../../src/server/zones/zone_memories.ts";
import type { ZoneRecord } from "../../../src/zones/mod.ts";
import { FakeJournal } from "../../support/fake_shared_store.ts";

Deno.test({
  name: "a new leader reads 10,000 zones in several turns",
  permissions: "none",
  fn: async () => {
    const store = new FakeJournal().open("a");
    store.load(new OccupancyMap());
    store.follow({ apply: () => Promise.resolve(), onProblem: () => {} });
    const written = new ZoneMemories(store.records);
    const records = Array.from({ length: 10_000 }, (_, i): ZoneRecord => ({
      zone: `zone-${i}`,
      occupied: i % 2 === 0,
      ...{ full: false, since: i, heldSince: null, revision: i },
    }));
    for (const record of records) written.remember(record, []);
    assert.equal(await written.committed(), true);
    const work = new ZoneMemories(store.records).read();
    let turns = 1;
    let step = work.next();
    for (; !step.done; step = work.next()) turns++;
    assert.ok(turns > 8, `${turns} turns`);
    assert.deepEqual(step.value, { records, events: [] });
    await store.close();
  },
});

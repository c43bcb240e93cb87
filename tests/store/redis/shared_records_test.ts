/** Records that several servers share, over a journal in memory. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { FIRST_IDS } from "../../../src/store/record_staging.ts";
import { RecordTable } from "../../../src/store/redis/record_table.ts";
import type { RecordOwner, RecordsEntry } from "../../../src/store/store.ts";
import {
  FakeJournal,
  type FakeSharedStore,
} from "../../support/fake_shared_store.ts";
import { until } from "../../support/until.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

/** Stores of servers that apply all entries at once. */
function openStores(...names: string[]) {
  const journal = new FakeJournal();
  const stores = names.map((name) => {
    const store = journal.open(name);
    store.load(new OccupancyMap());
    store.follow({ apply: () => Promise.resolve(), onProblem: () => {} });
    return store;
  });
  return { journal, stores };
}

function committed({ records }: FakeSharedStore): Promise<boolean> {
  return new Promise((resolve) => records.afterCommit(resolve));
}

/** Resolves when all stores have delivered the same. */
async function allEqual(stores: FakeSharedStore[]): Promise<void> {
  await until(() => stores.every(({ lag }) => lag.entries === 0));
}

function read({ records }: FakeSharedStore, owner: RecordOwner) {
  return records.load(owner).map(([id, value]) => [id, text(value)]);
}

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

test("records are the same on all servers, and on one that starts later", async () => {
  const { journal, stores } = openStores("a", "b");
  const [a, b] = stores as [FakeSharedStore, FakeSharedStore];
  let changes = 0;
  b.records.observe("zones", () => changes++);
  let others = 0;
  a.records.observe("zones", () => others++);
  const one = a.records.add("zones", () => bytes("1"));
  a.records.add("zones", () => bytes("2"));
  assert.deepEqual(read(a, "zones"), [], "not committed yet");
  assert.equal(await committed(a), true);
  await allEqual(stores);
  assert.deepEqual(read(b, "zones"), read(a, "zones"));
  assert.equal(changes, 1, "one entry");
  assert.equal(others, 0, "own changes");
  b.records.expect(b.records.edition);
  const three = b.records.add("zones", () => bytes("3"));
  b.records.replace(one, () => bytes("1b"));
  assert.equal(await committed(b), true);
  const late = journal.open("c");
  late.load(new OccupancyMap());
  assert.deepEqual(read(late, "zones"), [
    [one, "1b"],
    [one + 1, "2"],
    [three, "3"],
  ]);
});

test("of two servers that change the zones at the same time, one fails", async () => {
  const { stores } = openStores("a", "b");
  const [a, b] = stores as [FakeSharedStore, FakeSharedStore];
  for (const store of [a, b]) {
    store.records.expect(store.records.edition);
    // Several entries: what follows an entry that does not count fails too.
    for (let i = 0; i < 10; i++) {
      store.records.add("zones", () => bytes(store.name.repeat(20_000)));
    }
  }
  const results = await Promise.all([committed(a), committed(b)]);
  assert.deepEqual(results.toSorted(), [false, true]);
  await allEqual(stores);
  const winner = results[0] ? "a" : "b";
  const found = read(a, "zones").map(([, value]) => String(value)[0]);
  assert.deepEqual(found, Array(10).fill(winner));
  assert.deepEqual(read(b, "zones"), read(a, "zones"));
  // The other one tries again.
  const loser = results[0] ? b : a;
  loser.records.expect(loser.records.edition);
  loser.records.add("zones", () => bytes("again"));
  assert.equal(await committed(loser), true);
});

test("a former leader's changes do not count after the next leader has begun", async () => {
  const { stores } = openStores("a", "b");
  const [a, b] = stores as [FakeSharedStore, FakeSharedStore];
  assert.equal(await a.records.lead(1), true);
  const id = a.records.add("zone-memories", () => bytes("first"));
  assert.equal(await committed(a), true);
  a.failing = true; // its changes come late
  a.records.replace(id, () => bytes("late"));
  await allEqual([b]);
  assert.equal(await b.records.lead(2), true);
  b.records.replace(id, () => bytes("second"));
  assert.equal(await committed(b), true);
  const late = committed(a);
  a.failing = false;
  assert.equal(await late, false, "the author learns it");
  await allEqual(stores);
  for (const store of stores) {
    assert.deepEqual(read(store, "zone-memories"), [[id, "second"]]);
  }
  assert.equal(await a.records.lead(1), false);
  // Zones are edited by all servers, whoever leads.
  a.records.expect(a.records.edition);
  a.records.add("zones", () => bytes("zone"));
  assert.equal(await committed(a), true);
});

test("a change that was staged before a second time as leader keeps its number", async () => {
  const { stores } = openStores("a", "b");
  const [a, b] = stores as [FakeSharedStore, FakeSharedStore];
  await a.records.lead(1);
  a.failing = true;
  a.records.add("zone-memories", () => bytes("late"));
  const late = committed(a);
  await b.records.lead(2);
  const again = a.records.lead(3);
  a.failing = false;
  assert.equal(await late, false);
  assert.equal(await again, true);
  assert.deepEqual(read(a, "zone-memories"), []);
});

test("changes that are bound come in one entry, however large", async () => {
  const { journal, stores } = openStores("a");
  const [a] = stores as [FakeSharedStore];
  const first = a.records.add("zones", () => new Uint8Array(100_000));
  a.records.add("zones", () => new Uint8Array(100_000));
  a.records.bind(first);
  a.records.add("zones", () => new Uint8Array(100_000));
  assert.equal(await committed(a), true);
  assert.equal(journal.items[0]!.length, 1, "one commit");
  const { commit } = journal.items[0]![0]!;
  assert.deepEqual(
    commit.map((entry) => (entry as RecordsEntry).changes.length),
    [2, 1],
  );
});

test("a record that changes while it is committed is committed again", async () => {
  const { stores } = openStores("a");
  const [a] = stores as [FakeSharedStore];
  await a.records.lead(1);
  let id = 0;
  const results: boolean[] = [];
  id = a.records.add("zone-memories", () => {
    queueMicrotask(() => {
      a.records.replace(id, () => bytes("new"));
      a.records.afterCommit((counts) => results.push(counts));
    });
    return bytes("old");
  });
  await until(() => results.length === 1);
  assert.deepEqual(results, [true]);
  assert.deepEqual(read(a, "zone-memories"), [[id, "new"]]);
});

/** Entries of some writers, of which some do not count. */
const step = fc.record({
  owner: fc.constantFrom(
    "zones" as const,
    "home-assistant" as const,
    "zone-memories" as const,
    "sources" as const,
  ),
  isLate: fc.boolean(),
  ids: fc.array(
    fc.tuple(fc.integer({ min: 1, max: 200 }), fc.boolean()),
    { maxLength: 6 },
  ),
});

test("checkpoints restore the same records", () => {
  fc.assert(fc.property(fc.array(step), fc.nat(7), (steps, every) => {
    const table = new RecordTable();
    let mark = 0;
    for (const [i, { owner, isLate, ids }] of steps.entries()) {
      const isZones = owner === "zones";
      const base = FIRST_IDS[owner];
      const counts = table.apply({
        kind: "records",
        now: 1,
        owner,
        mark: ++mark,
        guard: isZones ? table.edition - (isLate ? 1 : 0) : isLate ? -1 : i,
        changes: ids.map(([id, isSet]) => ({
          id: base + id,
          value: isSet ? bytes(`${owner} ${id} ${i}`) : undefined,
        })),
      });
      assert.equal(counts, !isLate);
      if (i % (every + 1) !== 0) continue;
      const restored = new RecordTable();
      restored.restore([...table.save()].reverse());
      assert.equal(restored.revision, table.revision);
      assert.equal(restored.edition, table.edition);
      for (
        const one of [
          "zones",
          "home-assistant",
          "zone-memories",
          "sources",
        ] as const
      ) {
        assert.deepEqual(restored.records(one), table.records(one));
        assert.equal(restored.lastId(one), table.lastId(one));
      }
    }
  }));
});

test("a checkpoint without silent sources is as earlier versions wrote it", () => {
  const table = new RecordTable();
  const apply = (owner: "zones" | "sources", guard: number) =>
    table.apply({
      ...{ kind: "records", now: 1, owner, mark: 7, guard },
      changes: [{ id: FIRST_IDS[owner] + 1, value: bytes("x") }],
    });
  const lastIds = () => {
    const [name, head] = [...table.save()][0]!;
    assert.equal(name, "head");
    return JSON.parse(new TextDecoder().decode(head)).lastIds;
  };
  apply("zones", 0);
  assert.equal(lastIds().length, 4);
  const restored = new RecordTable();
  restored.restore([...table.save()]);
  assert.equal(restored.lastId("sources"), FIRST_IDS.sources);
  apply("sources", 1);
  assert.equal(lastIds().length, 5);
});

test("a damaged checkpoint of records is an error with a hint", () => {
  const table = new RecordTable();
  for (
    const chunks of [
      [["head", bytes("{")]],
      [["head", bytes(`{"revision":1,"edition":"x","fence":1,"lastIds":[]}`)]],
      [["7", bytes("not an entry")]],
    ] as [string, Uint8Array][][]
  ) {
    assert.throws(() => table.restore(chunks), {
      name: "StoreError",
      hint: /Restore a backup/,
    });
  }
});

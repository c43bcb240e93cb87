/** Three servers share a store: one of them publishes the zones. */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { encodeText } from "../../src/protocol/text.ts";
import { Leadership } from "../../src/server/leadership.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { until } from "../support/until.ts";
import { Cluster, type Member } from "./cluster.ts";
import { squares } from "./zones/support.ts";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

/** Starts three servers of which the first leads. */
async function startThree(): Promise<
  [cluster: Cluster, a: Member, b: Member, c: Member]
> {
  const cluster = await Cluster.create();
  const [a, b, c] = [
    await cluster.start("a"),
    await cluster.start("b"),
    await cluster.start("c"),
  ];
  cluster.journal.lease(a.store);
  await until(() => a.server.zones.isLeading);
  return [cluster, a, b, c];
}

test("zones edited on any server are in force on all; the leader publishes them", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const zones = await squares(["lobby", [0, 0, 4]], ["hall", [10, 0, 4]]);
  const result = await b.server.zones.edit({ kind: "replace", zones });
  assert.ok(typeof result === "object");
  await cluster.settled();
  await until(() => cluster.stateOf("hall"));
  for (const { server } of [a, b, c]) {
    assert.deepEqual([...server.zones.definitions.keys()], ["lobby", "hall"]);
    assert.equal(server.zones.version, result.version);
  }
  await cluster.send(c, "0,0,1");
  await cluster.settled();
  for (const { server } of [a, b, c]) {
    assert.equal(server.zones.state("lobby")?.occupied, true);
  }
  await until(() => cluster.stateOf("lobby")?.occupied === true);
  await until(() => cluster.eventsOf("lobby").length > 0);
  await cluster.send(b, "0,0,0");
  await cluster.settled();
  await until(() => cluster.eventsOf("lobby").length > 1);
  assert.deepEqual(
    cluster.eventsOf("lobby").map(({ event }) => event),
    ["occupied", "cleared"],
    "one event of each change, although three servers notice it",
  );
});

test("the next leader continues: what happened in between is one event", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const [lobby] = await squares(["lobby", [0, 0, 4]]);
  await c.server.zones.edit({ kind: "set", zone: lobby! });
  await cluster.send(c, "0,0,1");
  await until(() => cluster.eventsOf("lobby").length === 1);
  cluster.kill(a);
  await cluster.send(c, "0,0,0");
  await cluster.settled();
  assert.equal(b.server.zones.state("lobby")?.occupied, false);
  assert.equal(cluster.stateOf("lobby")?.occupied, true, "no one leads");
  cluster.journal.lease(b.store);
  await until(() => cluster.stateOf("lobby")?.occupied === false);
  await until(() =>
    cluster.eventsOf("lobby").some(({ event }) => event === "cleared")
  );
  cluster.journal.lease(c.store);
  await until(() => c.server.zones.isLeading);
  assert.equal(b.server.zones.isLeading, false);
  await cluster.send(b, "0,0,1");
  await until(() => cluster.eventsOf("lobby").at(-1)?.event === "occupied");
  assert.deepEqual(
    withoutRepeats(cluster.eventsOf("lobby")).map(({ event }) => event),
    ["occupied", "cleared", "occupied"],
  );
});

test("a leader that gives its lease up leaves no event that comes again", async () => {
  const [cluster, ...members] = await startThree();
  await using _ = cluster;
  const [lobby] = await squares(["lobby", [0, 0, 4]]);
  await members[2].server.zones.edit({ kind: "set", zone: lobby! });
  await cluster.send(members[2], "0,0,0");
  for (let round = 1; round <= 12; round++) {
    await cluster.send(members[2], `0,0,${round % 2}`);
    if (round % 3 > 0) await until(() => cluster.eventsOf("lobby").length > 0);
    const next = members[round % 3]!;
    await cluster.journal.handOver(next.store);
    await until(() => next.server.zones.isLeading);
  }
  await cluster.settled();
  await until(() => cluster.stateOf("lobby")?.occupied === false);
  const events = cluster.eventsOf("lobby");
  assert.deepEqual(withoutRepeats(events), events);
  for (const [i, { event }] of events.entries()) {
    assert.notEqual(event, events[i - 1]?.event);
  }
});

test("of two edits that expect the same zones, one succeeds, on whichever server", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const zones = await squares(["lobby", [0, 0, 4]], ["hall", [10, 0, 4]]);
  await a.server.zones.edit({ kind: "replace", zones });
  for (let round = 0; round < 5; round++) {
    await cluster.settled();
    const { version } = a.server.zones;
    const others = await squares([`zone-${round}`, [0, 0, 4]]);
    const results = await Promise.all(
      [b, c].map(({ server }, i) =>
        server.zones.edit(
          round % 2 === 0
            ? { kind: "set", zone: { ...others[0]!, title: `by ${i}` } }
            : { kind: "replace", zones: [...zones, ...others] },
          () => server.zones.version === version,
        )
      ),
    );
    const problems = results.filter((result) => typeof result === "string");
    assert.deepEqual(problems, ["changed"]);
    await cluster.settled();
    for (const { server } of [b, c]) {
      assert.equal(server.zones.version, a.server.zones.version);
      assert.deepEqual(server.zones.definitions, a.server.zones.definitions);
    }
  }
});

test("edits without an expectation all succeed, one after the other", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const zones = await squares(
    ...Array.from(
      { length: 12 },
      (_, i) =>
        [`zone-${i}`, [5 * i, 0, 4]] as [string, [number, number, number]],
    ),
  );
  const results = await Promise.all(
    zones.map((zone, i) =>
      [a, b, c][i % 3]!.server.zones.edit({ kind: "set", zone })
    ),
  );
  assert.ok(results.every((result) => typeof result === "object"));
  await cluster.settled();
  for (const { server } of [a, b, c]) {
    assert.equal(server.zones.definitions.size, 12);
    assert.deepEqual(server.zones.definitions, a.server.zones.definitions);
  }
});

test("an edit while the store fails is refused; one that waits is done later or not at all", async () => {
  const [cluster, , b] = await startThree();
  await using _ = cluster;
  const [lobby] = await squares(["lobby", [0, 0, 4]]);
  b.store.failing = true;
  const refused = await b.server.zones.edit({ kind: "set", zone: lobby! });
  assert.equal(refused, "store-failing");
  const edit = { kind: "set", zone: lobby! } as const;
  // Whether they are as expected is not known.
  assert.equal(await b.server.zones.edit(edit, () => false), "store-failing");
  b.store.failing = false;
  const done = await b.server.zones.edit({ kind: "set", zone: lobby! });
  assert.ok(typeof done === "object");
});

test("a former leader whose store stood still publishes nothing late", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const [lobby] = await squares(["lobby", [0, 0, 4]]);
  await c.server.zones.edit({ kind: "set", zone: lobby! });
  await cluster.settled();
  a.store.frozen = true;
  await cluster.send(c, "0,0,1");
  cluster.journal.lease(b.store);
  await until(() => cluster.eventsOf("lobby").length === 1);
  await cluster.send(c, "0,0,0");
  await until(() => cluster.eventsOf("lobby").length === 2);
  const seen = cluster.seen.length;
  a.store.frozen = false;
  await cluster.settled();
  assert.equal(a.server.zones.state("lobby")?.occupied, false);
  assert.equal(cluster.seen.length, seen);
});

test("a new leader that is behind in another shard waits: it takes nothing back", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const [lobby] = await squares(["lobby", [0, 0, 4]]);
  const layer = ["x", "y", "z"].find((name) => a.map.shardOf(name) !== 0)!;
  await c.server.zones.edit({ kind: "set", zone: { ...lobby!, layer } });
  await cluster.settled();
  b.store.freeze([a.map.shardOf(layer)]);
  await cluster.send(c, "0,0,1", layer);
  await until(() => cluster.eventsOf("lobby").length === 1);
  cluster.journal.lease(b.store);
  await cluster.send(c, "1,0,1", layer);
  await until(() => b.store.lag.entries === 2 && !a.server.zones.isLeading);
  await delay(100);
  assert.equal(b.server.zones.isLeading, false, "it waits");
  b.store.freeze([]);
  await until(() => cluster.stateOf("lobby")?.count === 2);
  assert.deepEqual(
    withoutRepeats(cluster.eventsOf("lobby")).map(({ event }) => event),
    ["occupied"],
  );
});

test("a server that starts later has the zones, and may lead", async () => {
  const [cluster, , b] = await startThree();
  await using _ = cluster;
  const [lobby] = await squares(["lobby", [0, 0, 4]]);
  await b.server.zones.edit({ kind: "set", zone: lobby! });
  await cluster.send(b, "0,0,1");
  await until(() => cluster.eventsOf("lobby").length === 1);
  const d = await cluster.start("d");
  assert.deepEqual(d.server.zones.definitions, b.server.zones.definitions);
  cluster.journal.lease(d.store);
  await until(() => d.server.zones.isLeading);
  await d.server.zones.edit({ kind: "delete", name: "lobby" });
  await until(() => cluster.seen.at(-1)?.text === "");
  assert.equal(cluster.stateOf("lobby"), undefined);
});

test("a server that was stopped does not begin to lead", async () => {
  const journal = new FakeJournal();
  const store = journal.open("a");
  const log: string[] = [];
  const leadership = new Leadership({
    store,
    status: { storeProblem: undefined },
    log: { infoLimited: (_kind, line) => log.push(String(line)) },
  });
  let elections = 0;
  leadership.observe({ onElected: () => elections++ });
  journal.lease(store);
  leadership.stop();
  leadership.start(); // its map is loaded only now
  await store.close();
  await delay(0);
  assert.equal(leadership.isLeader, false);
  assert.deepEqual([elections, log], [0, []]);
});

test("zones that a server cannot read count for its edits: none succeeds", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  const [lobby, hall] = await squares(["lobby", [0, 0, 4]], ["hall", [
    9,
    0,
    4,
  ]]);
  await a.server.zones.edit({ kind: "set", zone: lobby! });
  await cluster.settled();
  const { version } = c.server.zones;
  const { records } = b.store;
  const committed = () =>
    new Promise((resolve) => records.afterCommit(resolve, "zones"));
  records.expect(records.edition);
  const id = records.add("zones", () => encodeText('{"kind":"of-tomorrow"}'));
  assert.equal(await committed(), true);
  await until(() => c.store.lag.entries === 0);
  await until(() => c.log.some((line) => line.includes("unknown kind")));
  for (let round = 0; round < 2; round++) {
    assert.equal(
      await c.server.zones.edit({ kind: "set", zone: hall! }),
      "store-failing",
    );
    assert.equal(c.server.zones.version, version);
  }
  records.expect(records.edition);
  records.delete(id);
  assert.equal(await committed(), true);
  const result = await c.server.zones.edit({ kind: "set", zone: hall! });
  assert.ok(typeof result === "object", String(result));
  await cluster.settled();
  assert.deepEqual([...b.server.zones.definitions.keys()], ["lobby", "hall"]);
});

/** Removes events that are identical to earlier ones. */
function withoutRepeats<T>(events: readonly T[]): T[] {
  const texts = events.map((event) => JSON.stringify(event));
  return events.filter((_, i) => texts.indexOf(texts[i]!) === i);
}

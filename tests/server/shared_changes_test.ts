/** Three servers share a store: the holder of a shard publishes its deltas. */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { type ChangesPart, parseChanges } from "../../src/protocol/mod.ts";
import { randomIntegers } from "../support/random.ts";
import { until } from "../support/until.ts";
import { Cluster, type Member } from "./cluster.ts";

const SHARDS = 4;
const LAYERS = ["a", "b", "c", "d", "e", "f"];
const topicOf = (layer: string) => `occupancy/changes/${layer}`;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}

async function startThree(): Promise<[Cluster, ...Member[]]> {
  const cluster = await Cluster.create({
    shards: SHARDS,
    topics: ["occupancy/changes/#"],
  });
  const members: Member[] = [];
  for (const name of ["a", "b", "c"]) {
    members.push(await cluster.start(name, { changesInterval: 10 }));
  }
  return [cluster, ...members];
}

/** Returns the deltas of a layer in the order of the broker. */
function deltasOf({ seen }: Cluster, layer: string): ChangesPart[] {
  const encoder = new TextEncoder();
  return seen.filter(({ topic }) => topic === topicOf(layer))
    .map(({ text }) => parseChanges(encoder.encode(text)));
}

/**
 * Fails unless each delta continues the one before, or is an announcement. The
 * first one of a new layer of the name may begin anywhere.
 */
function assertContiguous(deltas: readonly ChangesPart[]): void {
  let have = deltas[0]?.from ?? 0;
  let map: number | undefined;
  let isNew = true;
  for (const { from, to, began } of deltas) {
    isNew ||= began !== map;
    const what = `${from} to ${to} after ${have}`;
    if (from < to && !isNew) assert.equal(from, have, what);
    assert.ok(to >= have, what);
    isNew = isNew && from === to;
    have = to;
    map = began;
  }
}

/** Waits until the last delta of each layer has its present revision. */
async function untilPublished(cluster: Cluster): Promise<void> {
  await cluster.settled();
  const [{ map }] = cluster.members.values() as unknown as [Member];
  for (const layer of LAYERS) {
    const grid = map.layer(layer);
    if (grid === undefined) continue;
    await until(() => {
      const last = deltasOf(cluster, layer).at(-1);
      return last !== undefined && last.to >= grid.revision;
    }, { what: `the deltas of ${layer}` });
  }
}

test("without a holder no deltas are published; with one, by it alone", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  await cluster.send(c!, "0,0,1", "a");
  await cluster.settled();
  await delay(30);
  assert.deepEqual(cluster.seen, []);
  const shard = a!.map.shardOf("a");
  cluster.journal.lease(a!.store, [shard]);
  await until(() => deltasOf(cluster, "a").length === 1);
  await cluster.send(c!, "0,0,2", "a");
  await until(() => deltasOf(cluster, "a").length === 2);
  cluster.journal.lease(b!.store, [shard]);
  await until(() => deltasOf(cluster, "a").length === 3);
  await cluster.send(c!, "0,0,3", "a");
  await until(() => deltasOf(cluster, "a").length === 4);
  const deltas = deltasOf(cluster, "a");
  assert.deepEqual(
    deltas.map(({ from, to }) => [from, to]),
    [[1, 1], [1, 2], [2, 2], [2, 3]],
    "each holder begins with an announcement",
  );
  assert.deepEqual([...deltas[3]!.cells.value].slice(0, 1), [3]);
});

test("a new holder that is behind waits for what the one before has published", async () => {
  const [cluster, a, b, c] = await startThree();
  await using _ = cluster;
  cluster.journal.lease(a!.store);
  b!.store.frozen = true;
  await cluster.send(c!, "0,0,1", "a");
  await until(() => deltasOf(cluster, "a").at(-1)?.to === 1);
  cluster.journal.lease(b!.store);
  await cluster.send(c!, "0,0,2", "a");
  await delay(30);
  assert.equal(deltasOf(cluster, "a").length, 1, "b has applied nothing");
  b!.store.frozen = false;
  await until(() => deltasOf(cluster, "a").at(-1)?.to === 2);
  assertContiguous(deltasOf(cluster, "a"));
});

test("the deletion of a layer is announced, also by the next holder", async () => {
  const [cluster, a, b] = await startThree();
  await using _ = cluster;
  await cluster.send(a!, "0,0,1", "a");
  await cluster.settled();
  assert.ok(typeof await b!.server.deleteLayer("a") === "object");
  await cluster.settled();
  assert.deepEqual(deltasOf(cluster, "a"), [], "without a holder");
  cluster.journal.lease(b!.store);
  await until(() => deltasOf(cluster, "a").length === 1);
  const [deletion] = deltasOf(cluster, "a");
  assert.deepEqual([deletion!.from, deletion!.to], [2, 2]);
  assert.equal(typeof deletion!.began, "number");
});

for (const seed of [1, 2, 3]) {
  test(`deltas are contiguous while leases move at random, seed ${seed}`, async () => {
    const random = randomIntegers(seed);
    const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
    const [cluster, ...members] = await startThree();
    await using _ = cluster;
    cluster.journal.lease(members[0]!.store);
    for (let step = 0; step < 200; step++) {
      const member = pick(members);
      const action = random(10);
      if (action === 0) {
        cluster.journal.lease(member.store, [random(SHARDS)]);
      } else if (action === 1) member.store.frozen = random(3) === 0;
      else if (action === 2) {
        const others = members.filter(({ store }) => !store.frozen);
        if (others.length > 0) {
          await pick(others).server.deleteLayer(pick(LAYERS));
        }
      } else if (!member.store.frozen) {
        const x = random(3);
        await cluster.send(member, `${x},0,${step}`, pick(LAYERS));
      }
      if (step % 7 === 0) await delay(random(15));
    }
    for (const { store } of members) store.frozen = false;
    await untilPublished(cluster);
    let count = 0;
    for (const layer of LAYERS) {
      const deltas = deltasOf(cluster, layer);
      assertContiguous(deltas);
      count += deltas.filter(({ from, to }) => from < to).length;
    }
    assert.ok(count > 10, `${count} deltas`);
  });
}

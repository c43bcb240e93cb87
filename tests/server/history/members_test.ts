/** Servers that share a history: one writes, and the others can go on. */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { OtherWriterError } from "../../../src/server/history/history_writes.ts";
import { permitted } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { Group, Member } from "./members_support.ts";
import {
  assertStates,
  randomReadings,
  recorded,
  type Shown,
  shown,
} from "./states.ts";

const START = 1_760_000_000_000;
const LAYERS = ["a", "b", "c"];

/** Seconds after which what a follower has is written by another one. */
const SETTLED = 12;

Deno.test({
  name: "whichever server writes, the history has the live map of each second",
  ignore: !permitted(),
  fn: async () => {
    const group = new Group(START);
    const random = randomIntegers(23);
    const members = [new Member(group), new Member(group), new Member(group)];
    for (const member of members) member.start();
    await group.elect(members[0]!);
    const expected = new Map<string, Map<number, Shown>>(
      LAYERS.map((layer) => [layer, new Map()]),
    );
    let handovers = 0;
    let inOrder = false;
    let electAt: number | undefined;
    for (let second = 0; second < 600; second++) {
      for (let part = 0; part < 3; part++) {
        group.now = START + second * 1000 + 300 + part * 200;
        const { now } = group;
        const layer = LAYERS[random(LAYERS.length)]!;
        const readings = randomReadings(random, now, 40);
        group.commit({ kind: "apply", now, layer, readings }, members);
      }
      group.commit({ kind: "age", now: group.now }, members);
      for (const layer of LAYERS) {
        const states = shown(group.leader!.map, layer);
        const isCompared = second % 4 === 0 || electAt !== undefined;
        if (isCompared) expected.get(layer)!.set(START / 1000 + second, states);
      }
      for (const member of members) member.history.tick();
      await untilNextTurn();
      if (random(3) > 0) await group.leader!.write();
      if (electAt === undefined && random(12) === 0) {
        inOrder = random(3) === 0;
        // Else it has no network, and the others find out later.
        group.leader!.isCut = !inOrder;
        electAt = second + (inOrder ? 0 : random(8));
      }
      if (electAt !== second) continue;
      electAt = undefined;
      handovers++;
      const before = group.leader!;
      const next = members[(members.indexOf(before) + 1) % members.length]!;
      if (inOrder) await before.role.onResign!();
      await group.elect(next);
      if (inOrder) continue;
      before.isCut = false;
      await before.write(); // it still believes to lead
      before.role.onDeposed!();
      if (random(2) === 0) continue;
      before.history.stop();
      members[members.indexOf(before)] = await joined(group);
    }
    assert.ok(handovers > 8, `${handovers} handovers`);
    group.leader!.isCut = false;
    await group.leader!.history.recorder.capture();
    for (const [layer, seconds] of expected) {
      for (const [second, states] of seconds) {
        const is = await recorded(group.tables, layer, second);
        assertStates(is, states, `layer ${layer}, second ${second}`);
      }
    }
    assert.deepEqual(group.tables.gaps({ from: 0, to: 2 ** 32 }), []);
    for (const member of members) member.history.stop();
    assert.deepEqual(members.flatMap(({ warnings }) => warnings), []);
  },
});

Deno.test({
  name: "a server that does not write forgets what is stored, and only that",
  ignore: !permitted(),
  fn: async () => {
    const { group, members, leader, other } = await startedPair();
    const random = randomIntegers(5);
    const report = () => {
      const { now } = group;
      const readings = randomReadings(random, now, 40);
      group.commit({ kind: "apply", now, layer: "a", readings }, members);
    };
    const { recorder } = other.history;
    report();
    const shard = other.map.shardOf("a");
    const { revision } = other.map.shards[shard]!;
    assert.ok(!other.covers(shard, revision));
    for (let second = 0; second < SETTLED; second++) {
      group.now += 1000;
      for (const member of members) member.history.tick();
      await leader.write();
    }
    other.history.tick();
    assert.ok(other.covers(shard, revision));
    assert.ok(!other.covers(shard, revision + 1));
    assert.equal(recorder.lagMs < 6000, true);
    // The leader is away: what happens now is kept.
    leader.isCut = true;
    report();
    const { now } = group;
    const states = shown(other.map, "a");
    for (let second = 0; second < 60; second++) {
      group.now += 1000;
      for (const member of members) member.history.tick();
      await leader.write();
    }
    assert.match(other.history.problem!, /^No server of the group has written/);
    assert.equal(leader.history.problem, undefined);
    await group.elect(other);
    assert.equal(other.history.problem, undefined);
    await recorder.capture();
    const is = await recorded(group.tables, "a", now / 1000);
    assertStates(is, states, "before the leader was away");
    for (const member of members) member.history.stop();
  },
});

Deno.test({
  name: "while the history is full, each server says so and keeps nothing",
  ignore: !permitted(),
  fn: async () => {
    const { group, members, leader, other } = await startedPair();
    const random = randomIntegers(7);
    const run = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        group.now += 1000;
        const { now } = group;
        const readings = randomReadings(random, now, 40);
        group.commit({ kind: "apply", now, layer: "a", readings }, members);
        for (const member of members) member.history.tick();
        await leader.write();
      }
    };
    await run(SETTLED);
    group.memoryFull = true;
    await run(120);
    for (const { history } of members) {
      assert.match(history.problem!, /most of its maxmemory/);
    }
    const { recorder } = other.history;
    const kept = other.map.shards.reduce((sum, { log }) => sum + log!.size, 0);
    assert.ok(kept < SETTLED * 2 * 40, `${kept} states`);
    assert.equal(recorder.dropped, 0);
    const shard = other.map.shardOf("a");
    assert.ok(other.covers(shard, other.map.shards[shard]!.revision - 40));
    group.memoryFull = false;
    await run(SETTLED);
    for (const { history } of members) assert.equal(history.problem, undefined);
    assert.equal(group.tables.gaps({ from: 0, to: 2 ** 32 }).length, 1);
    // The other one goes on from there.
    await group.elect(other);
    await recorder.capture();
    const states = shown(other.map, "a");
    const second = group.now / 1000;
    assertStates(await recorded(group.tables, "a", second), states, "at last");
    assert.equal(group.tables.gaps({ from: 0, to: 2 ** 32 }).length, 1);
    for (const member of members) member.history.stop();
  },
});

Deno.test({
  name: "the time in which no server ran is a gap, that of a handover is none",
  ignore: !permitted(),
  fn: async () => {
    const group = new Group(START);
    const first = new Member(group);
    first.start();
    await group.elect(first);
    const second = START / 1000;
    const run = async (seconds: number, ...members: Member[]) => {
      for (let i = 0; i < seconds; i++) {
        group.now += 1000;
        for (const member of members) member.history.tick();
        await group.leader!.write();
      }
    };
    await run(20, first);
    const joins = await joined(group);
    await run(20, first, joins);
    first.history.stop(); // killed
    await run(4, joins);
    await group.elect(joins);
    await run(20, joins);
    joins.history.stop();
    group.now += 100_000;
    const last = await joined(group);
    await group.elect(last);
    await run(10, last);
    const gaps = group.tables.gaps({ from: 0, to: 2 ** 32 });
    assert.equal(gaps.length, 1);
    const [{ from, to }] = gaps as [typeof gaps[0]];
    assert.ok(from > second + 58 && from <= second + 64, `${from - second}`);
    assert.equal(to, second + 164);
    last.history.stop();
  },
});

/** Two servers, of which one leads. */
async function startedPair() {
  const group = new Group(START);
  const leader = new Member(group);
  const other = new Member(group);
  const members = [leader, other];
  for (const member of members) member.start();
  await group.elect(leader);
  return { group, members, leader, other };
}

/** A server that starts now. */
async function joined(group: Group): Promise<Member> {
  const member = new Member(group);
  member.start();
  await untilNextTurn();
  return member;
}

Deno.test({
  name: "what was read before another server wrote is not written afterwards",
  ignore: !permitted(),
  fn: async () => {
    const group = new Group(START);
    const member = new Member(group);
    member.start();
    await group.elect(member);
    const { writes } = member;
    const { term } = writes;
    const write = () => writes.commit([(tables) => tables.putMeta("n", 1)]);
    member.role.onDeposed!();
    await assert.rejects(write(), OtherWriterError);
    assert.equal(writes.hasWork, false);
    await group.elect(member);
    await assert.rejects(writes.commit([], term), OtherWriterError);
    const written = write();
    await member.write();
    await written;
    assert.equal(group.tables.meta.get("n"), 1);
    member.history.stop();
  },
});

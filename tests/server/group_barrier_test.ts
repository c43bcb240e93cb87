/** The marker of a group, with members that do not answer. */
import assert from "node:assert/strict";
import { GroupTopics, Topics } from "../../src/protocol/mod.ts";
import { GroupBarrier } from "../../src/server/group/group_barrier.ts";
import { StoreError } from "../../src/store/store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";
import { fakeContext } from "./support.ts";

function start() {
  const link = new FakeLink();
  const topics = new GroupTopics(new Topics(), "hall");
  const log: string[] = [];
  const context = fakeContext({ link, group: topics }, log);
  const members = new Set(["me", "a", "b"]);
  const barrier = new GroupBarrier(context, topics, {
    involved: () => new Set(members),
  } as never, { processed: () => Promise.resolve() });
  const answers = () => link.textsOn(topics.passed("a"));
  return {
    members,
    barrier,
    link,
    log,
    status: context.status,
    answers,
    /** Publishes a marker. */
    publish: (onTimeout?: () => void) => {
      const round = { isDone: false, id: "" };
      barrier.publish(link, {
        onReturn: () => round.isDone = true,
        onFailure: () => {},
        ...(onTimeout && { onTimeout }),
      });
      round.id = JSON.parse(link.textsOn(topics.barrier).at(-1)!).id;
      return round;
    },
    /** Delivers the answer of a member. */
    answer: (from: string, { id }: { readonly id: string }) => {
      const payload = JSON.stringify({ id, from });
      barrier.handle(incoming(topics.passed("me"), payload));
    },
    /** Delivers a marker of a member. */
    ask: (from: string, id: string) =>
      barrier.handle(incoming(topics.barrier, JSON.stringify({ id, from }))),
  };
}

Deno.test({
  name:
    "GroupBarrier: a member that did not answer in time is not waited for until it answers",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { publish, answer, barrier, link, members } = start();
    const first = publish();
    for (const name of ["me", "b"]) answer(name, first);
    clock.tick(11_999);
    assert.equal(first.isDone, false);
    clock.tick(1);
    assert.equal(first.isDone, true);

    const second = publish();
    answer("me", second);
    assert.equal(second.isDone, false, "the others are waited for");
    answer("b", second);
    assert.equal(second.isDone, true, "without a wait for the silent one");

    answer("a", first); // late
    const third = publish();
    for (const name of ["me", "b"]) answer(name, third);
    assert.equal(third.isDone, false, "it is waited for again");
    clock.tick(12_000);
    barrier.memberWorks(link, "a");
    const fourth = publish();
    for (const name of ["me", "b"]) answer(name, fourth);
    assert.equal(fourth.isDone, false, "the same after it has said so");
    clock.tick(12_000);

    members.delete("a");
    publish();
    members.add("a");
    const last = publish();
    for (const name of ["me", "b"]) answer(name, last);
    assert.equal(last.isDone, false, "the same if it was away meanwhile");
  },
});

Deno.test({
  name:
    "GroupBarrier: a marker with onTimeout waits for silent members, and fails if they do not answer",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { publish, answer, log } = start();
    const first = publish();
    for (const name of ["me", "b"]) answer(name, first);
    clock.tick(12_000); // "a" is silent from now on
    const lines = log.length;
    let timeOuts = 0;
    const strict = publish(() => timeOuts++);
    for (const name of ["me", "b"]) answer(name, strict);
    clock.tick(11_999);
    assert.deepEqual([strict.isDone, timeOuts], [false, 0]);
    clock.tick(1);
    assert.deepEqual([strict.isDone, timeOuts], [false, 1]);
    assert.equal(log.length, lines, "no request was answered early");
    const next = publish(() => timeOuts++);
    for (const name of ["me", "b", "a"]) answer(name, next);
    clock.tick(12_000);
    assert.deepEqual([next.isDone, timeOuts], [true, 1]);
  },
});

Deno.test({
  name:
    "GroupBarrier: if the own marker does not return, no member counts as silent",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { publish, answer } = start();
    publish();
    clock.tick(12_000);
    const second = publish();
    for (const name of ["me", "b"]) answer(name, second);
    assert.equal(second.isDone, false);
  },
});

Deno.test({
  name:
    "GroupBarrier: a marker is answered when the store works again, the last one of each member",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, answers, barrier, status } = start();
    status.storeProblem = new StoreError("Redis does not answer");
    ask("a", "run/1");
    ask("a", "run/2");
    for (let i = 0; i < 99; i++) ask(`made-up-${i}`, "x");
    await settled();
    barrier.storeWorks(); // it does not
    await settled();
    assert.deepEqual(answers(), []);
    status.storeProblem = undefined;
    barrier.storeWorks();
    await settled();
    const ids = answers().map((text) => JSON.parse(text).id);
    assert.deepEqual(ids, ["run/2"]);
    barrier.storeWorks();
    await settled();
    assert.equal(answers().length, 1, "once");
    status.storeProblem = new StoreError("Redis does not answer");
    ask("a", "run/3");
    for (let i = 0; i < 100; i++) ask(`made-up-${i}`, "x");
    await settled();
    status.storeProblem = undefined;
    barrier.storeWorks();
    await settled();
    assert.equal(answers().length, 1, "at most 100 wait");
  },
});

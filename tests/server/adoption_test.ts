/** Which server of a group takes the messages that wait for another one. */
import assert from "node:assert/strict";
import { encodeState, GroupTopics, Topics } from "../../src/protocol/mod.ts";
import { Adoption } from "../../src/server/group/adoption.ts";
import { GroupMembers } from "../../src/server/group/members.ts";
import type { AdoptedLink } from "../../src/server/group/sessions.ts";
import type { ServerState } from "../../src/protocol/mod.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import { StoreError } from "../../src/store/store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { fakeContext } from "./support.ts";

/** The session of a member, as the broker has it. */
class FakeSession extends FakeLink implements AdoptedLink {
  readonly sessionPresent = true;
  readonly unsubscribed: string[] = [];
  problem: Error | undefined;

  override async open(handlers: FakeLink["handlers"]): Promise<void> {
    if (this.problem !== undefined) throw this.problem;
    await super.open(handlers);
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    this.unsubscribed.push(...filters);
    return Promise.resolve();
  }
}

function start(clock: FakeClock) {
  const link = new FakeLink();
  const topics = new Topics();
  const group = new GroupTopics(topics, "hall");
  const journal = new FakeJournal();
  const log: string[] = [];
  const context = fakeContext({
    link,
    store: journal.open("me"),
    group,
    clock: () => clock.now,
    monotonic: () => clock.now,
  }, log);
  const opened: FakeSession[] = [];
  const names: string[] = [];
  let problem: Error | undefined;
  const dispatched: Incoming[] = [];
  const members: GroupMembers = new GroupMembers(context, group, {
    onOffline: (link) => adoption.schedule(link),
    onSucceeded: () => {},
    onWorks: () => {},
    onReplaced: () => {},
  });
  const adoption = new Adoption(context, group, {
    open: (_, name) => {
      const session = new FakeSession();
      session.problem = problem;
      opened.push(session);
      names.push(name);
      return session;
    },
    expiryMs: 300_000,
  }, { members, dispatch: (message) => dispatched.push(message) });
  return {
    context,
    journal,
    log,
    names,
    opened,
    dispatched,
    adoption,
    refuse: (error: Error) => problem = error,
    /** Passes time, in steps, with what happens meanwhile. */
    pass: async (ms: number) => {
      for (let left = ms; left > 0; left -= 500) {
        clock.tick(Math.min(left, 500));
        await settled();
      }
    },
    state: (name: string, state: Partial<ServerState>, retain = false) =>
      members.handle(incoming(
        group.state(name),
        encodeState({ state: "online", name, group: "hall", ...state }),
        { retain },
      )),
    /** Delivers the marker of a session, and what waits in it before. */
    drain: async (name: string, ...texts: readonly string[]) => {
      const session = opened.at(-1)!;
      for (const text of texts) {
        session.handlers.message(incoming(topics.data("a"), text));
      }
      const marker = session.published.at(-1)!;
      assert.equal(marker.topic, topics.marker(name));
      session.handlers.message(incoming(marker.topic, marker.payload));
      await settled();
      return dispatched.splice(0);
    },
  };
}

Deno.test({
  name:
    "Adoption: what waits for a server is taken also if no other one saw it go",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, names, drain, journal, context, log, adoption } =
      start(clock);
    // The broker was restarted and says so of both, one of which runs.
    const other = journal.open("other");
    state("other", {}, true);
    state("gone", { since: clock.now - 3_600_000 }, true);
    await pass(14_000);
    assert.deepEqual(names, [], "it may be about to start");
    await pass(4000);
    assert.deepEqual(names, ["gone"]);
    const [message] = await drain("gone", "1,2,3");
    assert.ok(
      context.clock.isUncertain(message!.session),
      "what waited has no certain time",
    );
    message!.session!.acknowledge([message!]);
    await settled();
    assert.ok(log.some((line) => /Took 1 message .* "gone"/.test(line)));
    state("gone", { state: "offline", successor: "me" });
    await pass(60_000);
    assert.deepEqual(names, ["gone"], "the other one is in the store's list");
    other.kill();
    await pass(18_000);
    assert.deepEqual(names, ["gone", "other"], "until it is not");
    await adoption.stop();
  },
});

Deno.test({
  name: "Adoption: a server whose store fails takes nothing, another one does",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, names, context, adoption } = start(clock);
    context.status.storeProblem = new StoreError("Redis does not answer");
    state("gone", { state: "offline" });
    await pass(30_000);
    assert.deepEqual(names, []);
    context.status.storeProblem = undefined;
    state("a", {}); // before "me" in the order of names
    await pass(4000);
    assert.deepEqual(names, []);
    state("a", { problem: "Redis does not answer" });
    await pass(4000);
    assert.deepEqual(names, ["gone"]);
    await pass(30_000);
    assert.deepEqual(names, ["gone"], "one session at a time");
    await adoption.stop();
  },
});

Deno.test({
  name:
    "Adoption: a broker that refuses the client id of another server is a warning",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, names, log, refuse, adoption } = start(clock);
    refuse(new Error("not authorized"));
    state("gone", { state: "offline" });
    await pass(3000);
    assert.match(
      log.join("\n"),
      /Cannot take the messages that wait for the server "gone" on fake: not authorized/,
    );
    await pass(30_000);
    assert.deepEqual(names, ["gone", "gone"], "tried again");
    assert.ok(!log.some((line) => /Took/.test(line)));
    await adoption.stop();
  },
});

Deno.test({
  name: "Adoption: a session that cannot be taken in a minute is a warning",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, log, opened, adoption } = start(clock);
    state("gone", { state: "offline" });
    await pass(3000);
    opened[0]!.handlers.message(incoming("occupancy/data", "1,2,3"));
    await pass(61_000);
    assert.match(log.join("\n"), /not all of them .* within 60 s/);
    assert.ok(!log.some((line) => /Took/.test(line)));
    await adoption.stop();
  },
});

Deno.test({
  name: "Adoption: no warning if the server is back",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, log, opened, adoption } = start(clock);
    state("gone", { state: "offline" });
    await pass(3000);
    opened[0]!.handlers.down!("another client uses the client id", true);
    state("gone", {});
    await pass(61_000);
    assert.deepEqual(log, []);
    await adoption.stop();
  },
});

Deno.test({
  name: "Adoption: made-up names are forgotten when they are not away any more",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, names, refuse, adoption } = start(clock);
    refuse(new Error("not authorized"));
    for (let i = 0; i < 300; i++) {
      state(`made-up-${i}`, { state: "offline" });
      await pass(3000);
      assert.equal(names.at(-1), `made-up-${i}`, "each is tried");
      assert.ok(adoption.waiting <= 1, `${adoption.waiting}`);
      // So that there is room for the next one.
      state(`made-up-${i}`, { state: "offline", successor: "x" });
    }
    for (let i = 0; i < 200; i++) state(`m${i}`, { state: "offline" });
    await pass(300_000);
    assert.ok(adoption.waiting > 0 && adoption.waiting <= 100);
    await adoption.stop();
  },
});

Deno.test({
  name: "Adoption: a server that was back meanwhile is tried at once",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { pass, state, names, refuse, adoption } = start(clock);
    refuse(new Error("not authorized"));
    state("gone", { state: "offline" });
    await pass(3000);
    state("gone", {});
    await pass(3000);
    state("gone", { state: "offline" });
    await pass(3000);
    assert.deepEqual(names, ["gone", "gone"], "not after 20 s");
    await adoption.stop();
  },
});

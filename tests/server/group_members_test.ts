/** Which servers of a group are connected, from what they publish. */
import assert from "node:assert/strict";
import { encodeState, GroupTopics, Topics } from "../../src/protocol/mod.ts";
import { GroupMembers } from "../../src/server/group/members.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { fakeContext, NOW } from "./support.ts";

function start() {
  const link = new FakeLink();
  const topics = new GroupTopics(new Topics(), "hall");
  const store = new FakeJournal().open("me");
  let now = NOW;
  const clock = () => now;
  const options = { link, store, group: topics, clock, monotonic: clock };
  const context = fakeContext(options);
  const events: string[] = [];
  const members = new GroupMembers(context, topics, {
    onOffline: () => events.push("offline"),
    onSucceeded: (_, name) => events.push(`succeeded ${name}`),
    onWorks: (_, name) => events.push(`works ${name}`),
    onReplaced: () => events.push("replaced"),
  });
  return {
    link,
    members,
    events,
    context,
    wait: (ms: number) => now += ms,
    state: (
      name: string,
      state: "online" | "offline",
      {
        retain = false,
        group = "hall",
        successor = undefined as
          | string
          | undefined,
      } = {},
    ) => {
      const content = { state, name, group, ...(successor && { successor }) };
      const payload = encodeState(content);
      members.handle(incoming(topics.state(name), payload, { retain }));
    },
    names: () => ({
      online: [...members.online(link)],
      involved: [...members.involved(link)],
      offline: members.offline(link).map(({ name }) => name),
    }),
  };
}

Deno.test({
  name: "GroupMembers: a request waits for those that went a short time ago",
  permissions: "none",
  fn: () => {
    const { state, names, events, wait } = start();
    state("a", "online");
    state("old", "online", { retain: true }); // not in the store's list
    state("b", "online", { group: "other" });
    assert.deepEqual(names(), {
      online: ["me", "a"],
      involved: ["me", "a"],
      offline: [],
    });
    state("a", "offline");
    assert.deepEqual(names(), {
      online: ["me"],
      involved: ["me", "a"],
      offline: ["a"],
    });
    wait(16_000);
    assert.deepEqual(names().involved, ["me"]);
    state("a", "offline", { successor: "me" });
    assert.deepEqual(names().offline, ["old"], "it has gone unseen");
    state("me", "offline");
    assert.deepEqual(events, [
      ...["works a", "offline", "offline", "succeeded a", "replaced"],
    ]);
  },
});

Deno.test({
  name:
    "GroupMembers: made-up members have a bound, names of the past do not count",
  permissions: "none",
  fn: () => {
    const { state, names, context } = start();
    for (let i = 0; i < 200; i++) {
      state(`past-${i}`, "offline", { successor: "x" });
    }
    for (let i = 0; i < 100; i++) state(`m${i}`, "online");
    assert.equal(names().online.length, 101);
    state("one-more", "online");
    assert.equal(names().online.length, 101);
    assert.equal(context.telemetry.stats.limited.of("group-members"), 1);
  },
});

Deno.test({
  name: "GroupMembers: a name that no server can have is not noted",
  permissions: "none",
  fn: () => {
    const { members, link, names } = start();
    for (const name of ["a/b", "+", "#"]) {
      const state = { state: "offline", name, group: "hall" } as const;
      const message = incoming("occupancy/server/state", encodeState(state));
      members.handleShared(state, message);
    }
    assert.deepEqual(names(), {
      online: ["me"],
      involved: ["me"],
      offline: [],
    });
    assert.deepEqual(link.published, []);
  },
});

import assert from "node:assert/strict";
import { Server } from "../../src/server/mod.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LinkError } from "../../src/mqtt/link.ts";
import { Presence } from "../../src/server/presence.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";
import { fakeContext, fakeOptions, NOW } from "./support.ts";

const STATE = "occupancy/server/state";

async function start() {
  const log: string[] = [];
  const options = fakeOptions(log);
  const server = new Server(options);
  await server.start();
  return { server, link: options.link, log };
}

Deno.test({
  name: "Server publishes online after each connect, and offline when it stops",
  permissions: "none",
  fn: async () => {
    const { server, link } = await start();
    link.handlers.down?.("gone");
    link.handlers.up?.();
    await server.stop();
    await server.stop();
    const states = link.published
      .filter(({ topic }) => topic === STATE);
    assert.deepEqual(
      states.map(({ payload }) =>
        JSON.parse(new TextDecoder().decode(payload)).state
      ),
      ["online", "online", "offline"],
    );
    for (const { options } of states) {
      assert.equal(options.retain, true);
      assert.equal(options.qos, 1);
    }
    assert.ok(link.closed);
  },
});

/** Passes states on to a server, as a broker that echoes its own. */
function states(link: FakeLink) {
  const receive = (payload: string, rest: Partial<Incoming> = {}) =>
    link.handlers.message(incoming(STATE, payload, rest));
  return {
    receive,
    publish: (state: string, name: string, rest: Partial<Incoming> = {}) =>
      receive(JSON.stringify({ state, name, version: "1" }), rest),
    /** The published states. */
    own: () => link.textsOn(STATE).map((text) => JSON.parse(text)),
  };
}

Deno.test({
  name:
    "Server warns of a peer server, and publishes its state again when that one stops",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { server, link, log } = await start();
    const { publish, own } = states(link);
    publish("online", "other");
    publish("online", "other");
    assert.equal(log.length, 1);
    assert.match(
      log[0]!,
      /^The server "other" runs under this topic prefix too/,
    );
    assert.equal(own().length, 2, "answered once, so that it warns too");
    publish("online", "old", { retain: true });
    assert.match(log.at(-1)!, /"old" may run under this topic prefix too/);
    publish("offline", "me", { retain: true }); // its own will, of an earlier run
    assert.equal(own().length, 2);
    clock.tick(1000);
    publish("offline", "other");
    assert.deepEqual([own()[2].state, own()[2].name], ["online", "me"]);
    assert.equal(log.length, 2);
    assert.equal(server.stats.messages, 0);
    await server.stop();
  },
});

Deno.test({
  name:
    "Server warns of another server with its own name, not of its own state",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { server, link, log } = await start();
    const { receive, own } = states(link);
    const { name, since } = own()[0];
    const earlier = JSON.stringify({ state: "online", name, since: since - 1 });
    receive(link.textsOn(STATE)[0]!); // its echo
    receive(earlier, { retain: true });
    assert.deepEqual(log, []);
    receive(earlier);
    receive(earlier);
    assert.equal(log.length, 1);
    assert.match(
      log[0]!,
      /^Another server with the name "me" runs under this topic prefix too: .*--name and --prefix/,
    );
    assert.equal(own().length, 2);
    clock.tick(1000);
    receive(JSON.stringify({ state: "offline", name }));
    assert.equal(own().length, 3, "replaces that of the other");
    await server.stop();
  },
});

for (
  const [what, payload] of [
    ["offline in its name", '{"state":"offline","name":"me"}'],
    ["offline without a name", '{"state":"offline"}'],
    ["an empty message", ""],
    ["what is no state", "nonsense"],
    ["a state of 1 MB", `{"state":"online","name":"${"n".repeat(1_000_000)}"}`],
  ] as const
) {
  Deno.test({
    name: `Server corrects its state after ${what}, at most once a second`,
    permissions: "none",
    fn: async () => {
      using clock = new FakeClock();
      const { server, link, log } = await start();
      const { receive, own } = states(link);
      for (let i = 0; i < 1000; i++) receive(payload);
      assert.equal(own().length, 2);
      const { limited } = server.stats;
      assert.equal(limited.of("server-state"), 999);
      clock.tick(1000);
      assert.equal(own().length, 3, "the last of them is corrected too");
      for (const text of link.textsOn(STATE)) receive(text); // its echoes
      clock.tick(10_000);
      assert.deepEqual(
        own().map(({ state }) => state),
        Array(3).fill("online"),
      );
      assert.ok(log.every((line) => /corrected/.test(line)));
      receive(payload);
      receive(payload);
      await server.stop();
      const last = own().at(-1);
      assert.equal(last.state, "offline", "not corrected after that");
      clock.tick(10_000);
      assert.deepEqual(own().at(-1), last);
    },
  });
}

Deno.test({
  name: "Server does not correct its state before it is connected",
  permissions: "none",
  fn: async () => {
    using _clock = new FakeClock();
    const { server, link, log } = await start();
    const { publish, own } = states(link);
    link.handlers.down?.("gone");
    log.length = 0;
    // The will of the lost connection, to a session that is resumed.
    publish("offline", "me");
    assert.equal(own().length, 1);
    assert.deepEqual(log, []);
    link.handlers.up?.();
    assert.equal(own().length, 2);
    await server.stop();
  },
});

Deno.test({
  name:
    "Server remembers at most 100 peer servers, and answers at most one a second",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { server, link, log } = await start();
    const { publish, own } = states(link);
    for (let i = 0; i < 20_000; i++) publish("online", `peer ${i}`);
    assert.equal(own().length, 2);
    clock.tick(60_000);
    assert.equal(own().length, 3);
    log.length = 0;
    publish("online", "peer 19900");
    assert.deepEqual(log, [], "known");
    publish("online", "peer 0");
    assert.equal(
      log.length,
      1,
      "forgotten, so that a later server is seen too",
    );
    await server.stop();
  },
});

Deno.test({
  name: "a state of the server that the broker refuses is published again",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const link = new FakeLink({ manual: true });
    const context = fakeContext({ link });
    context.status.link = { up: true, since: NOW, problem: undefined };
    const presence = new Presence(context);
    void presence.announce("online");
    link.published[0]!.settle(new LinkError("refused", "Quota exceeded"));
    await settled();
    clock.tick(9999);
    assert.equal(link.published.length, 1);
    clock.tick(1);
    assert.equal(link.published.length, 2);
    link.published[1]!.settle(new LinkError("closed", "Lost"));
    await settled();
    clock.tick(60_000);
    assert.equal(link.published.length, 2, "the next connect publishes it");
    presence.close();
    assert.equal(clock.pending, 0);
  },
});

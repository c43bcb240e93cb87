import assert from "node:assert/strict";
import { Server } from "../../src/server/mod.ts";
import { incoming } from "../support/fake_link.ts";
import { until } from "../support/until.ts";
import { fakeOptions } from "./support.ts";

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

Deno.test({
  name:
    "Server warns of a peer server, and publishes its state again when that one stops",
  permissions: "none",
  fn: async () => {
    const { server, link, log } = await start();
    const publish = (state: string, name: string) =>
      link.handlers.message(
        incoming(STATE, JSON.stringify({ state, name, version: "1" })),
      );
    const states = () => link.textsOn(STATE).map((text) => JSON.parse(text));
    publish("online", "me"); // its own state
    publish("online", "other");
    publish("online", "other");
    assert.equal(
      log.filter((line) =>
        /"other" runs under this topic prefix too/.test(line)
      ).length,
      1,
    );
    assert.equal(states().length, 2, "answered once, so that it warns too");
    link.handlers.message(
      incoming(STATE, '{"state":"online","name":"old"}', { retain: true }),
    );
    assert.match(log.at(-1)!, /"old" may run under this topic prefix too/);
    publish("offline", "me"); // its own will, of an earlier run
    assert.equal(states().length, 2);
    publish("offline", "other");
    await until(() => states().length === 3);
    assert.deepEqual(
      [states()[2].state, states()[2].name],
      ["online", "me"],
    );
    link.handlers.message(incoming(STATE, "nonsense"));
    assert.equal(link.acknowledged.length, 7);
    assert.equal(server.stats.messages, 0);
    await server.stop();
  },
});

Deno.test({
  name:
    "Server warns of another server with its own name, not of its own state",
  permissions: "none",
  fn: async () => {
    const { server, link, log } = await start();
    const [own] = link.textsOn(STATE);
    const { name, since } = JSON.parse(own!);
    const earlier = JSON.stringify({ state: "online", name, since: since - 1 });
    link.handlers.message(incoming(STATE, own!)); // its echo
    link.handlers.message(incoming(STATE, earlier, { retain: true }));
    assert.deepEqual(log, []);
    link.handlers.message(incoming(STATE, earlier));
    link.handlers.message(incoming(STATE, earlier));
    assert.equal(log.length, 1);
    assert.match(
      log[0]!,
      /^Another server with the name "me" runs under this topic prefix too: .*--name and --prefix/,
    );
    assert.equal(link.textsOn(STATE).length, 2);
    const offline = JSON.stringify({ state: "offline", name });
    link.handlers.message(incoming(STATE, offline));
    link.handlers.message(incoming(STATE, offline));
    assert.equal(link.textsOn(STATE).length, 3, "replaces that of the other");
    await server.stop();
  },
});

Deno.test({
  name: "Server remembers at most 100 peer servers",
  permissions: "none",
  fn: async () => {
    const { server, link, log } = await start();
    for (let i = 0; i < 1000; i++) {
      const state = JSON.stringify({ state: "online", name: `peer ${i}` });
      link.handlers.message(incoming(STATE, state));
    }
    assert.equal(log.length, 100);
    assert.equal(link.textsOn(STATE).length, 101);
    await server.stop();
  },
});

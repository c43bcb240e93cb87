/** The server over a link that the test plays: the steps and their order. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Server, serverSubscriptions } from "../../src/server/mod.ts";
import { type Entry, type Store, StoreError } from "../../src/store/store.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { until } from "../support/until.ts";

const NOW = 1_760_000_000_000;
const DATA = "occupancy/data";
const REQUEST = "occupancy/request";
const RESPONSE = "occupancy/response";

/** A store that tells when it commits, and fails when it is told to. */
class SpyStore extends MemoryStore implements Store {
  failing = false;
  readonly #note: (what: string) => void;

  constructor(note: (what: string) => void) {
    super();
    this.#note = note;
  }

  override commit(entries: readonly Entry[] = []): void {
    const readings = entries.map((entry) =>
      entry.kind === "apply" ? entry.readings.length : 0
    ).reduce((sum, count) => sum + count, 0);
    if (readings === 0) return;
    if (this.failing) throw new StoreError("The disk is full");
    this.#note(`commit ${readings}`);
  }
}

/** A link that tells what is acknowledged and published. */
class SpyLink extends FakeLink {
  constructor(readonly note: (what: string) => void) {
    super();
  }

  override acknowledge(messages: readonly Incoming[]): void {
    super.acknowledge(messages);
    if (messages.length > 0) this.note(`acknowledge ${messages.length}`);
  }

  override publish(...args: Parameters<FakeLink["publish"]>): Promise<void> {
    this.note(`publish ${args[0]}`);
    return super.publish(...args);
  }
}

async function start(options: { maxLayers?: number } = {}) {
  const steps: string[] = [];
  const log: string[] = [];
  const note = (what: string) => void steps.push(what);
  const link = new SpyLink(note);
  const store = new SpyStore(note);
  const map = new OccupancyMap({ maxSkew: 60_000 });
  const server = new Server({
    link,
    store,
    map,
    topics: new Topics(),
    name: "me",
    version: "1.2.3",
    log: { info: (line) => log.push(line), warn: (line) => log.push(line) },
    clock: () => NOW,
    ...options,
  });
  await server.start();
  steps.length = 0;
  return {
    steps,
    log,
    link,
    store,
    map,
    server,
    take: (...args: Parameters<typeof incoming>) =>
      link.handlers.message(incoming(...args)),
    /** Waits for so many messages on a topic; returns them, parsed. */
    replies: async (count: number, topic = RESPONSE) => {
      await until(() => link.textsOn(topic).length >= count, {
        what: `${count} on ${topic}`,
      });
      return link.textsOn(topic).map((text) => JSON.parse(text));
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

Deno.test({
  name:
    "Server commits what arrived together once, then acknowledges, then answers",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    it.take(DATA, "1,2,1");
    it.take(DATA, "nonsense");
    it.take(REQUEST, "{}");
    it.take(`${DATA}/l2`, "3,4,1\n5,6,0");
    assert.deepEqual(it.steps, [], "nothing before all has arrived");
    const [reply] = await it.replies(1);
    assert.deepEqual(it.steps.filter((step) => !/errors|changes/.test(step)), [
      "commit 3",
      "acknowledge 4",
      `publish ${RESPONSE}`,
    ]);
    assert.deepEqual(reply.cells, [[1, 2, 1, NOW]]);
    assert.equal(it.map.layer("l2")?.size, 2);
    const { messages, accepted, changed, requests, refused } = it.server.stats;
    assert.deepEqual(
      [messages, accepted, changed, requests, refused.get("bad-fields")],
      [3, 3, 3, 1, 1],
    );
  },
});

Deno.test({
  name: "Server acknowledges nothing that the store has not kept",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    it.store.failing = true;
    it.take(DATA, "1,2,1");
    await until(() => it.log.some((line) => /The disk is full/.test(line)));
    it.take(DATA, "3,4,1");
    it.take(REQUEST, "{}");
    const [reply] = await it.replies(1);
    assert.equal(reply.error.code, "store-failing");
    assert.equal(it.link.acknowledged.length, 0);
    assert.equal(it.map.size, 0);
    it.store.failing = false;
    await until(() => it.link.acknowledged.length === 3);
    assert.equal(it.map.size, 2);
    const commits = it.steps.filter((step) => /commit|ack/.test(step));
    assert.deepEqual(commits, [
      "commit 1",
      "acknowledge 1",
      "commit 1",
      "acknowledge 2",
    ]);
  },
});

Deno.test({
  name: "Server stops cleanly while its store fails",
  permissions: "none",
  fn: async () => {
    const it = await start();
    it.store.failing = true;
    it.take(DATA, "1,2,1");
    await until(() => it.log.some((line) => /The disk is full/.test(line)));
    await it.server.stop();
    assert.equal(it.link.acknowledged.length, 0);
    assert.ok(it.link.closed);
  },
});

Deno.test({
  name: "Server takes the MQTT 5 Content Type for the form of readings",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    const cases: [contentType: string, payload: string][] = [
      ["text/csv", '{"x":1,"y":1,"value":1}'], // bad-fields or bad-x
      ["application/json", "1,1,1"], // bad-json
      ["application/json", "5"], // bad-form
      ["image/png", "1,1,1"], // none that we know: the first byte decides
      ["text/csv; charset=utf-8", "2,2,1"],
      ["Application/JSON", '{"x":3,"y":3,"value":1}'],
      ["", "4,4,1"],
    ];
    for (const [contentType, payload] of cases) {
      it.take(DATA, payload, { contentType });
    }
    await until(() => it.link.acknowledged.length === cases.length);
    assert.equal(it.map.size, 4);
    const refused = [...it.server.stats.refused.values()];
    assert.equal(refused.reduce((sum, count) => sum + count, 0), 3);
  },
});

Deno.test({
  name: "Server answers where Response Topic says, and echoes Correlation Data",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    const correlationData = Uint8Array.of(0, 255, 1);
    it.take(REQUEST, '{"transaction":7,"replyTo":"occupancy/response/other"}', {
      responseTopic: `${RESPONSE}/mine`,
      correlationData,
    });
    const [reply] = await it.replies(1, `${RESPONSE}/mine`);
    assert.equal(reply.transaction, 7);
    const { options } = it.link.published.at(-1)!;
    assert.deepEqual(options.correlationData, correlationData);
    assert.equal(options.contentType, "application/json");

    it.take(REQUEST, '{"format":"csv"}', {
      responseTopic: `${RESPONSE}/mine`,
      correlationData,
    });
    await until(() =>
      it.link.published.at(-1)!.options.contentType === "text/csv"
    );

    it.take(REQUEST, "get data", {
      responseTopic: `${RESPONSE}/mine`,
      correlationData,
    });
    await until(() => it.link.textsOn(`${RESPONSE}/mine`).length === 3);
    assert.equal(it.link.textsOn(`${RESPONSE}/mine`)[2], "{}");
    assert.deepEqual(
      it.link.published.at(-1)!.options.correlationData,
      correlationData,
    );
  },
});

Deno.test({
  name: "Server never publishes where a stranger points it",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    const topics = [
      "",
      "#",
      "elsewhere",
      "occupancy",
      "occupancy/data",
      "occupancy/request",
      "occupancy/server/state",
      "occupancy/responses",
      "occupancy/response/",
      "occupancy/response/#",
      "occupancy/response/+",
      "occupancy/response/a/#",
      "occupancy/response//a",
      "occupancy/response/a\0",
      "$SYS/broker",
      `occupancy/response/${"r".repeat(1000)}`,
    ];
    for (const responseTopic of topics) {
      it.take(REQUEST, "{}", {
        responseTopic,
        correlationData: Uint8Array.of(9),
      });
      it.take(REQUEST, JSON.stringify({ replyTo: responseTopic }));
    }
    const replies = await it.replies(2 * topics.length);
    for (const reply of replies) {
      assert.equal(reply.error.code, "bad-reply-topic");
    }
    const where = new Set(it.link.published.map(({ topic }) => topic));
    assert.deepEqual([...where].sort(), [
      "occupancy/errors",
      RESPONSE,
      "occupancy/server/state",
    ]);
  },
});

Deno.test({
  name: "Server answers a request at QoS 0 once its marker is back",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    const marker = serverSubscriptions(new Topics(), "me")[2]!;
    it.take(REQUEST, "{}", { qos: 0 });
    await until(() => it.link.textsOn(marker).length === 1);
    it.take(DATA, "1,2,1"); // the broker had held it back
    it.take(marker, it.link.textsOn(marker)[0]!);
    const [reply] = await it.replies(1);
    assert.deepEqual(reply.cells, [[1, 2, 1, NOW]]);
  },
});

Deno.test({
  name:
    "Server says that it is online each time it is up, and offline when it ends",
  permissions: "none",
  fn: async () => {
    const it = await start();
    it.link.handlers.down?.("gone");
    it.link.handlers.up?.();
    await it.server.stop();
    await it.server.stop();
    const states = it.link.published
      .filter(({ topic }) => topic === "occupancy/server/state");
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
    assert.ok(it.link.closed);
  },
});

Deno.test({
  name: "Server finishes what has arrived before it ends",
  permissions: "none",
  fn: async () => {
    const it = await start();
    it.take(DATA, "1,2,1");
    it.take(REQUEST, "{}");
    await it.server.stop();
    const [reply] = it.link.textsOn(RESPONSE).map((text) => JSON.parse(text));
    assert.deepEqual(reply.cells, [[1, 2, 1, NOW]]);
    assert.equal(it.link.acknowledged.length, 2);
    const last = it.link.published.at(-1)!;
    assert.equal(last.topic, "occupancy/server/state", "the farewell is last");
  },
});

Deno.test({
  name: "Server keeps replies to what the broker takes, or says that it cannot",
  permissions: "none",
  fn: async () => {
    const { server, link } = await start();
    const rows = Array.from({ length: 2000 }, (_, i) => `${i},0,1`).join("\n");
    link.handlers.message(incoming(DATA, rows));
    const ask = async (request: string, room: number) => {
      const before = link.textsOn(RESPONSE).length;
      link.maxPayload = () => room;
      link.handlers.message(incoming(REQUEST, request));
      await until(() => link.textsOn(RESPONSE).length > before);
      return link.textsOn(RESPONSE).slice(before);
    };
    const parts = await ask('{"maxBytes":1000000}', 2000);
    assert.ok(parts.length > 10);
    assert.ok(parts.every((part) => part.length <= 2000));

    const [refused] = await ask('{"transaction":7,"format":"original"}', 2000);
    const { status, transaction, error } = JSON.parse(refused!);
    assert.deepEqual([status, transaction], ["error", 7]);
    assert.equal(error.code, "too-large");
    assert.match((await ask('{"format":"json"}', 100))[0]!, /"too-large"/);

    // The original scripts would take an error for a map: they get nothing.
    const before = link.textsOn(RESPONSE).length;
    link.maxPayload = () => 2000;
    link.handlers.message(incoming(REQUEST, "get data"));
    await until(() => server.stats.refused.get("too-large") === 3);
    assert.equal(link.textsOn(RESPONSE).length, before);
    await server.stop();
  },
});

Deno.test({
  name:
    "Server refuses a layer too many, and keeps taking readings of the others",
  permissions: "none",
  fn: async () => {
    const { server, link, map } = await start({ maxLayers: 2 });
    const send = (layer: string) =>
      link.handlers.message(incoming(`${DATA}/${layer}`, "1,2,1"));
    for (const layer of ["a", "b", "c", "a"]) send(layer); // in one group
    await until(() => link.acknowledged.length === 4);
    for (const layer of ["d", "b"]) send(layer);
    await until(() => link.acknowledged.length === 6);
    assert.deepEqual([...map.layers()].map(([name]) => name), ["a", "b"]);
    assert.equal(server.stats.refused.get("too-many-layers"), 2);
    const posted = await server.submit("e", new TextEncoder().encode("1,2,1"));
    assert.equal(posted.outcome, "invalid");
    assert.equal(server.stats.refused.get("too-many-layers"), 3);
    assert.match(link.textsOn("occupancy/errors")[0]!, /too-many-layers/);
    await server.stop();
  },
});

Deno.test({
  name:
    "Server warns of another under its prefix, and says that it is there when that one ends",
  permissions: "none",
  fn: async () => {
    const { server, link, log } = await start();
    const STATE = "occupancy/server/state";
    const say = (state: string, name: string) =>
      link.handlers.message(
        incoming(STATE, JSON.stringify({ state, name, version: "1" })),
      );
    const told = () => link.textsOn(STATE).map((text) => JSON.parse(text));
    say("online", "me"); // its own word
    say("online", "other");
    say("online", "other");
    assert.equal(
      log.filter((line) => /"other" has come, and answers/.test(line)).length,
      1,
    );
    assert.equal(told().length, 1);
    link.handlers.message(
      incoming(STATE, '{"state":"online","name":"old"}', { retain: true }),
    );
    assert.match(log.at(-1)!, /"old" has not said that it ended: if it still/);
    say("offline", "me"); // its own will, of a life before
    assert.equal(told().length, 1);
    say("offline", "other");
    await until(() => told().length === 2);
    assert.deepEqual(
      [told()[1].state, told()[1].name],
      ["online", "me"],
    );
    link.handlers.message(incoming(STATE, "nonsense"));
    assert.equal(link.acknowledged.length, 7);
    assert.equal(server.stats.messages, 0);
    await server.stop();
  },
});

Deno.test({
  name: "Server counts late readings and those from the future",
  permissions: "none",
  fn: async () => {
    await using it = await start();
    it.take(DATA, `1,2,1,${NOW}`);
    it.take(
      DATA,
      `1,2,0,${NOW - 1}\n3,4,1,${NOW + 60_001}\n5,6,1,${NOW + 60_000}`,
    );
    await until(() => it.link.acknowledged.length === 2);
    const { refused, accepted } = it.server.stats;
    assert.deepEqual([...refused].sort(), [["future", 1], ["late", 1]]);
    assert.equal(accepted, 2);
    const reports = await it.replies(2, "occupancy/errors");
    assert.deepEqual(reports.map(({ code }) => code).sort(), [
      "future",
      "late",
    ]);
  },
});

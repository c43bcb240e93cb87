/** Servers that share a store: one order, acknowledgements, failures. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { Pipeline } from "../../src/server/pipeline.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import {
  FakeJournal,
  type FakeSharedStore,
} from "../support/fake_shared_store.ts";
import { until } from "../support/until.ts";
import { assertSameMap } from "../store/support.ts";
import { fakeContext, fakeOptions, NOW } from "./support.ts";

const SHARDS = 4;
const decoder = new TextDecoder();

/** A server, and what belongs to it alone. */
interface Member extends AsyncDisposable {
  readonly server: Server;
  readonly link: FakeLink;
  readonly store: FakeSharedStore;
  readonly map: OccupancyMap;
  readonly log: string[];
}

async function join(
  journal: FakeJournal,
  name: string,
  options: {
    clock?: () => number;
    staleAfter?: number;
    /** Called with the store before the start. */
    prepare?: (store: FakeSharedStore) => void;
  } = {},
): Promise<Member> {
  const { clock = () => NOW, staleAfter = Infinity, prepare } = options;
  const log: string[] = [];
  const link = new FakeLink();
  const store = journal.open(name);
  prepare?.(store);
  const map = new OccupancyMap({ staleAfter, maxSkew: 60_000 }, {
    shards: SHARDS,
  });
  const own = { link, store, map, name, clock };
  const server = new Server({ ...fakeOptions(log), ...own });
  await server.start();
  return {
    ...{ server, link, store, map, log },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const reading = (text: string, layer = "default") =>
  incoming(
    layer === "default" ? "occupancy/data" : `occupancy/data/${layer}`,
    text,
  );

/** Returns the replies of a member, parsed. */
function repliesOf({ link }: Member): { cells: unknown[]; revision: number }[] {
  return link.published.filter(({ topic }) => topic === "occupancy/response/r")
    .map(({ payload }) => JSON.parse(decoder.decode(payload)));
}

const topicsOf = (messages: readonly { topic: string }[]) =>
  messages.map(({ topic }) => topic);

const submit = ({ server }: Member, text: string) =>
  server.submit("default", new TextEncoder().encode(text));

const REQUEST = JSON.stringify({ replyTo: "occupancy/response/r" });

Deno.test({
  name: "servers that share a store have the same cells and revisions",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    await using b = await join(journal, "b");
    const members = [a, b];
    const layers = ["default", "l1", "l2", "hall/3"];
    let sent = 0;
    for (let round = 0; round < 50; round++) {
      for (const [i, { link }] of members.entries()) {
        const layer = layers[(round + i) % layers.length]!;
        link.handlers.message(
          reading(`${round % 7},${i},${round}\n${round % 3},9,${i}`, layer),
        );
        sent++;
      }
      if (round % 5 === 0) await new Promise((next) => setTimeout(next));
    }
    await until(() =>
      a.link.acknowledged.length + b.link.acknowledged.length === sent
    );
    await until(() => a.store.lag.entries + b.store.lag.entries === 0);
    assertSameMap(b.map, a.map);
    assert.ok(a.map.revision > 10); // it depends on the size of groups
    // A server that joins later has them too.
    await using c = await join(journal, "c");
    assertSameMap(c.map, a.map);
  },
});

Deno.test({
  name:
    "a message is acknowledged only after its commit came back; a request has what other servers committed before",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    await using b = await join(journal, "b");
    a.store.frozen = true;
    a.link.handlers.message(reading("1,1,1"));
    b.link.handlers.message(reading("2,2,1"));
    await until(() => b.link.acknowledged.length === 1);
    await until(() => b.store.lag.entries === 0);
    assert.equal(a.link.acknowledged.length, 0);
    a.link.handlers.message(incoming("occupancy/request", REQUEST));
    assert.equal(repliesOf(a).length, 0);
    a.store.frozen = false;
    await until(() => repliesOf(a).length === 1);
    assert.equal(a.link.acknowledged.length, 2);
    assert.equal(repliesOf(a)[0]!.cells.length, 2);
  },
});

Deno.test({
  name:
    "while a shared store fails, no reading is acknowledged, requests are answered and acknowledged, and submissions fail; then it goes on",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    a.store.failing = true;
    a.link.handlers.message(reading("1,1,1"));
    assert.equal((await submit(a, "3,3,1")).outcome, "unavailable");
    assert.equal(a.server.refresh(), undefined);
    assert.equal(await a.server.deleteLayer("default"), "store-failing");
    a.link.handlers.message(incoming("occupancy/request", REQUEST));
    await until(() => repliesOf(a).length === 1);
    // Otherwise another server would answer it too, if this one died.
    assert.deepEqual(topicsOf(a.link.acknowledged), ["occupancy/request"]);
    assert.equal(a.server.storeProblem, "Redis does not answer");
    a.store.failing = false;
    await until(() => a.link.acknowledged.length === 2);
    assert.equal(a.server.storeProblem, undefined);
    assert.equal(a.map.size, 1);
    a.link.handlers.message(reading("2,2,1"));
    await until(() => a.map.size === 2);
    assert.equal(repliesOf(a).length, 1);
  },
});

Deno.test({
  name:
    "requests at QoS 1 take no memory while a shared store fails: they are acknowledged at once",
  permissions: "none",
  fn: async () => {
    const store = new FakeJournal({ shards: SHARDS }).open("a");
    const link = new FakeLink();
    const map = new OccupancyMap({}, { shards: SHARDS });
    const requests: unknown[] = [];
    const pipeline = new Pipeline(
      fakeContext({ store, link, map }),
      { addReadings: () => {} },
      {
        onReceive: () => {},
        onRequest: (request) => requests.push(request),
        onLayerGone: () => {},
        onApplied: () => {},
        onReloaded: () => {},
        onStoreProblem: () => {},
      },
    );
    store.load(map);
    pipeline.follow();
    store.failing = true;
    const request = incoming("occupancy/request", "{}");
    assert.equal(request.qos, 1);
    pipeline.push(request);
    assert.equal(pipeline.isBusy, false);
    assert.deepEqual(requests, [request]);
    assert.deepEqual(link.acknowledged, [request]);
    store.failing = false;
    const message = reading("1,1,1");
    pipeline.push(message);
    await until(() => link.acknowledged.length === 2);
    assert.deepEqual(link.acknowledged, [request, message]);
    assert.equal(requests.length, 1);
    pipeline.stop();
    await store.close();
  },
});

Deno.test({
  name: "a commit that waits when the store fails is acknowledged afterwards",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    a.store.frozen = true;
    a.link.handlers.message(reading("1,1,1"));
    a.link.handlers.message(incoming("occupancy/request", REQUEST));
    const submitted = submit(a, "3,3,1");
    await until(() => journal.items.flat().length > 0);
    a.store.failing = true;
    const result = await submitted;
    assert.ok(result.outcome === "unavailable");
    assert.match(result.message, /; these readings may be stored all the same/);
    await until(() => repliesOf(a).length === 1);
    assert.deepEqual(topicsOf(a.link.acknowledged), ["occupancy/request"]);
    a.store.frozen = a.store.failing = false;
    await until(() => a.link.acknowledged.length === 2);
    // Each once: the broker may give its packet identifier to another message.
    assert.deepEqual(topicsOf(a.link.acknowledged), [
      "occupancy/request",
      "occupancy/data",
    ]);
    assert.equal(repliesOf(a).length, 1);
  },
});

Deno.test({
  name:
    "what is being read when a shared store fails does not wait: requests are answered, submissions fail",
  permissions: "none",
  fn: async () => {
    // At each call of the clock until the commit: also while a group is read.
    let outcome = "unavailable";
    for (let call = 1; outcome === "unavailable"; call++) {
      const journal = new FakeJournal({ shards: SHARDS });
      let left = Infinity;
      await using a: Member = await join(journal, "a", {
        clock: () => {
          if (--left === 0) a.store.failing = true;
          return NOW;
        },
      });
      a.link.handlers.message(reading("1,1,1"));
      a.link.handlers.message(incoming("occupancy/request", REQUEST));
      const submitted = submit(a, "3,3,1");
      left = call;
      ({ outcome } = await submitted);
      await until(() => repliesOf(a).length === 1);
      if (outcome === "unavailable") {
        assert.deepEqual(topicsOf(a.link.acknowledged), ["occupancy/request"]);
      } else assert.ok(call > 2);
      a.store.failing = false;
      await until(() => a.link.acknowledged.length === 2);
      assert.equal(a.map.layer("default")?.get(1, 1)?.value, 1);
      assert.equal(repliesOf(a).length, 1);
    }
    assert.equal(outcome, "committed");
  },
});

Deno.test({
  name: "a server starts while its shared store fails, and waits for it",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    const { ageing } = a.map;
    await a.store.commit([
      { kind: "configure", now: NOW, ageing: { ...ageing, staleAfter: 5 } },
    ]);
    let store: FakeSharedStore | undefined;
    const joining = join(journal, "b", {
      prepare: (own) => (store = own).failing = true,
    });
    let isStarted = false;
    joining.then(() => isStarted = true, () => {}); // if an assertion fails
    await until(() => store !== undefined);
    await new Promise((next) => setTimeout(next));
    assert.equal(isStarted, false);
    store!.failing = false;
    await using b = await joining;
    await until(() => a.store.lag.entries === 0);
    for (const { map } of [a, b]) {
      for (const shard of map.shards) assert.deepEqual(shard.ageing, ageing);
    }
  },
});

Deno.test({
  name:
    "a request from the session of another server is not answered when that server has it again",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    a.store.frozen = true;
    a.link.handlers.message(reading("1,1,1"));
    const session = { isLost: false, acknowledge: () => {} };
    a.link.handlers.message({
      ...incoming("occupancy/request", REQUEST),
      session,
    });
    a.link.handlers.message(incoming("occupancy/request", REQUEST));
    await until(() => journal.items.flat().length > 0);
    session.isLost = true;
    a.store.frozen = false;
    await until(() => repliesOf(a).length > 0);
    await a.server.stop();
    assert.equal(repliesOf(a).length, 1);
  },
});

Deno.test({
  name:
    "readings from the session of another server are left to it when it has it again",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    a.link.handlers.message(reading("1,1,1"));
    await until(() => a.map.layer("default")?.get(1, 1) !== undefined);
    const session = { isLost: true, acknowledge: () => {} };
    // They may be older than the one that the map has; small and large.
    for (const text of ["1,1,5", "1,1,6\n".repeat(100_000)]) {
      a.link.handlers.message({ ...reading(text), session });
    }
    a.link.handlers.message({
      ...reading("3,3,3"),
      session: { ...session, isLost: false },
    });
    a.link.handlers.message(reading("2,2,2"));
    await until(() => a.map.layer("default")?.get(2, 2) !== undefined);
    assert.equal(a.map.layer("default")!.get(1, 1)!.value, 1);
    assert.equal(a.map.layer("default")!.get(3, 3)!.value, 3);
    await a.server.stop();
  },
});

Deno.test({
  name: "cells become stale alike on servers whose clocks differ a little",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    let now = NOW;
    await using a = await join(journal, "a", {
      clock: () => now,
      staleAfter: 1000,
    });
    await using b = await join(journal, "b", {
      clock: () => now - 40,
      staleAfter: 1000,
    });
    a.link.handlers.message(reading("1,1,1"));
    await until(() => b.map.size === 1);
    assert.notEqual(b.server.refresh(), undefined);
    const items = journal.items.flat().length;
    b.server.refresh();
    now += 2000;
    b.server.refresh();
    await until(() => journal.items.flat().length > items);
    await until(() => a.map.layer("default")!.counts().stale === 1);
    await until(() => a.store.lag.entries + b.store.lag.entries === 0);
    assertSameMap(b.map, a.map);
    // Nothing is due any more: no further entries.
    const after = journal.items.flat().length;
    a.server.refresh();
    b.server.refresh();
    await new Promise((next) => setTimeout(next));
    assert.equal(journal.items.flat().length, after);
  },
});

Deno.test({
  name: "what is known of layers ends with them when a shard was loaded anew",
  permissions: "none",
  fn: async () => {
    const journal = new FakeJournal({ shards: SHARDS });
    await using a = await join(journal, "a");
    const { server, store, map } = a;
    const sent = new TextEncoder().encode("1,1,1");
    for (const layer of ["gone", "kept"]) await server.submit(layer, sent);
    assert.notEqual(map.shardOf("gone"), map.shardOf("kept"));
    let changes = 0;
    server.telemetry.observe(() => changes++);
    store.reload(map.shardOf("gone"), map.emptyShard());
    assert.deepEqual([...server.stats.changedByLayer.keys()], ["kept"]);
    assert.ok(changes > 0, "observers are called");
    store.reload(map.shardOf("kept"), map.shards[map.shardOf("kept")]!);
    assert.deepEqual([...server.stats.changedByLayer.keys()], ["kept"]);
  },
});

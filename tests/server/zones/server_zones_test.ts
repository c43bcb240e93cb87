/** Zones of a server: states, events, edits, restarts. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import type { SqliteStore } from "../../../src/store/sqlite.ts";
import type { Store } from "../../../src/store/store.ts";
import { StagedTestRecords } from "../../broker/sessions/staged_records.ts";
import { needs } from "../../support/needs.ts";
import { Server } from "../../../src/server/mod.ts";
import { FakeLink, incoming } from "../../support/fake_link.ts";
import { FakeStore } from "../../support/fake_store.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { fakeOptions } from "../support.ts";
import {
  NOW,
  squareFeature,
  squares,
  startZones,
  untilPublished,
} from "./support.ts";

const LOBBY = "occupancy/zone/lobby";

async function storeAt(path: string): Promise<SqliteStore> {
  const { SqliteStore } = await import("../../../src/store/sqlite.ts");
  return new SqliteStore({ path });
}

Deno.test({
  name: "a state is published when it changes, retained, and then its event",
  permissions: "none",
  fn: async () => {
    await using system = await startZones();
    const { server, link } = system;
    const [lobby] = await squares(["lobby", [0, 0, 4], { capacity: 4 }]);
    const result = await server.zones.edit({ kind: "set", zone: lobby! });
    assert.ok(typeof result === "object");
    assert.deepEqual(
      [result.added, result.changed, result.deleted],
      [1, 0, 0],
    );
    await untilPublished(link, LOBBY, 1);
    assert.equal(system.published("lobby")?.occupied, null);
    await system.send("0,0,0\n1,1,0\n4,4,9");
    await until(() => system.published("lobby")?.occupied === false);
    await system.send("1,1,3");
    await until(() => system.published("lobby")?.occupied === true);
    assert.deepEqual(system.published("lobby"), {
      ...{ zone: "lobby", title: "lobby", layer: "default" },
      ...{ occupied: true, count: 3, certain: true, capacity: 4, percent: 75 },
      ...{ cells: 2, occupiedCells: 1, staleCells: 0, unknownCells: 0 },
      ...{
        since: NOW,
        time: NOW,
        revision: server.zones.state("lobby")?.revision,
      },
    });
    const state = link.published.find(({ topic }) => topic === LOBBY);
    assert.deepEqual([state?.options.retain, state?.options.qos], [true, 1]);
    await until(() => system.events("lobby").length === 2);
    assert.deepEqual(system.events("lobby"), ["cleared", "occupied"]);
    const event = link.published.find(({ topic }) =>
      topic === `${LOBBY}/event`
    );
    assert.deepEqual([event?.options.retain, event?.options.qos], [
      undefined,
      1,
    ]);
    const topics = link.published.map(({ topic }) => topic)
      .filter((topic) => topic.startsWith(LOBBY));
    assert.deepEqual(topics, [
      LOBBY,
      ...[LOBBY, `${LOBBY}/event`],
      ...[LOBBY, `${LOBBY}/event`],
    ]);
  },
});

Deno.test({
  name: "an edit is done only if the zones are as expected",
  permissions: "none",
  fn: async () => {
    await using system = await startZones();
    const { zones } = system.server;
    const [a, b] = await squares(["a", [0, 0, 2]], ["b", [2, 0, 2]]);
    const { version } = zones;
    const first = await zones.edit(
      { kind: "set", zone: a! },
      () => zones.version === version,
    );
    assert.ok(typeof first === "object" && first.version !== version);
    assert.equal(
      await zones.edit(
        { kind: "set", zone: b! },
        () => zones.version === version,
      ),
      "changed",
    );
    assert.deepEqual([...zones.definitions.keys()], ["a"]);
    assert.equal(await zones.edit({ kind: "delete", name: "b" }), "no-zone");
    // Two edits at once: each sees the result of the one before.
    const [second, third] = await Promise.all([
      zones.edit({ kind: "set", zone: b! }),
      zones.edit({ kind: "delete", name: "a" }, (now) => now.size === 2),
    ]);
    assert.ok(typeof second === "object" && typeof third === "object");
    assert.deepEqual([...zones.definitions.keys()], ["b"]);
    assert.equal(zones.version, third.version);
    await zones.edit({ kind: "replace", zones: [b!] });
    assert.equal(zones.version, third.version, "nothing has changed");
    const same = await zones.edit({ kind: "set", zone: b! });
    assert.ok(typeof same === "object");
    assert.deepEqual([same.added, same.changed, same.version], [
      ...[0, 0],
      third.version,
    ]);
  },
});

Deno.test({
  name: "a zone that is deleted has no retained state any more",
  permissions: "none",
  fn: async () => {
    await using system = await startZones();
    const { zones } = system.server;
    await zones.edit({
      kind: "replace",
      zones: await squares(["lobby", [0, 0, 2]]),
    });
    await untilPublished(system.link, LOBBY, 1);
    await zones.edit({ kind: "delete", name: "lobby" });
    await untilPublished(system.link, LOBBY, 2);
    assert.equal(system.published("lobby"), undefined);
    assert.equal(zones.state("lobby"), undefined);
    assert.deepEqual([...zones.states()], []);
  },
});

Deno.test({
  name: "zones of a file cannot be edited, only replaced by the file",
  permissions: "none",
  fn: async () => {
    const zones = await squares(["a", [0, 0, 2]]);
    await using system = await startZones({
      fileZones: { file: "zones.geojson", zones },
    });
    const service = system.server.zones;
    assert.equal(service.file, "zones.geojson");
    assert.equal(
      await service.edit({ kind: "delete", name: "a" }),
      "read-only",
    );
    const before = service.version;
    const result = await service.setFileZones(await squares(["b", [0, 0, 2]]));
    assert.ok(typeof result === "object");
    assert.deepEqual([result.added, result.deleted], [1, 1]);
    assert.notEqual(service.version, before);
    assert.deepEqual([...service.states()].map(({ zone }) => zone), ["b"]);
  },
});

Deno.test({
  name: "zones, and what happened to them, survive a restart",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    let version;
    {
      await using system = await startZones({ store: await storeAt(path) });
      const { zones } = system.server;
      const all = await squares(
        ["lobby", [0, 0, 4], { fill: "#00f" }],
        ["hall", [4, 0, 4]],
        ["old", [8, 0, 4]],
      );
      await zones.edit({ kind: "replace", zones: all });
      await zones.edit({ kind: "delete", name: "old" });
      await system.send("0,0,1\n5,0,0");
      await until(() => system.events("lobby").length === 1);
      version = zones.version;
    }
    await using system = await startZones({ store: await storeAt(path) });
    const { zones } = system.server;
    assert.deepEqual([...zones.definitions.keys()], ["lobby", "hall"]);
    assert.deepEqual(zones.definitions.get("lobby")?.foreign?.properties, {
      fill: "#00f",
    });
    assert.equal(zones.version, version);
    await until(() => system.published("hall") !== undefined);
    assert.equal(system.published("lobby")?.occupied, true);
    await system.send("0,0,0");
    await until(() => system.events("lobby").length > 0);
    assert.deepEqual(system.events("lobby"), ["cleared"]);
    assert.deepEqual(system.events("hall"), []);
  },
});

Deno.test({
  name: "an event that the broker has not acknowledged is published again",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    let first;
    {
      const link = new FakeLink({ manual: true });
      const system = await startZones({ store: await storeAt(path), link });
      const zones = await squares(["lobby", [0, 0, 4]]);
      await system.server.zones.edit({ kind: "replace", zones });
      await system.send("0,0,1");
      await until(() => system.events("lobby").length === 1);
      first = link.textsOn(`${LOBBY}/event`);
      await system.server.stop();
    }
    {
      await using system = await startZones({ store: await storeAt(path) });
      await untilPublished(system.link, `${LOBBY}/event`, 1);
      assert.deepEqual(system.link.textsOn(`${LOBBY}/event`), first);
    }
    await using system = await startZones({ store: await storeAt(path) });
    await system.send("0,0,0");
    await until(() => system.events("lobby").length > 0);
    assert.deepEqual(system.events("lobby"), ["cleared"], "not repeated");
  },
});

/** Counts how often each record was written. */
class CountedRecords extends StagedTestRecords {
  replacements = 0;

  override replace(id: number, encode: () => Uint8Array<ArrayBuffer>): void {
    this.replacements++;
    super.replace(id, encode);
  }
}

function storeWith(records: StagedTestRecords): Store {
  return Object.assign(new FakeStore({ durable: true }), { records });
}

Deno.test({
  name:
    "an event is not forgotten if an older one is acknowledged before its commit",
  permissions: "none",
  fn: async () => {
    const records = new CountedRecords();
    const link = new FakeLink({ manual: true });
    const eventsOf = (zone: string) =>
      link.published.filter(({ topic }) =>
        topic === `occupancy/zone/${zone}/event`
      );
    await using system = await startZones({ store: storeWith(records), link });
    const { zones } = system.server;
    const all = await squares(["lobby", [0, 0, 2]], ["hall", [2, 0, 2]]);
    const edit = zones.edit({ kind: "replace", zones: all });
    await until(() => (records.commit(), zones.state("hall") !== undefined));
    await until(() => (records.commit(), link.textsOn(LOBBY).length > 0));
    await edit;
    link.handlers.message(incoming("occupancy/data", "0,0,1\n2,0,1"));
    await until(() => (records.commit(), eventsOf("hall").length === 1));
    // The next event of the lobby is not committed yet.
    const before = records.replacements;
    link.handlers.message(incoming("occupancy/data", "0,0,0"));
    await until(() => records.replacements > before);
    assert.equal(zones.state("lobby")?.occupied, true);
    const { replacements } = records;
    for (const { settle } of link.published) settle();
    await until(() => records.replacements > replacements, {
      what: "the hall has no event any more",
    });
    records.commit();
    await until(() => eventsOf("lobby").length === 2);
    const last = link.textsOn(`${LOBBY}/event`).at(-1);

    const store = storeWith(records.crashed());
    await using next = await startZones({ store });
    await untilPublished(next.link, `${LOBBY}/event`, 1);
    assert.equal(next.link.textsOn(`${LOBBY}/event`).at(-1), last);
    const ended = system.server.stop().then(() => true);
    await until(() => {
      records.commit();
      for (const { settle } of link.published) settle();
      return Promise.race([ended, Promise.resolve(false)]);
    });
  },
});

Deno.test({
  name: "what an earlier version has remembered of zones is continued",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const store = await storeAt(path);
    await store.load(new OccupancyMap());
    // It kept all records under one owner.
    const record = { zone: "lobby", occupied: true, full: false, revision: 1 };
    for (
      const value of [
        { kind: "head", store: "abc", generation: 1, edits: 7 },
        {
          kind: "zone",
          generation: 1,
          feature: squareFeature("lobby", [0, 0, 4]),
        },
        {
          kind: "memory",
          record: { ...record, since: NOW - 5000, heldSince: null },
          events: [],
        },
      ]
    ) {
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      store.records!.add("zones", () => bytes);
    }
    await store.close();
    for (const expected of [["unknown"], []]) {
      await using system = await startZones({ store: await storeAt(path) });
      assert.equal(system.server.zones.version, "abc-7");
      await untilPublished(system.link, LOBBY, 1);
      await system.server.zones.drained();
      assert.deepEqual(system.events("lobby"), expected);
    }
  },
});

Deno.test({
  name: "a zone that went while the server was away is deleted at the broker",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    {
      await using system = await startZones({
        store: await storeAt(path),
        fileZones: { file: "f", zones: await squares(["lobby", [0, 0, 4]]) },
      });
      await untilPublished(system.link, LOBBY, 1);
    }
    await using system = await startZones({ store: await storeAt(path) });
    await untilPublished(system.link, LOBBY, 1);
    assert.deepEqual(system.link.textsOn(LOBBY), [""]);
  },
});

Deno.test({
  name: "while the store fails, no edit is done and no state is awaited",
  permissions: "none",
  fn: async () => {
    const store = new FakeStore();
    await using system = await startZones({ store });
    const { zones } = system.server;
    const [lobby, hall] = await squares(["lobby", [0, 0, 2]], ["hall", [
      2,
      0,
      2,
    ]]);
    await zones.edit({ kind: "set", zone: lobby! });
    store.failing = true;
    system.link.handlers.message(incoming("occupancy/data", "0,0,1"));
    await until(() => system.server.storeProblem !== undefined);
    await zones.updated();
    assert.equal(
      zones.state("lobby")?.cells,
      0,
      "nothing uncommitted is shown",
    );
    assert.equal(
      await zones.edit({ kind: "set", zone: hall! }),
      "store-failing",
    );
    assert.deepEqual([...zones.definitions.keys()], ["lobby"]);
    store.failing = false;
    await until(() => system.server.storeProblem === undefined);
    await until(() => zones.state("lobby")?.occupied === true);
  },
});

Deno.test({
  name: "an edit before the start and after the stop says why it is not done",
  permissions: "none",
  fn: async () => {
    const [lobby] = await squares(["lobby", [0, 0, 2]]);
    const edit = { kind: "set", zone: lobby! } as const;
    const server = new Server(fakeOptions());
    assert.equal(await server.zones.edit(edit), "starting");
    await server.start();
    await server.stop();
    assert.equal(await server.zones.edit(edit), "stopping");
    await server.zones.updated();
  },
});

Deno.test({
  name: "a state changes at the time at which its hold time ends",
  permissions: "none",
  fn: async () => {
    let now = NOW;
    await using system = await startZones({ clock: () => now });
    const { zones } = system.server;
    const [lobby] = await squares(["lobby", [0, 0, 2], {
      clearAfter: "200ms",
    }]);
    await zones.edit({ kind: "set", zone: lobby! });
    await system.send("0,0,1");
    await system.send("0,0,0");
    assert.equal(zones.state("lobby")?.occupied, true, "held");
    now += 250;
    await until(() => zones.state("lobby")?.occupied === false);
    await until(() => system.events("lobby").length === 2);
    assert.deepEqual(system.events("lobby"), ["occupied", "cleared"]);
  },
});

Deno.test({
  name: "after a reconnect all states are published again",
  permissions: "none",
  fn: async () => {
    await using system = await startZones();
    const { server, link } = system;
    const zones = await squares(["lobby", [0, 0, 2]], ["hall", [2, 0, 2]]);
    await server.zones.edit({ kind: "replace", zones });
    await untilPublished(link, LOBBY, 1);
    link.handlers.down?.("cut");
    await system.send("0,0,1");
    assert.equal(link.textsOn(LOBBY).length, 1);
    link.handlers.up?.();
    await untilPublished(link, LOBBY, 2);
    await untilPublished(link, "occupancy/zone/hall", 2);
    assert.equal(system.published("lobby")?.occupied, true);
    await until(() => system.events("lobby").length === 1);
  },
});

/** What a server publishes for Home Assistant, and when. */
import assert from "node:assert/strict";
import { parseDiscovery } from "../../home_assistant/schema.ts";
import { zoneOf } from "../../home_assistant/support.ts";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeLink, incoming } from "../../support/fake_link.ts";
import { until } from "../../support/until.ts";
import { LinkError } from "../../../src/mqtt/link.ts";
import { startZones } from "../zones/support.ts";
import {
  discoveries,
  LOBBY,
  setZones,
  start,
  STATUS,
  topicOf,
  untilAnnounced,
} from "./support.ts";

Deno.test({
  name: "zones are announced, retained, and again only if they have changed",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const hall = zoneOf("hall", { x: 10 });
    await setZones(system, zoneOf("lobby"), hall);
    await untilAnnounced(system, {
      [LOBBY]: "config",
      [topicOf("hall")]: "config",
    });
    for (const { topic, payload, options } of discoveries(system)) {
      assert.deepEqual([options.qos, options.retain], [1, true]);
      const text = new TextDecoder().decode(payload);
      assert.ok(parseDiscovery("homeassistant", topic, text));
    }
    // A capacity is not in the message; a title is.
    await setZones(system, zoneOf("lobby", { capacity: 9 }), hall);
    await setZones(system, zoneOf("lobby", { title: "Foyer" }), hall);
    await until(() => system.link.textsOn(LOBBY).length === 2);
    await system.send("1,1,1");
    assert.equal(discoveries(system).length, 3);
  },
});

Deno.test({
  name: "the unit of a layer is that of the count",
  permissions: "none",
  fn: async () => {
    let many = "cars";
    await using system = await start({
      displayOf: (layer) => layer === "deck" ? { unit: ["car", many] } : {},
    });
    await setZones(system, zoneOf("lobby"), zoneOf("p1", { layer: "deck" }));
    await untilAnnounced(system, { [topicOf("p1")]: "config" });
    const unitOf = (key: string) =>
      JSON.parse(system.link.textsOn(topicOf(key)).at(-1)!)
        .cmps.count.unit_of_meas;
    assert.deepEqual([unitOf("lobby"), unitOf("p1")], ["people", "cars"]);
    many = "vehicles";
    system.server.displayChanged();
    await until(() => unitOf("p1") === "vehicles");
    assert.equal(discoveries(system).length, 3);
  },
});

Deno.test({
  name: "a removed zone gets one empty message",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    await setZones(system, zoneOf("lobby"));
    await untilAnnounced(system, { [LOBBY]: "config" });
    await setZones(system);
    await untilAnnounced(system, { [LOBBY]: "removed" });
    await setZones(system, zoneOf("hall", { x: 9 }));
    await untilAnnounced(system, { [topicOf("hall")]: "config" });
    assert.deepEqual(system.link.textsOn(LOBBY).slice(1), [""]);
    // It comes back under the same ids.
    await setZones(system, zoneOf("lobby"));
    await untilAnnounced(system, { [LOBBY]: "config" });
  },
});

Deno.test({
  name: "after a reconnect, all is announced again",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    await setZones(system, zoneOf("lobby"));
    await untilAnnounced(system, { [LOBBY]: "config" });
    system.link.handlers.down?.("gone");
    await setZones(system, zoneOf("lobby"), zoneOf("hall", { x: 9 }));
    assert.deepEqual(system.link.textsOn(topicOf("hall")), []);
    system.link.handlers.up?.();
    await untilAnnounced(system, { [topicOf("hall")]: "config" });
    assert.equal(system.link.textsOn(LOBBY).length, 2);
  },
});

Deno.test({
  name:
    "after a start of Home Assistant, zones and then states are published again",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { link } = system;
    await setZones(system, zoneOf("lobby"));
    await system.send("1,1,1");
    await until(() => system.published("lobby")?.occupied === true);
    const before = link.published.length;
    const birth = incoming(STATUS, "online");
    link.handlers.message(birth);
    assert.ok(link.acknowledged.includes(birth));
    await until(() => link.published.length >= before + 2);
    assert.deepEqual(
      link.published.slice(before).map(({ topic }) => topic),
      [LOBBY, "occupancy/zone/lobby"],
    );
  },
});

Deno.test({
  name: "many messages that Home Assistant has started cause one announcement",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { link } = system;
    await setZones(system, zoneOf("lobby"));
    await untilAnnounced(system, { [LOBBY]: "config" });
    for (let i = 0; i < 1000; i++) {
      link.handlers.message(incoming(STATUS, "online", { qos: 0 }));
    }
    await until(() => link.textsOn(LOBBY).length === 2);
    for (let i = 0; i < 1000; i++) {
      link.handlers.message(incoming(STATUS, "online", { qos: 0 }));
    }
    await setZones(system, zoneOf("hall", { x: 9 }), zoneOf("lobby"));
    await untilAnnounced(system, { [topicOf("hall")]: "config" });
    assert.equal(link.textsOn(LOBBY).length, 2, "not within 5 seconds");
  },
});

Deno.test({
  name: "other messages on the topic of Home Assistant's status do nothing",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { link, server } = system;
    await setZones(system, zoneOf("lobby"));
    await untilAnnounced(system, { [LOBBY]: "config" });
    const payloads = ["", "ONLINE", "x".repeat(100_000), "1,1,1", "offline"];
    for (const payload of [...payloads, new Uint8Array([0xff])]) {
      link.handlers.message(incoming(STATUS, payload));
    }
    assert.equal(link.acknowledged.length, payloads.length + 1);
    await setZones(system, zoneOf("hall", { x: 9 }), zoneOf("lobby"));
    await untilAnnounced(system, { [topicOf("hall")]: "config" });
    assert.equal(link.textsOn(LOBBY).length, 1);
    assert.equal(server.stats.accepted, 0, "no reading");
  },
});

Deno.test({
  name:
    "a message that the broker refuses is reported, and sent at the next connect",
  permissions: "none",
  fn: async () => {
    const link = new FakeLink({ manual: true });
    const settleAll = (refuses: boolean) => {
      for (const { topic, settle } of link.published.splice(0)) {
        settle(
          refuses && topic === LOBBY
            ? new LinkError("refused", "not authorized")
            : undefined,
        );
      }
    };
    await using system = await start({ link });
    const editing = setZones(system, zoneOf("lobby"));
    const refusing = setInterval(() => settleAll(true), 1);
    await editing;
    await until(() =>
      system.log.some((line) => line.includes("Zones are missing"))
    );
    clearInterval(refusing);
    link.handlers.down?.("gone");
    link.handlers.up?.();
    await until(() => link.textsOn(LOBBY).length === 1);
    const settling = setInterval(() => settleAll(false), 1);
    await system.server.stop();
    clearInterval(settling);
  },
});

Deno.test({
  name:
    "above 1000 zones, the others are counted and logged, and not announced",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { server, link, log } = system;
    const zones = Array.from(
      { length: 1003 },
      (_, x) => zoneOf(`z${x}`, { x }),
    );
    await setZones(system, ...zones);
    await untilAnnounced(system, { [topicOf("z999")]: "config" });
    assert.equal(discoveries(system).length, 1000);
    assert.equal(server.stats.limited.of("home-assistant-zones"), 3);
    assert.ok(log.some((line) => line.includes("not the other 3")), log.join());
    // One is deleted: another one has its place.
    await setZones(system, ...zones.slice(1));
    await untilAnnounced(system, {
      [topicOf("z0")]: "removed",
      [topicOf("z1000")]: "config",
    });
    assert.deepEqual(link.textsOn(topicOf("z1001")), []);
    assert.equal(server.stats.limited.of("home-assistant-zones"), 3);
  },
});

Deno.test({
  name: "zones that are renamed one after the other while it is disconnected",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const lobby = zoneOf("lobby");
    const hall = zoneOf("hall", { x: 9 });
    await setZones(system, lobby, hall);
    await untilAnnounced(system, { [topicOf("hall")]: "config" });
    system.link.handlers.down?.("gone");
    await setZones(system, { ...lobby, name: "foyer" }, hall);
    // The name of another zone, before.
    const renamed = { ...hall, name: "lobby" };
    await setZones(system, { ...lobby, name: "foyer" }, renamed);
    system.link.handlers.up?.();
    await until(() => system.link.textsOn(topicOf("hall")).length === 2);
    const zoneIn = (key: string) =>
      JSON.parse(system.link.textsOn(topicOf(key)).at(-1)!).stat_t;
    assert.equal(zoneIn("lobby"), "occupancy/zone/foyer");
    assert.equal(zoneIn("hall"), "occupancy/zone/lobby");
  },
});

Deno.test({
  name: "zones that come and go do not fill the memory",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    const { server, link } = system;
    for (let round = 0; round < 4; round++) {
      const zones = Array.from(
        { length: 1000 },
        (_, x) => zoneOf(`z${round}-${x}`, { x: x + 1000 * round }),
      );
      await setZones(system, ...zones);
      await untilAnnounced(system, { [topicOf(`z${round}_999`)]: "config" });
    }
    // Of 3000 removed zones, 2000 are remembered.
    assert.equal(server.stats.limited.of("home-assistant-zones"), 1000);
    const before = discoveries(system).length;
    link.handlers.message(incoming(STATUS, "online"));
    const since = () => discoveries(system).slice(before);
    await until(() => since().length === 2 * 2000 + 1000);
    const empty = since().filter(({ payload }) => payload.length === 0);
    assert.equal(empty.length, 2000);
  },
});

Deno.test({
  name:
    "without the option nothing is published, and status messages are readings",
  permissions: "none",
  fn: async () => {
    await using system = await startZones();
    await setZones(system, zoneOf("lobby"));
    await system.send("1,1,1");
    assert.deepEqual(discoveries(system), []);
    assert.ok(!system.log.some((line) => line.includes("Home Assistant")));
  },
});

Deno.test({
  name: "what the broker refuses is announced again, without another change",
  permissions: "none",
  fn: async () => {
    await using system = await start();
    using clock = new FakeClock();
    const { link } = system;
    const publish = link.publish.bind(link);
    let refused = 0;
    link.publish = (topic, ...rest) => {
      if (topic !== LOBBY || refused > 0) return publish(topic, ...rest);
      refused++;
      return Promise.reject(new LinkError("refused", "Quota exceeded"));
    };
    await setZones(system, zoneOf("lobby"), zoneOf("hall", { x: 10 }));
    const turns = async () => {
      for (let i = 0; i < 20; i++) await untilNextTurn();
    };
    await turns();
    assert.equal(refused, 1);
    assert.deepEqual(link.textsOn(LOBBY), []);
    clock.tick(30_000);
    await turns();
    assert.equal(link.textsOn(LOBBY).length, 1);
    assert.equal(link.textsOn(topicOf("hall")).length, 1, "it has that one");
  },
});

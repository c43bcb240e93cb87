import assert from "node:assert/strict";
import { Discovery, revivalPayload } from "../../src/home_assistant/mod.ts";
import { PEOPLE } from "../../src/protocol/display.ts";
import { Topics } from "../../src/protocol/mod.ts";
import type { Zone } from "../../src/zones/mod.ts";
import { parseDiscovery } from "./schema.ts";
import { zoneOf } from "./support.ts";

const VERSION = "1.2.3";

function discoveryOf(topicPrefix = "occupancy", prefix = "homeassistant") {
  const topics = new Topics(topicPrefix);
  return new Discovery({ prefix, topics, version: VERSION });
}

function deviceOf(zone: Zone, key = "lobby", discovery = discoveryOf()) {
  return parseDiscovery(
    "homeassistant",
    discovery.topic(key),
    discovery.payload(zone, key, PEOPLE),
  )!;
}

Deno.test("a zone is a device with an occupancy sensor, a count and a percentage", () => {
  const { identifiers, name, components } = deviceOf(
    zoneOf("lobby", { title: "Lobby" }),
  );
  assert.deepEqual(identifiers, ["occupancy-lobby"]);
  assert.equal(name, "Lobby");
  const of = (component: string, ...options: string[]) =>
    options.map((option) => components.get(component)![option]);
  assert.deepEqual([...components.keys()], ["occupancy", "count", "percent"]);
  assert.deepEqual(
    of("occupancy", "platform", "device_class", "name", "default_entity_id"),
    ["binary_sensor", "occupancy", null, "binary_sensor.occupancy_lobby"],
  );
  assert.deepEqual(
    of("count", "platform", "state_class", "unit_of_measurement", "name"),
    ["sensor", "measurement", "people", "Count"],
  );
  assert.deepEqual(
    of("percent", "platform", "state_class", "unit_of_measurement", "name"),
    ["sensor", "measurement", "%", "Percent"],
  );
  for (const options of components.values()) {
    assert.equal(options.state_topic, "occupancy/zone/lobby");
    assert.equal(options.qos, 1);
    assert.equal(options.expire_after, undefined, "states are retained");
    const [availability] = options.availability as { topic: string }[];
    assert.equal(availability!.topic, "occupancy/server/state");
  }
  assert.equal(
    components.get("occupancy")!.json_attributes_topic,
    "occupancy/zone/lobby",
  );
});

Deno.test("all entities have their own unique id", () => {
  const discovery = discoveryOf();
  const ids = ["lobby", "hall"].flatMap((name) => [
    ...deviceOf(zoneOf(name), name, discovery).components.values(),
  ]).map((options) => options.unique_id);
  assert.equal(new Set(ids).size, 6);
});

Deno.test("the messages about any zone are valid for Home Assistant", () => {
  const long = "z".repeat(200);
  const names = [
    ...["lobby", "Küche 2", "会議室", "a b", "_", "__x__", "%", '"<b>"'],
    ...["1", "$SYS", "-", long, "ß".repeat(100), " lobby ", "🙂"],
  ];
  for (const prefix of ["occupancy", "site/Gebäude 1/occupancy", "会議室"]) {
    const discovery = discoveryOf(prefix);
    for (const name of names) {
      const zone = zoneOf(name, { title: `Zone ${name}` });
      const { name: shown } = deviceOf(zone, "key_1", discovery);
      assert.equal(shown, `Zone ${name}`, "names are UTF-8");
    }
  }
});

Deno.test("a zone with a blank title is shown with its name", () => {
  assert.equal(deviceOf(zoneOf("lobby", { title: "  " })).name, "lobby");
  assert.equal(deviceOf(zoneOf("lobby")).name, "lobby");
});

Deno.test("servers with different topic prefixes have different ids", () => {
  const prefixes = ["occupancy", "Occupancy", "a/b", "a_b", "a", "会議室"];
  const topics = prefixes.map((prefix) => discoveryOf(prefix).topic("x"));
  assert.equal(new Set(topics).size, prefixes.length);
  // Not the same as the zone b-x of the prefix a.
  assert.notEqual(discoveryOf("a_b").topic("x"), discoveryOf("a").topic("b_x"));
});

Deno.test("the birth message of Home Assistant is expected with both prefixes", () => {
  assert.deepEqual(discoveryOf().statusTopics, ["homeassistant/status"]);
  assert.deepEqual(discoveryOf("occupancy", "ha/one").statusTopics, [
    "ha/one/status",
    "homeassistant/status",
  ]);
});

Deno.test("a removed zone is created again with the ids that it had", () => {
  const topic = discoveryOf().topic("lobby");
  const revived = parseDiscovery(
    "homeassistant",
    topic,
    revivalPayload(topic),
  )!;
  const before = deviceOf(zoneOf("lobby"));
  assert.deepEqual(revived.identifiers, before.identifiers);
  const idsOf = ({ components }: typeof before) =>
    [...components].map((
      [name, { platform, unique_id }],
    ) => [name, platform, unique_id]);
  assert.deepEqual(idsOf(revived), idsOf(before));
});

/**
 * Home Assistant with a real broker: discovery, states, and restarts of Home
 * Assistant, of the broker and of the server.
 */
import assert from "node:assert/strict";
import { HomeAssistant } from "../home_assistant/home_assistant.ts";
import { zoneOf } from "../home_assistant/support.ts";
import { needs } from "../support/needs.ts";
import { type BrokerKind, BROKERS } from "../support/system.ts";
import { until } from "../support/until.ts";
import { type Home, startHome } from "./home_assistant_support.ts";

const KITCHEN = zoneOf("kitchen", { title: "Küche", capacity: 4 });
const HALL = zoneOf("hall", { x: 10 });

const OCCUPIED = "binary_sensor.occupancy_kitchen";
const COUNT = "sensor.occupancy_kitchen_count";
const PERCENT = "sensor.occupancy_kitchen_percent";

function scenario(
  name: string,
  run: (home: Home, homeAssistant: HomeAssistant) => Promise<void>,
  kinds: readonly BrokerKind[] = BROKERS,
): void {
  for (const kind of kinds) {
    Deno.test({
      name: `Home Assistant, ${kind}: ${name}`,
      ...needs(...kind === "mosquitto" ? ["mosquitto"] as const : []),
      fn: async () => {
        await using home = await startHome(kind);
        await home.start("homeassistant");
        await using homeAssistant = new HomeAssistant();
        await run(home, homeAssistant);
        assert.deepEqual(homeAssistant.refused, []);
      },
    });
  }
}

scenario("rooms appear, and show what is known", async (home, ha) => {
  await ha.start(home.port);
  await home.setZones(KITCHEN, HALL);
  const unknown = { [OCCUPIED]: "unknown", [COUNT]: "unknown" };
  await ha.untilStates({ ...unknown, [PERCENT]: "unknown" });
  await home.send("1,1,2\n2,2,1");
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "3", [PERCENT]: "75" });
  await home.send("1,1,0\n2,2,0");
  await ha.untilStates({ [OCCUPIED]: "off", [COUNT]: "0", [PERCENT]: "0" });
  assert.equal(ha.entity(OCCUPIED)!.name, "Küche");
  assert.equal(ha.entity(COUNT)!.name, "Küche Count");
  const { since, ...attributes } = ha.entity(OCCUPIED)!.attributes;
  assert.equal(typeof since, "number");
  assert.deepEqual(attributes, {
    ...{ zone: "kitchen", title: "Küche", layer: "default", capacity: 4 },
    ...{ certain: true, cells: 2, occupiedCells: 0 },
    ...{ staleCells: 0, unknownCells: 0 },
  });
  // All readings are unknown again.
  await home.send("1,1,-1\n2,2,-1");
  await ha.untilStates({ ...unknown, [PERCENT]: "unknown" });
});

scenario("a restart of Home Assistant", async (home, ha) => {
  await home.setZones(KITCHEN);
  await home.send("1,1,2");
  await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "2", [PERCENT]: "50" });
  const registry = new Map(ha.registry);
  await ha.stop();
  await home.send("1,1,1");
  await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "1", [PERCENT]: "25" });
  await ha.untilAnnouncedTwice("kitchen");
  await ha.kill();
  await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "1", [PERCENT]: "25" });
  assert.deepEqual(ha.registry, registry);
});

scenario("a restart of the server", async (home, ha) => {
  await home.setZones(KITCHEN);
  await home.send("1,1,2");
  await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on" });
  const registry = new Map(ha.registry);
  await home.stop();
  if (home.mosquitto !== undefined) {
    await ha.untilStates({ [OCCUPIED]: "unavailable" });
  } else await ha.kill();
  await home.start("homeassistant");
  if (home.mosquitto === undefined) await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "2", [PERCENT]: "50" });
  await home.send("1,1,3");
  await ha.untilStates({ [COUNT]: "3" });
  assert.deepEqual(ha.registry, registry);
});

scenario("a broker that has forgotten all messages", async (home, ha) => {
  await home.setZones(KITCHEN);
  await home.send("1,1,2");
  await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on" });
  await home.mosquitto!.kill();
  await until(() => !home.server.linkState.up);
  await ha.kill();
  await home.mosquitto!.start();
  await until(() => home.server.linkState.up);
  await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "2", [PERCENT]: "50" });
}, ["mosquitto"]);

scenario("a renamed zone keeps its entities", async (home, ha) => {
  await ha.start(home.port);
  await home.setZones(KITCHEN, HALL);
  await home.send("1,1,2");
  await ha.untilStates({ [OCCUPIED]: "on" });
  const registry = new Map(ha.registry);
  const renamed = { ...KITCHEN, name: "canteen", title: "Kantine" };
  await home.setZones(HALL, renamed);
  await until(() => ha.entity(OCCUPIED)?.name === "Kantine");
  await home.send("1,1,3");
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "3" });
  assert.equal(ha.entity(OCCUPIED)!.attributes.zone, "canteen");
  // After a restart the server still knows it.
  await home.stop();
  if (home.mosquitto === undefined) await ha.kill();
  await home.start("homeassistant");
  if (home.mosquitto === undefined) await ha.start(home.port);
  await ha.untilStates({ [OCCUPIED]: "on", [COUNT]: "3" });
  assert.deepEqual(ha.registry, registry);
});

scenario("a removed zone disappears", async (home, ha) => {
  await ha.start(home.port);
  await home.setZones(KITCHEN, HALL);
  await ha.untilStates({ [OCCUPIED]: "unknown" });
  await until(() => ha.registry.size === 6);
  await home.setZones(HALL);
  await until(() => ha.registry.size === 3);
  await ha.untilStates({ [OCCUPIED]: "none", [COUNT]: "none" });
  // It does not come back with the next start of Home Assistant.
  await ha.stop();
  await ha.start(home.port);
  await ha.untilStates({ "binary_sensor.occupancy_hall": "unknown" });
  await ha.untilAnnouncedTwice("hall");
  assert.equal(ha.registry.size, 3);
});

scenario(
  "a zone is removed while Home Assistant is stopped",
  async (home, ha) => {
    await ha.start(home.port);
    await home.setZones(KITCHEN, HALL);
    await until(() => ha.registry.size === 6);
    await ha.stop();
    await home.setZones(HALL);
    await ha.start(home.port);
    await until(() => ha.registry.size === 3);
    await ha.untilStates({ [OCCUPIED]: "none" });
  },
);

scenario(
  "a zone is removed, then the server restarts before Home Assistant does",
  async (home, ha) => {
    await ha.start(home.port);
    await home.setZones(KITCHEN, HALL);
    await until(() => ha.registry.size === 6);
    await ha.stop();
    await home.setZones(HALL);
    await home.stop();
    await home.start("homeassistant");
    await ha.start(home.port);
    await until(() => ha.registry.size === 3);
    await ha.untilStates({ [OCCUPIED]: "none" });
  },
);

scenario("without the option, the zones are removed", async (home, ha) => {
  await home.setZones(KITCHEN, HALL);
  await ha.start(home.port);
  await until(() => ha.registry.size === 6);
  await home.stop();
  if (home.mosquitto === undefined) await ha.kill();
  await home.start();
  if (home.mosquitto === undefined) return; // Home Assistant was not there
  await until(() => ha.registry.size === 0);
  await until(() => home.log.some((line) => /Removed 2 zones/.test(line)));
});

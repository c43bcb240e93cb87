/**
 * After any sequence of edits and restarts, Home Assistant has the entities of
 * exactly the present zones, and renamed ones have kept theirs.
 */
import assert from "node:assert/strict";
import { HomeAssistant } from "../home_assistant/home_assistant.ts";
import { zoneOf } from "../home_assistant/support.ts";
import { needs } from "../support/needs.ts";
import { randomIntegers } from "../support/random.ts";
import { BROKERS } from "../support/system.ts";
import { until } from "../support/until.ts";
import type { Zone } from "../../src/zones/mod.ts";
import { startHome } from "./home_assistant_support.ts";

const STEPS = 25;

for (const kind of BROKERS) {
  for (const seed of [1, 2, 3]) {
    Deno.test({
      name: `Home Assistant, ${kind}: any edits and restarts, seed ${seed}`,
      ...needs(...kind === "mosquitto" ? ["mosquitto"] as const : []),
      fn: () => run(kind, seed),
    });
  }
}

async function run(
  kind: typeof BROKERS[number],
  seed: number,
): Promise<void> {
  const random = randomIntegers(seed);
  await using home = await startHome(kind);
  await home.start("homeassistant");
  await using ha = new HomeAssistant();
  let isRunning = false;
  /** The present zones; each has a place of its own. */
  let zones: Zone[] = [];
  /** Occupancy entities that Home Assistant had, by the place of their zone. */
  const entities = new Map<number, string>();
  let places = 0;
  const placeOf = ({ polygons }: Zone) => polygons[0]![0]![0]![0];

  /** Names that no zone has; another one may have had them. */
  const freeNames = () =>
    Array.from({ length: places + 3 }, (_, i) => `zone ${i}`)
      .filter((name) => !zones.some((zone) => zone.name === name));
  const settle = async () => {
    if (!isRunning) return;
    const wanted = () => zones.map(({ name }) => name).sort().join();
    await until(() => [...ha.zones().keys()].sort().join() === wanted(), {
      what: () => `${wanted()}, but ${[...ha.zones().keys()].sort().join()}`,
    });
    for (const zone of zones) {
      const entity = ha.zones().get(zone.name)!;
      const last = entities.get(placeOf(zone));
      if (last !== undefined) assert.equal(entity, last, "it was renamed");
      entities.set(placeOf(zone), entity);
    }
  };
  const stop = async () => {
    if (isRunning) await (random(2) === 0 ? ha.stop() : ha.kill());
    isRunning = false;
  };
  const start = async () => {
    if (!isRunning) await ha.start(home.port);
    isRunning = true;
  };
  const actions: readonly (() => Promise<void>)[] = [
    async () => {
      zones = [...zones, zoneOf(freeNames()[0]!, { x: 10 * places++ })];
      await home.setZones(...zones);
    },
    async () => {
      zones = zones.filter(() => random(3) > 0);
      await home.setZones(...zones);
    },
    async () => {
      const names = freeNames();
      zones = zones.map((zone) => {
        if (random(2) > 0) return zone;
        const [name] = names.splice(random(names.length), 1);
        return name === undefined ? zone : { ...zone, name };
      });
      await home.setZones(...zones);
    },
    async () => {
      await stop();
      await start();
    },
    stop,
    start,
    async () => {
      // The embedded broker ends with the server.
      if (kind === "embedded") await stop();
      await home.stop();
      await home.start("homeassistant");
    },
  ];
  for (let i = 0; i < STEPS; i++) {
    await actions[random(actions.length)]!();
    await settle();
  }
  await stop();
  await start();
  await settle();
  await until(() => ha.registry.size === 3 * zones.length, {
    what: () => `${3 * zones.length} entities: ${[...ha.registry.values()]}`,
  });
  assert.deepEqual(ha.refused, []);
}

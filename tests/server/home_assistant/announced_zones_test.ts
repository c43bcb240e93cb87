/** What a server remembers of the zones that Home Assistant has. */
import assert from "node:assert/strict";
import { zoneOf } from "../../home_assistant/support.ts";
import { incoming } from "../../support/fake_link.ts";
import { needs } from "../../support/needs.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
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
  name: "a store keeps what Home Assistant has: other prefixes, deleted zones",
  ...needs(),
  fn: async () => {
    const { SqliteStore } = await import("../../../src/store/sqlite.ts");
    await using folder = await tempDir();
    const open = () => new SqliteStore({ path: `${folder.path}/map.sqlite` });
    {
      await using system = await start({ store: open() });
      await setZones(system, zoneOf("lobby"), zoneOf("hall", { x: 9 }));
      await untilAnnounced(system, { [topicOf("hall")]: "config" });
    }
    {
      // Renamed and deleted in a file, while the server did not run.
      const zones = [zoneOf("foyer")];
      await using system = await start({
        store: open(),
        homeAssistant: "ha/two",
        fileZones: { file: "zones.geojson", zones },
      });
      await untilAnnounced(system, {
        [topicOf("lobby", "ha/two")]: "config",
        [LOBBY]: "removed",
        [topicOf("hall")]: "removed",
      });
      assert.match(
        system.link.textsOn(topicOf("lobby", "ha/two"))[0]!,
        /"stat_t":"occupancy\/zone\/foyer"/,
      );
      // It starts there with its default status topic.
      system.link.handlers.message(incoming(STATUS, "online"));
      await until(() => system.link.textsOn(LOBBY).length === 3);
    }
    {
      await using system = await startZones({ store: open() });
      await untilAnnounced(system, {
        [topicOf("lobby", "ha/two")]: "removed",
        // Removed for certain, and forgotten.
        [LOBBY]: "nothing",
        [topicOf("hall")]: "nothing",
      });
      assert.match(system.log.join("\n"), /Removed 1 zone from Home Assistant/);
    }
    {
      await using system = await startZones({ store: open() });
      await setZones(system, zoneOf("lobby"));
      assert.deepEqual(discoveries(system), []);
    }
  },
});

Deno.test({
  name: "records that cannot be used are deleted with a warning",
  ...needs(),
  fn: async () => {
    const { SqliteStore } = await import("../../../src/store/sqlite.ts");
    const { OccupancyMap } = await import("../../../src/grid/mod.ts");
    await using folder = await tempDir();
    const open = () => new SqliteStore({ path: `${folder.path}/map.sqlite` });
    const store = open();
    store.load(new OccupancyMap({ maxSkew: 0 }));
    const texts = [
      "not JSON",
      "[]",
      '{"kind":"zone","topic":"t"}',
      '{"kind":1}',
    ];
    for (const text of texts) {
      store.records.add("home-assistant", () => new TextEncoder().encode(text));
    }
    store.close(undefined);
    for (const count of [4, 0]) {
      await using system = await start({ store: open() });
      const warnings = system.log.filter((line) => line.includes("Forgot"));
      assert.equal(warnings.length, count === 0 ? 0 : 1);
      if (count > 0) assert.match(warnings[0]!, /Forgot 4 zones/);
    }
  },
});

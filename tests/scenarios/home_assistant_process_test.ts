/**
 * Home Assistant with a server as users start it: users of the embedded broker,
 * zones of a file that changes, and a server that is killed.
 */
import assert from "node:assert/strict";
import { HomeAssistant } from "../home_assistant/home_assistant.ts";
import { documentedBlock } from "../support/documented_settings.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, type TempDir, tempDir } from "../support/temp.ts";

const KITCHEN = "binary_sensor.occupancy_kitchen";
const COUNT = "sensor.occupancy_kitchen_count";

/** Writes zones of 4 by 4 cells, one beside the other. */
async function writeZones(
  folder: TempDir,
  ...names: readonly (string | null)[]
): Promise<string> {
  const features = names.map((name, i) => ({
    type: "Feature",
    properties: { name, capacity: 4 },
    geometry: {
      type: "Polygon",
      coordinates: [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]].map(([x, y]) => [
        x! + 10 * i,
        y!,
      ])],
    },
  })).filter(({ properties }) => properties.name !== null);
  return await folder.file(
    "zones.geojson",
    JSON.stringify({ type: "FeatureCollection", features }),
  );
}

Deno.test({
  name:
    "Home Assistant is a user of the embedded broker; zones come from a file",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const port = freePort();
    const users = `${folder.path}/users.conf`;
    for (const user of ["homeassistant", "sensor"]) {
      const args = ["users", "add", "--users", users, user];
      const { code, stderr } = await runOccupancy(args, { input: "secret\n" });
      assert.equal(code, 0, stderr);
    }
    // As in docs/HOME-ASSISTANT.md.
    const text = await Deno.readTextFile(users);
    const rules = [
      ...["", "  defaults", "  publish homeassistant/#"],
      "  subscribe homeassistant/#",
    ];
    await Deno.writeTextFile(
      users,
      text.replace(/^user homeassistant .*$/m, `$&${rules.join("\n")}`),
    );
    const zones = await writeZones(folder, "kitchen", "hall");
    await using server = occupancy([
      ...["server", "--listen", `127.0.0.1:${port}`, "--users", users],
      ...["--home-assistant", "--zones", zones],
      ...["--store", `sqlite:${folder.path}/map.sqlite`],
    ]);
    await server.waitFor(/Home Assistant: announced 2 zones/);
    await using ha = new HomeAssistant();
    await ha.start(port, { username: "homeassistant", password: "secret" });
    await ha.untilStates({ [KITCHEN]: "unknown", [COUNT]: "unknown" });
    await using sensor = await RawConnection.open(port, "sensor", {
      ...{ username: "sensor", password: "secret" },
    });
    await sensor.publish("occupancy/data", "1,1,2", { qos: 1, id: 1 });
    await ha.untilStates({ [KITCHEN]: "on", [COUNT]: "2" });
    // The hall is deleted, the kitchen has another name.
    await writeZones(folder, "canteen");
    await ha.untilStates({
      [KITCHEN]: "on",
      "binary_sensor.occupancy_hall": "none",
    });
    await sensor.publish("occupancy/data", "1,1,3", { qos: 1, id: 2 });
    await ha.untilStates({ [COUNT]: "3" });
    assert.equal(ha.entity(KITCHEN)!.name, "canteen");
    assert.deepEqual(ha.refused, []);
  },
});

Deno.test({
  name:
    "Home Assistant with Mosquitto and the access rules of docs/SECURITY.md",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    const rules = await documentedBlock("SECURITY.md", "text");
    const acl = await folder.file("acl", rules);
    // As root, it changes to a user that may not read the test's files.
    const settings = ["user root", `acl_file ${acl}`];
    await using mosquitto = await startMosquitto(settings);
    const zones = await writeZones(folder, "kitchen", "hall");
    await using server = occupancy([
      ...["server", "--broker", `mqtt://server@127.0.0.1:${mosquitto.port}`],
      ...["--home-assistant", "--zones", zones],
    ]);
    await server.waitFor(/Home Assistant: announced 2 zones/);
    await using ha = new HomeAssistant();
    await ha.start(mosquitto.port, { username: "homeassistant" });
    await ha.untilStates({ [KITCHEN]: "unknown", [COUNT]: "unknown" });
    // The birth message reaches the server.
    await ha.untilAnnouncedTwice("hall");
    await using sensor = await RawConnection.open(mosquitto.port, "sensor", {
      username: "sensor",
    });
    await sensor.publish("occupancy/data", "1,1,2", { qos: 1, id: 1 });
    await ha.untilStates({ [KITCHEN]: "on", [COUNT]: "2" });
  },
});

Deno.test({
  name: "after kill -9 of the server, rooms are unavailable until it is back",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using mosquitto = await startMosquitto();
    const zones = await writeZones(folder, "kitchen");
    const start = () =>
      occupancy([
        ...["server", "--broker", mosquitto.url, "--home-assistant"],
        ...["--zones", zones, "--store", `sqlite:${folder.path}/map.sqlite`],
      ]);
    await using ha = new HomeAssistant();
    await ha.start(mosquitto.port);
    await using sensor = await RawConnection.open(mosquitto.port, "sensor");
    {
      await using server = start();
      await server.waitFor(/Home Assistant: announced 1 zone/);
      await sensor.publish("occupancy/data", "1,1,2", { qos: 1, id: 1 });
      await ha.untilStates({ [KITCHEN]: "on", [COUNT]: "2" });
      server.kill("SIGKILL");
      await ha.untilStates({ [KITCHEN]: "unavailable" });
    }
    await using _server = start();
    await ha.untilStates({ [KITCHEN]: "on", [COUNT]: "2" });
    assert.deepEqual(ha.refused, []);
  },
});

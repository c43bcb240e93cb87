/** `--unit` and the unit of a floor plan reach all clients. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { occupancy, runOccupancy as run } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";

const SERVER = ["server", "--listen", "127.0.0.1:0", "--store", "memory:"];

Deno.test({
  name: "the terminal and the API name the unit of --unit and of --map-file",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const map = await folder.file(
      "maps.json",
      JSON.stringify({ layers: { hall: { unit: "robot,robots" } } }),
    );
    await using server = occupancy([
      ...[...SERVER, "--http", "127.0.0.1:0"],
      ...["--unit", "car,cars", "--map-file", map],
    ]);
    const [, broker] = await server.waitFor(/broker on (127\.0\.0\.1:\d+)/);
    const [, url] = await server.waitFor(/Dashboard at (\S+)/);
    await server.waitFor(/Ready/);
    for (
      const [layer, csv] of [["default", "0,0,1\n1,0,4"], ["hall", "0,0,2"]]
    ) {
      const response = await fetch(`${url}api/v1/readings?layer=${layer}`, {
        method: "POST",
        body: csv!,
      });
      assert.equal(response.status, 200, await response.text());
    }
    const mapOf = async (layer: string) => {
      const { stdout, stderr } = await run([
        ...[
          "request",
          "--map",
          "--broker",
          `mqtt://${broker}`,
          "--layer",
          layer,
        ],
      ]);
      assert.equal(stderr, "");
      return stdout;
    };
    assert.match(await mapOf("default"), /5 cars .*10\+ cars/s);
    assert.match(await mapOf("hall"), /2 robots .*10\+ robots/s);
    const { layers } = await (await fetch(`${url}api/v1/layers`)).json();
    assert.deepEqual(
      layers.map(({ name, display }: Record<string, unknown>) => [
        name,
        display,
      ]),
      [
        ["default", { unit: ["car", "cars"] }],
        ["hall", { unit: ["robot", "robots"] }],
      ],
    );
  },
});

Deno.test({
  name: "server refuses a --unit and a plan whose unit is no noun",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const option = await run([...SERVER, "--no-http", "--unit", "a,b,c"]);
    assert.equal(option.code, 2);
    assert.match(option.stderr, /Use a singular and a plural such as car,cars/);
    const map = await folder.file(
      "maps.json",
      JSON.stringify({ layers: { hall: { unit: "" } } }),
    );
    const plan = await run([...SERVER, "--no-http", "--map-file", map]);
    assert.equal(plan.code, 2);
    assert.match(plan.stderr, /hall: unit is not/);
  },
});

/** `--y-up` and `yUp` of a floor plan reach all clients. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { occupancy, runOccupancy as run } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";

const LAYERS = ["default", "down"];

Deno.test({
  name: "request --map, --json and the API follow --y-up and yUp of --map-file",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const map = await folder.file(
      "maps.json",
      JSON.stringify({ layers: { down: { yUp: false } } }),
    );
    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--store", "memory:"],
      ...["--http", "127.0.0.1:0", "--y-up", "--map-file", map],
    ]);
    const [, broker] = await server.waitFor(/broker on (127\.0\.0\.1:\d+)/);
    const [, url] = await server.waitFor(/Dashboard at (\S+)/);
    await server.waitFor(/Ready/);
    for (const layer of LAYERS) {
      const response = await fetch(`${url}api/v1/readings?layer=${layer}`, {
        method: "POST",
        body: "0,0,0\n0,9,7\n",
      });
      assert.equal(response.status, 200, await response.text());
    }
    const request = async (layer: string, form: string) => {
      const { stdout, stderr } = await run([
        ...["request", form, "--broker", `mqtt://${broker}`],
        ...["--layer", layer],
      ]);
      assert.equal(stderr, "");
      return stdout;
    };
    const up = await request("default", "--map");
    assert.ok(up.indexOf("0,9") < up.indexOf("0,0"), up);
    const down = await request("down", "--map");
    assert.ok(down.indexOf("0,0") < down.indexOf("0,9"), down);
    assert.deepEqual(
      JSON.parse(await request("default", "--json")).display,
      { yUp: true },
    );
    assert.equal(
      JSON.parse(await request("down", "--json")).display,
      undefined,
    );
    const { layers } = await (await fetch(`${url}api/v1/layers`)).json();
    const cells = await Promise.all(
      LAYERS.map(async (layer) =>
        await (await fetch(`${url}api/v1/cells?layer=${layer}`)).json()
      ),
    );
    for (const displays of [layers, cells]) {
      assert.deepEqual(
        displays.map(({ display }: Record<string, unknown>) => display),
        [{ yUp: true }, undefined],
      );
    }
  },
});

Deno.test({
  name: "client --file reads back an export of a layer whose y grows upwards",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--store", "memory:"],
      ...["--http", "127.0.0.1:0", "--y-up"],
    ]);
    const [, broker] = await server.waitFor(/broker on (127\.0\.0\.1:\d+)/);
    const [, url] = await server.waitFor(/Dashboard at (\S+)/);
    await server.waitFor(/Ready/);
    const sent = await fetch(`${url}api/v1/readings`, {
      method: "POST",
      body: "0,9,7\n",
    });
    assert.equal(sent.status, 200, await sent.text());
    const exported = await (await fetch(`${url}api/v1/cells`)).text();
    const file = await folder.file("map.json", exported);
    const { code, stderr } = await run([
      ...["client", "--file", file, "--broker", `mqtt://${broker}`],
      "--no-request",
    ]);
    assert.equal(code, 0, stderr);
  },
});

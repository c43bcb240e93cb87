/** Clients that create as many cells as they can. */
import assert from "node:assert/strict";
import { startServer } from "../http/support.ts";
import { createMemoryGroup } from "../support/memory_group.ts";
import { needs } from "../support/needs.ts";
import { DENO_RUN, ROOT, Running } from "../support/processes.ts";
import { randomIntegers } from "../support/random.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;

/** Returns readings of cells that are alone in their tiles. */
function scatteredRows(count: number, seed: number): string {
  const random = randomIntegers(1 + 7919 * seed);
  let rows = "";
  for (let i = 0; i < count; i++) {
    rows += `${random(2 ** 31)},${random(2 ** 31)},1\n`;
  }
  return rows;
}

for (const broker of BROKERS) {
  Deno.test({
    name:
      `a client creates cells without end: others' cells are updated, new ones refused (${broker})`,
    ...needs(...(broker === "mosquitto" ? ["mosquitto"] as const : [])),
    fn: async () => {
      const cellLimits = { maxCells: 1000, maxLayerCells: 900 };
      await using system = await startSystem(broker, { cellLimits });
      const { Connection } = await import("../../src/mqtt/connection.ts");
      const connect = async (clientId: string) => {
        const { url } = system;
        const connection = new Connection({ url, clientId, subscriptions: [] });
        await connection.open({
          message: () => {},
          up: () => {},
          down: () => {},
          failed: () => {},
        });
        return connection;
      };
      const good = await connect("good");
      const attacker = await connect("attacker");
      const send = (client: typeof good, text: string, layer = "default") =>
        client.publish(
          `occupancy/data/${layer}`,
          new TextEncoder().encode(text),
          { qos: 1 },
        );
      try {
        await send(good, "1,1,1\n2,2,2\n");
        await Promise.all(
          Array.from(
            { length: 20 },
            (_, i) => send(attacker, scatteredRows(500, i)),
          ),
        );
        await send(attacker, scatteredRows(500, 99), "other");
        await send(good, "1,1,7\n2,2,8\n");
        const { map, server } = system;
        // Mosquitto acknowledges before the server.
        await until(() => map.layer("default")!.get(2, 2)!.value === 8);
        assert.equal(map.layer("default")!.size, 900);
        assert.equal(map.size, 1000);
        assert.equal(map.layer("default")!.get(1, 1)!.value, 7);
        const refused = server.stats.refused.get("too-many-cells");
        assert.equal(refused, 20 * 500 - 898 + 400);
        await until(() =>
          system.log.some((line) => line.includes("[too-many-cells]"))
        );
      } finally {
        await Promise.all([good.close(), attacker.close()]);
      }
    },
  });
}

Deno.test({
  name:
    "readings over HTTP when the map is full: known cells pass, 400 if none",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ cellLimits: { maxCells: 2 } });
    await server.post("1,1,1\n2,2,1\n");
    const mixed = await server.post("1,1,5\n3,3,1\n");
    assert.equal(mixed.status, 200);
    const { accepted, refused, reasons, problems } = await mixed.json();
    assert.deepEqual({ accepted, refused, reasons, problems }, {
      accepted: 1,
      refused: 1,
      reasons: { "too-many-cells": 1 },
      problems: [{
        row: 2,
        code: "too-many-cells",
        message: "the map has its maximum of 2 cells",
      }],
    });
    const none = await server.post("3,3,1\n");
    assert.equal(none.status, 400);
    assert.equal((await none.json()).code, "too-many-cells");
    const metrics = await (await server.get("/metrics")).text();
    assert.match(
      metrics,
      /occupancy_readings_total\{outcome="refused",reason="too-many-cells"\} 2\n/,
    );
    assert.match(metrics, /\noccupancy_max_cells 2\n/);
    assert.match(metrics, /\noccupancy_map_bytes [1-9]\d+\n/);
  },
});

/** Starts a server in a control group. */
function startIn(enter: readonly string[], store: string): Running {
  return new Running("sh", [
    ...enter,
    Deno.execPath(),
    ...DENO_RUN,
    "--allow-all",
    `${ROOT}main.ts`,
    ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ...["--store", `sqlite:${store}`, "--verbose"],
  ]);
}

Deno.test({
  name:
    "scattered cells under a limit of memory: the server stays alive, and starts again",
  ...needs("sh"),
  fn: async () => {
    await using group = createMemoryGroup(320 * MIB);
    if (group === undefined) return; // only where this user may create one
    await using dir = await tempDir();
    const store = `${dir.path}/map.db`;
    let cells: number;
    {
      await using server = startIn(group.enter, store);
      const [, grow] = await server.waitFor(
        /320 MiB of memory \(control group\): the map may use (\d+) MiB/,
      );
      assert.equal(grow, "32");
      const [, url] = await server.waitFor(/Dashboard at (\S+) /);
      let refused = 0;
      for (let round = 0; round < 12; round++) {
        const response = await fetch(`${url}api/v1/readings`, {
          method: "POST",
          body: scatteredRows(60_000, round),
        });
        const result = await response.json();
        refused += result.reasons["too-many-cells"] ?? 0;
      }
      assert.ok(refused > 250_000, `${refused} refused`);
      // Each cell changes, also while the store writes a checkpoint.
      for (let round = 0; round < 12; round++) {
        const response = await fetch(`${url}api/v1/readings`, {
          method: "POST",
          body: scatteredRows(60_000, round).replaceAll(",1\n", ",2\n"),
        });
        await response.body?.cancel();
      }
      const known = scatteredRows(1, 0).trim();
      const update = await fetch(`${url}api/v1/readings`, {
        method: "POST",
        body: known.replace(/1$/, "9"),
      });
      assert.equal((await update.json()).changed, 1);
      const summary = await (await fetch(`${url}api/v1/summary`)).json();
      cells = summary.cells;
      assert.ok(cells > 350_000, `${cells} cells`);
      server.kill("SIGTERM");
      assert.equal((await server.ended(30_000)).code, 0);
    }
    {
      await using server = startIn(group.enter, store);
      await server.waitFor(new RegExp(`Map: ${cells} cells`), 30_000);
      server.kill("SIGTERM");
      await server.ended(30_000);
    }
    await using small = createMemoryGroup(280 * MIB);
    const server = startIn(small!.enter, store);
    const { code, stderr } = await server.ended(30_000);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        `Cannot load sqlite:.*: its (${cells}|more than \\d+) cells need 2\\d\\d MiB of memory, the server has 280 MiB`,
      ),
    );
  },
});

/** Cells age over time and across restarts; old readings never count as new. */
import assert from "node:assert/strict";
import { documentedSettings } from "../support/documented_settings.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { type MapReply, requestMap, serverArgs, takeJson } from "./support.ts";

/**
 * Long, so that no cell ages unexpectedly on a slow machine; readings carry
 * times of the past.
 */
const STALE_AFTER_MS = 60_000;
const FORGET_AFTER_MS = 3_600_000;
/** Cells age this time after their reading was sent, in ms. */
const MARGIN_MS = 3000;
const DATA = "occupancy/data";

for (const broker of BROKERS) {
  Deno.test({
    name:
      `cells become stale, then unknown without readings, over ${broker}; both are changes`,
    ...needs("mosquitto"),
    fn: async () => {
      await using folder = await tempDir();
      await using mosquitto = broker === "mosquitto"
        ? await startMosquitto()
        : undefined;
      const port = mosquitto?.port ?? freePort();
      await using server = occupancy(
        argsOf(mosquitto?.url ?? port, folder.path),
      );
      await server.waitFor(/Ready/);
      await using client = await RawConnection.open(port, "client");
      await client.subscribe("occupancy/changes");
      const observed = Date.now() - STALE_AFTER_MS + MARGIN_MS;
      await publish(client, `1,2,1,${observed}\n1,3,0,${observed}`);

      const fresh = await nextChange(client);
      assert.deepEqual(valuesOf(fresh), { "1,2": 1, "1,3": 0 });
      assert.ok(fresh.time - observed <= STALE_AFTER_MS);

      const stale = await nextChange(client);
      assert.equal(stale.from, fresh.to);
      assert.ok(stale.to > stale.from, "a new revision");
      assert.deepEqual(valuesOf(stale), { "1,2": 1, "1,3": 0 });
      assert.equal(stale.staleAfter, STALE_AFTER_MS);
      assert.ok(stale.time - observed > STALE_AFTER_MS);
      assert.equal(await statuses(port), "stale stale");

      const old = Date.now() - FORGET_AFTER_MS + MARGIN_MS;
      await publish(client, `2,2,1,${old}\n2,3,0,${old}`);
      const known = await nextChange(client);
      assert.equal(known.from, stale.to);
      assert.deepEqual(valuesOf(known), { "2,2": 1, "2,3": 0 });

      const unknown = await nextChange(client);
      assert.equal(unknown.from, known.to);
      assert.ok(unknown.to > unknown.from);
      assert.deepEqual(valuesOf(unknown), { "2,2": -1, "2,3": -1 });
      assert.ok(unknown.time - old > FORGET_AFTER_MS);
      assert.equal(await statuses(port), "stale unknown stale unknown");
      assert.match(await table(port), /0 occupied · 0 free · 2 stale · 2 unk/);

      await publish(client, "2,3,4");
      const again = await nextChange(client);
      assert.deepEqual(valuesOf(again), { "2,3": 4 });
      assert.equal(again.from, unknown.to);
    },
  });
}

Deno.test({
  name: "cells age while server and broker are stopped; revisions continue",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(
      await documentedSettings(folder.path),
    );
    const args = argsOf(broker.url, folder.path);
    let before: MapReply;
    let observed: number;
    {
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      await using client = await RawConnection.open(broker.port, "client");
      observed = Date.now() - STALE_AFTER_MS + MARGIN_MS;
      const rows = ["1,2,1", "1,3,0", "5,5,1"];
      await publish(client, rows.map((row) => `${row},${observed}`).join("\n"));
      before = await requestMap(client);
      assert.equal(before.cells.length, 3);
      server.kill("SIGKILL");
      await server.ended();
    }
    await broker.kill();
    await broker.start();
    const due = observed + STALE_AFTER_MS;
    await until(() => Date.now() > due, { what: "the cells are due" });
    {
      await using server = occupancy(args);
      await server.waitFor(/Map: 3 cells/);
      assert.match(await statuses(broker.port), /^stale stale stale$/);
      await using client = await RawConnection.open(broker.port, "client");
      const after = await requestMap(client);
      assert.ok(after.revision > before.revision);
      const times = ({ cells }: MapReply) =>
        Object.fromEntries(cells.map(([x, y, , time]) => [`${x},${y}`, time]));
      assert.deepEqual(times(after), times(before), "the times are unchanged");
      server.kill("SIGKILL");
      await server.ended();
      before = after;
    }
    const forgetAfterMs = STALE_AFTER_MS + 1;
    await until(() => Date.now() > observed + forgetAfterMs);
    await using server = occupancy(
      argsOf(broker.url, folder.path, `${forgetAfterMs}ms`),
    );
    await server.waitFor(/Ready/);
    assert.equal(await statuses(broker.port), "unknown unknown unknown");
    await using client = await RawConnection.open(broker.port, "client");
    await publish(client, "5,5,1");
    assert.equal(await statuses(broker.port), "unknown unknown occupied");
    const last = await requestMap(client);
    assert.ok(last.revision > before.revision);
  },
});

Deno.test({
  name:
    "retained readings do not make cells fresh, at the start or after a reconnect",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto(
      await documentedSettings(folder.path),
    );
    const observed = Date.now() - 2 * STALE_AFTER_MS;
    await using old = await RawConnection.open(broker.port, "old");
    await publish(old, `1,2,1,${observed}`, "a");
    await publish(old, "1,2,1", "b");
    await using server = occupancy(
      argsOf(broker.url, folder.path),
    );
    await server.waitFor(/Ready/);
    await server.waitFor(/retained reading without a time may be of any age/);
    const checkCells = async () => {
      await using client = await RawConnection.open(broker.port, "client");
      const { cells, time } = await requestMap(client, { layer: "a" });
      assert.deepEqual(cells, [[1, 2, 1, observed]]);
      assert.ok(time - observed > STALE_AFTER_MS);
      assert.deepEqual((await requestMap(client, { layer: "b" })).cells, []);
      assert.equal(await statuses(broker.port, "a"), "stale");
    };
    await checkCells();
    for (let i = 0; i < 2; i++) {
      server.kill("SIGSTOP"); // so that the server notices the disconnection
      await broker.kill();
      server.kill("SIGCONT");
      await server.waitFor(
        new RegExp(`(Disconnected from the broker[^]*){${i + 1}}`),
      );
      await broker.start();
      await server.waitFor(new RegExp(`(Reconnected to mqtt[^]*){${i + 1}}`));
      await checkCells();
    }
  },
});

Deno.test({
  name:
    "readings that waited in the broker are dated with the stop of the server",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto();
    const args = argsOf(broker.url, folder.path);
    let stoppedAt: number;
    {
      await using server = occupancy(args);
      await server.waitFor(/Ready/);
      stoppedAt = Date.now();
      server.kill("SIGTERM");
      await server.ended();
    }
    await using client = await RawConnection.open(broker.port, "client");
    await publish(client, "1,2,1\n1,3,0");
    const sentAt = Date.now();
    const staleAfterMs = 1000;
    const due = sentAt + staleAfterMs;
    await until(() => Date.now() > due, { what: "the cells are due" });
    await using server = occupancy([
      ...serverArgs(broker.url, folder.path),
      ...["--stale-after", `${staleAfterMs}ms`, "--forget-after", "1h"],
    ]);
    await server.waitFor(/Ready/);
    assert.equal(await statuses(broker.port), "stale stale");
    const { cells } = await requestMap(client);
    assert.equal(cells.length, 2);
    for (const [, , , time] of cells) {
      assert.ok(time! >= stoppedAt && time! <= sentAt, `${time}`);
    }
    const sentAgainAt = Date.now();
    await publish(client, "1,2,1");
    const { cells: [again, other] } = await requestMap(client);
    assert.ok(again![3]! >= sentAgainAt, "dated with its arrival");
    assert.deepEqual(other, cells[1]);
  },
});

/** The members of a delta that the tests check. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly time: number;
  readonly staleAfter?: number;
  readonly cells: readonly (readonly number[])[];
}

function argsOf(
  broker: string | number,
  folder: string,
  forgetAfter: string = `${FORGET_AFTER_MS}ms`,
): string[] {
  return [
    ...serverArgs(broker, folder),
    ...["--stale-after", `${STALE_AFTER_MS}ms`],
    ...["--forget-after", forgetAfter],
  ];
}

/** Publishes readings. With a layer they are retained. */
async function publish(
  raw: RawConnection,
  payload: string,
  layer?: string,
): Promise<void> {
  const topic = layer === undefined ? DATA : `${DATA}/${layer}`;
  const retain = layer !== undefined;
  await raw.write(encodePublish(topic, payload, { qos: 1, id: 9, retain }));
  await until(() => raw.packets.some(({ cmd }) => cmd === "puback"));
  raw.takeReceived("puback");
}

/** Waits for the next delta with cells. */
async function nextChange(raw: RawConnection): Promise<Change> {
  for (;;) {
    const change: Change = await takeJson(raw);
    if (change.cells?.length > 0) return change;
  }
}

function valuesOf({ cells }: Change): Record<string, number> {
  return Object.fromEntries(
    cells.map(([x, y, value]) => [`${x},${y}`, value!]),
  );
}

/** Returns the status of each cell, as `occupancy request` prints it. */
async function statuses(port: number, layer = "default"): Promise<string> {
  const { code, stdout, stderr } = await request(port, "--layer", layer);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n").map((row) => row.split("\t")[3]).join(
    " ",
  );
}

async function table(port: number): Promise<string> {
  const { stdout } = await request(port, "--format", "table");
  return stdout;
}

function request(port: number, ...flags: string[]) {
  const broker = `mqtt://127.0.0.1:${port}`;
  return runOccupancy(["request", "--broker", broker, ...flags]);
}

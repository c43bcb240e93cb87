/** The states of zones in the live feed of a real server. */
import assert from "node:assert/strict";
import { DEFAULT_FEED_LIMITS } from "../../../src/http/feed/limits.ts";
import { ZONES_INTERVAL_MS } from "../../../src/http/feed/zone_feed.ts";
import { squares } from "../../server/zones/support.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer, type TestServer } from "../support.ts";
import { RawViewer } from "./raw_viewer.ts";
import { RecordingViewer } from "./recording_viewer.ts";

/** Starts a server with zones of 2 × 2 cells in a row. */
async function startWithZones(count: number): Promise<TestServer> {
  const server = await startServer();
  await define(server, count);
  return server;
}

async function define({ server }: TestServer, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `room-${i}`);
  const zones = await squares(
    ...names.map((name, i): Parameters<typeof squares>[0] => [
      name,
      [2 * i, 0, 2],
    ]),
  );
  const result = await server.zones.edit({ kind: "replace", zones });
  assert.ok(typeof result === "object", String(result));
}

/** Returns the counts by name, as a page would have them. */
function countsOf(viewer: RecordingViewer): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { whole, states, removed } of viewer.zones) {
    if (whole) counts.clear();
    for (const name of removed) counts.delete(name);
    for (const { zone, count } of states) counts.set(zone, count);
  }
  return counts;
}

Deno.test({
  name:
    "LiveFeed sends all zones, then those that change, and the version of their definitions",
  ...needs(),
  fn: async () => {
    await using server = await startWithZones(3);
    await using viewer = new RecordingViewer(server.url);
    await until(() => viewer.zones.length > 0);
    const [first] = viewer.zones;
    assert.equal(first!.whole, true);
    assert.equal(first!.file, null);
    assert.equal(first!.version, server.server.zones.version);
    assert.deepEqual(
      first!.states.map(({ zone, occupied }) => [zone, occupied]),
      [["room-0", null], ["room-1", null], ["room-2", null]],
    );
    await server.post("2,0,5\n3,0,1");
    await until(() => countsOf(viewer).get("room-1") === 6);
    const { whole, states } = viewer.zones.at(-1)!;
    assert.equal(whole, false);
    assert.deepEqual(
      states,
      JSON.parse(JSON.stringify([server.server.zones.state("room-1")])),
    );
    await server.server.zones.edit({ kind: "delete", name: "room-1" });
    await until(() => !countsOf(viewer).has("room-1"));
    assert.equal(viewer.zones.at(-1)!.version, server.server.zones.version);
    assert.notEqual(server.server.zones.version, first!.version);
  },
});

Deno.test({
  name: "LiveFeed sends a zone within 250 ms of the reading",
  ...needs(),
  fn: async () => {
    await using server = await startWithZones(3);
    await using viewer = new RecordingViewer(server.url);
    await until(() => viewer.zones.length > 0);
    const took: number[] = [];
    for (let value = 1; value <= 10; value++) {
      const shown = until(() => countsOf(viewer).get("room-0") === value)
        .then(() => performance.now());
      const sent = performance.now();
      await server.post(`0,0,${value}`);
      took.push(await shown - sent);
    }
    took.sort((a, b) => a - b);
    // Other load delays some of them, a mistake would delay all.
    assert.ok(took[2]! < 250, `${took.map(Math.round)} ms`);
  },
});

Deno.test({
  name: "LiveFeed sends 1,200 zones in three messages, and coalesces changes",
  ...needs(),
  fn: async () => {
    await using server = await startWithZones(1200);
    await using viewer = new RecordingViewer(server.url);
    await until(() => countsOf(viewer).size === 1200);
    assert.deepEqual(
      viewer.zones.map(({ whole, states }) => [whole, states.length]),
      [[true, 500], [false, 500], [false, 200]],
    );
    const began = performance.now();
    const before = viewer.zones.length;
    for (let value = 1; value <= 50; value++) {
      await server.post(`0,0,${value}\n2,0,${value}`);
    }
    await until(() => countsOf(viewer).get("room-1") === 50);
    const most = 2 + (performance.now() - began) / ZONES_INTERVAL_MS;
    const sent = viewer.zones.length - before;
    assert.ok(sent <= most, `${sent} messages, at most ${most}`);
  },
});

Deno.test({
  name:
    "a viewer that stops reading is sent a bounded number of zones, then the latest states only",
  ...needs(),
  fn: async () => {
    const count = 500;
    await using server = await startWithZones(count);
    using frozen = await RawViewer.connect(server.url);
    await until(() => server.viewers.current === 1);
    const readings = (value: number) =>
      Array.from({ length: count }, (_, i) => `${2 * i},0,${value}`).join("\n");
    const rounds = 30;
    for (let value = 1; value <= rounds; value++) {
      await server.post(readings(value));
      await server.server.zones.updated();
      assert.equal(server.server.zones.state("room-0")!.count, value);
    }
    const { sentBytes } = server.viewers;
    const max = DEFAULT_FEED_LIMITS.bytesInFlight + 512 * 1024;
    assert.ok(sentBytes < max, `${sentBytes} bytes`);
    const latest = () =>
      frozen.zones.flatMap(({ states }) => states)
        .findLast(({ zone }) => zone === "room-499")?.count;
    while (latest() !== rounds) await frozen.read();
    const { framesInFlight } = DEFAULT_FEED_LIMITS;
    assert.ok(
      frozen.zones.length <= framesInFlight + 3,
      `${frozen.zones.length} messages`,
    );
  },
});

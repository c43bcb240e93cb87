/** Ten thousand zones over HTTP: no long turn, one version in an answer. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { Running } from "../../support/processes.ts";
import { turnsIn, watchedArgs } from "../../support/turns.ts";
import { startServer } from "../support.ts";

const ZONES = 10_000;
/** The runtime measures turns in steps of 10 ms. */
const MAX_TURN_MS = 50;
const TITLE = "x".repeat(150);

/** Zones of 5 by 5 cells, in rows of 100. */
function collection(count: number, capacity: number): string {
  const features = Array.from({ length: count }, (_, i) => {
    const [x, y] = [i % 100 * 10, Math.floor(i / 100) * 10];
    const [right, top] = [x + 5, y + 5];
    return {
      type: "Feature",
      properties: { name: `zone-${i}`, title: `${i} ${TITLE}`, capacity },
      geometry: {
        type: "Polygon",
        coordinates: [[[x, y], [right, y], [right, top], [x, top], [x, y]]],
      },
    };
  });
  return JSON.stringify({ type: "FeatureCollection", features });
}

Deno.test({
  name: "10,000 zones are put, returned and measured without a long turn",
  ...needs(),
  fn: async () => {
    await using server = new Running(
      Deno.execPath(),
      watchedArgs([
        ...["server", "--listen", "127.0.0.1:0", "--store", "memory:"],
        ...["--http", "127.0.0.1:0"],
      ]),
    );
    const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
    await server.waitFor(/Ready/);
    const before = server.stderr.length;
    const get = async (path: string, init?: RequestInit) => {
      const response = await fetch(`${url}${path}`, init);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return text;
    };
    const body = collection(ZONES, 3);
    assert.ok(body.length > 3e6, `${body.length} bytes`);
    const result = await get("/api/v1/zones", { method: "PUT", body });
    assert.equal(JSON.parse(result).added, ZONES);
    await get("/api/v1/readings", { method: "POST", body: "1,1,3\n11,11,1" });
    const zones = JSON.parse(await get("/api/v1/zones"));
    assert.deepEqual(zones, JSON.parse(body));
    const states = JSON.parse(await get("/api/v1/zone-states"));
    assert.equal(states.zones.length, ZONES);
    assert.equal(states.zones[0].percent, 100);
    for (let i = 0; i < 3; i++) await get("/metrics");
    const again = collection(ZONES, 4);
    const changed = await get("/api/v1/zones", { method: "PUT", body: again });
    assert.equal(JSON.parse(changed).changed, ZONES);
    const turns = turnsIn(server.stderr.slice(before));
    assert.ok((turns[0] ?? 0) <= MAX_TURN_MS, `turns of ${turns} ms`);
  },
});

Deno.test({
  name: "a large answer is of one version, also for a slow client",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const put = (capacity: number) =>
      server.get("/api/v1/zones", {
        method: "PUT",
        body: collection(ZONES, capacity),
      });
    assert.equal((await put(3)).status, 200);
    const slow = await server.get("/api/v1/zones", {
      headers: { "accept-encoding": "identity" },
    });
    assert.equal((await put(4)).status, 200);
    const { features } = await slow.json();
    assert.equal(features.length, ZONES);
    for (const { properties } of features) assert.equal(properties.capacity, 3);
    const now = await server.get("/api/v1/zones");
    assert.equal((await now.json()).features[ZONES - 1].properties.capacity, 4);
  },
});

Deno.test({
  name: "a large answer needs a share of a limit, a small one does not",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { largeResponses: 0, waitMs: 50 },
    });
    const body = collection(2000, 3);
    await server.get("/api/v1/zones", { method: "PUT", body });
    for (const path of ["/api/v1/zones", "/api/v1/zone-states"]) {
      const answer = await server.get(path);
      assert.equal(answer.status, 503);
      assert.equal((await answer.json()).code, "overloaded");
      const head = await server.get(path, { method: "HEAD" });
      assert.equal(head.status, 200);
    }
    assert.equal((await server.get("/api/v1/zones/zone-7")).status, 200);
  },
});

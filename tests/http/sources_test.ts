/** `GET /api/v1/sources`, and the metrics of sources. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { startServer, type TestServer } from "./support.ts";

const NOW = 1_760_000_000_000;
const SOURCES = "/api/v1/sources";

/** A server with a clock that the test moves. */
async function start() {
  let now = NOW;
  const server = await startServer({ clock: () => now });
  return Object.assign(server, {
    advance: (ms: number) => now += ms,
    report: (source: string, cells: unknown[] = [[1, 1, 1]]) =>
      server.post(JSON.stringify({ source, cells })),
  });
}

async function names(server: TestServer, query: string): Promise<string[]> {
  const { sources } = await server.json(`${SOURCES}?${query}`);
  return sources.map(({ source }: { source: string }) => source);
}

Deno.test({
  name: "GET sources has what has arrived of each source",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const empty = await server.json(SOURCES);
    assert.deepEqual(empty, {
      time: NOW,
      began: NOW,
      total: 0,
      silent: 0,
      sources: [],
    });
    await server.report("cam-7", [[1, 1, 1], [1, 2, 0], [1, "?", 0]]);
    server.advance(5000);
    server.publish("1,1,1\n2,2,2");
    server.publish('{"source":"<b>&amp;</b>","cells":[[9,9,9]]}');
    await until(() => server.server.sources.size === 2);
    const { sources, unnamed, total } = await server.json(SOURCES);
    assert.equal(total, 2);
    assert.deepEqual({ ...sources[0], rate: 0 }, {
      source: "cam-7",
      silent: false,
      first: NOW,
      last: NOW,
      readings: 2,
      rate: 0,
      refused: 1,
      lastRefused: { code: "bad-y", time: NOW },
    });
    assert.ok(sources[0].rate > 0);
    assert.equal(sources[1].source, "<b>&amp;</b>");
    assert.deepEqual([unnamed.readings, unnamed.last], [2, NOW + 5000]);
  },
});

Deno.test({
  name: "GET sources has a limit and a search, and refuses other parameters",
  ...needs(),
  fn: async () => {
    await using server = await start();
    for (const name of ["Cam-1", "gate", "cam-2", "x%2Fcam"]) {
      await (await server.report(name)).body?.cancel();
    }
    assert.deepEqual(await names(server, "limit=2"), ["Cam-1", "gate"]);
    assert.deepEqual(await names(server, "contains=CAM&limit=2"), [
      "Cam-1",
      "cam-2",
    ]);
    assert.deepEqual(await names(server, "contains=%252F"), ["x%2Fcam"]);
    for (
      const [query, code] of [
        ["limit=0", "bad-limit"],
        ["limit=10001", "bad-limit"],
        ["limit=10000", undefined],
        ["limit=x", "bad-limit"],
        ["limit=1&limit=2", "bad-parameter"],
        ["layer=a", "bad-parameter"],
      ] as const
    ) {
      const response = await server.get(`${SOURCES}?${query}`);
      const problem = await response.json();
      assert.equal(response.status, code === undefined ? 200 : 400, query);
      assert.equal(problem.code, code, query);
    }
  },
});

Deno.test({
  name: "GET sources of 10,000 sources is complete and valid JSON",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const readings = Array.from(
      { length: 10_000 },
      (_, i) => ({ x: i, y: 0, value: 1, source: `sensor ${i}` }),
    );
    await (await server.post(JSON.stringify(readings))).body?.cancel();
    const { sources, total } = await server.json(SOURCES);
    assert.equal(total, 10_000);
    const found = new Set(sources.map((one: { source: string }) => one.source));
    assert.equal(found.size, 10_000);
    const metrics = await (await server.get("/metrics")).text();
    assert.match(metrics, /^occupancy_sources{state="reporting"} 10000$/m);
    assert.match(metrics, /^occupancy_sources{state="silent"} 0$/m);
  },
});

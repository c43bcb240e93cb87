/** The endpoints of the past, over a history in memory. */
import assert from "node:assert/strict";
import {
  MemoryHistory,
  type MemoryHistoryOptions,
} from "../../support/memory_history.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer, type TestServer } from "../support.ts";

/** Saturday noon in Berlin. */
const NOW = Date.UTC(2026, 10, 28, 11);
const OLDEST = NOW - 30 * 86_400_000;
const T = NOW - 3_600_000;

const RECORDS = [
  { at: T, x: 1, y: 1, value: 3, isOld: true },
  { at: T + 1000, x: 2, y: -1, value: 0, stale: true },
  { at: T + 2000, x: 9, y: 9, value: -1 },
  { at: T + 5000, x: 1, y: 1, value: 0 },
  { at: T, layer: "hall/l,2", x: 0, y: 0, value: 1 },
];

interface PastServer extends TestServer {
  readonly past: MemoryHistory;
}

async function start(
  options: Partial<MemoryHistoryOptions> = {},
): Promise<PastServer> {
  const past = new MemoryHistory({
    records: RECORDS,
    oldest: OLDEST,
    now: () => NOW,
    zones: ["lobby"],
    gaps: [[T + 100_000, T + 200_000]],
    ...options,
  });
  const server = await startServer({ history: past, clock: () => NOW });
  return Object.assign(server, { past });
}

Deno.test({
  name: "GET history/map has the cells as they were, with time and stale",
  ...needs(),
  fn: async () => {
    await using server = await start();
    assert.deepEqual(
      await server.json(`/api/v1/history/map?at=${T + 4000}`),
      {
        layer: "default",
        at: T + 4000,
        gap: false,
        cells: [
          [1, 1, 3, null, 0],
          [2, -1, 0, T + 1000, 1],
          [9, 9, -1, T + 2000, 0],
        ],
      },
    );
    const later = await server.json(
      `/api/v1/history/map?at=${T + 150_000}&region=0,0,1,1&times=rfc3339`,
    );
    assert.equal(later.gap, true);
    assert.deepEqual(later.cells, [
      [1, 1, 0, new Date(T + 5000).toISOString(), 0],
    ]);
    const none = await server.json("/api/v1/history/map?at=-1h&layer=none");
    assert.deepEqual(none.cells, []);
  },
});

Deno.test({
  name: "the CSV of history/map has the columns of that of cells",
  ...needs(),
  fn: async () => {
    await using server = await start();
    await server.post("1,1,3");
    const text = async (path: string) => await (await server.get(path)).text();
    const [header] = (await text("/api/v1/cells?format=csv")).split("\n");
    const csv = await text(
      `/api/v1/history/map?at=${T + 4000}&format=csv&times=rfc3339`,
    );
    assert.deepEqual(csv.split("\n"), [
      header,
      "1,1,3,occupied,",
      `2,-1,0,stale,${new Date(T + 1000).toISOString()}`,
      `9,9,-1,unknown,${new Date(T + 2000).toISOString()}`,
      "",
    ]);
    const query = "layer=hall%2Fl%2C2&format=csv";
    assert.equal(
      await text(`/api/v1/history/map?at=${T + 4000}&${query}`),
      `x,y,value,status,time,layer\n0,0,1,occupied,${T},"hall/l,2"\n`,
    );
  },
});

Deno.test({
  name: "times have all forms, and dates are in the time zone",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const zone = "timezone=Asia/Tokyo";
    const table: [string, number][] = [
      ["at=now", NOW],
      ["at=-30m", NOW - 1_800_000],
      [`at=${T}`, T],
      ["at=2026-11-28T10:00:00Z", T],
      ["at=2026-11-28T11:00:00%2B01:00", T],
      ["at=2026-11-28T11:00", T],
      ["at=2026-11-28", Date.UTC(2026, 10, 27, 23)],
      [`at=2026-11-28T19:00&${zone}`, T],
    ];
    for (const [query, expected] of table) {
      const { at } = await server.json(`/api/v1/history/map?${query}`);
      assert.equal(at, expected, query);
    }
  },
});

Deno.test({
  name: "GET history/changes has the map before, and the changes in columns",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const query = `from=${T + 1500}&to=${T + 60_000}`;
    assert.deepEqual(await server.json(`/api/v1/history/changes?${query}`), {
      layer: "default",
      from: T + 1500,
      to: T + 60_000,
      start: {
        at: T + 1500,
        gap: false,
        cells: {
          ...{ x: [1, 2], y: [1, -1], value: [3, 0], stale: [0, 1] },
          since: [null, T + 1000],
        },
      },
      changes: {
        ...{ x: [9, 1], y: [9, 1], value: [-1, 0], stale: [0, 0] },
        since: [T + 2000, T + 5000],
      },
      gaps: [[T + 100_000, T + 200_000]],
    });
  },
});

Deno.test({
  name: "GET history/zones and history/series have a series, as JSON and CSV",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const range = "from=2026-11-27&to=2026-11-28T02:00&step=1h";
    const lobby = await server.json(`/api/v1/history/zones/lobby?${range}`);
    assert.equal(lobby.start.length, 26);
    assert.deepEqual(lobby.zone, { name: "lobby", title: "lobby" });
    assert.equal(lobby.capacity, 12);
    assert.equal(lobby.timezone, "Europe/Berlin");
    assert.deepEqual(lobby.mean.slice(0, 3), [1.5, null, 1.5]);
    const url = `/api/v1/history/series?region=4,3,0,0&${range}`;
    const region = await server.json(url);
    assert.deepEqual(region.region, [0, 0, 4, 3]);
    assert.equal("zone" in region, false);
    const csv = await server.get(`${url}&format=csv&times=rfc3339`);
    assert.match(csv.headers.get("content-type")!, /^text\/csv/);
    assert.deepEqual((await csv.text()).split("\n").slice(0, 3), [
      "start,least,mean,most,occupied,known,entries",
      "2026-11-26T23:00:00.000Z,0,1.5,3,0.25,1,2",
      "2026-11-27T00:00:00.000Z,,,,,0,",
    ]);
    // The last day by the hour.
    const day = await server.json("/api/v1/history/zones/lobby");
    assert.deepEqual(
      [day.from, day.to, day.step],
      [NOW - 86_400_000, NOW, "1h"],
    );
  },
});

Deno.test({
  name: "GET history/utilisation passes days and hours, and has columns",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const url = "/api/v1/history/utilisation";
    const answer = await server.json(
      `${url}?from=-2d&days=6-7,1,1&hours=8-18&by=day`,
    );
    assert.deepEqual(answer.days, [1, 6, 7]);
    assert.deepEqual(answer.hours, [8, 18]);
    assert.equal(answer.timezone, "Europe/Berlin");
    assert.deepEqual(answer.cells.x, [1, 2, 9]);
    assert.deepEqual(answer.cells.occupied, [60, 60, 60]);
    assert.deepEqual(answer.cells.last, [NOW - 172_800_000, null, null]);
    assert.equal(answer.week.known.length, 7);
    assert.deepEqual(answer.byDay.occupied, [[60], [60], [60]]);
    const total = await server.json(url);
    assert.equal("byDay" in total, false);
    const csv = await (await server.get(`${url}?from=-1h&format=csv`)).text();
    assert.deepEqual(csv.split("\n").slice(0, 3), [
      "x,y,occupied,known,changes,last",
      `1,1,60,3600,2,${T}`,
      "2,-1,60,3600,2,",
    ]);
  },
});

Deno.test({
  name: "GET history tells what is recorded",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const info = await server.json("/api/v1/history");
    assert.equal(info.recording, true);
    assert.equal(info.oldest, OLDEST);
    assert.equal(info.timezone, "Europe/Berlin");
    assert.deepEqual(info.gaps, [[T + 100_000, T + 200_000]]);
  },
});

Deno.test({
  name: "every bad question gets a clear error",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const table: [string, number, string, RegExp][] = [
      ["map", 400, "bad-time", /parameter at is missing/],
      ["map?at=soon", 400, "bad-time", /At is not a time: "soon"/],
      ["map?at=-31d", 400, "bad-time", /before the first record/],
      ["map?at=2026-11-29", 400, "bad-time", /in the future/],
      ["map?at=1764300000", 400, "bad-time", /looks like seconds/],
      ["map?at=now&at=now", 400, "bad-parameter", /twice/],
      ["map?at=now&since=1", 400, "bad-parameter", /Unknown parameter/],
      ["map?at=now&layer=%23", 400, "bad-layer", /layer/],
      ["map?at=now&region=1,2", 400, "bad-region", /region/],
      ["map?at=now&format=xml", 400, "bad-format", /format/],
      ["map?at=now&timezone=Mars/X", 400, "bad-timezone", /Mars\/X/],
      ["map?at=now&timezone=", 400, "bad-timezone", /time zone/],
      ["changes?from=now", 400, "bad-time", /parameter to is missing/],
      ["changes?from=now&to=-1h", 400, "bad-range", /not before/],
      ["zones/lobby?from=now&to=-1h", 400, "bad-range", /not before/],
      ["zones/lobby?step=1s", 400, "bad-step", /step/],
      ["zones/attic", 404, "unknown-zone", /attic/],
      ["zones/%23", 400, "bad-name", /zone/],
      ["series?from=-29d&step=1M", 400, "bad-step", /step/],
      ["utilisation?days=0-3", 400, "bad-days", /days/],
      ["utilisation?days=5-1", 400, "bad-days", /days/],
      ["utilisation?days=", 400, "bad-days", /days/],
      ["utilisation?hours=18-8", 400, "bad-hours", /hours/],
      ["utilisation?hours=8-25", 400, "bad-hours", /hours/],
      ["utilisation?hours=8", 400, "bad-hours", /hours/],
      ["utilisation?by=week", 400, "bad-by", /by/],
    ];
    for (const [path, status, code, detail] of table) {
      const response = await server.get(`/api/v1/history/${path}`);
      const problem = await response.json();
      assert.equal(response.status, status, path);
      assert.equal(problem.code, code, path);
      assert.match(problem.detail, detail, path);
    }
    const past = await server.json("/api/v1/history/map?at=-31d");
    assert.match(past.hint, /The oldest is of 2026-10-29/);
  },
});

Deno.test({
  name: "a step that makes a million points is refused",
  ...needs(),
  fn: async () => {
    await using server = await start({ oldest: 0 });
    const { code, hint } = await server.json(
      "/api/v1/history/zones/lobby?from=1998-01-01&step=15m",
    );
    assert.equal(code, "bad-step");
    assert.match(hint, /1h/);
  },
});

Deno.test({
  name: "without a history the answer is 409 with a hint",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (
      const path of [
        ...["", "/map?at=now", "/changes?from=-1h&to=now", "/zones/lobby"],
        ...["/series", "/utilisation"],
      ]
    ) {
      const response = await server.get(`/api/v1/history${path}`);
      const { code, hint } = await response.json();
      assert.deepEqual([response.status, code], [409, "history-off"], path);
      assert.match(hint, /--no-history/);
    }
    const metrics = await (await server.get("/metrics")).text();
    assert.doesNotMatch(metrics, /occupancy_history/);
  },
});

Deno.test({
  name: "an answer has an ETag; 304 while it is the same",
  ...needs(),
  fn: async () => {
    const records = [...RECORDS];
    await using server = await start({ records });
    for (const path of ["map?at=-10s", "series", "utilisation"]) {
      const url = `/api/v1/history/${path}`;
      const first = await server.get(url);
      const etag = first.headers.get("etag")!;
      assert.match(etag, /^W\/"/);
      const headers = { "if-none-match": etag };
      const second = await server.get(url, { headers });
      assert.equal(second.status, 304, path);
      assert.equal(await second.text(), "");
      const csv = await server.get(
        url + (path.includes("?") ? "&" : "?") + "format=csv",
        { headers },
      );
      assert.equal(csv.status, 200, path);
    }
    const url = "/api/v1/history/map?at=-10s";
    const etag = (await server.get(url)).headers.get("etag")!;
    records.push({ at: T + 6000, x: 1, y: 1, value: 7 });
    const headers = { "if-none-match": etag };
    assert.equal((await server.get(url, { headers })).status, 200);
    const head = await server.get(url, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.ok(head.headers.has("etag"));
  },
});

Deno.test({
  name: "a large map is complete, compressed and counted",
  ...needs(),
  fn: async () => {
    const records = Array.from({ length: 150_000 }, (_, i) => ({
      ...{ at: T, x: i % 1000, y: Math.floor(i / 1000), value: i % 3 },
    }));
    await using server = await start({ records });
    const url = "/api/v1/history/map?at=now";
    const response = await server.get(url, {
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(response.headers.get("vary"), "accept-encoding");
    const { cells } = await response.json();
    assert.equal(cells.length, 150_000);
    assert.deepEqual(cells.at(-1), [999, 149, 149_999 % 3, T, 0]);
    const plain = await server.get(url, {
      headers: { "accept-encoding": "identity" },
    });
    assert.equal(plain.headers.get("content-encoding"), null);
    const text = await plain.text();
    assert.deepEqual(JSON.parse(text).cells, cells);
    const metrics = await (await server.get("/metrics")).text();
    const [, sent] = /occupancy_sent_bytes_total\{kind="history"\} (\d+)/.exec(
      metrics,
    )!;
    assert.equal(Number(sent), 2 * text.length);
  },
});

Deno.test({
  name: "questions have the limit of large responses",
  ...needs(),
  fn: async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const past = new MemoryHistory({
      ...{ oldest: OLDEST, now: () => NOW },
      before: () => promise,
    });
    await using server = await startServer({
      history: past,
      clock: () => NOW,
      limits: { largeResponses: 1, waitMs: 50 },
    });
    const url = "/api/v1/history/map?at=now";
    const first = server.get(url);
    await until(() => past.asked.length === 1);
    const second = await server.get(url);
    assert.equal(second.status, 503);
    assert.equal((await second.json()).code, "overloaded");
    assert.equal(past.asked.length, 1);
    // A bad question needs none.
    assert.equal((await server.get(`${url}x`)).status, 400);
    resolve();
    assert.equal((await first).status, 200);
    assert.equal((await server.get(url)).status, 200, "the share is free");
    const bad = await server.get("/api/v1/history/map?at=-60d");
    assert.equal(bad.status, 400);
    assert.equal((await server.get(url)).status, 200, "after an error too");
  },
});

Deno.test({
  name: "a question about cells counts as four large responses",
  ...needs(),
  fn: async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const past = new MemoryHistory({
      ...{ oldest: OLDEST, now: () => NOW, before: () => promise },
    });
    await using server = await startServer({
      history: past,
      clock: () => NOW,
      limits: { largeResponses: 9, waitMs: 50 },
    });
    const url = "/api/v1/history";
    const answers = [
      server.get(`${url}/map?at=now`),
      server.get(`${url}/utilisation`),
    ];
    await until(() => past.asked.length === 2);
    assert.equal((await server.get(`${url}/map?at=now`)).status, 503);
    answers.push(server.get(`${url}/series`));
    await until(() => past.asked.length === 3);
    assert.equal((await server.get(`${url}/series`)).status, 503);
    resolve();
    for (const answer of answers) assert.equal((await answer).status, 200);
  },
});

Deno.test({
  name: "a fault of the history is a fault of the server, and frees its share",
  ...needs(),
  fn: async () => {
    let isBroken = true;
    const past = new MemoryHistory({
      ...{ oldest: OLDEST, now: () => NOW },
      before: () => {
        if (isBroken) throw new Error("broken");
        return Promise.resolve();
      },
    });
    await using server = await startServer({
      history: past,
      clock: () => NOW,
      limits: { largeResponses: 1, waitMs: 50 },
    });
    const url = "/api/v1/history/map?at=now";
    assert.equal((await server.get(url)).status, 500);
    isBroken = false;
    assert.equal((await server.get(url)).status, 200);
  },
});

Deno.test({
  name: "metrics have the size, the lag and the losses of the history",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const metrics = await (await server.get("/metrics")).text();
    for (
      const line of [
        "occupancy_history_up 1",
        "occupancy_history_bytes 4096",
        "occupancy_history_max_bytes 1000000000",
        `occupancy_history_oldest_timestamp_seconds ${OLDEST / 1000}`,
        "occupancy_history_lag_seconds 0.25",
        "occupancy_history_late_total 3",
        "occupancy_history_dropped_total 4",
        'occupancy_history_rows{kind="blocks"} 6',
      ]
    ) assert.ok(metrics.split("\n").includes(line), line);
    assert.equal((await server.get("/readyz")).status, 200);
  },
});

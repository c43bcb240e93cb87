/** The endpoints of the past, over the history that the server has recorded. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer } from "../support.ts";

/** 2026-11-28T11:00:00Z, noon in Berlin. */
const START = Date.UTC(2026, 10, 28, 11);

/** A server whose clock the test sets. */
async function start() {
  let now = START;
  const server = await startServer({
    clock: () => now,
    recorded: { stepSeconds: 1, timezone: "Europe/Berlin" },
  });
  return Object.assign(server, {
    /** Sets the clock, and sends readings. */
    at: async (seconds: number, body: string) => {
      now = START + seconds * 1000;
      assert.equal((await server.post(body)).status, 200);
    },
    setClock: (seconds: number) => {
      now = START + seconds * 1000;
    },
  });
}

/** Returns the cells of a map as `x,y,value,stale`, in order. */
function cellsOf(
  { cells }: { cells: [number, number, number, number, number][] },
): string[] {
  return cells.map(([x, y, value, , stale]) => [x, y, value, stale].join(","))
    .sort();
}

Deno.test({
  name: "the map at a time is the map as it was, over HTTP",
  ...needs(),
  fn: async () => {
    await using server = await start();
    await server.at(10, "1,1,3\n2,2,0");
    await server.at(70, "1,1,0\n40,40,5");
    await server.at(130, "2,2,1");
    server.setClock(200);
    const mapAt = (seconds: number, query = "") =>
      server.json(
        `/api/v1/history/map?at=${START + seconds * 1000}${query}`,
      );
    await until(async () => cellsOf(await mapAt(190)).includes("2,2,1,0"));
    assert.deepEqual(cellsOf(await mapAt(69)), ["1,1,3,0", "2,2,0,0"]);
    assert.deepEqual(cellsOf(await mapAt(70)), [
      ...["1,1,0,0", "2,2,0,0", "40,40,5,0"],
    ]);
    assert.deepEqual(cellsOf(await mapAt(129, "&region=0,0,9,9")), [
      ...["1,1,0,0", "2,2,0,0"],
    ]);
    const { cells } = await mapAt(190);
    const since = new Map<string, number>(
      cells.map(([x, y, , time]: number[]) => [`${x},${y}`, time]),
    );
    assert.equal(since.get("2,2"), START + 130_000);

    const changes = await server.json(
      `/api/v1/history/changes?from=${START + 60_000}&to=${START + 190_000}`,
    );
    assert.deepEqual(changes.start.cells.value.toSorted(), [0, 3]);
    assert.deepEqual(changes.changes.value, [0, 5, 1]);
    assert.deepEqual(changes.changes.since, [
      ...[START + 70_000, START + 70_000, START + 130_000],
    ]);
  },
});

Deno.test({
  name: "series and utilisation are of what was recorded, over HTTP",
  ...needs(),
  fn: async () => {
    await using server = await start();
    await server.at(0, "1,1,3\n2,2,0");
    await server.at(900, "1,1,1\n2,2,1");
    await server.at(1800, "1,1,0\n2,2,0");
    server.setClock(2700);
    const range = `from=${START}&to=${START + 2_700_000}`;
    const series = `/api/v1/history/series?${range}&step=15m`;
    await until(async () => {
      const { most } = await server.json(series);
      return most[2] === 0;
    });
    const { start: starts, most, mean, known } = await server.json(series);
    assert.deepEqual(starts, [START, START + 900_000, START + 1_800_000]);
    assert.deepEqual(most, [3, 2, 0]);
    assert.ok(Math.abs(mean[0] - 3) < 0.01, mean[0]);
    assert.ok(known.every((share: number) => share > 0.99), String(known));
    const use = await server.json(`/api/v1/history/utilisation?${range}`);
    assert.deepEqual(use.cells.x.toSorted(), [1, 2]);
    const seconds = new Map<number, number>(
      use.cells.x.map((x: number, i: number) => [x, use.cells.occupied[i]]),
    );
    assert.ok(Math.abs(seconds.get(1)! - 1800) <= 2, String(seconds.get(1)));
    assert.ok(Math.abs(seconds.get(2)! - 900) <= 2, String(seconds.get(2)));
  },
});

Deno.test({
  name: "every bad question about a recorded history gets a clear error",
  ...needs(),
  fn: async () => {
    await using server = await start();
    await server.at(10, "1,1,3");
    server.setClock(60);
    await until(async () => {
      const { status, body } = await server.get("/api/v1/history/map?at=now");
      await body?.cancel();
      return status === 200;
    });
    const table: [string, number, string][] = [
      ["map?at=-1h", 400, "bad-time"],
      ["map?at=2030-01-01", 400, "bad-time"],
      ["map?at=5138-11-16", 400, "bad-time"],
      ["map?at=0", 400, "bad-time"],
      ["changes?from=-30s&to=-40s", 400, "bad-range"],
      ["changes?from=-30s&to=2026-11-29", 400, "bad-range"],
      ["series?from=now&to=-1h", 400, "bad-range"],
      ["series?from=2030-01-01&to=2031-01-01", 400, "bad-time"],
      ["series?from=2010-01-01&to=2011-01-01", 400, "bad-time"],
      ["series?from=1980-01-01&step=15m", 400, "bad-range"],
      ["series?from=-365d&step=15m", 400, "bad-step"],
      ["zones/attic", 404, "unknown-zone"],
      ["utilisation?from=now&to=-1d", 400, "bad-range"],
    ];
    for (const [path, status, code] of table) {
      const response = await server.get(`/api/v1/history/${path}`);
      const problem = await response.json();
      assert.deepEqual([response.status, problem.code], [status, code], path);
      assert.ok(problem.hint !== undefined, path);
    }
    const { hint } = await server.json("/api/v1/history/map?at=-1h");
    assert.match(hint, /2026-11-28T11:00/);
  },
});

Deno.test({
  name: "the summary and the metrics have the state of a recorded history",
  ...needs(),
  fn: async () => {
    await using server = await start();
    await server.at(10, "1,1,3");
    server.setClock(60);
    const { history } = await server.json("/api/v1/summary");
    assert.equal(history.recording, true);
    const info = await server.json("/api/v1/history");
    assert.equal(info.timezone, "Europe/Berlin");
    const metrics = await (await server.get("/metrics")).text();
    for (
      const line of [
        /^occupancy_history_up 1$/m,
        /^occupancy_history_late_total 0$/m,
        /^occupancy_history_dropped_total 0$/m,
        /^occupancy_history_rows{kind="blocks"} \d+$/m,
        /^occupancy_history_bytes \d+$/m,
      ]
    ) assert.match(metrics, line);
  },
});

Deno.test({
  name: "a zone has a series, also of the present hour, over HTTP",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const put = await server.get("/api/v1/zones/room%202", {
      method: "PUT",
      headers: { "content-type": "application/geo+json" },
      body: JSON.stringify({
        type: "Feature",
        properties: { title: "Room 2", capacity: 4 },
        geometry: {
          type: "Polygon",
          coordinates: [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]],
        },
      }),
    });
    assert.ok(put.ok, await put.text());
    await server.at(0, "1,1,3\n2,2,0");
    await server.at(900, "1,1,0");
    await server.at(1800, "2,2,1\n9,9,7");
    server.setClock(2700);
    const range = `from=${START}&to=${START + 2_700_000}&step=15m`;
    const url = `/api/v1/history/zones/room%202?${range}`;
    await until(async () => (await server.json(url)).most?.[2] === 1);
    const series = await server.json(url);
    assert.deepEqual(series.zone, { name: "room 2", title: "Room 2" });
    assert.equal(series.capacity, 4);
    assert.equal(series.layer, "default");
    assert.deepEqual(series.most, [3, 0, 1]);
    assert.equal(series.entries[2], 1);
  },
});

/** Answers about the past as Parquet files. */
import assert from "node:assert/strict";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import type { PastCells } from "../../../src/history/answers.ts";
import { mapTable } from "../../../src/http/api/history/columns.ts";
import { MemoryHistory } from "../../support/memory_history.ts";
import { needs } from "../../support/needs.ts";
import { Running } from "../../support/processes.ts";
import { turnsIn, watchedArgs } from "../../support/turns.ts";
import { until } from "../../support/until.ts";
import { startServer } from "../support.ts";

const NOW = Date.UTC(2026, 10, 28, 11);
const T = NOW - 3_600_000;
const TYPE = "application/vnd.apache.parquet";
/** The runtime measures turns in steps of 10 ms. */
const MAX_TURN_MS = 50;
/** Rows of the largest group. */
const GROUP_ROWS = 4096;
const CELLS = 200_000;

async function read(response: Response) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), TYPE);
  const file = await response.arrayBuffer();
  const metadata = parquetMetadata(file);
  const question = metadata.key_value_metadata![0]!;
  assert.equal(question.key, "occupancy");
  return {
    rows: await parquetReadObjects({ file }),
    groups: metadata.row_groups.map(({ num_rows }) => Number(num_rows)),
    question: JSON.parse(question.value!),
  };
}

Deno.test({
  name: "format=parquet has the rows of the JSON, with nulls and times",
  ...needs(),
  fn: async () => {
    const history = new MemoryHistory({
      records: [
        { at: T, x: 1, y: 1, value: 3, isOld: true },
        { at: T + 1000, x: 2, y: -1, value: 0, stale: true },
        { at: T + 2000, x: 9, y: 9, value: -1 },
      ],
      oldest: NOW - 30 * 86_400_000,
      now: () => NOW,
      zones: ["lobby"],
      gaps: [[T + 600_000, NOW]],
    });
    await using server = await startServer({ history, clock: () => NOW });
    const get = async (path: string) =>
      await read(await server.get(`/api/v1/history/${path}&format=parquet`));
    const map = await get(`map?at=${T + 4000}`);
    const layer = "default";
    assert.deepEqual(map.rows, [
      {
        ...{ x: 1, y: 1, value: 3, status: "occupied", time: null },
        ...{ known: true, layer },
      },
      {
        ...{ x: 2, y: -1, value: 0, status: "stale" },
        ...{ time: new Date(T + 1000), known: false, layer },
      },
      {
        ...{ x: 9, y: 9, value: -1, status: "unknown" },
        ...{ time: new Date(T + 2000), known: false, layer },
      },
    ]);
    assert.deepEqual(map.question, {
      path: "/api/v1/history/map",
      ...{ at: String(T + 4000), format: "parquet" },
    });
    const gap = await get(`map?at=${T + 700_000}`);
    assert.ok(gap.rows.every(({ known }) => known === false));
    const none = await get("map?at=-1h&layer=none");
    assert.deepEqual(none.rows, []);

    for (const place of ["zones/lobby?", "series?"]) {
      const query = `${place}from=-2h&step=15m`;
      const { rows } = await get(query);
      const series = await server.json(`/api/v1/history/${query}`);
      assert.equal(rows.length, series.start.length);
      for (const [i, row] of rows.entries()) {
        assert.deepEqual(row, {
          start: new Date(series.start[i]),
          ...Object.fromEntries(
            ["least", "mean", "most", "occupied", "known", "entries"]
              .map((name) => [name, series[name][i]]),
          ),
        });
      }
    }
    const use = await get("utilisation?from=-2h");
    const { cells } = await server.json("/api/v1/history/utilisation?from=-2h");
    assert.deepEqual(use.rows.map(({ x }) => x), cells.x);
    assert.deepEqual(use.rows.map(({ known }) => known), cells.known);
  },
});

Deno.test({
  name: "a Parquet file has an ETag, and HEAD has no body",
  ...needs(),
  fn: async () => {
    const history = new MemoryHistory({
      ...{ oldest: T - 1000, now: () => NOW },
      records: [{ at: T, x: 1, y: 1, value: 3 }],
    });
    await using server = await startServer({ history, clock: () => NOW });
    const path = `/api/v1/history/map?at=${T + 1000}&format=parquet`;
    const first = await server.get(path);
    await first.body?.cancel();
    const etag = first.headers.get("etag")!;
    const again = await server.get(path, {
      headers: { "if-none-match": etag },
    });
    assert.equal(again.status, 304);
    await again.body?.cancel();
    const csv = await server.get(path.replace("parquet", "csv"));
    await csv.body?.cancel();
    assert.notEqual(csv.headers.get("etag"), etag);
    const head = await server.get(path, { method: "HEAD" });
    assert.equal(head.headers.get("content-type"), TYPE);
    assert.equal(await head.text(), "");
    const bad = await server.get(path.replace("parquet", "orc"));
    assert.equal((await bad.json()).code, "bad-format");
  },
});

Deno.test({
  name: "writeParquet() writes groups of rows, one at a time",
  ...needs(),
  fn: async () => {
    const { writeParquet } = await import(
      "../../../src/http/api/history/parquet.ts"
    );
    const length = 3 * GROUP_ROWS + 5;
    const cells: PastCells = {
      length,
      x: Int32Array.from({ length }, (_, i) => i),
      y: new Int32Array(length),
      value: Int32Array.from({ length }, (_, i) => i % 3 - 1),
      stale: new Uint8Array(length),
      since: Float64Array.from({ length }, (_, i) => i % 2 === 0 ? NaN : i),
    };
    const table = mapTable({ cells, layer: "a", gap: false });
    const asked: number[] = [];
    const columns = table.columns.map((column) => ({
      ...column,
      at: (row: number) => {
        asked.push(row);
        return column.at(row);
      },
    }));
    const parts = writeParquet({ columns, length }, "{}");
    const bytes = [parts.next().value!];
    assert.equal(Math.max(...asked), GROUP_ROWS - 1);
    bytes.push(...parts);
    const { rows, groups } = await read(
      new Response(new Blob(bytes), { headers: { "content-type": TYPE } }),
    );
    assert.deepEqual(groups, [GROUP_ROWS, GROUP_ROWS, GROUP_ROWS, 5]);
    assert.equal(rows.length, length);
    for (const [i, { x, value, time }] of rows.entries()) {
      const since = i % 2 === 0 ? null : i;
      assert.deepEqual([x, value], [i, i % 3 - 1]);
      assert.equal(time === null ? null : time.getTime(), since);
    }
  },
});

Deno.test({
  name: `${CELLS} cells as a Parquet file: no turn above ${MAX_TURN_MS} ms`,
  ...needs(),
  fn: async () => {
    await using server = new Running(
      Deno.execPath(),
      watchedArgs([
        ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        ...["--store", "memory:"],
      ]),
    );
    const [, url] = await server.waitFor(/Dashboard at (http:\S+)/);
    await server.waitFor(/Ready/);
    const side = 500;
    for (let from = 0; from < CELLS; from += 10_000) {
      const rows = Array.from({ length: 10_000 }, (_, i) => {
        const cell = from + i;
        return `${cell % side},${Math.floor(cell / side)},${cell % 5}`;
      });
      const posted = await fetch(`${url}api/v1/readings`, {
        ...{ method: "POST", body: rows.join("\n") },
        headers: { "content-type": "text/csv" },
      });
      assert.equal(posted.status, 200, await posted.text());
    }
    const address = `${url}api/v1/history/map?at=now`;
    await until(async () => {
      const csv = await (await fetch(`${address}&format=csv`)).text();
      return csv.split("\n").length === CELLS + 2;
    });
    const before = server.stderr.length;
    const { rows } = await read(await fetch(`${address}&format=parquet`));
    assert.equal(rows.length, CELLS);
    const turns = turnsIn(server.stderr.slice(before));
    assert.ok((turns[0] ?? 0) <= MAX_TURN_MS, `turns of ${turns} ms`);
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0);
  },
});

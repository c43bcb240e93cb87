import assert from "node:assert/strict";
import {
  formatAge,
  renderJson,
  renderTable,
  renderTsv,
} from "../../../src/cli/terminal/render.ts";
import { ReadingBatch } from "../../../src/protocol/mod.ts";
import type { MapView } from "../../../src/request/mod.ts";

const NOW = 1_760_000_000_000;
const ESCAPE = "\x1b";

function view(
  rows: [x: number, y: number, value: number, age?: number][],
  rest: Partial<MapView> = { revision: 7, time: NOW },
): MapView {
  const cells = new ReadingBatch();
  for (const [x, y, value, age] of rows) {
    cells.push(x, y, value, age === undefined ? NaN : NOW - age);
  }
  return { layer: "default", cells, ...rest };
}

Deno.test({
  name: "renderTable() returns a summary and the cells by row",
  permissions: "none",
  fn: () => {
    const rows: [number, number, number, number][] = [
      [3, 3, 0, 5000],
      [-10, 2, 12, 125_000],
      [1, 2, -1, 0],
    ];
    assert.equal(
      renderTable(view(rows), false),
      [
        "default  3 cells · 1 occupied · 1 free · 1 unknown · revision 7",
        "  x  y  value  status      age",
        "-10  2     12  occupied  2 min",
        "  1  2      ?  unknown     0 s",
        "  3  3      0  free        5 s",
        "",
      ].join("\n"),
    );
  },
});

Deno.test({
  name: "renderTable() has no ages if the server sends no times",
  permissions: "none",
  fn: () => {
    assert.equal(
      renderTable(view([[1, 2, 1]], {}), false),
      "default  1 cell · 1 occupied · 0 free\nx  y  value  status\n1  2      1  occupied\n",
    );
    assert.equal(
      renderTable(view([]), false),
      "default  0 cells · 0 occupied · 0 free · revision 7\n",
    );
  },
});

Deno.test({
  name: "renderTable() has escape sequences only with color",
  permissions: "none",
  fn: () => {
    const one = view([[1, 2, 1, 0]]);
    assert.ok(!renderTable(one, false).includes(ESCAPE));
    const coloured = renderTable(one, true);
    assert.ok(coloured.includes(ESCAPE));
    assert.equal(
      // deno-lint-ignore no-control-regex
      coloured.replaceAll(/\x1b\[\d+m/g, ""),
      renderTable(one, false),
    );
  },
});

Deno.test({
  name: "renderTable() returns 1,000 rows and counts the rest",
  permissions: "none",
  fn: () => {
    const rows = Array.from(
      { length: 1234 },
      (_, i): [number, number, number, number] => [i, 0, 1, 0],
    );
    const lines = renderTable(view(rows), false).trimEnd().split("\n");
    assert.equal(lines.length, 1003);
    assert.match(lines.at(-1)!, /234 more/);
  },
});

Deno.test({
  name: "renderTsv() has five columns, and a sixth for layers but default",
  permissions: "none",
  fn: () => {
    const cells = view([[2, 1, 0, 0]]);
    assert.equal(
      renderTsv({ ...cells, layer: "hall/l2" }),
      "2\t1\t0\tfree\t2025-10-09T08:53:20.000Z\thall/l2\n",
    );
    assert.equal(renderTsv(cells, "ms"), "2\t1\t0\tfree\t1760000000000\n");
    assert.match(
      renderJson(cells, "rfc3339"),
      /\[2,1,0,"2025-10-09T08:53:20\.000Z"\]/,
    );
    assert.equal(JSON.parse(renderJson({ ...cells, began: 7 })).began, 7);
  },
});

Deno.test({
  name: "renderTsv() leaves an unknown time empty",
  permissions: "none",
  fn: () => {
    assert.equal(
      renderTsv(view([[2, 1, 0, 0], [1, 1, 3], [0, 0, -5, 1]])),
      "0\t0\t-5\tunknown\t2025-10-09T08:53:19.999Z\n" +
        "1\t1\t3\toccupied\t\n" +
        "2\t1\t0\tfree\t2025-10-09T08:53:20.000Z\n",
    );
    assert.equal(renderTsv(view([])), "");
  },
});

Deno.test({
  name: "renderJson() returns one line of valid JSON",
  permissions: "none",
  fn: () => {
    const json = renderJson(view([[1, 2, 1, 0], [3, 4, 0]], {
      revision: 7,
      time: NOW,
      staleAfter: 5000,
    }));
    assert.equal(json.indexOf("\n"), json.length - 1);
    assert.deepEqual(JSON.parse(json), {
      layer: "default",
      revision: 7,
      time: NOW,
      staleAfter: 5000,
      cells: [[1, 2, 1, NOW], [3, 4, 0]],
    });
    assert.deepEqual(JSON.parse(renderJson(view([], {}))), {
      layer: "default",
      cells: [],
    });
  },
});

Deno.test({
  name: "formatAge() returns an age in one unit",
  permissions: "none",
  fn: () => {
    const cases: [ms: number, text: string][] = [
      [-5, "0 s"],
      [999, "0 s"],
      [119_999, "119 s"],
      [120_000, "2 min"],
      [7_199_999, "119 min"],
      [7_200_000, "2 h"],
      [172_799_999, "47 h"],
      [172_800_000, "2 d"],
    ];
    for (const [ms, text] of cases) assert.equal(formatAge(ms), text);
  },
});

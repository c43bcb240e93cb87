/** A stale value is never shown as free or occupied. */
import assert from "node:assert/strict";
import { renderTable, renderTsv } from "../../../src/cli/terminal/render.ts";
import { ReadingBatch } from "../../../src/protocol/mod.ts";
import type { MapView } from "../../../src/request/mod.ts";

const NOW = 1_760_000_000_000;
const STALE_AFTER = 60_000;

/** Cells just fresh and just stale, an unknown one, and one from the future. */
function view(): MapView {
  const cells = new ReadingBatch();
  cells.push(0, 0, 0, NOW - STALE_AFTER);
  cells.push(1, 0, 0, NOW - STALE_AFTER - 1);
  cells.push(2, 0, 5, NOW - STALE_AFTER);
  cells.push(3, 0, 5, NOW - STALE_AFTER - 1);
  cells.push(4, 0, -1, NOW - 10 * STALE_AFTER);
  cells.push(5, 0, 1, NOW + 30_000);
  return {
    layer: "default",
    cells,
    revision: 9,
    time: NOW,
    staleAfter: STALE_AFTER,
  };
}

Deno.test({
  name: "renderTsv() has the status stale for old observations",
  permissions: "none",
  fn: () => {
    const status = renderTsv(view()).trimEnd().split("\n")
      .map((row) => row.split("\t")[3]);
    assert.deepEqual(status, [
      "free",
      "stale",
      "occupied",
      "stale",
      "unknown",
      "occupied",
    ]);
  },
});

Deno.test({
  name: "renderTable() counts stale cells apart, and shows their age",
  permissions: "none",
  fn: () => {
    assert.deepEqual(renderTable(view(), false).trimEnd().split("\n"), [
      "default  6 cells · 2 occupied · 1 free · 2 stale · 1 unknown · revision 9",
      "x  y  value  status       age",
      "0  0      0  free        60 s",
      "1  0      0  stale       60 s",
      "2  0      5  occupied    60 s",
      "3  0      5  stale       60 s",
      "4  0      ?  unknown   10 min",
      "5  0      1  occupied     0 s",
    ]);
  },
});

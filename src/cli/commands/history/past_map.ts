/**
 * The map at a time, as a picture or as a table.
 *
 * @module
 */
import { plural } from "../../../common/plural.ts";
import { printable } from "../../../common/printable.ts";
import { type CellStatus, statusOf } from "../../../grid/status.ts";
import type { Region } from "../../../protocol/region.ts";
import {
  type ColorDepth,
  CountedCells,
  encodeLines,
  renderMap,
} from "../../terminal/map/mod.ts";
import { formatAge } from "../../terminal/render.ts";
import { renderTable } from "../../terminal/table.ts";
import type { MapAnswer } from "./history_client.ts";
import type { PastTable, TableLook } from "./tables.ts";
import { timeWriter } from "../../../history/time_text.ts";

/** Minimum width of a map, also on a narrower terminal, in columns. */
const MIN_MAP_WIDTH = 20;
const GAP_WARNING =
  "Nothing was recorded at that time: the cells are as last known before";

/** How a picture is shown. */
export interface MapLook {
  readonly width: number;
  readonly height: number;
  readonly depth: ColorDepth;
  readonly region: Region | undefined;
  readonly timezone: string;
}

/** Draws the map as it was. */
export function drawPastMap(
  { cells: rows, layer, at, gap }: MapAnswer,
  { width, height, depth, region, timezone }: MapLook,
): string {
  const cells = new CountedCells();
  for (const [x, y, value, since, stale] of rows) {
    cells.put(x, y, value, since ?? NaN, stale === 1);
  }
  const { canvas } = renderMap({
    ...{ layer, cells, height, depth },
    width: Math.max(MIN_MAP_WIDTH, width),
    ...(region && { region }),
    ...(gap && { warning: GAP_WARNING }),
    notes: [`${timeWriter(timezone, true, true)(at)} (${timezone})`],
  });
  return encodeLines(canvas, depth);
}

/** Returns a summary and a row for each cell, by y and x. */
export function renderPastMap(
  { cells, layer, at, gap }: MapAnswer,
  { width, color, maxRows }: TableLook,
  timezone: string,
): PastTable {
  const count = { occupied: 0, free: 0, stale: 0, unknown: 0 };
  const statuses = cells.map(([, , value, , stale]): CellStatus => {
    const status = statusOf(value, stale === 1);
    count[status]++;
    return status;
  });
  const order = cells.map((_, i) => i).sort((a, b) =>
    cells[a]![1] - cells[b]![1] || cells[a]![0] - cells[b]![0]
  );
  const shown = order.slice(0, maxRows);
  const summary = [
    `${timeWriter(timezone, true, true)(at)} (${timezone})`,
    plural(cells.length, "cell"),
    `${count.occupied} occupied`,
    `${count.free} free`,
    ...count.stale > 0 ? [`${count.stale} stale`] : [],
    ...count.unknown > 0 ? [`${count.unknown} unknown`] : [],
  ];
  const head = [
    `${printable(layer)}  ${summary.join(" · ")}`,
    ...gap ? [GAP_WARNING] : [],
  ];
  const table = renderTable(
    {
      head: ["x", "y", "value", "status", "for"],
      rows: shown.map((i) => {
        const [x, y, value, since] = cells[i]!;
        return [
          String(x),
          String(y),
          value < 0 ? "?" : String(value),
          statuses[i]!,
          since === null ? "> 1 d" : formatAge(at - since),
        ];
      }),
      optional: ["for"],
      alignedRight: ["x", "y", "value", "for"],
    },
    width,
    color,
  );
  const hidden = order.length - shown.length;
  const note = hidden > 0
    ? `… and ${plural(hidden, "more cell")}. A pipe gets all.\n`
    : "";
  return {
    text: `${head.join("\n")}\n${table}${note}`,
    headerLines: head.length + 1,
  };
}

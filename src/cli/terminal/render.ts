/**
 * Renders a map as a table, TSV or JSON.
 *
 * @module
 */
import { plural } from "../../common/plural.ts";
import { printable, printableJson } from "../../common/printable.ts";
import { DEFAULT_LAYER, type ReadingBatch } from "../../protocol/mod.ts";
import { type CellStatus, statusOf, wasStale } from "../../grid/status.ts";
import type { MapView } from "../../request/mod.ts";

/** Maximum rows of a table without a pager. */
const MAX_TABLE_ROWS = 1000;
const BOLD = "\x1b[1m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";
const STYLES: Partial<Record<CellStatus, string>> = {
  occupied: BOLD,
  stale: DIM,
};

/** Returns the status of a cell of a view. */
export function statusAt(view: MapView, i: number): CellStatus {
  const { value, time } = view.cells;
  return statusOf(value[i]!, wasStale(time[i]!, view));
}

/** The titles of the columns of a table of cells. */
export const TABLE_HEAD = ["x", "y", "value", "status", "age"];
/** The only column of words, aligned to the left. */
const STATUS_COLUMN = TABLE_HEAD.indexOf("status");

/**
 * Renders a summary and a table with a row for each cell, for people.
 *
 * @param maxRows maximum rows; further cells are counted
 */
export function renderTable(
  view: MapView,
  color: boolean,
  maxRows: number = MAX_TABLE_ROWS,
): string {
  const { cells } = view;
  const paint = (code: string, text: string) =>
    color ? code + text + RESET : text;
  const lines = [summaryLine(view, paint)];
  if (cells.length > 0) {
    const shown = sortedCells(cells).slice(0, maxRows);
    const hasTimes = view.time !== undefined;
    const head = hasTimes ? TABLE_HEAD : TABLE_HEAD.slice(0, -1);
    const rows = shown.map((i) => [
      String(cells.x[i]),
      String(cells.y[i]),
      cells.value[i]! < 0 ? "?" : String(cells.value[i]),
      statusAt(view, i),
      ...(hasTimes ? [formatAge(view.time! - cells.time[i]!)] : []),
    ]);
    const widths = head.map((title, column) =>
      rows.reduce(
        (max, row) => Math.max(max, row[column]!.length),
        title.length,
      )
    );
    lines.push(paint(DIM, alignRow(head, widths)));
    rows.forEach((row, i) => {
      const style = STYLES[statusAt(view, shown[i]!)];
      const line = alignRow(row, widths);
      lines.push(style === undefined ? line : paint(style, line));
    });
    const hidden = cells.length - shown.length;
    if (hidden > 0) {
      lines.push(
        paint(
          DIM,
          `… and ${hidden} more. Use --region, or a pipe, which gets all cells.`,
        ),
      );
    }
  }
  return lines.join("\n") + "\n";
}

/** Returns the texts of a row of a table of cells, aligned in columns. */
export function alignRow(
  texts: readonly string[],
  widths: readonly number[],
): string {
  return texts.map((text, column) =>
    column === STATUS_COLUMN
      ? text.padEnd(widths[column]!)
      : text.padStart(widths[column]!)
  ).join("  ").trimEnd();
}

/** The form of times: RFC 3339 in UTC, or ms since 1970. */
export type TimeForm = "rfc3339" | "ms";

/**
 * Renders lines `x y value status time`, separated by tabs, for pipes. A sixth
 * column names the layer, unless it is `default`.
 */
export function renderTsv(view: MapView, times: TimeForm = "rfc3339"): string {
  const { cells, layer } = view;
  const end = layer === DEFAULT_LAYER ? "\n" : `\t${layer}\n`;
  const lines: string[] = [];
  for (const i of sortedCells(cells)) {
    const value = cells.value[i]!;
    const time = cells.time[i]!;
    lines.push(
      `${cells.x[i]}\t${cells.y[i]}\t${value}\t${statusAt(view, i)}\t${
        Number.isNaN(time) ? "" : timeText(time, times)
      }${end}`,
    );
  }
  return lines.join("");
}

/** Renders one JSON object on one line, for programs. */
export function renderJson(view: MapView, times: TimeForm = "ms"): string {
  const { cells, layer, revision, time, staleAfter, began, display } = view;
  const head = printableJson({
    layer,
    revision,
    time,
    staleAfter,
    began,
    display,
  });
  const quote = times === "ms" ? "" : '"';
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i++) {
    const at = cells.time[i]!;
    rows.push(
      Number.isNaN(at)
        ? `[${cells.x[i]},${cells.y[i]},${cells.value[i]}]`
        : `[${cells.x[i]},${cells.y[i]},${cells.value[i]},${quote}${
          timeText(at, times)
        }${quote}]`,
    );
  }
  const open = head === "{}" ? "{" : head.slice(0, -1) + ",";
  return `${open}"cells":[${rows.join(",")}]}\n`;
}

/** Returns a time, ms since 1970, in a form. */
export function timeText(ms: number, form: TimeForm): string {
  return form === "ms" ? String(ms) : new Date(ms).toISOString();
}

function summaryLine(
  view: MapView,
  paint: (code: string, text: string) => string,
): string {
  const { cells } = view;
  const count = { occupied: 0, free: 0, stale: 0, unknown: 0 };
  for (let i = 0; i < cells.length; i++) count[statusAt(view, i)]++;
  const parts = [
    `${plural(cells.length, "cell")}`,
    `${count.occupied} occupied`,
    `${count.free} free`,
    ...(count.stale > 0 ? [`${count.stale} stale`] : []),
    ...(count.unknown > 0 ? [`${count.unknown} unknown`] : []),
    ...(view.revision === undefined ? [] : [`revision ${view.revision}`]),
  ];
  return `${paint(BOLD, printable(view.layer))}  ${parts.join(" · ")}`;
}

/** Returns the indexes of the cells by y, then by x. */
function sortedCells(cells: ReadingBatch): number[] {
  const order = Array.from({ length: cells.length }, (_, i) => i);
  return order.sort((a, b) =>
    cells.y[a]! - cells.y[b]! || cells.x[a]! - cells.x[b]!
  );
}

/** Returns an age in one unit: `3 s`, `5 min`, `2 h`, `9 d`. */
export function formatAge(ms: number): string {
  if (ms < 0) return "0 s";
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

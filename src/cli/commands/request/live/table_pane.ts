import { Level, statusOf } from "../../../../grid/status.ts";
import type { Region } from "../../../../grid/mod.ts";
import {
  BOLD,
  Canvas,
  colorOfLevel,
  type CountedCells,
  DIM,
  flow,
  grouped,
  headline,
  PLAIN,
  type Span,
  type Style,
  styleOf,
} from "../../../terminal/map/mod.ts";
import { formatAge } from "../../../terminal/render.ts";
import type { Key } from "./keys.ts";
import type { Pane, Scene } from "./pane.ts";
import { firstOf } from "./select.ts";

/** So many rows can be scrolled to; more is for a pipe or a region. */
const MAX_ROWS = 1000;
const GAP = 2;
const STATUS_COLUMN = 3;
const STATUS_WIDTH = "occupied".length;
const VALUE_WIDTH = "value".length;
const AGE_WIDTH = "119 min".length;

/** Whether a cell comes before another, by index; negative if it does. */
type Order = (cells: CountedCells, a: number, b: number) => number;

const byPlace: Order = ({ table: { x, y } }, a, b) =>
  y[a]! - y[b]! || x[a]! - x[b]!;

/** What `s` goes through. The level tells fresh from stale, so it comes first. */
const ORDERS: readonly (readonly [name: string, order: Order])[] = [
  ["place", byPlace],
  ["value", (cells, a, b) => {
    const { value } = cells.table;
    return cells.levelOfRow(b) - cells.levelOfRow(a) || value[b]! - value[a]! ||
      byPlace(cells, a, b);
  }],
  ["newest", (cells, a, b) => {
    const { time } = cells.table;
    const at = (row: number) => Number.isNaN(time[row]!) ? 0 : time[row]!;
    return at(b) - at(a) || byPlace(cells, a, b);
  }],
];

/** The cells as a table that can be sorted and scrolled. */
export class TablePane implements Pane {
  readonly ages = true;
  readonly #region: Region | undefined;
  #order = 0;
  /** The first row that is shown. */
  #top = 0;
  /** How many are shown, as far as is known. */
  #rows = 1;

  /** @param region What was asked for. Default: the least that has all cells */
  constructor(region?: Region) {
    this.#region = region;
  }

  draw(scene: Scene): Canvas {
    const { layer, cells, width, height, note } = scene;
    const [orderName, order] = ORDERS[this.#order]!;
    const head = flow(
      headline(layer, cells.counts(), this.#region ?? cells.table.bounds),
      width,
      3,
    );
    const reach = Math.min(cells.table.length, MAX_ROWS);
    const foot = (from: number, to: number): Span[][] => {
      const place = cells.table.length === 0
        ? "Nothing has been reported yet"
        : `${from}–${to} of ${grouped(cells.table.length)}`;
      const keys = `q quit · s sort: ${orderName} · ↑↓ scroll`;
      const items: Span[][] = note === undefined
        ? [[[place, DIM]], [[keys, DIM]]]
        : [[[note, BOLD]], [[place, DIM]]];
      return flow(items, width, GAP);
    };
    const footRows = foot(MAX_ROWS, MAX_ROWS).length;
    this.#rows = Math.max(1, height - head.length - 1 - footRows);
    this.#top = Math.max(0, Math.min(this.#top, reach - this.#rows));
    const end = Math.min(reach, this.#top + this.#rows);
    const shown = firstOf(
      cells.table.length,
      end,
      (a, b) => order(cells, a, b),
    ).slice(this.#top);

    const rows = shown.map((i) => rowOf(cells, i, scene.time));
    const widths = widthsOf(cells, rows);
    const lines: (readonly Span[])[] = [
      ...head,
      [[aligned(["x", "y", "value", "status", "age"], widths), DIM]],
      ...rows.map((row, i): Span[] => [[
        aligned(row, widths),
        styleOfRow(cells.levelOfRow(shown[i]!)),
      ]]),
    ];
    while (lines.length < height - footRows) lines.push([]);
    lines.push(...foot(Math.min(this.#top + 1, end), end));
    const canvas = new Canvas(width, height);
    lines.forEach((line, row) => canvas.write(0, row, line));
    return canvas;
  }

  press(key: Key): boolean {
    switch (key) {
      case "s":
        this.#order = (this.#order + 1) % ORDERS.length;
        this.#top = 0;
        return true;
      case "up":
        return this.#scroll(-1);
      case "down":
        return this.#scroll(1);
      case "page up":
        return this.#scroll(-this.#rows);
      case "page down":
      case " ":
        return this.#scroll(this.#rows);
      case "home":
        return this.#scroll(-Infinity);
      case "end":
        return this.#scroll(MAX_ROWS);
    }
    return false;
  }

  /** Drawing sees to it that it is not too far. */
  #scroll(rows: number): boolean {
    this.#top = Math.max(0, this.#top + rows);
    return true;
  }
}

function rowOf(cells: CountedCells, i: number, now: number): string[] {
  const { x, y, value, time, stale } = cells.table;
  return [
    String(x[i]),
    String(y[i]),
    value[i]! < 0 ? "?" : String(value[i]),
    statusOf(value[i]!, stale[i] === 1),
    Number.isNaN(time[i]!) ? "" : formatAge(now - time[i]!),
  ];
}

/** As wide as all rows need, not only those shown: nothing jumps while one scrolls. */
function widthsOf(
  { table: { bounds } }: CountedCells,
  rows: readonly (readonly string[])[],
): number[] {
  const { x0, y0, x1, y1 } = bounds ?? { x0: 0, y0: 0, x1: 0, y1: 0 };
  const widest = (a: number, b: number) =>
    Math.max(String(a).length, String(b).length);
  const value = Math.max(VALUE_WIDTH, ...rows.map((row) => row[2]!.length));
  return [widest(x0, x1), widest(y0, y1), value, STATUS_WIDTH, AGE_WIDTH];
}

function aligned(row: readonly string[], widths: readonly number[]): string {
  return row.map((text, column) =>
    column === STATUS_COLUMN
      ? text.padEnd(widths[column]!)
      : text.padStart(widths[column]!)
  ).join(" ".repeat(GAP));
}

/** The words tell all; the style only helps the eye. */
function styleOfRow(level: number): Style {
  if (level >= Level.Occupied) return BOLD | styleOf(colorOfLevel(level));
  return level === Level.Free ? PLAIN : DIM;
}

/**
 * The two ways to show a live map: as a map and as a table.
 *
 * @module
 */
import type { Region } from "../../../../grid/mod.ts";
import { Level, statusOf } from "../../../../grid/status.ts";
import {
  BOLD,
  type Camera,
  Canvas,
  colorOfLevel,
  type CountedCells,
  DIM,
  headline,
  pan,
  PLAIN,
  type RenderedMap,
  renderMap,
  type Span,
  type Style,
  styleOf,
  viewportOf,
  wrapItems,
  zoomIn,
  zoomOut,
} from "../../../terminal/map/mod.ts";
import { alignRow, formatAge, TABLE_HEAD } from "../../../terminal/render.ts";
import type { Pane, Scene } from "./cells_model.ts";
import { fittingText, type KeyMeaning } from "./key_help.ts";
import type { Key } from "./keyboard.ts";
import { SCROLL_KEYS, Scroller } from "./scroller.ts";
import { firstOf } from "./select.ts";
import { tableFoot } from "./table_foot.ts";

/** The keys in the last line; the second text is for narrow terminals. */
const MAP_KEYS = [
  "q quit · ? keys · arrows pan · +/- zoom · 0 all",
  "q quit · ? keys",
];
/** How far an arrow key pans, in eighths of the map: across and down. */
const ARROWS: Record<Key, readonly [number, number]> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
};

/** The map, which can be zoomed and panned. */
export class MapPane implements Pane {
  readonly hasAges = false;
  readonly keys: readonly KeyMeaning[] = [
    ["+  -", "zoom in and out"],
    ["arrows", "pan, when zoomed in"],
    ["0  Home", "show the whole map"],
  ];
  readonly #region: Region | undefined;
  readonly #notes: readonly string[];
  #camera: Camera | undefined;
  #shown: RenderedMap["shown"];
  #yUp = false;

  /**
   * @param region the region to show. Default: the smallest one with all cells
   * @param notes texts below the map, before the keys
   */
  constructor(region?: Region, notes: readonly string[] = []) {
    this.#region = region;
    this.#notes = notes;
  }

  draw(scene: Scene): Canvas {
    const { notice, staleAfter, ...rest } = scene;
    const notes = [...this.#notes, fittingText(MAP_KEYS, scene.width)];
    const rendered = renderMap({
      ...rest,
      ...(notice === undefined ? { notes } : { warning: notice }),
      ...(staleAfter !== undefined && { staleAfter }),
      ...(this.#region && { region: this.#region }),
      ...(this.#camera && { camera: this.#camera }),
    });
    this.#shown = rendered.shown;
    this.#yUp = scene.display?.yUp === true;
    return rendered.canvas;
  }

  press(key: Key): boolean {
    if (this.#shown === undefined) return false;
    const { area, region } = this.#shown;
    // Not the drawn viewport: several keys may be pressed between two frames.
    const viewport = viewportOf(region, area, this.#camera);
    if (key === "+" || key === "=") this.#camera = zoomIn(viewport, area);
    else if (key === "-" || key === "_") {
      this.#camera = zoomOut(viewport, area, region);
    } else if (key === "0" || key === "home") this.#camera = undefined;
    else if (ARROWS[key] && this.#camera) {
      const [across, down] = ARROWS[key];
      this.#camera = pan(viewport, across, this.#yUp ? -down : down);
    } else return false;
    return true;
  }
}

/** Maximum rows to scroll through. */
const MAX_ROWS = 1000;
/** Columns between two items of the headline. */
const HEADLINE_GAP = 3;
const STATUS_WIDTH = "occupied".length;
const VALUE_WIDTH = "value".length;
const AGE_WIDTH = "119 min".length;

/** Compares two rows of a table; negative if `a` comes first. */
type Order = (cells: CountedCells, a: number, b: number) => number;

const byPlace: Order = ({ table: { x, y } }, a, b) =>
  y[a]! - y[b]! || x[a]! - x[b]!;

/** The orders that the key `s` selects one after the other. */
const ORDERS: readonly (readonly [name: string, order: Order])[] = [
  ["place", byPlace],
  ["value", (cells, a, b) => {
    const { value } = cells.table;
    // By level first, so that stale cells come after fresh ones.
    return cells.levelOfRow(b) - cells.levelOfRow(a) || value[b]! - value[a]! ||
      byPlace(cells, a, b);
  }],
  ["newest", (cells, a, b) => {
    const { time } = cells.table;
    const at = (row: number) => Number.isNaN(time[row]!) ? 0 : time[row]!;
    return at(b) - at(a) || byPlace(cells, a, b);
  }],
];

/** The cells as a table, which can be sorted and scrolled. */
export class TablePane implements Pane {
  readonly hasAges = true;
  readonly keys: readonly KeyMeaning[] = [
    ["s", "sort by place, value or newest"],
    ...SCROLL_KEYS,
  ];
  readonly #region: Region | undefined;
  readonly #scroller = new Scroller(MAX_ROWS);
  #order = 0;

  /** @param region the requested region. Default: the smallest one with all cells */
  constructor(region?: Region) {
    this.#region = region;
  }

  draw(scene: Scene): Canvas {
    const { layer, cells, width, height, notice, display } = scene;
    const { table } = cells;
    const [orderName, order] = ORDERS[this.#order]!;
    const head = wrapItems(
      headline(
        layer,
        cells.counts(),
        this.#region ?? table.bounds,
        display?.unit,
      ),
      width,
      HEADLINE_GAP,
    );
    const foot = (from: number, to: number) =>
      tableFoot(from, to, {
        rows: table.length,
        empty: "Nothing has been reported yet",
        ...{ orderName, notice, width },
      });
    const footRows = foot(MAX_ROWS, MAX_ROWS).length;
    const visible = height - head.length - 1 - footRows;
    const { top, end } = this.#scroller.fit(table.length, visible);
    const shown = firstOf(table.length, end, (a, b) => order(cells, a, b))
      .slice(top);

    const rows = shown.map((row) => textsOf(cells, row, scene.time));
    const widths = columnWidths(cells, rows);
    const lines: (readonly Span[])[] = [
      ...head,
      [[alignRow(TABLE_HEAD, widths), DIM]],
      ...rows.map((texts, i): Span[] => [[
        alignRow(texts, widths),
        styleOfLevel(cells.levelOfRow(shown[i]!)),
      ]]),
    ];
    while (lines.length < height - footRows) lines.push([]);
    lines.push(...foot(Math.min(top + 1, end), end));
    const canvas = new Canvas(width, height);
    lines.forEach((line, row) => canvas.write(0, row, line));
    return canvas;
  }

  press(key: Key): boolean {
    if (key !== "s") return this.#scroller.press(key);
    this.#order = (this.#order + 1) % ORDERS.length;
    this.#scroller.reset();
    return true;
  }
}

function textsOf(
  { table: { x, y, value, time, stale } }: CountedCells,
  row: number,
  now: number,
): string[] {
  return [
    String(x[row]),
    String(y[row]),
    value[row]! < 0 ? "?" : String(value[row]),
    statusOf(value[row]!, stale[row] === 1),
    Number.isNaN(time[row]!) ? "" : formatAge(now - time[row]!),
  ];
}

/** Returns widths that hardly change while the user scrolls. */
function columnWidths(
  { table: { bounds } }: CountedCells,
  rows: readonly (readonly string[])[],
): number[] {
  const { x0, y0, x1, y1 } = bounds ?? { x0: 0, y0: 0, x1: 0, y1: 0 };
  const widest = (a: number, b: number) =>
    Math.max(String(a).length, String(b).length);
  const value = Math.max(VALUE_WIDTH, ...rows.map((row) => row[2]!.length));
  return [widest(x0, x1), widest(y0, y1), value, STATUS_WIDTH, AGE_WIDTH];
}

function styleOfLevel(level: number): Style {
  if (level >= Level.Occupied) return BOLD | styleOf(colorOfLevel(level));
  return level === Level.Free ? PLAIN : DIM;
}

/**
 * The rows of a table of zones, of the width of a terminal.
 *
 * @module
 */
import { DEFAULT_LAYER } from "../../protocol/topics.ts";
import type { ZoneState } from "../../zones/mod.ts";
import { columnsOf, columnsOfText, drawable } from "./columns.ts";
import {
  BOLD,
  colorOfLevel,
  DIM,
  PLAIN,
  type Span,
  type Style,
  styleOf,
} from "./map/mod.ts";
import { Level } from "../../grid/status.ts";
import { formatAge } from "./render.ts";

const GAP_COLUMNS = 2;
/** The length of a bar at 100 percent, in columns. */
const BAR_COLUMNS = 10;
/** A narrow terminal gets shorter bars, and then none. */
const MIN_BAR_COLUMNS = 4;
/** Columns are left out rather than names shortened to less than this... */
const GOOD_NAME_COLUMNS = 16;
/** ...and bars rather than to less than this. */
const MIN_NAME_COLUMNS = 8;
const FULL_BLOCK = "█";
/** One to seven eighths of a column (Unicode block elements). */
const PARTIAL_BLOCKS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** How a zone is, in one word. */
export type ZoneStatus = "full" | "occupied" | "free" | "unknown";

/** Returns the word for a state; `full`: the count has reached the capacity. */
export function zoneStatus(
  { occupied, count, capacity = Infinity }: ZoneState,
): ZoneStatus {
  if (occupied === null) return "unknown";
  if (count >= capacity) return "full";
  return occupied ? "occupied" : "free";
}

/** Room 2 is before room 10. */
const collator = new Intl.Collator("en", { numeric: true });

/** Compares two states by the names of the zones. Never 0 for different ones. */
export function compareNames(a: ZoneState, b: ZoneState): number {
  return collator.compare(a.zone, b.zone) || (a.zone < b.zone ? -1 : 1);
}

/**
 * Compares two states in the order of a list: the fullest first, unknown ones
 * last, equal ones by name. Never 0 for different zones.
 */
export function compareFullest(a: ZoneState, b: ZoneState): number {
  return (b.percent ?? -1) - (a.percent ?? -1) || b.count - a.count ||
    compareNames(a, b);
}

/** The columns of a table, in the order in which they are shown. */
type Column =
  | "zone"
  | "title"
  | "layer"
  | "state"
  | "for"
  | "count"
  | "%"
  | "bar";

/** Columns that a narrow terminal omits, the first ones first. */
const OPTIONAL: readonly Column[] = ["for", "layer", "title", "%"];
const ALIGNED_RIGHT: readonly Column[] = ["for", "count", "%"];

/** How {@linkcode zoneRows} arranges a table. */
export interface ZoneRowsOptions {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** Columns of the terminal. */
  readonly width: number;
  /** Zones that determine the columns and their widths. Default: the shown. */
  readonly widest?: Partial<Record<"zone" | "title" | "layer", number>>;
}

/**
 * Returns the head and a row for each zone. Columns that say nothing, such as
 * titles that are the names, are left out; in a narrow terminal also others,
 * then bars and names are shortened.
 */
export function zoneRows(
  states: readonly ZoneState[],
  { time, width, widest = widestOf(states) }: ZoneRowsOptions,
): Span[][] {
  const columns: Partial<Record<Column, (state: ZoneState) => string>> = {
    zone: ({ zone }) => zone,
    ...(widest.title && { title: ({ title }) => title }),
    ...(widest.layer && { layer: ({ layer }) => layer }),
    state: zoneStatus,
    for: ({ since }) => formatAge(time - since),
    count: countText,
    "%": ({ percent }) => percent === null ? "?" : String(percent),
  };
  const texts = new Map<Column, string[]>();
  const widths = new Map<Column, number>();
  for (const [name, text] of Object.entries(columns)) {
    const column = name as Column;
    const all = states.map(text);
    texts.set(column, all);
    const least = widest[column as keyof typeof widest] ?? name.length;
    const max = (a: number, text: string) => Math.max(a, columnsOfText(text));
    widths.set(column, all.reduce(max, Math.max(name.length, least)));
  }
  const bar = fit(widths, width);
  const shown = [...widths.keys()];
  const head = shown.map((column) => align(column, column, widths)).join("  ");
  return [
    [[head.trimEnd(), DIM]],
    ...states.map((state, row): Span[] => {
      const style = STYLES[zoneStatus(state)];
      const spans = shown.map((column): Span => [
        align(texts.get(column)![row]!, column, widths) + "  ",
        column === "state" ? style : state.occupied === null ? DIM : PLAIN,
      ]);
      return [...spans, [barText(state.percent, bar), BAR_STYLE]];
    }),
  ];
}

/** Returns the columns that the names, titles and layers of zones take. */
export function widestOf(
  states: Iterable<ZoneState>,
): { zone: number; title: number; layer: number } {
  const widest = { zone: 0, title: 0, layer: 0 };
  for (const { zone, title, layer } of states) {
    const own = {
      zone,
      title: title === zone ? "" : title,
      layer: layer === DEFAULT_LAYER ? "" : layer,
    };
    for (const key of ["zone", "title", "layer"] as const) {
      widest[key] = Math.max(widest[key], columnsOfText(own[key]));
    }
  }
  return widest;
}

/** Such as `4/20`; `≥4/20` if cells are stale or unknown. */
export function countText(
  { occupied, count, certain, capacity }: ZoneState,
): string {
  const text = occupied === null ? "?" : `${certain ? "" : "≥"}${count}`;
  return capacity === undefined ? text : `${text}/${capacity}`;
}

/**
 * Returns a bar of eighths of a column; more than 100 percent is not longer.
 *
 * @param columns its length at 100 percent
 */
export function barText(percent: number | null, columns: number): string {
  const eighths = Math.round(Math.min(100, percent ?? 0) / 100 * columns * 8);
  return FULL_BLOCK.repeat(Math.floor(eighths / 8)) +
    PARTIAL_BLOCKS[eighths % 8]!;
}

/** The style of bars. */
export const BAR_STYLE: Style = styleOf(colorOfLevel(Level.Occupied));

/** The styles of the words for states. */
export const STYLES: Readonly<Record<ZoneStatus, Style>> = {
  full: BOLD | BAR_STYLE,
  occupied: BAR_STYLE,
  free: PLAIN,
  unknown: DIM,
};

/**
 * Removes columns and makes others narrower until they fit a width.
 *
 * @returns the length of the bars; 0 for none
 */
function fit(widths: Map<Column, number>, width: number): number {
  const free = (bar: number) => {
    const columns = [...widths.values(), ...(bar > 0 ? [bar] : [])];
    const gaps = GAP_COLUMNS * (columns.length - 1);
    return width - gaps - columns.reduce((sum, one) => sum + one, 0);
  };
  const shorten = (column: Column, least: number, bar = BAR_COLUMNS) => {
    const own = widths.get(column);
    const missing = -free(bar);
    if (own === undefined || missing <= 0) return;
    widths.set(column, Math.min(own, Math.max(least, own - missing)));
  };
  shorten("title", GOOD_NAME_COLUMNS);
  shorten("zone", GOOD_NAME_COLUMNS);
  for (const column of OPTIONAL) {
    // The number says more than the length of the bar.
    const least = column === "%" ? MIN_BAR_COLUMNS : BAR_COLUMNS;
    if (free(least) < 0) widths.delete(column);
  }
  const bar = Math.min(BAR_COLUMNS, BAR_COLUMNS + free(BAR_COLUMNS));
  if (bar >= MIN_BAR_COLUMNS) return bar;
  shorten("zone", MIN_NAME_COLUMNS, MIN_BAR_COLUMNS);
  const rest = Math.min(BAR_COLUMNS, BAR_COLUMNS + free(BAR_COLUMNS));
  return rest >= MIN_BAR_COLUMNS ? rest : 0;
}

/** Returns a text as wide as its column, cut off with an ellipsis. */
function align(
  text: string,
  column: Column,
  widths: ReadonlyMap<Column, number>,
): string {
  const width = widths.get(column)!;
  const characters = drawable(text);
  let columns = characters.reduce((sum, one) => sum + columnsOf(one), 0);
  if (columns > width) {
    while (columns >= width) columns -= columnsOf(characters.pop()!);
    characters.push("…");
    columns++;
  }
  const space = " ".repeat(width - columns);
  const shown = characters.join("");
  return ALIGNED_RIGHT.includes(column) ? space + shown : shown + space;
}

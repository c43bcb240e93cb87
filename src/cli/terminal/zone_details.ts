/**
 * The state of one zone, in lines for people.
 *
 * @module
 */
import { plural } from "../../common/plural.ts";
import { DEFAULT_LAYER } from "../../protocol/topics.ts";
import type { ZoneState } from "../../zones/mod.ts";
import { BOLD, DIM, type Span, wrapItems } from "./map/mod.ts";
import { formatAge } from "./render.ts";
import { BAR_STYLE, barText, STYLES, zoneStatus } from "./zone_rows.ts";

const GAP_COLUMNS = 3;
const MAX_BAR_COLUMNS = 40;
const TRACK = "░";

/** How {@linkcode zoneDetails} renders. */
export interface ZoneDetailsOptions {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Returns lines that describe a zone, of at most the width of the terminal. */
export function zoneDetails(
  state: ZoneState,
  { time, width }: ZoneDetailsOptions,
): Span[][] {
  const { zone, title, layer, since } = state;
  const status = zoneStatus(state);
  const age = formatAge(time - since);
  const items: Span[][][] = [
    [
      [[title, BOLD]],
      ...(title === zone ? [] : [[[zone]] as Span[]]),
      ...(layer === DEFAULT_LAYER ? [] : [[[`layer ${layer}`]] as Span[]]),
    ],
    [barOf(state, Math.min(MAX_BAR_COLUMNS, width)), [[countOf(state)]]],
    [
      [[status, STYLES[status]], [` for ${age}`]],
      [[`since ${minuteOf(since)}`, DIM]],
    ],
    cellsOf(state).map((text): Span[] => [[text]]),
    reasonOf(state).map((text): Span[] => [[text, DIM]]),
  ];
  return items.flatMap((line) => wrapItems(line, width, GAP_COLUMNS));
}

/** The bar with a track up to 100 percent; none if nothing is known. */
function barOf({ percent }: ZoneState, columns: number): Span[] {
  const bar = barText(percent, columns);
  return [[bar, BAR_STYLE], [TRACK.repeat(columns - [...bar].length), DIM]];
}

/** Such as `at least 4 of 20 (20%)`. */
function countOf(
  { occupied, count, certain, capacity, percent }: ZoneState,
): string {
  const shown = occupied === null
    ? "unknown"
    : `${certain ? "" : "at least "}${count}`;
  const of = capacity === undefined ? "" : ` of ${capacity}`;
  if (percent === null) return shown + of;
  return capacity === undefined
    ? `${shown} (${percent}% of the cells)`
    : `${shown}${of} (${percent}%)`;
}

function cellsOf(state: ZoneState): string[] {
  const { cells, occupiedCells, staleCells, unknownCells } = state;
  const free = cells - occupiedCells - staleCells - unknownCells;
  return [
    plural(cells, "cell"),
    `${occupiedCells} occupied`,
    `${free} free`,
    ...(staleCells > 0 ? [`${staleCells} stale`] : []),
    ...(unknownCells > 0 ? [`${unknownCells} unknown`] : []),
  ];
}

/** Why the count is not certain, or not known. */
function reasonOf({ occupied, certain, cells }: ZoneState): string[] {
  if (cells === 0) return ["no cell of the zone was ever reported"];
  if (occupied === null) return ["no cell is fresh and known"];
  return certain ? [] : ["stale and unknown cells do not count"];
}

/** Such as `2026-01-31 12:00 UTC`. */
function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/**
 * Chooses what the map shows while the user has not moved it.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";

/** The outer edges of a rectangle, in cells: the cell 0 is from 0 to 1. */
export type Edges = readonly [x0: number, y0: number, x1: number, y1: number];

/** What there is to show of a layer. */
export interface MapContent {
  /** The floor plan, also while it is hidden. */
  readonly plan: Edges | undefined;
  /** The smallest region with all cells. */
  readonly cells: Region | undefined;
  /** The smallest rectangle with all zones. */
  readonly zones?: Edges | undefined;
}

/** Before anything is known. */
export const NO_CONTENT: MapContent = {
  plan: undefined,
  cells: undefined,
  zones: undefined,
};

/**
 * Maximum width and height of plan and cells together, in widths and heights of
 * the plan. Above it, only the plan is shown: one distant cell of a faulty
 * sensor must not shrink the plan to a speck.
 */
const MAX_SPAN_OF_PLANS = 3;

/**
 * Returns the plan with the cells around it; the zones if there are neither;
 * undefined if there is nothing.
 */
export function homeOf({ plan, cells, zones }: MapContent): Edges | undefined {
  const all = union(plan, edgesOf(cells));
  if (all === undefined) return zones;
  if (plan === undefined) return all;
  const [width, height] = sizeOf(plan);
  const [allWidth, allHeight] = sizeOf(all);
  const isNear = allWidth <= MAX_SPAN_OF_PLANS * width &&
    allHeight <= MAX_SPAN_OF_PLANS * height;
  return isNear ? all : plan;
}

/** Returns plan, cells and zones; undefined if there is nothing. */
export function allOf({ plan, cells, zones }: MapContent): Edges | undefined {
  return union(union(plan, edgesOf(cells)), zones);
}

function edgesOf(region: Region | undefined): Edges | undefined {
  return region &&
    [region.x0, region.y0, region.x1 + 1, region.y1 + 1];
}

/** The smallest rectangle with both. */
export function union(
  a: Edges | undefined,
  b: Edges | undefined,
): Edges | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ];
}

/** Space at the edges of the map, CSS pixels. */
export interface Padding {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** Maximum part of width or height that is left free for what is on the map. */
const MAX_PADDING = 0.4;

/**
 * Limits the space that is left free on a small map, so that the map itself
 * keeps most of it; tools and legend then cover its edges.
 */
export function limitPadding(
  { top, right, bottom, left }: Padding,
  [width, height]: readonly [number, number],
): Padding {
  const across = Math.min(1, MAX_PADDING * width / Math.max(1, left + right));
  const down = Math.min(1, MAX_PADDING * height / Math.max(1, top + bottom));
  return {
    top: top * down,
    right: right * across,
    bottom: bottom * down,
    left: left * across,
  };
}

/** At the smallest scale, plan and cells fill at least this part of the map. */
const MIN_FILLED = 0.5;
/** The smallest scale is never above this, CSS pixels per cell. */
const MAX_MIN_SCALE = 4;

/**
 * Returns the smallest scale to which users can zoom out.
 *
 * @param size of the map, CSS pixels
 * @returns CSS pixels per cell
 */
export function minScaleOf(
  all: Edges,
  [width, height]: readonly [number, number],
): number {
  const [columns, rows] = sizeOf(all);
  const fit = Math.min(width / columns, height / rows);
  return Math.min(MIN_FILLED * fit, MAX_MIN_SCALE);
}

/** Whether two rectangles have a common part. */
export function overlap(a: Edges, b: Edges): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

function sizeOf([x0, y0, x1, y1]: Edges): [width: number, height: number] {
  return [x1 - x0, y1 - y0];
}

import type { Region } from "../../../grid/mod.ts";

/** Points a cell may be wide and high: even, so that a cell fills whole characters. */
const MAGNIFIED = [8, 6, 4, 2];
/** Cells a point, from near to far; beyond, each is twice the one before. */
const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 12, 16];

/** A step that changes the scale by less would seem to do nothing. */
const NOTICEABLE = 1.2;

/** How many points there is room for. A character is one point wide and two high. */
export interface Room {
  readonly width: number;
  readonly height: number;
  /** The most points that a cell may be wide: 8 at most, 1 for no more than one. */
  readonly magnify: number;
}

/** Which cells are shown by which points. */
export interface Viewport {
  /** The side of a point in cells: 2.8, or 1/4 where a cell is 4 points wide. */
  readonly cellsPerPoint: number;
  /** Where the first point begins, in cells. */
  readonly left: number;
  readonly top: number;
  /** In points. */
  readonly width: number;
  readonly height: number;
}

/** Where a person looks, if not at everything. */
export interface Gaze {
  readonly cellsPerPoint: number;
  /** The centre, in cells. */
  readonly x: number;
  readonly y: number;
}

/** The sides of a region, in cells. */
export function sizeOf({ x0, y0, x1, y1 }: Region): [number, number] {
  return [x1 - x0 + 1, y1 - y0 + 1];
}

/**
 * The viewport that shows all of a region as large as there is room for; or
 * where a gaze is given, that part of it.
 */
export function viewportOf(region: Region, room: Room, gaze?: Gaze): Viewport {
  const [columns, rows] = sizeOf(region);
  const fit = fitting(region, room);
  const step = gaze ? Math.min(gaze.cellsPerPoint, fit) : fit;
  const across = axis(region.x0, columns, room.width, step, gaze?.x);
  const down = axis(region.y0, rows, room.height, step, gaze?.y);
  return {
    cellsPerPoint: step,
    left: across.start,
    width: across.points,
    top: down.start,
    height: down.points,
  };
}

/** The cells of a region that a viewport shows. */
export function shownRegion(view: Viewport, region: Region): Region {
  const { cellsPerPoint: step, left, top, width, height } = view;
  return {
    x0: Math.max(region.x0, Math.ceil(left)),
    y0: Math.max(region.y0, Math.ceil(top)),
    x1: Math.min(region.x1, Math.ceil(left + width * step) - 1),
    y1: Math.min(region.y1, Math.ceil(top + height * step) - 1),
  };
}

/** Where to look to see less, but larger: one step nearer, the same centre. */
export function nearer(view: Viewport, room: Room): Gaze {
  const { cellsPerPoint: step } = view;
  const next = stepsOf(room, step).findLast((one) => one < step / NOTICEABLE) ??
    step;
  return { ...centreOf(view), cellsPerPoint: next };
}

/** Where to look to see more, one step further; undefined is all of the region. */
export function further(
  view: Viewport,
  room: Room,
  region: Region,
): Gaze | undefined {
  const { cellsPerPoint: step } = view;
  const next = stepsOf(room, 2 * step).find((one) => one > step * NOTICEABLE)!;
  return next * NOTICEABLE < fitting(region, room)
    ? { ...centreOf(view), cellsPerPoint: next }
    : undefined;
}

/** Where to look after a move by so many eighths of what is seen. */
export function moved(view: Viewport, across: number, down: number): Gaze {
  const { cellsPerPoint: step, width, height } = view;
  const { x, y } = centreOf(view);
  const by = (points: number, eighths: number) =>
    eighths * Math.max(1, Math.round(points * step / 8));
  return {
    cellsPerPoint: step,
    x: x + by(width, across),
    y: y + by(height, down),
  };
}

/** The scale for people, in characters: `1 char = 2.8 × 5.6 cells`. */
export function describeScale({ cellsPerPoint: step }: Viewport): string {
  if (step >= 1) return `1 char = ${round(step)} × ${round(2 * step)} cells`;
  const points = Math.round(1 / step);
  return `1 cell = ${points} × ${points / 2} chars`;
}

function round(cells: number): string {
  return cells < 1e6
    ? String(Math.round(cells * 10) / 10)
    : cells.toExponential(1);
}

/** Cells a point at which all of the region has room. */
function fitting(region: Region, room: Room): number {
  const [columns, rows] = sizeOf(region);
  const step = Math.max(columns / room.width, rows / room.height);
  if (step > 1) return step;
  return magnified(room).find((step) =>
    columns / step <= room.width && rows / step <= room.height
  ) ?? 1;
}

/** All scales from near to far, the last at least `furthest`. */
function stepsOf(room: Room, furthest: number): number[] {
  const steps = [...magnified(room), ...STEPS];
  while (steps.at(-1)! < furthest) steps.push(2 * steps.at(-1)!);
  return steps;
}

/** The scales at which a cell is more than a point, from near to far. */
function magnified({ magnify }: Room): number[] {
  return MAGNIFIED.filter((points) => points <= magnify)
    .map((points) => 1 / points);
}

/** One direction: where to start, and how many points are needed. */
function axis(
  first: number,
  cells: number,
  room: number,
  step: number,
  centre: number | undefined,
): { start: number; points: number } {
  // A cell is not shown in part.
  const whole = step < 1 ? Math.round(1 / step) : 1;
  const most = Math.max(whole, room - room % whole);
  const needed = step < 1 ? cells * whole : Math.ceil(cells / step);
  const points = Math.min(most, Math.max(needed, 1));
  if (centre === undefined || points === needed) {
    return { start: first, points };
  }
  // Points keep their cells when they move, so that nothing flickers.
  const unit = Math.max(step, 1);
  const hidden = Math.ceil((cells - points * step) / unit - 1e-9);
  const before = Math.round((centre - points * step / 2 - first) / unit);
  return {
    start: first + unit * Math.min(Math.max(before, 0), hidden),
    points,
  };
}

function centreOf({ left, top, width, height, cellsPerPoint }: Viewport) {
  return {
    x: left + width * cellsPerPoint / 2,
    y: top + height * cellsPerPoint / 2,
  };
}

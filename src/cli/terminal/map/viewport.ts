/**
 * The geometry of the map: which cells are on the screen at which scale, and how
 * the camera zooms and pans.
 *
 * @module
 */
import type { Region } from "../../../grid/mod.ts";

/** Possible widths of a cell, in pixels. Even, so that it fills whole characters. */
const CELL_WIDTHS = [8, 6, 4, 2];
/** Cells per pixel of the zoom levels; further ones double. */
const SCALES = [1, 1.5, 2, 3, 4, 6, 8, 12, 16];

/** Factor below which a change of the scale is hardly visible. */
const MIN_ZOOM_FACTOR = 1.2;

/** The space for the map, in pixels. A character is one pixel wide and two high. */
export interface MapArea {
  readonly width: number;
  readonly height: number;
  /** Maximum width of a cell, in pixels, from 1 to 8. */
  readonly maxCellWidth: number;
  /** The same for the whole region, without a camera. Default: maxCellWidth. */
  readonly maxFittedWidth?: number;
}

/** A rectangle of pixels and the cells that it shows. */
export interface Viewport {
  /** The scale: 2.8, or 1/4 if a cell is 4 pixels wide. */
  readonly cellsPerPixel: number;
  /** The left edge, in cells. */
  readonly left: number;
  /** The upper edge, in cells. */
  readonly top: number;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
}

/** Scale and center of a part of the map. */
export interface Camera {
  readonly cellsPerPixel: number;
  /** The center, in cells. */
  readonly x: number;
  readonly y: number;
}

/** Returns width and height of a region, in cells. */
export function sizeOf({ x0, y0, x1, y1 }: Region): [number, number] {
  return [x1 - x0 + 1, y1 - y0 + 1];
}

/**
 * Returns the viewport of a camera. Without a camera, or if its scale is larger,
 * the viewport shows the whole region, as large as the area allows.
 */
export function viewportOf(
  region: Region,
  area: MapArea,
  camera?: Camera,
): Viewport {
  const [columns, rows] = sizeOf(region);
  const fit = fitScale(region, area);
  const scale = camera ? Math.min(camera.cellsPerPixel, fit) : fit;
  const across = axis(region.x0, columns, area.width, scale, camera?.x);
  const down = axis(region.y0, rows, area.height, scale, camera?.y);
  return {
    cellsPerPixel: scale,
    left: across.start,
    width: across.pixels,
    top: down.start,
    height: down.pixels,
  };
}

/** Returns the cells of a region that a viewport shows. */
export function shownRegion(viewport: Viewport, region: Region): Region {
  const { cellsPerPixel: scale, left, top, width, height } = viewport;
  return {
    x0: Math.max(region.x0, Math.ceil(left)),
    y0: Math.max(region.y0, Math.ceil(top)),
    x1: Math.min(region.x1, Math.ceil(left + width * scale) - 1),
    y1: Math.min(region.y1, Math.ceil(top + height * scale) - 1),
  };
}

/** Returns the camera one zoom level nearer, with the same center. */
export function zoomIn(viewport: Viewport, area: MapArea): Camera {
  const { cellsPerPixel: scale } = viewport;
  const next = zoomLevels(area, scale)
    .findLast((level) => level < scale / MIN_ZOOM_FACTOR) ?? scale;
  return { ...centerOf(viewport), cellsPerPixel: next };
}

/**
 * Returns the camera one zoom level further away, with the same center;
 * undefined if that shows the whole region.
 */
export function zoomOut(
  viewport: Viewport,
  area: MapArea,
  region: Region,
): Camera | undefined {
  const { cellsPerPixel: scale } = viewport;
  const next = zoomLevels(area, 2 * scale)
    .find((level) => level > scale * MIN_ZOOM_FACTOR)!;
  return next * MIN_ZOOM_FACTOR < fitScale(region, area)
    ? { ...centerOf(viewport), cellsPerPixel: next }
    : undefined;
}

/**
 * Returns the camera moved sideways.
 *
 * @param across distance to the right, in eighths of the width
 * @param down distance downwards, in eighths of the height
 */
export function pan(viewport: Viewport, across: number, down: number): Camera {
  const { cellsPerPixel: scale, width, height } = viewport;
  const { x, y } = centerOf(viewport);
  const distance = (pixels: number, eighths: number) =>
    eighths * Math.max(1, Math.round(pixels * scale / 8));
  return {
    cellsPerPixel: scale,
    x: x + distance(width, across),
    y: y + distance(height, down),
  };
}

/** Returns the scale in characters, for people: `1 char = 2.8 × 5.6 cells`. */
export function describeScale({ cellsPerPixel: scale }: Viewport): string {
  if (scale >= 1) {
    return `1 char = ${roundCells(scale)} × ${roundCells(2 * scale)} cells`;
  }
  const width = Math.round(1 / scale);
  return `1 cell = ${width} × ${width / 2} chars`;
}

function roundCells(cells: number): string {
  return cells < 1e6
    ? String(Math.round(cells * 10) / 10)
    : cells.toExponential(1);
}

/** Returns the cells per pixel at which the whole region fits the area. */
function fitScale(region: Region, area: MapArea): number {
  const [columns, rows] = sizeOf(region);
  const scale = Math.max(columns / area.width, rows / area.height);
  if (scale > 1) return scale;
  const { maxCellWidth, maxFittedWidth = maxCellWidth } = area;
  const fitted = { ...area, maxCellWidth: maxFittedWidth };
  return enlargedScales(fitted).find((scale) =>
    columns / scale <= area.width && rows / scale <= area.height
  ) ?? 1;
}

/** Returns the zoom levels from the nearest one; the last is at least `furthest`. */
function zoomLevels(area: MapArea, furthest: number): number[] {
  const scales = [...enlargedScales(area), ...SCALES];
  while (scales.at(-1)! < furthest) scales.push(2 * scales.at(-1)!);
  return scales;
}

/** Returns the scales at which a cell is wider than a pixel, nearest first. */
function enlargedScales({ maxCellWidth }: MapArea): number[] {
  return CELL_WIDTHS.filter((width) => width <= maxCellWidth)
    .map((width) => 1 / width);
}

/** Returns where a viewport starts in one direction, and its pixels. */
function axis(
  first: number,
  cells: number,
  available: number,
  scale: number,
  center: number | undefined,
): { start: number; pixels: number } {
  // Only whole cells are shown.
  const cellWidth = scale < 1 ? Math.round(1 / scale) : 1;
  const most = Math.max(cellWidth, available - available % cellWidth);
  const needed = scale < 1 ? cells * cellWidth : Math.ceil(cells / scale);
  const pixels = Math.min(most, Math.max(needed, 1));
  if (center === undefined || pixels === needed) {
    return { start: first, pixels };
  }
  // Move by whole pixels, so that each keeps its cells and nothing flickers.
  const unit = Math.max(scale, 1);
  const hidden = Math.ceil((cells - pixels * scale) / unit - 1e-9);
  const before = Math.round((center - pixels * scale / 2 - first) / unit);
  return {
    start: first + unit * Math.min(Math.max(before, 0), hidden),
    pixels,
  };
}

function centerOf({ left, top, width, height, cellsPerPixel }: Viewport) {
  return {
    x: left + width * cellsPerPixel / 2,
    y: top + height * cellsPerPixel / 2,
  };
}

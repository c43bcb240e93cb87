/// <reference lib="dom" />
/**
 * Draws the outlines of zones on a canvas, those that look the same one after
 * the other.
 *
 * @module
 */

import { css, type Rgb } from "../map/palette.ts";
import type { Viewport } from "../map/viewport.ts";
import { createZoneHatch, fillOf, type ZoneColors } from "./zone_colors.ts";
import type { ZoneShape } from "./zone_shapes.ts";
import type { ZoneFigures, ZoneLook } from "./zone_text.ts";

/** Width of lines, CSS pixels. */
const LINE_PX = 1.6;
const THICK_LINE_PX = 3;
const DASH_PX = [5, 3];
/** Smaller zones are a dot, CSS pixels. */
const MIN_OUTLINE_PX = 3;
/** A canvas is exact up to here, canvas pixels. */
const MAX_PX = 1e7;

/** What to draw. */
export interface ZoneScene {
  /** The largest first. */
  readonly shapes: readonly ZoneShape[];
  /** Returns what to show of a zone, by its name. */
  readonly figures: (name: string) => ZoneFigures;
  readonly colors: ZoneColors;
  /** Whether the zones are filled by how full they are, instead of cells. */
  readonly filled: boolean;
  /** Whether marked zones have another colour inside. */
  readonly tinted: boolean;
  readonly selected: string | undefined;
  readonly hovered: string | undefined;
}

/** Zones that look the same. */
interface Group {
  readonly look: ZoneLook;
  readonly bound: boolean;
  readonly fill: Rgb;
  readonly hatched: boolean;
  readonly shapes: ZoneShape[];
}

/** Draws zones; keeps the pattern of unknown ones. */
export class ZonePainter {
  #hatch: { readonly key: string; readonly pattern: CanvasPattern } | undefined;

  /** Draws the zones that are visible, and returns them. */
  draw(
    context: CanvasRenderingContext2D,
    viewport: Viewport,
    pixelRatio: number,
    scene: ZoneScene,
  ): ZoneShape[] {
    const visible = scene.shapes.filter(({ box }) => isVisible(box, viewport));
    const outlined: ZoneShape[] = [];
    for (const shape of visible) {
      if (sizeOf(shape, viewport) >= MIN_OUTLINE_PX * pixelRatio) {
        outlined.push(shape);
      } else drawDot(context, viewport, pixelRatio, shape, scene);
    }
    context.lineJoin = "miter";
    for (const group of groupsOf(outlined, scene)) {
      const fills = this.#fillsOf(context, viewport, pixelRatio, group, scene);
      for (const fill of fills) {
        context.fillStyle = fill;
        fillShapes(context, viewport, group.shapes);
      }
      setLine(context, pixelRatio, group, scene);
      strokeShapes(context, viewport, group.shapes);
    }
    context.setLineDash([]);
    const marked = [scene.hovered, scene.selected];
    for (const shape of outlined) {
      if (marked.includes(shape.name)) {
        drawMark(context, viewport, pixelRatio, shape, scene);
      }
    }
    return outlined;
  }

  /** Returns what a group is filled with, one above the other. */
  #fillsOf(
    context: CanvasRenderingContext2D,
    viewport: Viewport,
    pixelRatio: number,
    { look, fill, hatched }: Group,
    { colors, filled }: ZoneScene,
  ): (string | CanvasPattern)[] {
    const fills: (string | CanvasPattern)[] = [];
    if (filled) fills.push(css(look === "unknown" ? colors.hatch[1] : fill));
    else if (look === "full") fills.push(css(colors.full, 0.1));
    if (hatched) {
      const pattern = this.#hatchOf(context, colors, pixelRatio);
      // Stays in its place on the map while the map moves.
      const { x, y, scale, yUp } = viewport;
      pattern.setTransform(
        new DOMMatrix().translate(-x * scale, (yUp ? y : -y) * scale),
      );
      fills.push(pattern);
    }
    return fills;
  }

  #hatchOf(
    context: CanvasRenderingContext2D,
    colors: ZoneColors,
    pixelRatio: number,
  ): CanvasPattern {
    const key = `${colors.hatch} ${pixelRatio}`;
    if (this.#hatch?.key !== key) {
      const image = createZoneHatch(colors, pixelRatio);
      this.#hatch = { key, pattern: context.createPattern(image, "repeat")! };
    }
    return this.#hatch.pattern;
  }
}

/** The place of a coordinate on the canvas. */
export function pixelOf(
  { x, y, scale, width, height, yUp }: Viewport,
  atX: number,
  atY: number,
): [left: number, top: number] {
  return [
    (atX - x) * scale + width / 2,
    (yUp ? y - atY : atY - y) * scale + height / 2,
  ];
}

/** The longer side on the canvas, canvas pixels. */
function sizeOf({ box }: ZoneShape, { scale }: Viewport): number {
  return Math.max(box[2] - box[0], box[3] - box[1]) * scale;
}

function isVisible(
  [x0, y0, x1, y1]: ZoneShape["box"],
  { x, y, scale, width, height }: Viewport,
): boolean {
  const halfWidth = width / 2 / scale;
  const halfHeight = height / 2 / scale;
  return x1 >= x - halfWidth && x0 <= x + halfWidth &&
    y1 >= y - halfHeight && y0 <= y + halfHeight;
}

/** Returns the zones in groups, in the order of the first of each. */
function groupsOf(
  shapes: readonly ZoneShape[],
  { figures, colors, filled }: ZoneScene,
): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const shape of shapes) {
    const { look, bound, fullness, hasCells } = figures(shape.name);
    const fill = fillOf(colors, fullness);
    // Otherwise its cells show that they are stale or unknown.
    const hatched = look === "unknown" && (filled || !hasCells);
    const key = `${look} ${bound} ${hatched} ${filled ? fill : ""}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { look, bound, fill, hatched, shapes: [] };
      groups.set(key, group);
    }
    group.shapes.push(shape);
  }
  return groups.values();
}

/** Adds the rings of a zone to the path. */
function traceShape(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  { rings }: ZoneShape,
): void {
  for (const ring of rings) {
    // To the first position again: `closePath` takes time for each ring that
    // the path has already, which are seconds for thousands.
    for (let i = 0; i <= ring.length; i += 2) {
      const at = i % ring.length;
      const [left, top] = pixelOf(viewport, ring[at]!, ring[at + 1]!);
      if (i === 0) context.moveTo(clamp(left), clamp(top));
      else context.lineTo(clamp(left), clamp(top));
    }
  }
}

/** Returns left, top, width and height of a zone that is a rectangle. */
function boxOf(
  viewport: Viewport,
  { box }: ZoneShape,
): [left: number, top: number, width: number, height: number] {
  const [x0, y0] = pixelOf(viewport, box[0], box[1]);
  const [x1, y1] = pixelOf(viewport, box[2], box[3]);
  const [left, right] = [clamp(x0), clamp(x1)];
  const [top, bottom] = [clamp(Math.min(y0, y1)), clamp(Math.max(y0, y1))];
  return [left, top, right - left, bottom - top];
}

/**
 * Rectangles one by one, since browsers draw them much faster than paths; other
 * zones as one path, so that the union is filled.
 */
function fillShapes(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  shapes: readonly ZoneShape[],
): void {
  context.beginPath();
  for (const shape of shapes) {
    if (shape.isBox) context.fillRect(...boxOf(viewport, shape));
    else traceShape(context, viewport, shape);
  }
  context.fill("nonzero");
}

function strokeShapes(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  shapes: readonly ZoneShape[],
): void {
  for (const shape of shapes) {
    if (shape.isBox) {
      context.strokeRect(...boxOf(viewport, shape));
      continue;
    }
    context.beginPath();
    traceShape(context, viewport, shape);
    context.stroke();
  }
}

function setLine(
  context: CanvasRenderingContext2D,
  pixelRatio: number,
  { look, bound }: Group,
  { colors, filled }: ZoneScene,
): void {
  const isFull = look === "full" && !filled;
  context.lineWidth = (isFull ? THICK_LINE_PX : LINE_PX) * pixelRatio;
  context.strokeStyle = css(
    bound
      ? colors.bound
      : look === "unknown"
      ? colors.muted
      : isFull
      ? colors.full
      : colors.line,
  );
  context.setLineDash(bound ? DASH_PX.map((px) => px * pixelRatio) : []);
  // Closes the corner at which a ring begins and ends.
  context.lineCap = bound ? "butt" : "square";
}

/** Marks a zone that is selected or under the pointer. */
function drawMark(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  pixelRatio: number,
  shape: ZoneShape,
  { colors, selected, tinted }: ZoneScene,
): void {
  const isSelected = shape.name === selected;
  if (tinted) {
    context.fillStyle = css(colors.accent, isSelected ? 0.18 : 0.1);
    fillShapes(context, viewport, [shape]);
  }
  context.lineWidth = (isSelected ? THICK_LINE_PX : LINE_PX) * pixelRatio;
  context.strokeStyle = css(colors.accent);
  strokeShapes(context, viewport, [shape]);
}

function drawDot(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  pixelRatio: number,
  { name, box }: ZoneShape,
  { colors, figures, selected }: ZoneScene,
): void {
  const [left, top] = pixelOf(
    viewport,
    (box[0] + box[2]) / 2,
    (box[1] + box[3]) / 2,
  );
  const { look } = figures(name);
  const side = (name === selected ? 3 : 2) * MIN_OUTLINE_PX / 3 * pixelRatio;
  context.fillStyle = css(
    name === selected
      ? colors.accent
      : look === "full" || look === "occupied"
      ? colors.full
      : look === "unknown"
      ? colors.muted
      : colors.line,
  );
  context.fillRect(left - side / 2, top - side / 2, side, side);
}

function clamp(px: number): number {
  return Math.min(Math.max(px, -MAX_PX), MAX_PX);
}

/// <reference lib="dom" />
/**
 * Draws the outlines of zones on a canvas. Zones that look the same are one
 * path, so that thousands of them are drawn within a frame.
 *
 * @module
 */

import type { ZoneState } from "../../zones/zone_state.ts";
import { css, type Rgb } from "../map/palette.ts";
import type { Viewport } from "../map/viewport.ts";
import { createHatch, fillOf, type ZoneColors } from "./zone_colors.ts";
import type { ZoneShape } from "./zone_shapes.ts";
import {
  fullnessOf,
  isLowerBound,
  lookOf,
  type ZoneLook,
} from "./zone_text.ts";

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
  /** By name. */
  readonly states: ReadonlyMap<string, ZoneState>;
  readonly colors: ZoneColors;
  /** Whether the zones are filled by how full they are, instead of cells. */
  readonly filled: boolean;
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
      tracePath(context, viewport, group.shapes);
      this.#fill(context, viewport, pixelRatio, group, scene);
      stroke(context, pixelRatio, group, scene);
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

  #fill(
    context: CanvasRenderingContext2D,
    viewport: Viewport,
    pixelRatio: number,
    { look, fill, hatched }: Group,
    { colors, filled }: ZoneScene,
  ): void {
    if (filled) {
      context.fillStyle = css(look === "unknown" ? colors.hatch[1] : fill);
      context.fill("nonzero");
    } else if (look === "full") {
      context.fillStyle = css(colors.full, 0.1);
      context.fill("nonzero");
    }
    if (!hatched) return;
    const pattern = this.#hatchOf(context, colors, pixelRatio);
    // Stays in its place on the map while the map moves.
    const { x, y, scale, yUp } = viewport;
    pattern.setTransform(
      new DOMMatrix().translate(-x * scale, (yUp ? y : -y) * scale),
    );
    context.fillStyle = pattern;
    context.fill("nonzero");
  }

  #hatchOf(
    context: CanvasRenderingContext2D,
    colors: ZoneColors,
    pixelRatio: number,
  ): CanvasPattern {
    const key = `${colors.hatch} ${pixelRatio}`;
    if (this.#hatch?.key !== key) {
      const image = createHatch(colors, pixelRatio);
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
  { states, colors, filled }: ZoneScene,
): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const shape of shapes) {
    const state = states.get(shape.name);
    const look = lookOf(state);
    const bound = state !== undefined && isLowerBound(state);
    const fill = fillOf(colors, fullnessOf(state));
    // Otherwise its cells show that they are stale or unknown.
    const hatched = look === "unknown" && (filled || !state?.cells);
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

function tracePath(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  shapes: readonly ZoneShape[],
): void {
  context.beginPath();
  for (const { rings } of shapes) {
    for (const ring of rings) {
      for (let i = 0; i < ring.length; i += 2) {
        const [left, top] = pixelOf(viewport, ring[i]!, ring[i + 1]!);
        if (i === 0) context.moveTo(clamp(left), clamp(top));
        else context.lineTo(clamp(left), clamp(top));
      }
      context.closePath();
    }
  }
}

function stroke(
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
  context.stroke();
}

/** Marks a zone that is selected or under the pointer. */
function drawMark(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  pixelRatio: number,
  shape: ZoneShape,
  { colors, selected }: ZoneScene,
): void {
  const isSelected = shape.name === selected;
  tracePath(context, viewport, [shape]);
  context.fillStyle = css(colors.accent, isSelected ? 0.18 : 0.1);
  context.fill("nonzero");
  context.lineWidth = (isSelected ? THICK_LINE_PX : LINE_PX) * pixelRatio;
  context.strokeStyle = css(colors.accent);
  context.stroke();
}

function drawDot(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  pixelRatio: number,
  { name, box }: ZoneShape,
  { colors, states, selected }: ZoneScene,
): void {
  const [left, top] = pixelOf(
    viewport,
    (box[0] + box[2]) / 2,
    (box[1] + box[3]) / 2,
  );
  const look = lookOf(states.get(name));
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

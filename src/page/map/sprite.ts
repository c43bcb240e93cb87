/// <reference lib="dom" />
/**
 * Draws a single cell with its shape and number: stale cells are hollow with a
 * dotted edge, unknown cells are hatched.
 *
 * @module
 */

import { Level } from "../../grid/status.ts";
import {
  colorOfLevel,
  type Colors,
  css,
  staleOutline,
  textColorOn,
} from "./palette.ts";

const FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** How a cell looks. */
export interface SpriteOptions {
  readonly level: number;
  /** The text in the cell; may be empty. */
  readonly text: string;
  /** Canvas pixels. */
  readonly width: number;
  /** Canvas pixels. */
  readonly height: number;
}

/** Draws a cell on a new canvas. */
export function drawSprite(
  options: SpriteOptions,
  colors: Colors,
): HTMLCanvasElement {
  const { level, text, width, height } = options;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d")!;
  const isStale = level === Level.StaleFree || level === Level.StaleOccupied;
  context.beginPath();
  context.roundRect(0, 0, width, height, radiusOf(options));
  if (level === Level.Unknown) {
    fillHatched(context, options, colors);
  } else if (isStale) {
    fillHollow(context, options, colors);
  } else {
    context.fillStyle = css(colorOfLevel(level, colors)!);
    context.fill();
  }
  if (text !== "") {
    const color = isStale
      ? staleOutline(Level.Occupied, colors)
      : textColorOn(colorOfLevel(level, colors)!);
    drawText(context, options, css(color));
  }
  return canvas;
}

function radiusOf({ width, height }: SpriteOptions): number {
  return Math.min(width, height) / 9;
}

/** Fills the current path with diagonal lines. */
function fillHatched(
  context: CanvasRenderingContext2D,
  { width, height }: SpriteOptions,
  { hatch: [lines, space] }: Colors,
): void {
  context.fillStyle = css(space);
  context.fill();
  context.clip();
  const pitch = Math.max(4, Math.min(width, height) / 3.5);
  context.strokeStyle = css(lines);
  context.lineWidth = pitch / 3;
  context.beginPath();
  for (let x = -height; x < width; x += pitch) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
}

/** Fills the current path faintly, and draws a dotted edge. */
function fillHollow(
  context: CanvasRenderingContext2D,
  options: SpriteOptions,
  colors: Colors,
): void {
  const { level, width, height } = options;
  const wasFree = level === Level.StaleFree;
  context.fillStyle = css(
    wasFree ? colors.free : colors.ramp[0]!,
    wasFree ? 0.3 : 0.16,
  );
  context.fill();
  const line = Math.max(1, Math.round(Math.min(width, height) / 14));
  context.strokeStyle = css(
    staleOutline(wasFree ? Level.Free : Level.Occupied, colors),
  );
  context.lineWidth = line;
  context.setLineDash([2 * line, 2 * line]);
  context.beginPath();
  context.roundRect(
    line / 2,
    line / 2,
    width - line,
    height - line,
    radiusOf(options),
  );
  context.stroke();
}

function drawText(
  context: CanvasRenderingContext2D,
  { text, width, height }: SpriteOptions,
  color: string,
): void {
  const size = Math.min(height * 0.52, width / (0.62 * text.length + 0.3));
  context.font = `600 ${size}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = color;
  context.fillText(text, width / 2, height / 2 + size * 0.05);
}

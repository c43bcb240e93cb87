/// <reference lib="dom" />
/**
 * A cell as it looks from near: what is not sure has a shape of its own. Stale
 * is hollow with a dotted edge, unknown is hatched.
 *
 * @module
 */

import { Level } from "../../grid/status.ts";
import { colorOfLevel, type Colors, css, inkOn, staleInk } from "./palette.ts";

const FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** How a cell is drawn, besides its place. */
export interface Look {
  readonly level: number;
  /** Written in it, or empty. */
  readonly text: string;
  /** In pixels of the canvas. */
  readonly width: number;
  readonly height: number;
}

/** Draws a cell onto a canvas of its own. */
export function drawSprite(look: Look, colors: Colors): HTMLCanvasElement {
  const { level, text, width, height } = look;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d")!;
  const stale = level === Level.StaleFree || level === Level.StaleOccupied;
  const radius = Math.min(width, height) / 9;
  context.beginPath();
  context.roundRect(0, 0, width, height, radius);
  if (level === Level.Unknown) {
    hatch(context, width, height, colors);
  } else if (stale) {
    const was = level === Level.StaleFree ? Level.Free : Level.Occupied;
    hollow(context, look, css(staleInk(was, colors)), was, colors);
  } else {
    context.fillStyle = css(colorOfLevel(level, colors)!);
    context.fill();
  }
  if (text !== "") {
    const ink = stale
      ? staleInk(Level.Occupied, colors)
      : inkOn(colorOfLevel(level, colors)!);
    write(context, look, css(ink));
  }
  return canvas;
}

function hatch(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  { hatch: [line, between] }: Colors,
): void {
  context.fillStyle = css(between);
  context.fill();
  context.clip();
  const pitch = Math.max(4, Math.min(width, height) / 3.5);
  context.strokeStyle = css(line);
  context.lineWidth = pitch / 3;
  context.beginPath();
  for (let from = -height; from < width; from += pitch) {
    context.moveTo(from, height);
    context.lineTo(from + height, 0);
  }
  context.stroke();
}

function hollow(
  context: CanvasRenderingContext2D,
  { width, height }: Look,
  ink: string,
  was: number,
  colors: Colors,
): void {
  context.fillStyle = css(
    was === Level.Free ? colors.free : colors.ramp[0]!,
    was === Level.Free ? 0.3 : 0.16,
  );
  context.fill();
  const line = Math.max(1, Math.round(Math.min(width, height) / 14));
  context.strokeStyle = ink;
  context.lineWidth = line;
  context.setLineDash([2 * line, 2 * line]);
  context.beginPath();
  context.roundRect(
    line / 2,
    line / 2,
    width - line,
    height - line,
    Math.min(width, height) / 9,
  );
  context.stroke();
}

function write(
  context: CanvasRenderingContext2D,
  { text, width, height }: Look,
  ink: string,
): void {
  const size = Math.min(height * 0.52, width / (0.62 * text.length + 0.3));
  context.font = `600 ${size}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = ink;
  context.fillText(text, width / 2, height / 2 + size * 0.05);
}

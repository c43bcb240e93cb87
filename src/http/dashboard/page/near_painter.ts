/// <reference lib="dom" />
/**
 * Cells seen from near: each apart from the next, with its value and its shape.
 *
 * @module
 */

import { type Frame, leftOf, seen, topOf } from "./frame.ts";
import { Level } from "./levels.ts";
import { type Colors, css } from "./palette.ts";
import { drawSprite, type Look } from "./sprite.ts";
import type { World } from "./world.ts";

/** CSS pixels a cell from which on there is room for gaps … */
const ROOMY = 7;
/** … and for values. */
const LEGIBLE = 19;
/** Sprites kept; beyond, those of sizes no longer needed are thrown away. */
const SPRITES = 600;
const SHORT = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumFractionDigits: 1,
});

/** Whether cells are large enough on the screen to be drawn one by one. */
export function suitsNear({ scale }: Frame, pixelRatio: number): boolean {
  return scale >= ROOMY * pixelRatio;
}

/** Draws cells from near, those with a shape or a value from ready-made sprites. */
export class NearPainter {
  readonly #sprites = new Map<string, HTMLCanvasElement>();
  #colors: Colors | undefined;

  /**
   * Draws the cells that are seen.
   *
   * @param veil How opaque free is, 0 to 1: less than 1 over a floor plan
   */
  draw(
    onto: CanvasRenderingContext2D,
    world: World,
    frame: Frame,
    { colors, veil, pixelRatio }: {
      readonly colors: Colors;
      readonly veil: number;
      readonly pixelRatio: number;
    },
  ): void {
    if (colors !== this.#colors || this.#sprites.size > SPRITES) {
      this.#sprites.clear();
      this.#colors = colors;
    }
    const bounds = world.bounds;
    if (bounds === undefined) return;
    const { x0, y0, x1, y1 } = intersection(seen(frame), bounds);
    const legible = frame.scale >= LEGIBLE * pixelRatio;
    const gap = Math.max(1, Math.round(pixelRatio * (legible ? 2 : 1)));
    onto.fillStyle = css(colors.free, veil);
    for (let y = y0; y <= y1; y++) {
      const top = topOf(frame, y);
      const height = topOf(frame, y + 1) - top - gap;
      // Free cells are most: a run of them is one rectangle, cut by the gaps later.
      let run = x0;
      for (let x = x0; x <= x1; x++) {
        const level = world.levelAt(x, y);
        if (level === Level.Free) continue;
        fillRun(onto, leftOf(frame, run), leftOf(frame, x), top, height);
        run = x + 1;
      }
      fillRun(onto, leftOf(frame, run), leftOf(frame, x1 + 1), top, height);
    }
    for (let x = x0; x <= x1 + 1; x++) {
      onto.clearRect(leftOf(frame, x) - gap, 0, gap, frame.height);
    }
    for (let y = y0; y <= y1; y++) {
      const top = topOf(frame, y);
      const height = topOf(frame, y + 1) - top - gap;
      for (let x = x0; x <= x1; x++) {
        const level = world.levelAt(x, y);
        if (level <= Level.Free) continue;
        const left = leftOf(frame, x);
        const width = leftOf(frame, x + 1) - left - gap;
        const text = legible ? valueText(world, x, y) : "";
        const sprite = this.#sprite({ level, text, width, height }, colors);
        onto.drawImage(sprite, left, top);
      }
    }
  }

  #sprite(look: Look, colors: Colors): HTMLCanvasElement {
    const { level, text, width, height } = look;
    const key = `${level} ${width} ${height} ${text}`;
    let sprite = this.#sprites.get(key);
    if (sprite === undefined) {
      sprite = drawSprite(look, colors);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }
}

/** The number in a cell: only how many people; that it is free its colour says. */
function valueText(world: World, x: number, y: number): string {
  const row = world.table.find(x, y);
  const value = row < 0 ? 0 : world.table.value[row]!;
  return value <= 0 ? "" : value < 1000 ? String(value) : SHORT.format(value);
}

function fillRun(
  onto: CanvasRenderingContext2D,
  left: number,
  right: number,
  top: number,
  height: number,
): void {
  if (right > left) onto.fillRect(left, top, right - left, height);
}

function intersection(
  one: ReturnType<typeof seen>,
  other: ReturnType<typeof seen>,
): ReturnType<typeof seen> {
  return {
    x0: Math.max(one.x0, other.x0),
    y0: Math.max(one.y0, other.y0),
    x1: Math.min(one.x1, other.x1),
    y1: Math.min(one.y1, other.y1),
  };
}

/// <reference lib="dom" />
/**
 * Cells seen from near: each apart from the next, with its value and its shape.
 *
 * @module
 */

import { intersection, type Region } from "../../protocol/region.ts";
import { type Frame, leftOf, seen, topOf } from "./viewport.ts";
import { Level, LEVELS } from "../../grid/status.ts";
import { type Colors, css, pixelsOf, TEXTURE } from "./palette.ts";
import { drawSprite, type Look } from "./sprite.ts";
import type { World } from "./layer_cells.ts";

/** CSS pixels a cell from which on there is room for gaps … */
const ROOMY = 7;
/** … for shapes … */
const SHAPELY = 13;
/** … and for values. */
const LEGIBLE = 19;
/** Sprites kept; beyond, those of sizes no longer needed are thrown away. */
const SPRITES = 600;
/** CSS pixels of a dot of a texture. */
const DOT = 2;

const SHORT = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumFractionDigits: 1,
});

/** How cells are to be drawn. */
export interface NearStyle {
  readonly colors: Colors;
  /** How opaque free is, 0 to 1: less than 1 over a floor plan. */
  readonly veil: number;
  /** Pixels of the canvas in a CSS pixel. */
  readonly pixelRatio: number;
}

/** Whether cells are large enough on the screen to be drawn one by one. */
export function suitsNear({ scale }: Frame, pixelRatio: number): boolean {
  return scale >= ROOMY * pixelRatio;
}

/** Draws cells from near, those with a shape or a value from ready-made sprites. */
export class NearPainter {
  readonly #sprites = new Map<string, HTMLCanvasElement>();
  #fills: (string | CanvasPattern)[] = [];
  #style: NearStyle | undefined;

  /** Draws the cells that are seen. */
  draw(
    onto: CanvasRenderingContext2D,
    world: World,
    frame: Frame,
    style: NearStyle,
  ): void {
    this.#dress(onto, style);
    const bounds = world.bounds;
    if (bounds === undefined) return;
    const inner = intersection(seen(frame), bounds);
    const { pixelRatio } = style;
    const legible = frame.scale >= LEGIBLE * pixelRatio;
    const shapely = frame.scale >= SHAPELY * pixelRatio;
    const gap = Math.max(1, Math.round(pixelRatio * (legible ? 2 : 1)));
    this.#drawRuns(onto, world, frame, inner, shapely);
    // What was drawn in one piece is cut into cells.
    for (let x = inner.x0; x <= inner.x1 + 1; x++) {
      onto.clearRect(leftOf(frame, x) - gap, 0, gap, frame.height);
    }
    for (let y = inner.y0; y <= inner.y1 + 1; y++) {
      onto.clearRect(0, topOf(frame, y) - gap, frame.width, gap);
    }
    if (shapely) {
      this.#drawSprites(onto, world, frame, inner, { gap, legible });
    }
  }

  /** Neighbours of the same level are one rectangle: most cells are like the next. */
  #drawRuns(
    onto: CanvasRenderingContext2D,
    world: World,
    frame: Frame,
    { x0, y0, x1, y1 }: Region,
    shapely: boolean,
  ): void {
    /** For each level: left, top, width and height of one run after the other. */
    const runs = Array.from({ length: LEVELS }, (): number[] => []);
    for (let y = y0; y <= y1; y++) {
      const top = topOf(frame, y);
      const height = topOf(frame, y + 1) - top;
      for (let x = x0; x <= x1;) {
        const level = world.levelAt(x, y);
        const left = leftOf(frame, x);
        for (x++; x <= x1 && world.levelAt(x, y) === level;) x++;
        runs[level]!.push(left, top, leftOf(frame, x) - left, height);
      }
    }
    for (let level = Level.Free; level < LEVELS; level++) {
      if (shapely && level > Level.Free) break;
      const rectangles = runs[level]!;
      onto.fillStyle = this.#fills[level]!;
      for (let at = 0; at < rectangles.length; at += 4) {
        onto.fillRect(
          rectangles[at]!,
          rectangles[at + 1]!,
          rectangles[at + 2]!,
          rectangles[at + 3]!,
        );
      }
    }
  }

  #drawSprites(
    onto: CanvasRenderingContext2D,
    world: World,
    frame: Frame,
    { x0, y0, x1, y1 }: Region,
    { gap, legible }: { gap: number; legible: boolean },
  ): void {
    for (let y = y0; y <= y1; y++) {
      const top = topOf(frame, y);
      const height = topOf(frame, y + 1) - top - gap;
      for (let x = x0; x <= x1; x++) {
        const level = world.levelAt(x, y);
        if (level <= Level.Free) continue;
        const left = leftOf(frame, x);
        const width = leftOf(frame, x + 1) - left - gap;
        const text = legible ? valueText(world, x, y) : "";
        onto.drawImage(this.#sprite({ level, text, width, height }), left, top);
      }
    }
  }

  #sprite(look: Look): HTMLCanvasElement {
    const { level, text, width, height } = look;
    const key = `${level} ${width} ${height} ${text}`;
    let sprite = this.#sprites.get(key);
    if (sprite === undefined) {
      sprite = drawSprite(look, this.#style!.colors);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }

  /** Makes ready what depends on the colours alone. */
  #dress(onto: CanvasRenderingContext2D, style: NearStyle): void {
    const { colors, veil, pixelRatio } = style;
    const last = this.#style;
    this.#style = style;
    if (this.#sprites.size > SPRITES) this.#sprites.clear();
    if (
      last?.colors === colors && last.veil === veil &&
      last.pixelRatio === pixelRatio
    ) return;
    this.#sprites.clear();
    const pixels = pixelsOf(colors, false);
    this.#fills = Array.from({ length: LEVELS }, (_, level) => {
      switch (level) {
        case Level.None:
          return "transparent";
        case Level.Free:
          return css(colors.free, veil);
        case Level.StaleFree:
        case Level.Unknown:
        case Level.StaleOccupied:
          return texture(onto, pixels, level, Math.round(DOT * pixelRatio));
        default:
          return css(colors.ramp[level - Level.Occupied]!);
      }
    });
  }
}

/** The texture of a level, as the bitmaps have it. @param dot Pixels of a dot */
function texture(
  onto: CanvasRenderingContext2D,
  pixels: Uint32Array,
  level: number,
  dot: number,
): CanvasPattern {
  const side = TEXTURE * dot;
  const image = new ImageData(side, side);
  const words = new Uint32Array(image.data.buffer);
  for (let at = 0; at < side * side; at++) {
    const x = Math.floor(at % side / dot);
    const y = Math.floor(at / side / dot);
    words[at] = pixels[level * TEXTURE + (x + y) % TEXTURE]!;
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return onto.createPattern(canvas, "repeat")!;
}

/** The number in a cell: only how many people; that it is free its colour says. */
function valueText(world: World, x: number, y: number): string {
  const row = world.table.find(x, y);
  const value = row < 0 ? 0 : world.table.value[row]!;
  return value <= 0 ? "" : value < 1000 ? String(value) : SHORT.format(value);
}

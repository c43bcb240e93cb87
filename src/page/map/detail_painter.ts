/// <reference lib="dom" />
/**
 * Draws cells that are large enough for gaps between them, shapes and numbers.
 *
 * @module
 */

import { intersection, type Region } from "../../protocol/region.ts";
import { Level, LEVELS } from "../../grid/status.ts";
import { formatShortCount } from "../elements/format.ts";
import type { LayerCells } from "./layer_cells.ts";
import { type Colors, css, TEXTURE_PIXELS, texturesOf } from "./palette.ts";
import { drawSprite, type SpriteOptions } from "./sprite.ts";
import {
  bottomOf,
  leftOf,
  lineAt,
  topOf,
  type Viewport,
  visibleRegion,
} from "./viewport.ts";

/** Minimum size of a cell for gaps, CSS pixels. */
const GAP_SCALE = 7;
/** Minimum size of a cell for shapes, CSS pixels. */
const SHAPE_SCALE = 13;
/** Minimum size of a cell for numbers, CSS pixels. */
const NUMBER_SCALE = 19;
/** Maximum number of cached sprites. Above it the cache is cleared. */
const MAX_SPRITES = 600;
/** Size of a dot of a texture, CSS pixels. */
const DOT_PX = 2;

/** Options of {@linkcode DetailPainter.draw}. */
export interface DetailStyle {
  readonly colors: Colors;
  /** Opacity of free cells, 0 to 1: below 1 over a floor plan. */
  readonly freeOpacity: number;
  /** Canvas pixels per CSS pixel. */
  readonly pixelRatio: number;
  /** Whether cells have their number: not where values are only 0 and 1. */
  readonly numbered: boolean;
}

/** Whether cells are large enough for {@linkcode DetailPainter}. */
export function suitsDetail({ scale }: Viewport, pixelRatio: number): boolean {
  return scale >= GAP_SCALE * pixelRatio;
}

/**
 * Draws cells in detail; those with a shape or a number from cached sprites.
 */
export class DetailPainter {
  readonly #sprites = new Map<string, HTMLCanvasElement>();
  /** The fill style of each level. */
  #fills: (string | CanvasPattern)[] = [];
  #style: DetailStyle | undefined;

  /** Draws the visible cells. */
  draw(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    style: DetailStyle,
  ): void {
    this.#setStyle(context, style);
    const { bounds } = cells;
    if (bounds === undefined) return;
    const region = intersection(visibleRegion(viewport), bounds);
    const { pixelRatio } = style;
    const withNumbers = viewport.scale >= NUMBER_SCALE * pixelRatio;
    const withShapes = viewport.scale >= SHAPE_SCALE * pixelRatio;
    const gap = Math.max(1, Math.round(pixelRatio * (withNumbers ? 2 : 1)));
    this.#drawRuns(context, cells, viewport, region, withShapes);
    clearGaps(context, viewport, region, gap);
    if (withShapes) {
      this.#drawSprites(context, cells, viewport, region, {
        gap,
        withNumbers: withNumbers && style.numbered,
      });
    }
  }

  /**
   * Draws adjacent cells of a row with the same level as one rectangle, which
   * is fast.
   */
  #drawRuns(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    { x0, y0, x1, y1 }: Region,
    withShapes: boolean,
  ): void {
    /** For each level: left, top, width and height of each run. */
    const runs = Array.from({ length: LEVELS }, (): number[] => []);
    for (let y = y0; y <= y1; y++) {
      const top = topOf(viewport, y);
      const height = bottomOf(viewport, y) - top;
      for (let x = x0; x <= x1;) {
        const level = cells.levelAt(x, y);
        const left = leftOf(viewport, x);
        for (x++; x <= x1 && cells.levelAt(x, y) === level;) x++;
        runs[level]!.push(left, top, leftOf(viewport, x) - left, height);
      }
    }
    const highest: number = withShapes ? Level.Free : LEVELS - 1;
    for (let level: number = Level.Free; level <= highest; level++) {
      const run = runs[level]!;
      context.fillStyle = this.#fills[level]!;
      for (let at = 0; at < run.length; at += 4) {
        context.fillRect(run[at]!, run[at + 1]!, run[at + 2]!, run[at + 3]!);
      }
    }
  }

  /** Draws all cells that are not free. */
  #drawSprites(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    { x0, y0, x1, y1 }: Region,
    { gap, withNumbers }: { gap: number; withNumbers: boolean },
  ): void {
    for (let y = y0; y <= y1; y++) {
      const top = topOf(viewport, y);
      const height = bottomOf(viewport, y) - top - gap;
      for (let x = x0; x <= x1; x++) {
        const level = cells.levelAt(x, y);
        if (level <= Level.Free) continue;
        const left = leftOf(viewport, x);
        const width = leftOf(viewport, x + 1) - left - gap;
        const text = withNumbers ? numberIn(cells, x, y) : "";
        const sprite = this.#sprite({ level, text, width, height });
        context.drawImage(sprite, left, top);
      }
    }
  }

  #sprite(options: SpriteOptions): HTMLCanvasElement {
    const { level, text, width, height } = options;
    const key = `${level} ${width} ${height} ${text}`;
    let sprite = this.#sprites.get(key);
    if (sprite === undefined) {
      sprite = drawSprite(options, this.#style!.colors);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }

  /** Prepares what depends only on the style. */
  #setStyle(context: CanvasRenderingContext2D, style: DetailStyle): void {
    const { colors, freeOpacity, pixelRatio } = style;
    const previous = this.#style;
    this.#style = style;
    if (this.#sprites.size > MAX_SPRITES) this.#sprites.clear();
    if (
      previous?.colors === colors && previous.freeOpacity === freeOpacity &&
      previous.pixelRatio === pixelRatio
    ) return;
    this.#sprites.clear();
    const textures = texturesOf(colors, false);
    const dot = Math.round(DOT_PX * pixelRatio);
    this.#fills = Array.from({ length: LEVELS }, (_, level) => {
      switch (level) {
        case Level.None:
          return "transparent";
        case Level.Free:
          return css(colors.free, freeOpacity);
        case Level.StaleFree:
        case Level.Unknown:
        case Level.StaleOccupied:
          return createPattern(context, textures, level, dot);
        default:
          return css(colors.ramp[level - Level.Occupied]!);
      }
    });
  }
}

/** Clears the lines between rows and columns of cells. */
export function clearGaps(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  { x0, y0, x1, y1 }: Region,
  gap: number,
): void {
  for (let x = x0; x <= x1 + 1; x++) {
    context.clearRect(leftOf(viewport, x) - gap, 0, gap, viewport.height);
  }
  for (let y = y0; y <= y1 + 1; y++) {
    context.clearRect(0, lineAt(viewport, y) - gap, viewport.width, gap);
  }
}

/** @param dot size of a dot in canvas pixels */
function createPattern(
  context: CanvasRenderingContext2D,
  textures: Uint32Array,
  level: number,
  dot: number,
): CanvasPattern {
  const side = TEXTURE_PIXELS * dot;
  const image = new ImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < side * side; at++) {
    const x = Math.floor(at % side / dot);
    const y = Math.floor(at / side / dot);
    pixels[at] = textures[level * TEXTURE_PIXELS + (x + y) % TEXTURE_PIXELS]!;
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return context.createPattern(canvas, "repeat")!;
}

/** The number of people in a cell; empty for none. */
function numberIn(cells: LayerCells, x: number, y: number): string {
  const row = cells.table.find(x, y);
  const value = row < 0 ? 0 : cells.table.value[row]!;
  return value <= 0 ? "" : formatShortCount(value, 1000);
}

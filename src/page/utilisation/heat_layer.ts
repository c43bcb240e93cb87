/// <reference lib="dom" />
/**
 * The heat map as a layer of the OpenLayers map. The cells are painted once,
 * into images of 256 × 256 cells; while the map moves, the images are only drawn.
 *
 * @module
 */

import Layer from "ol/layer/Layer.js";
import type { FrameState } from "ol/Map.js";
import type { Axes } from "../map/axes.ts";
import { CHUNK_BITS, CHUNK_CELLS, chunkKey } from "../map/chunk.ts";
import { clearGaps } from "../map/detail_painter.ts";
import { createHatch } from "../map/hatch.ts";
import { css, type Rgb } from "../map/palette.ts";
import {
  bottomOf,
  leftOf,
  topOf,
  type Viewport,
  visibleRegion,
} from "../map/viewport.ts";
import { heatStepOf } from "./heat_colors.ts";

/** Images that are kept: 256 KB each. */
const MAX_IMAGES = 192;
/** With more visible images, cells are drawn one by one. */
const MAX_VISIBLE_IMAGES = 96;
/** Minimum size of a cell for gaps between cells, CSS pixels. */
const GAP_SCALE = 8;
/** Distance of the lines of the hatching, CSS pixels. */
const HATCH_PX = 7;
const CHUNK_MASK = CHUNK_CELLS - 1;

/** The colours of the heat map. */
export interface HeatColors {
  /** From 0 to 100%. */
  readonly steps: readonly Rgb[];
  readonly hatch: readonly [lines: Rgb, space: Rgb];
  /** Opacity of all cells, 0 to 1: below 1 over a floor plan. */
  readonly opacity: number;
}

/** What is drawn: columns of the same length. */
export interface HeatCells {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** 0 to 1; NaN: unknown. */
  readonly values: Float64Array;
}

/** The cells of an image. */
interface Chunk {
  readonly cx: number;
  readonly cy: number;
  readonly rows: number[];
  readonly hasUnknown: boolean;
}

/** The images of a chunk. */
interface Images {
  readonly known: HTMLCanvasElement;
  /** White where cells are unknown; undefined if none is. */
  readonly unknown: HTMLCanvasElement | undefined;
}

/** Draws the heat map. */
export class HeatLayer {
  /** The layer to add to the map. */
  readonly layer: Layer;
  readonly #axes: Axes;
  readonly #canvas = document.createElement("canvas");
  readonly #context = this.#canvas.getContext("2d")!;
  /** Where the hatching is cut to the unknown cells. */
  readonly #scratch = document.createElement("canvas").getContext("2d")!;
  #cells: HeatCells = { x: [], y: [], values: new Float64Array() };
  #chunks = new Map<number, Chunk>();
  /** In the order of their last use. */
  readonly #images = new Map<Chunk, Images>();
  #colors: HeatColors;
  #pixels: Uint32Array;
  #hatch:
    | { readonly ratio: number; readonly pattern: CanvasPattern }
    | undefined;
  /** Identifies what the canvas shows. */
  #drawn = "";
  #generation = 0;

  constructor(axes: Axes, colors: HeatColors) {
    this.#axes = axes;
    this.#colors = colors;
    this.#pixels = pixelsOf(colors);
    this.#canvas.className = "cells heat";
    this.layer = new Layer({ render: (state) => this.#render(state) });
  }

  /** The canvas, for pictures. */
  get canvas(): HTMLCanvasElement {
    return this.#canvas;
  }

  set colors(colors: HeatColors) {
    this.#colors = colors;
    this.#pixels = pixelsOf(colors);
    this.#hatch = undefined;
    this.#invalidate();
  }

  /** The cells. Other values need a new object. */
  set cells(cells: HeatCells) {
    this.#cells = cells;
    this.#chunks = chunksOf(cells);
    this.#invalidate();
  }

  /** Draws again, as after a change of the axes. */
  redraw(): void {
    this.#generation++;
    this.layer.changed();
  }

  #invalidate(): void {
    this.#images.clear();
    this.redraw();
  }

  #render(state: FrameState | null): HTMLElement {
    const canvas = this.#canvas;
    if (state === null) return canvas;
    const { viewState, size, pixelRatio } = state;
    const width = Math.round(size[0]! * pixelRatio);
    const height = Math.round(size[1]! * pixelRatio);
    const viewport: Viewport = {
      width,
      height,
      x: viewState.center[0]!,
      y: this.#axes.turn(viewState.center[1]!),
      scale: pixelRatio / viewState.resolution,
      yUp: this.#axes.yUp,
    };
    const key = [this.#generation, ...Object.values(viewport)].join();
    if (key === this.#drawn) return canvas;
    this.#drawn = key;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    } else this.#context.clearRect(0, 0, width, height);
    this.#draw(viewport, pixelRatio);
    return canvas;
  }

  #draw(viewport: Viewport, pixelRatio: number): void {
    const region = visibleRegion(viewport);
    const visible = [...this.#chunks.values()].filter(({ cx, cy }) =>
      cx * CHUNK_CELLS <= region.x1 && (cx + 1) * CHUNK_CELLS > region.x0 &&
      cy * CHUNK_CELLS <= region.y1 && (cy + 1) * CHUNK_CELLS > region.y0
    );
    if (visible.length > MAX_VISIBLE_IMAGES) {
      this.#drawPoints(viewport, visible);
      return;
    }
    this.#drawImages(this.#context, viewport, visible, "known");
    this.#drawHatching(viewport, visible, pixelRatio);
    if (viewport.scale >= GAP_SCALE * pixelRatio) {
      clearGaps(
        this.#context,
        viewport,
        region,
        Math.max(1, Math.round(pixelRatio)),
      );
    }
  }

  #drawImages(
    context: CanvasRenderingContext2D,
    viewport: Viewport,
    chunks: readonly Chunk[],
    kind: keyof Images,
  ): void {
    const { yUp, scale } = viewport;
    // A pixel that stands for several cells is their mean.
    context.imageSmoothingEnabled = scale < 1;
    context.imageSmoothingQuality = "medium";
    for (const chunk of chunks) {
      const image = this.#imagesOf(chunk)[kind];
      if (image === undefined) continue;
      const { cx, cy } = chunk;
      const left = leftOf(viewport, cx * CHUNK_CELLS);
      const top = topOf(viewport, cy * CHUNK_CELLS, CHUNK_CELLS);
      const bottom = bottomOf(viewport, cy * CHUNK_CELLS, CHUNK_CELLS);
      const width = leftOf(viewport, (cx + 1) * CHUNK_CELLS) - left;
      // The first row of an image has the smallest y.
      context.setTransform(1, 0, 0, yUp ? -1 : 1, 0, yUp ? top + bottom : 0);
      context.drawImage(image, left, top, width, bottom - top);
    }
    context.resetTransform();
  }

  /** Hatches the unknown cells, with lines that go through all of them. */
  #drawHatching(
    viewport: Viewport,
    visible: readonly Chunk[],
    pixelRatio: number,
  ): void {
    const chunks = visible.filter(({ hasUnknown }) => hasUnknown);
    if (chunks.length === 0) return;
    const { width, height, x, y, scale, yUp } = viewport;
    const scratch = this.#scratch;
    if (scratch.canvas.width !== width || scratch.canvas.height !== height) {
      scratch.canvas.width = width;
      scratch.canvas.height = height;
    } else scratch.clearRect(0, 0, width, height);
    this.#drawImages(scratch, viewport, chunks, "unknown");
    scratch.globalCompositeOperation = "source-in";
    const pattern = this.#hatchOf(pixelRatio);
    // Stays in its place on the map while the map moves.
    pattern.setTransform(
      new DOMMatrix().translate(-x * scale, (yUp ? y : -y) * scale),
    );
    scratch.fillStyle = pattern;
    scratch.fillRect(0, 0, width, height);
    scratch.globalCompositeOperation = "source-over";
    this.#context.drawImage(scratch.canvas, 0, 0);
  }

  #hatchOf(ratio: number): CanvasPattern {
    if (this.#hatch?.ratio !== ratio) {
      const image = drawHatch(this.#colors.hatch, ratio);
      const pattern = this.#context.createPattern(image, "repeat")!;
      this.#hatch = { ratio, pattern };
    }
    return this.#hatch.pattern;
  }

  #imagesOf(chunk: Chunk): Images {
    const images = this.#images.get(chunk) ?? this.#paint(chunk);
    this.#images.delete(chunk);
    this.#images.set(chunk, images);
    if (this.#images.size > MAX_IMAGES) {
      this.#images.delete(this.#images.keys().next().value!);
    }
    return images;
  }

  #paint({ rows, hasUnknown }: Chunk): Images {
    const { x, y, values } = this.#cells;
    const known = new Picture();
    const unknown = hasUnknown ? new Picture() : undefined;
    for (const row of rows) {
      const at = (y[row]! & CHUNK_MASK) << CHUNK_BITS | x[row]! & CHUNK_MASK;
      const value = values[row]!;
      if (!Number.isNaN(value)) {
        known.pixels[at] = this.#pixels[heatStepOf(value)]!;
      } else unknown!.pixels[at] = 0xffffffff;
    }
    return { known: known.finish(), unknown: unknown?.finish() };
  }

  /** Draws cells one by one: the time depends on their number, not the area. */
  #drawPoints(viewport: Viewport, chunks: readonly Chunk[]): void {
    const { width, height, scale } = viewport;
    const { x, y, values } = this.#cells;
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const side = Math.max(1, Math.round(scale));
    for (const { rows } of chunks) {
      for (const row of rows) {
        const value = values[row]!;
        if (Number.isNaN(value)) continue;
        const left = leftOf(viewport, x[row]!);
        const top = topOf(viewport, y[row]!);
        const pixel = this.#pixels[heatStepOf(value)]!;
        const right = Math.min(left + side, width);
        for (
          let py = Math.max(0, top);
          py < Math.min(top + side, height);
          py++
        ) {
          for (let px = Math.max(0, left); px < right; px++) {
            pixels[py * width + px] = pixel;
          }
        }
      }
    }
    this.#context.putImageData(image, 0, 0);
  }
}

/** An image of a chunk. */
class Picture {
  readonly #image = new ImageData(CHUNK_CELLS, CHUNK_CELLS);
  readonly pixels = new Uint32Array(this.#image.data.buffer);

  finish(): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = CHUNK_CELLS;
    canvas.getContext("2d")!.putImageData(this.#image, 0, 0);
    return canvas;
  }
}

function chunksOf({ x, y, values }: HeatCells): Map<number, Chunk> {
  const chunks = new Map<number, { -readonly [K in keyof Chunk]: Chunk[K] }>();
  for (let row = 0; row < values.length; row++) {
    const [cx, cy] = [x[row]! >> CHUNK_BITS, y[row]! >> CHUNK_BITS];
    const key = chunkKey(cx, cy);
    let chunk = chunks.get(key);
    if (chunk === undefined) {
      chunk = { cx, cy, rows: [], hasUnknown: false };
      chunks.set(key, chunk);
    }
    chunk.rows.push(row);
    if (Number.isNaN(values[row])) chunk.hasUnknown = true;
  }
  return chunks;
}

/** The colours for ImageData; written as bytes, which no byte order changes. */
function pixelsOf({ steps, opacity }: HeatColors): Uint32Array {
  const bytes = new Uint8ClampedArray(4 * steps.length);
  for (const [step, color] of steps.entries()) {
    bytes.set([...color, Math.round(255 * opacity)], 4 * step);
  }
  return new Uint32Array(bytes.buffer);
}

/** Draws the hatching of unknown cells on an image that repeats. */
export function drawHatch(
  [lines, space]: HeatColors["hatch"],
  ratio: number,
): HTMLCanvasElement {
  const colors = { lines: css(lines), space: css(space) };
  return createHatch(colors, HATCH_PX, ratio);
}

/// <reference lib="dom" />
/**
 * The cells as a layer of the map.
 *
 * @module
 */

import Layer from "ol/layer/Layer.js";
import type { FrameState } from "ol/Map.js";
import { ChunkPainter, suitsChunks } from "./overview_painter.ts";
import type { Frame } from "./viewport.ts";
import { NearPainter, suitsNear } from "./detail_painter.ts";
import { type Colors, pixelsOf, VEIL } from "./palette.ts";
import { ScatterPainter } from "./scatter_painter.ts";
import { World } from "./layer_cells.ts";

/** Draws a {@linkcode World}, in the way that suits the scale; only when it must. */
export class CellLayer {
  /** What the map is given. */
  readonly layer: Layer;
  readonly #canvas = document.createElement("canvas");
  readonly #context = this.#canvas.getContext("2d")!;
  readonly #chunks = new ChunkPainter();
  readonly #near = new NearPainter();
  readonly #scatter = new ScatterPainter();
  #world = new World();
  #colors: Colors;
  #veiled = false;
  #pixels: Uint32Array;
  /** What is on the canvas. */
  #drawn = "";
  #generation = 0;

  constructor(colors: Colors) {
    this.#colors = colors;
    this.#pixels = pixelsOf(colors, false);
    this.#canvas.className = "cells";
    this.layer = new Layer({ render: (state) => this.#render(state) });
  }

  /** What is shown. */
  get world(): World {
    return this.#world;
  }

  /** Shows another layer, or another snapshot of it. */
  show(world: World): void {
    this.#world = world;
    this.#refresh();
  }

  /** @param veiled Whether free lets a floor plan under it show through */
  paintWith(colors: Colors, veiled: boolean): void {
    this.#colors = colors;
    this.#veiled = veiled;
    this.#pixels = pixelsOf(colors, veiled);
    this.#refresh();
  }

  #refresh(): void {
    this.#generation++;
    this.layer.changed();
  }

  #render(state: FrameState | null): HTMLElement {
    const canvas = this.#canvas;
    if (state === null) return canvas;
    const { viewState, size, pixelRatio } = state;
    const width = Math.round(size[0]! * pixelRatio);
    const height = Math.round(size[1]! * pixelRatio);
    const frame: Frame = {
      width,
      height,
      x: viewState.center[0]!,
      y: -viewState.center[1]!,
      scale: pixelRatio / viewState.resolution,
    };
    const drawing = [
      this.#generation,
      this.#world.version,
      ...Object.values(frame),
    ].join();
    if (drawing === this.#drawn) return canvas;
    this.#drawn = drawing;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    } else {
      this.#context.clearRect(0, 0, width, height);
    }
    this.#draw(frame, pixelRatio);
    return canvas;
  }

  #draw(frame: Frame, pixelRatio: number): void {
    const [onto, world] = [this.#context, this.#world];
    if (suitsNear(frame, pixelRatio)) {
      this.#near.draw(onto, world, frame, {
        colors: this.#colors,
        veil: this.#veiled ? VEIL : 1,
        pixelRatio,
      });
    } else if (world.scattered || !suitsChunks(frame)) {
      this.#scatter.draw(onto, world, frame, this.#pixels);
    } else this.#chunks.draw(onto, world, frame, this.#pixels);
  }
}

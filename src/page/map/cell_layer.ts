/// <reference lib="dom" />
/**
 * The cells as a layer of the OpenLayers map.
 *
 * @module
 */

import Layer from "ol/layer/Layer.js";
import type { FrameState } from "ol/Map.js";
import { Shades } from "./density.ts";
import { DetailPainter, suitsDetail } from "./detail_painter.ts";
import { LayerCells } from "./layer_cells.ts";
import { OverviewPainter } from "./overview_painter.ts";
import { type Colors, FREE_OPACITY, texturesOf } from "./palette.ts";
import type { Viewport } from "./viewport.ts";

/**
 * Draws {@linkcode LayerCells} after a change, with the painter for the scale.
 */
export class CellLayer {
  /** The layer to add to the map. */
  readonly layer: Layer;
  readonly #canvas = document.createElement("canvas");
  readonly #context = this.#canvas.getContext("2d")!;
  readonly #overview = new OverviewPainter();
  readonly #detail = new DetailPainter();
  #cells = new LayerCells();
  #colors: Colors;
  #overPlan = false;
  #yUp = false;
  #numbered = false;
  #shades: Shades;
  /** Identifies what the canvas shows. */
  #drawn = "";
  /** Increases with each change of cells or colours. */
  #generation = 0;

  constructor(colors: Colors) {
    this.#colors = colors;
    this.#shades = new Shades(texturesOf(colors, false));
    this.#canvas.className = "cells";
    this.layer = new Layer({ render: (state) => this.#render(state) });
  }

  /** The cells that are shown. */
  get cells(): LayerCells {
    return this.#cells;
  }

  set cells(cells: LayerCells) {
    this.#cells = cells;
    this.#invalidate();
  }

  /** @param overPlan whether a floor plan must be visible through free cells */
  setColors(colors: Colors, overPlan: boolean): void {
    this.#colors = colors;
    this.#overPlan = overPlan;
    this.#shades = new Shades(texturesOf(colors, overPlan));
    this.#invalidate();
  }

  /** Whether y grows upwards. */
  set yUp(yUp: boolean) {
    this.#yUp = yUp;
    this.#invalidate();
  }

  /** Whether large cells have their number. */
  set numbered(numbered: boolean) {
    if (numbered === this.#numbered) return;
    this.#numbered = numbered;
    this.#invalidate();
  }

  #invalidate(): void {
    this.#generation++;
    this.layer.changed();
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
      y: this.#yUp ? viewState.center[1]! : -viewState.center[1]!,
      scale: pixelRatio / viewState.resolution,
      yUp: this.#yUp,
    };
    const key = [
      this.#generation,
      this.#cells.version,
      ...Object.values(viewport),
    ].join();
    if (key === this.#drawn) return canvas;
    this.#drawn = key;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    } else {
      this.#context.clearRect(0, 0, width, height);
    }
    this.#draw(viewport, pixelRatio);
    return canvas;
  }

  #draw(viewport: Viewport, pixelRatio: number): void {
    if (suitsDetail(viewport, pixelRatio)) {
      this.#detail.draw(this.#context, this.#cells, viewport, {
        colors: this.#colors,
        freeOpacity: this.#overPlan ? FREE_OPACITY : 1,
        pixelRatio,
        numbered: this.#numbered,
      });
    } else {
      this.#overview.draw(
        this.#context,
        this.#cells,
        viewport,
        this.#shades,
      );
    }
  }
}

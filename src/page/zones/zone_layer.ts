/// <reference lib="dom" />
/**
 * The outlines of the zones of a layer, as a layer of the OpenLayers map.
 *
 * @module
 */

import Layer from "ol/layer/Layer.js";
import type { FrameState } from "ol/Map.js";
import type { Axes } from "../map/axes.ts";
import type { Viewport } from "../map/viewport.ts";
import type { ZoneColors } from "./zone_colors.ts";
import { type ZoneLabel, ZoneLabels } from "./zone_labels.ts";
import { ZonePainter } from "./zone_painter.ts";
import { ZoneShapes } from "./zone_shapes.ts";
import type { ZoneFigures } from "./zone_text.ts";

/**
 * With more zones the canvas is larger than the map by this part of its size on
 * each side: while the map moves within it, the canvas is only shifted.
 */
const MARGIN = 0.25;
const MAX_ZONES_WITHOUT_MARGIN = 300;
/**
 * Time between two drawings of changed states, for each visible zone. How long
 * a browser takes to draw cannot be measured: it does so later.
 */
const REDRAW_INTERVAL_MS = 0.1;
/** Delay before changed states are drawn: those of one message together. */
const MIN_REDRAW_MS = 16;

/** While a zoom is animated, the canvas is stretched by up to this part. */
const MAX_STRETCH = 0.65;

/** What the canvas shows. */
interface Drawn {
  readonly viewport: Viewport;
  readonly pixelRatio: number;
  /** Of the map, CSS pixels. */
  readonly size: readonly [width: number, height: number];
  readonly generation: number;
}

/** Draws zones after a change. */
export class ZoneLayer {
  /** The layer to add to the map. */
  readonly layer: Layer;
  readonly #axes: Axes;
  readonly #figures: (name: string) => ZoneFigures;
  readonly #canvas = document.createElement("canvas");
  readonly #context = this.#canvas.getContext("2d")!;
  readonly #painter = new ZonePainter();
  readonly #labels = new ZoneLabels(
    getComputedStyle(document.body).fontFamily,
  );
  #colors: ZoneColors;
  #shapes = new ZoneShapes([]);
  #filled = false;
  #tinted = true;
  #selected: string | undefined;
  #hovered: string | undefined;
  #drawn: Drawn | undefined;
  /** How far the canvas is shifted, CSS pixels. */
  #shift: readonly [right: number, down: number] = [0, 0];
  #drawnLabels: readonly ZoneLabel[] = [];
  /** Increases with each change. */
  #generation = 0;
  /** Whether only states have changed since the canvas was drawn. */
  #onlyStates = true;
  /** When drawing changed states is allowed again, as `performance.now()`. */
  #redrawAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param figures returns what to show of a zone, by its name */
  constructor(
    axes: Axes,
    figures: (name: string) => ZoneFigures,
    colors: ZoneColors,
  ) {
    this.#axes = axes;
    this.#figures = figures;
    this.#colors = colors;
    this.#canvas.className = "zones";
    const container = document.createElement("div");
    container.className = "zones-layer";
    container.append(this.#canvas);
    this.layer = new Layer({
      render: (state) => {
        if (state !== null) this.#render(state);
        return container;
      },
    });
  }

  /** The outlines that are drawn. */
  get shapes(): ZoneShapes {
    return this.#shapes;
  }

  set shapes(shapes: ZoneShapes) {
    this.#shapes = shapes;
    this.#invalidate();
  }

  set colors(colors: ZoneColors) {
    this.#colors = colors;
    this.#invalidate();
  }

  /** Whether zones are filled by how full they are. */
  set filled(filled: boolean) {
    if (filled === this.#filled) return;
    this.#filled = filled;
    this.#invalidate();
  }

  /** Whether the selected zone has another colour inside, and not only its line. */
  set tinted(tinted: boolean) {
    if (tinted === this.#tinted) return;
    this.#tinted = tinted;
    this.#invalidate();
  }

  set selected(name: string | undefined) {
    if (name === this.#selected) return;
    this.#selected = name;
    this.#invalidate();
  }

  set hovered(name: string | undefined) {
    if (name === this.#hovered) return;
    this.#hovered = name;
    this.redrawStates();
  }

  /** Draws changed states soon: at once, unless drawing takes long. */
  redrawStates(): void {
    this.#generation++;
    this.#scheduleRedraw();
  }

  #scheduleRedraw(): void {
    const delay = this.#redrawAt - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.layer.changed(),
      Math.max(MIN_REDRAW_MS, delay),
    );
  }

  /**
   * Returns the zone whose label is at a pixel.
   *
   * @param pixel from the left and the top of the map, CSS pixels
   */
  labelAt([left, top]: readonly [number, number]): string | undefined {
    if (this.#drawn === undefined || !this.layer.getVisible()) return undefined;
    const { viewport: { width, height }, pixelRatio, size } = this.#drawn;
    const [shiftX, shiftY] = this.#shift;
    const x = (left - shiftX - size[0] / 2) * pixelRatio + width / 2;
    const y = (top - shiftY - size[1] / 2) * pixelRatio + height / 2;
    return this.#drawnLabels.find((label) =>
      x >= label.left && x <= label.left + label.width &&
      y >= label.top && y <= label.top + label.height
    )?.name;
  }

  #invalidate(): void {
    this.#generation++;
    this.#onlyStates = false;
    this.layer.changed();
  }

  #render({ viewState, size, pixelRatio, viewHints }: FrameState): void {
    const [width, height] = size as [number, number];
    const margin = this.#shapes.all.length > MAX_ZONES_WITHOUT_MARGIN
      ? 1 + 2 * MARGIN
      : 1;
    const [x, y] = viewState.center as [number, number];
    const viewport: Viewport = {
      width: Math.round(width * margin * pixelRatio),
      height: Math.round(height * margin * pixelRatio),
      x,
      y: this.#axes.turn(y),
      scale: pixelRatio / viewState.resolution,
      yUp: this.#axes.yUp,
    };
    const isMoving = viewHints.some((count) => count > 0);
    if (this.#mustDraw(viewport, pixelRatio, [width, height], isMoving)) {
      this.#draw({
        viewport,
        pixelRatio,
        size: [width, height],
        generation: this.#generation,
      });
    }
    this.#place(viewport);
  }

  #mustDraw(
    viewport: Viewport,
    pixelRatio: number,
    [width, height]: readonly [number, number],
    isMoving: boolean,
  ): boolean {
    const drawn = this.#drawn;
    if (drawn === undefined || !this.#onlyStates) return true;
    const { viewport: old } = drawn;
    if (
      old.width !== viewport.width || old.height !== viewport.height ||
      old.yUp !== viewport.yUp
    ) return true;
    const zoom = viewport.scale / old.scale;
    const hasMargin = this.#shapes.all.length > MAX_ZONES_WITHOUT_MARGIN;
    const isStretched = isMoving && hasMargin &&
      Math.abs(zoom - 1) < MAX_STRETCH;
    if (zoom !== 1 && !isStretched) return true;
    // Whether the map is within the canvas.
    const roomX = (old.width * zoom - width * pixelRatio) / 2 + 0.5;
    const roomY = (old.height * zoom - height * pixelRatio) / 2 + 0.5;
    if (
      Math.abs(viewport.x - old.x) * viewport.scale > roomX ||
      Math.abs(viewport.y - old.y) * viewport.scale > roomY
    ) return true;
    if (drawn.generation === this.#generation) return false;
    if (!isMoving && performance.now() >= this.#redrawAt) return true;
    this.#scheduleRedraw();
    return false;
  }

  #draw(drawn: Drawn): void {
    const { viewport, pixelRatio, size } = drawn;
    const { width, height } = viewport;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${width / pixelRatio}px`;
      canvas.style.height = `${height / pixelRatio}px`;
    } else this.#context.clearRect(0, 0, width, height);
    canvas.style.left = `${(size[0] - width / pixelRatio) / 2}px`;
    canvas.style.top = `${(size[1] - height / pixelRatio) / 2}px`;
    const scene = {
      shapes: this.#shapes.all,
      figures: this.#figures,
      colors: this.#colors,
      filled: this.#filled,
      tinted: this.#tinted,
      selected: this.#selected,
      hovered: this.#hovered,
    };
    const visible = this.#painter.draw(
      this.#context,
      viewport,
      pixelRatio,
      scene,
    );
    this.#drawnLabels = this.#labels.draw(
      this.#context,
      viewport,
      pixelRatio,
      visible,
      scene,
    );
    this.#drawn = drawn;
    this.#onlyStates = true;
    this.#redrawAt = performance.now() + REDRAW_INTERVAL_MS * visible.length;
  }

  /** Shifts the canvas to where the map is. */
  #place({ x, y, scale }: Viewport): void {
    const { viewport: old, pixelRatio } = this.#drawn!;
    const left = (old.x - x) * scale / pixelRatio;
    const down = (old.y - y) * scale / pixelRatio;
    const top = old.yUp ? 0 - down : down;
    this.#shift = [left, top];
    const zoom = scale / old.scale;
    // Whole pixels of the screen are copied faster than parts of them.
    const round = (px: number) => Math.round(px * pixelRatio) / pixelRatio;
    this.#canvas.style.transform = `translate(${round(left)}px, ${
      round(top)
    }px)${zoom === 1 ? "" : ` scale(${zoom})`}`;
  }
}

/// <reference lib="dom" />
/**
 * The map that one pans, zooms and selects in: OpenLayers on a flat plane, one
 * unit a cell. Its y grows upwards, ours downwards: this file turns one into the
 * other, and no other file knows of it.
 *
 * @module
 */

import type { MapBrowserEvent } from "ol";
import { easeOut } from "ol/easing.js";
import DoubleClickZoom from "ol/interaction/DoubleClickZoom.js";
import DragBox from "ol/interaction/DragBox.js";
import DragPan from "ol/interaction/DragPan.js";
import MouseWheelZoom from "ol/interaction/MouseWheelZoom.js";
import PinchZoom from "ol/interaction/PinchZoom.js";
import Kinetic from "ol/Kinetic.js";
import OlMap from "ol/Map.js";
import Projection from "ol/proj/Projection.js";
import View from "ol/View.js";
import type { Region } from "../../grid/mod.ts";
import { CellLayer } from "./cell_layer.ts";
import { type Plan, planLayer } from "./plan_layer.ts";
import type { Colors } from "./palette.ts";

/** CSS pixels a cell: as near and as far as one can go. */
const NEAREST = 96;
/** OpenLayers wants whole powers of two between the nearest and the furthest. */
const FURTHEST = NEAREST / 2 ** 30;
/** What is left free around a map that is shown whole, CSS pixels: tools and legend. */
const MARGIN = 24;
const FOOT = 66;
const TOOLS = 64;
/** A map narrower than this has its tools above. */
const NARROW = 640;
/** A map of a few cells is not blown up to more than this, CSS pixels a cell. */
const COMFORTABLE = 48;
const MOVE_MS = 220;
const REACH = 2 ** 31;

/** How {@linkcode MapView} tells what a person does with it. */
export interface MapEvents {
  /** The view has moved or was zoomed; not told while it is moving. */
  settled(): void;
  /** Each frame that is drawn. */
  drawn(): void;
  /** The pointer is over a cell, or has left. @param pixel In the map, CSS pixels */
  hovered(cell: CellPoint | undefined): void;
  /** A cell was clicked or tapped. */
  clicked(cell: CellPoint): void;
  /** A box was dragged. */
  boxed(region: Region): void;
}

/** A cell, and where on the map the pointer was, CSS pixels. */
export interface CellPoint {
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly top: number;
}

/** The map on the page. */
export class MapView {
  /** The cells. */
  readonly cells: CellLayer;
  readonly #map: OlMap;
  readonly #target: HTMLElement;
  readonly #view: View;
  readonly #still: boolean;
  #boxTool = false;
  #plan: ReturnType<typeof planLayer> | undefined;
  #planShown: Plan | undefined;

  /** @param still Whether nothing may move by itself (prefers-reduced-motion) */
  constructor(
    target: HTMLElement,
    colors: Colors,
    events: MapEvents,
    still: boolean,
  ) {
    this.#still = still;
    this.#target = target;
    this.cells = new CellLayer(colors);
    const projection = new Projection({
      code: "cells",
      units: "pixels",
      extent: [-REACH, -REACH, REACH, REACH],
    });
    this.#view = new View({
      projection,
      center: [0, 0],
      resolution: 1,
      minResolution: 1 / NEAREST,
      maxResolution: 1 / FURTHEST,
      enableRotation: false,
      smoothResolutionConstraint: false,
    });
    const box = new DragBox({
      className: "drag-box",
      condition: ({ originalEvent }) =>
        originalEvent instanceof PointerEvent && originalEvent.button === 0 &&
        (this.#boxTool || originalEvent.shiftKey),
    });
    this.#map = new OlMap({
      target,
      view: this.#view,
      controls: [],
      layers: [this.cells.layer],
      interactions: [
        new DragPan(still ? {} : { kinetic: new Kinetic(-0.005, 0.05, 100) }),
        new MouseWheelZoom(still ? { duration: 0 } : {}),
        new PinchZoom(still ? { duration: 0 } : {}),
        new DoubleClickZoom(still ? { duration: 0 } : {}),
        box,
      ],
      moveTolerance: 4,
    });
    box.on("boxend", () => {
      const [left, bottom, right, top] = box.getGeometry().getExtent() as [
        number,
        number,
        number,
        number,
      ];
      events.boxed({
        x0: Math.floor(left),
        y0: Math.floor(-top),
        x1: Math.max(Math.floor(left), Math.ceil(right) - 1),
        y1: Math.max(Math.floor(-top), Math.ceil(-bottom) - 1),
      });
    });
    this.#map.on("moveend", () => events.settled());
    this.#map.on("postrender", () => events.drawn());
    this.#map.on("pointermove", (event) => {
      if (event.dragging) events.hovered(undefined);
      else events.hovered(this.#pointOf(event));
    });
    this.#map.on("click", (event) => events.clicked(this.#pointOf(event)));
    target.addEventListener("pointerleave", () => {
      events.hovered(undefined);
    });
  }

  /** Whether there is a size to draw in yet. */
  get ready(): boolean {
    const [width = 0, height = 0] = this.#map.getSize() ?? [];
    return width > 0 && height > 0;
  }

  /** What is in the middle, in cells: 0.5 is the centre of cell 0. */
  get center(): readonly [x: number, y: number] {
    const [x, y] = this.#view.getCenter() as [number, number];
    return [x, 0 - y];
  }

  /** CSS pixels a cell. */
  get scale(): number {
    return 1 / this.#view.getResolution()!;
  }

  /** All cells of which anything is seen. */
  get seen(): Region {
    const [left, bottom, right, top] = this.#view.calculateExtent(
      this.#map.getSize(),
    ) as [number, number, number, number];
    return {
      x0: Math.floor(left),
      y0: Math.floor(-top),
      x1: Math.ceil(right) - 1,
      y1: Math.ceil(-bottom) - 1,
    };
  }

  /** Looks elsewhere at once. @param scale CSS pixels a cell */
  look(center: readonly [number, number], scale: number): void {
    this.#view.cancelAnimations();
    this.#view.setCenter([center[0], -center[1]]);
    this.#view.setResolution(1 / scale);
  }

  /** Shows all of a region, as large as there is room for. */
  fit({ x0, y0, x1, y1 }: Region, moving: boolean): void {
    const [width = 1, height = 1] = this.#map.getSize() ?? [];
    const kiosk = document.body.classList.contains("kiosk");
    const narrow = width < NARROW;
    const left = narrow || kiosk ? MARGIN : TOOLS;
    const top = narrow && !kiosk ? TOOLS : MARGIN;
    const bottom = narrow ? FOOT + TOOLS / 2 : FOOT;
    const across = Math.max(1, width - left - MARGIN) / (x1 - x0 + 1);
    const down = Math.max(1, height - top - bottom) / (y1 - y0 + 1);
    const scale = Math.min(across, down, COMFORTABLE);
    const center = [
      (x0 + x1 + 1 - (left - MARGIN) / scale) / 2,
      (y0 + y1 + 1 - (top - bottom) / scale) / 2,
    ] as const;
    if (moving) this.#move({ center, scale });
    else this.look(center, scale);
  }

  /** Moves to a cell; nearer, if it could not be made out. */
  goTo(x: number, y: number): void {
    this.#move({
      center: [x + 0.5, y + 0.5],
      scale: Math.max(this.scale, 24),
    });
  }

  /** Zooms, the middle staying where it is. @param factor 2 is twice as large */
  zoomBy(factor: number): void {
    this.#move({ center: this.center, scale: this.scale * factor });
  }

  /** Moves by CSS pixels. */
  panBy(right: number, down: number): void {
    const [x, y] = this.center;
    this.#move({
      center: [x + right / this.scale, y + down / this.scale],
      scale: this.scale,
    });
  }

  /** Moves just so far that a cell is seen. */
  reveal(x: number, y: number): void {
    const { x0, y0, x1, y1 } = this.seen;
    const [cx, cy] = this.center;
    if (x > x0 && x < x1 && y > y0 && y < y1) return;
    const nearer = (at: number, from: number, to: number, middle: number) =>
      at <= from
        ? middle - (from - at + 2)
        : at >= to
        ? middle + (at - to + 2)
        : middle;
    const center = [nearer(x, x0, x1, cx), nearer(y, y0, y1, cy)] as const;
    this.#move({ center, scale: this.scale });
  }

  /** Where a region is on the map, CSS pixels; undefined before the first frame. */
  rectOf(
    { x0, y0, x1, y1 }: Region,
  ): { left: number; top: number; width: number; height: number } | undefined {
    const from = this.#map.getPixelFromCoordinate([x0, -y0]) as
      | [number, number]
      | null;
    const to = this.#map.getPixelFromCoordinate([x1 + 1, -y1 - 1]) as
      | [number, number]
      | null;
    if (from === null || to === null) return undefined;
    const [left, top] = from;
    return { left, top, width: to[0] - left, height: to[1] - top };
  }

  /** Whether dragging selects a box instead of moving the map. */
  set boxTool(on: boolean) {
    this.#boxTool = on;
    this.#target.classList.toggle("boxing", on);
  }

  get boxTool(): boolean {
    return this.#boxTool;
  }

  /** Puts a floor plan under the cells, or none. */
  set plan(plan: Plan | undefined) {
    if (plan === this.#planShown) return;
    this.#planShown = plan;
    if (this.#plan) this.#map.removeLayer(this.#plan);
    this.#plan = plan && planLayer(plan);
    if (this.#plan) this.#map.getLayers().insertAt(0, this.#plan);
  }

  /** Draws again at the next frame. */
  changed(): void {
    this.cells.layer.changed();
  }

  #move(to: { center: readonly [number, number]; scale: number }): void {
    const scale = Math.min(Math.max(to.scale, FURTHEST), NEAREST);
    if (this.#still) return this.look(to.center, scale);
    this.#view.cancelAnimations();
    this.#view.animate({
      center: [to.center[0], -to.center[1]],
      resolution: 1 / scale,
      duration: MOVE_MS,
      easing: easeOut,
    });
  }

  #pointOf({ coordinate, pixel }: MapBrowserEvent): CellPoint {
    const [x, y] = coordinate as [number, number];
    const [left, top] = pixel as [number, number];
    return { x: Math.floor(x), y: Math.floor(-y), left, top };
  }
}

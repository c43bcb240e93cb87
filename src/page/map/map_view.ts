/// <reference lib="dom" />
/**
 * The interactive map: OpenLayers on a plane with one unit per cell. The y of
 * OpenLayers grows upwards, that of cells downwards: only the files that import
 * OpenLayers convert between them.
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
import type { Region } from "../../protocol/region.ts";
import type { PlanImage } from "../feed/requests.ts";
import { CellLayer } from "./cell_layer.ts";
import { createPlanLayer } from "./floor_plans.ts";
import type { Colors } from "./palette.ts";
import type { Point } from "./regions.ts";

/** The largest scale, CSS pixels per cell. */
const MAX_SCALE = 96;
/** The smallest scale. OpenLayers requires a ratio that is a power of two. */
const MIN_SCALE = MAX_SCALE / 2 ** 30;
/** The largest scale of {@linkcode MapView.fit}, for maps of a few cells. */
const MAX_FIT_SCALE = 48;
/** The smallest scale of {@linkcode MapView.goTo}. */
const MIN_GO_TO_SCALE = 24;

/** Space around a map that is shown whole, CSS pixels. */
const MARGIN_PX = 24;
/** Space for the legend at the bottom, and for the tools, CSS pixels. */
const LEGEND_PX = 66;
const TOOLS_PX = 64;
/** A map narrower than this has its tools at the top, else at the left. */
const NARROW_PX = 640;

const ANIMATION_MS = 220;
const INT32_RANGE = 2 ** 31;

/** Callbacks of {@linkcode MapView}. */
export interface MapEvents {
  /** Called after the camera has moved. */
  onMoveEnd(): void;
  /** Called after each frame that is drawn. */
  onRender(): void;
  /**
   * Called when the pointer moves over a cell; undefined when it leaves the
   * map.
   */
  onHover(cell: Point | undefined): void;
  /** Called when a cell is clicked or tapped. */
  onClick(cell: Point): void;
  /** Called when a box was dragged. */
  onBox(region: Region): void;
}

/** Which part of the map is visible. */
export interface Camera {
  /** The coordinate in the centre, in cells: 0.5 is the centre of cell 0. */
  readonly center: readonly [x: number, y: number];
  /** CSS pixels per cell. */
  readonly scale: number;
}

/** A rectangle on the map, CSS pixels. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The map on the page. */
export class MapView {
  /** The cells. */
  readonly cellLayer: CellLayer;
  readonly #map: OlMap;
  readonly #target: HTMLElement;
  readonly #view: View;
  readonly #animated: boolean;
  #boxTool = false;
  #plan: PlanImage | undefined;
  #planLayer: ReturnType<typeof createPlanLayer> | undefined;

  /** @param animated false for people who prefer reduced motion */
  constructor(
    target: HTMLElement,
    colors: Colors,
    events: MapEvents,
    animated: boolean,
  ) {
    this.#animated = animated;
    this.#target = target;
    this.cellLayer = new CellLayer(colors);
    const projection = new Projection({
      code: "cells",
      units: "pixels",
      extent: [-INT32_RANGE, -INT32_RANGE, INT32_RANGE, INT32_RANGE],
    });
    this.#view = new View({
      projection,
      center: [0, 0],
      resolution: 1,
      minResolution: 1 / MAX_SCALE,
      maxResolution: 1 / MIN_SCALE,
      enableRotation: false,
      smoothResolutionConstraint: false,
    });
    const box = new DragBox({
      className: "drag-box",
      condition: ({ originalEvent }) =>
        originalEvent instanceof PointerEvent && originalEvent.button === 0 &&
        (this.#boxTool || originalEvent.shiftKey),
    });
    const zoomOptions = animated ? {} : { duration: 0 };
    this.#map = new OlMap({
      target,
      view: this.#view,
      controls: [],
      layers: [this.cellLayer.layer],
      interactions: [
        new DragPan(
          animated ? { kinetic: new Kinetic(-0.005, 0.05, 100) } : {},
        ),
        new MouseWheelZoom(zoomOptions),
        new PinchZoom(zoomOptions),
        new DoubleClickZoom(zoomOptions),
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
      events.onBox({
        x0: Math.floor(left),
        y0: Math.floor(-top),
        x1: Math.max(Math.floor(left), Math.ceil(right) - 1),
        y1: Math.max(Math.floor(-top), Math.ceil(-bottom) - 1),
      });
    });
    this.#map.on("moveend", () => events.onMoveEnd());
    this.#map.on("postrender", () => events.onRender());
    this.#map.on("pointermove", (event) => {
      events.onHover(event.dragging ? undefined : cellAt(event));
    });
    this.#map.on("click", (event) => events.onClick(cellAt(event)));
    target.addEventListener("pointerleave", () => events.onHover(undefined));
  }

  /** Whether the map has a size. */
  get ready(): boolean {
    const [width = 0, height = 0] = this.#map.getSize() ?? [];
    return width > 0 && height > 0;
  }

  /** What the map shows. */
  get camera(): Camera {
    const [x, y] = this.#view.getCenter() as [number, number];
    // 0 - y, since -y can be -0.
    return { center: [x, 0 - y], scale: this.scale };
  }

  /** CSS pixels per cell. */
  get scale(): number {
    return 1 / this.#view.getResolution()!;
  }

  /** The cells that are visible, at least in part. */
  get visibleRegion(): Region {
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

  /** Sets the camera without an animation. */
  jumpTo({ center: [x, y], scale }: Camera): void {
    this.#view.cancelAnimations();
    this.#view.setCenter([x, -y]);
    this.#view.setResolution(1 / scale);
  }

  /** Shows all of a region, as large as possible. */
  fit({ x0, y0, x1, y1 }: Region, animated: boolean): void {
    const [width = 1, height = 1] = this.#map.getSize() ?? [];
    const kiosk = document.body.classList.contains("kiosk");
    const narrow = width < NARROW_PX;
    const left = narrow || kiosk ? MARGIN_PX : TOOLS_PX;
    const top = narrow && !kiosk ? TOOLS_PX : MARGIN_PX;
    const bottom = narrow ? LEGEND_PX + TOOLS_PX / 2 : LEGEND_PX;
    const scaleX = Math.max(1, width - left - MARGIN_PX) / (x1 - x0 + 1);
    const scaleY = Math.max(1, height - top - bottom) / (y1 - y0 + 1);
    const scale = Math.min(scaleX, scaleY, MAX_FIT_SCALE);
    const center = [
      (x0 + x1 + 1 - (left - MARGIN_PX) / scale) / 2,
      (y0 + y1 + 1 - (top - bottom) / scale) / 2,
    ] as const;
    if (animated) this.#moveTo({ center, scale });
    else this.jumpTo({ center, scale });
  }

  /** Moves a cell into the centre, and zooms in if it is too small to see. */
  goTo({ x, y }: Point): void {
    this.#moveTo({
      center: [x + 0.5, y + 0.5],
      scale: Math.max(this.scale, MIN_GO_TO_SCALE),
    });
  }

  /** Zooms around the centre. @param factor above 1 zooms in */
  zoomBy(factor: number): void {
    const { center, scale } = this.camera;
    this.#moveTo({ center, scale: scale * factor });
  }

  /** Moves the camera by CSS pixels. */
  panBy(right: number, down: number): void {
    const { center: [x, y], scale } = this.camera;
    this.#moveTo({ center: [x + right / scale, y + down / scale], scale });
  }

  /** Moves the camera as little as needed to show a cell. */
  reveal({ x, y }: Point): void {
    const { x0, y0, x1, y1 } = this.visibleRegion;
    if (x > x0 && x < x1 && y > y0 && y < y1) return;
    // One cell beyond the edge: cells at the edge may be visible only in part.
    const shift = (at: number, first: number, last: number) =>
      at <= first ? at - first - 2 : at >= last ? at - last + 2 : 0;
    const { center: [cx, cy], scale } = this.camera;
    this.#moveTo({
      center: [cx + shift(x, x0, x1), cy + shift(y, y0, y1)],
      scale,
    });
  }

  /** The place of a region on the map; undefined before the first frame. */
  rectOf({ x0, y0, x1, y1 }: Region): Rect | undefined {
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

  /** Whether a drag selects a box instead of moving the map. */
  set boxTool(on: boolean) {
    this.#boxTool = on;
    this.#target.classList.toggle("boxing", on);
  }

  get boxTool(): boolean {
    return this.#boxTool;
  }

  /** The floor plan under the cells; undefined for none. */
  set plan(plan: PlanImage | undefined) {
    if (plan === this.#plan) return;
    this.#plan = plan;
    if (this.#planLayer) this.#map.removeLayer(this.#planLayer);
    this.#planLayer = plan && createPlanLayer(plan);
    if (this.#planLayer) this.#map.getLayers().insertAt(0, this.#planLayer);
  }

  /** Draws changed cells with the next frame. */
  redraw(): void {
    this.cellLayer.layer.changed();
  }

  /**
   * Sets the camera, with an animation unless the user prefers reduced motion.
   */
  #moveTo({ center, scale }: Camera): void {
    const limited = Math.min(Math.max(scale, MIN_SCALE), MAX_SCALE);
    if (!this.#animated) return this.jumpTo({ center, scale: limited });
    this.#view.cancelAnimations();
    this.#view.animate({
      center: [center[0], -center[1]],
      resolution: 1 / limited,
      duration: ANIMATION_MS,
      easing: easeOut,
    });
  }
}

function cellAt({ coordinate }: MapBrowserEvent): Point {
  const [x, y] = coordinate as [number, number];
  return { x: Math.floor(x), y: Math.floor(-y) };
}

/// <reference lib="dom" />
/**
 * The interactive map: OpenLayers on a plane with one unit per cell. The y of
 * OpenLayers grows upwards, that of cells downwards or upwards: only the files
 * that import OpenLayers convert between them.
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
import { Axes } from "./axes.ts";
import { type Edges, overlap } from "./framing.ts";
import type { Colors } from "./palette.ts";
import type { Point } from "./regions.ts";
import {
  type Camera,
  type MapOverlays,
  ViewFollower,
} from "./view_follower.ts";

export type { Camera };

/** The largest scale, CSS pixels per cell. */
const MAX_SCALE = 96;
/** The zoom level of {@linkcode MAX_SCALE}; each level below halves the scale. */
const MAX_ZOOM = 32;
/** Width and height of a tile of OpenLayers, which its zoom levels refer to. */
const TILE_PX = 256;
/** Half of the range that is visible whole at zoom level 0, in cells. */
const HALF_RANGE = TILE_PX * 2 ** (MAX_ZOOM - 1) / MAX_SCALE;
/** The smallest scale of {@linkcode MapView.goTo}. */
const MIN_GO_TO_SCALE = 24;

const ANIMATION = { duration: 220, easing: easeOut };

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
  readonly #follower: ViewFollower;
  readonly #axes = new Axes();
  readonly #animated: boolean;
  #boxTool = false;
  #cells: Region | undefined;
  #plan: PlanImage | undefined;
  #planShown = true;
  #planLayer: ReturnType<typeof createPlanLayer> | undefined;

  /**
   * @param overlays kept clear of cells where there is space
   * @param animated false for people who prefer reduced motion
   */
  constructor(
    target: HTMLElement,
    overlays: MapOverlays,
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
      extent: [-HALF_RANGE, -HALF_RANGE, HALF_RANGE, HALF_RANGE],
    });
    this.#view = new View({
      projection,
      center: [0, 0],
      resolution: 1,
      minZoom: 0,
      maxZoom: MAX_ZOOM,
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
    this.#follower = new ViewFollower({
      map: this.#map,
      axes: this.#axes,
      overlays,
      animation: animated ? ANIMATION : undefined,
    });
    box.on("boxend", () => {
      const [x0, y0, x1, y1] = this.#axes.edgesOf(
        box.getGeometry().getExtent(),
      );
      events.onBox({
        x0: Math.floor(x0),
        y0: Math.floor(y0),
        x1: Math.max(Math.floor(x0), Math.ceil(x1) - 1),
        y1: Math.max(Math.floor(y0), Math.ceil(y1) - 1),
      });
    });
    this.#map.on("moveend", () => {
      this.#publishCamera();
      events.onMoveEnd();
    });
    this.#map.on("postrender", () => events.onRender());
    this.#map.on("pointermove", (event) => {
      events.onHover(event.dragging ? undefined : this.#cellAt(event));
    });
    this.#map.on("click", (event) => events.onClick(this.#cellAt(event)));
    target.addEventListener("pointerleave", () => events.onHover(undefined));
  }

  /** Whether the view was set: fitted to the content, or by the user. */
  get framed(): boolean {
    return this.#follower.framed;
  }

  /** Whether the view follows the content: the user has not moved it. */
  get following(): boolean {
    return this.#follower.following;
  }

  /** What the map shows. */
  get camera(): Camera {
    return this.#follower.camera;
  }

  /** CSS pixels per cell. */
  get scale(): number {
    return 1 / this.#view.getResolution()!;
  }

  /** The cells that are visible, at least in part. */
  get visibleRegion(): Region {
    const [x0, y0, x1, y1] = this.#visibleEdges;
    return {
      x0: Math.floor(x0),
      y0: Math.floor(y0),
      x1: Math.ceil(x1) - 1,
      y1: Math.ceil(y1) - 1,
    };
  }

  /** Whether the layer has a floor plan. */
  get hasPlan(): boolean {
    return this.#plan !== undefined;
  }

  /** Whether a part of the floor plan is visible. */
  get planVisible(): boolean {
    return this.#plan !== undefined && this.#planShown &&
      overlap(this.#plan.extent, this.#visibleEdges);
  }

  /** Whether y grows upwards. The camera keeps its coordinates. */
  set yUp(yUp: boolean) {
    if (yUp === this.#axes.yUp) return;
    const { camera } = this;
    this.#axes.yUp = yUp;
    this.cellLayer.yUp = yUp;
    this.#placePlan();
    this.#setCamera(camera);
    this.#follower.update();
  }

  get yUp(): boolean {
    return this.#axes.yUp;
  }

  /** The smallest region with all cells of the layer. */
  set cells(cells: Region | undefined) {
    this.#cells = cells;
    this.#showContent();
  }

  /** Whether the floor plan is shown. The view is the same without it. */
  set planShown(shown: boolean) {
    if (shown === this.#planShown) return;
    this.#planShown = shown;
    this.#placePlan();
  }

  /** The floor plan of the layer; undefined for none. */
  set plan(plan: PlanImage | undefined) {
    if (plan === this.#plan) return;
    this.#plan = plan;
    this.#placePlan();
    this.#showContent();
  }

  /** Forgets the view, as for another layer. */
  reset(): void {
    this.#cells = undefined;
    this.#plan = undefined;
    this.#placePlan();
    this.#follower.reset();
  }

  /** Sets the camera without an animation. */
  jumpTo(camera: Camera): void {
    this.#follower.stop();
    this.#setCamera(camera);
  }

  /** Shows all cells and the floor plan, and follows them from now on. */
  showAll(): void {
    this.#follower.showAll();
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
    const up = this.#axes.yUp ? -down : down;
    this.#moveTo({ center: [x + right / scale, y + up / scale], scale });
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
    const [left, bottom, right, top] = this.#axes.extentOf([
      x0,
      y0,
      x1 + 1,
      y1 + 1,
    ]);
    const from = this.#map.getPixelFromCoordinate([left!, top!]) as
      | [number, number]
      | null;
    const to = this.#map.getPixelFromCoordinate([right!, bottom!]) as
      | [number, number]
      | null;
    if (from === null || to === null) return undefined;
    return {
      left: from[0],
      top: from[1],
      width: to[0] - from[0],
      height: to[1] - from[1],
    };
  }

  /** Whether a drag selects a box instead of moving the map. */
  set boxTool(on: boolean) {
    this.#boxTool = on;
    this.#target.classList.toggle("boxing", on);
  }

  get boxTool(): boolean {
    return this.#boxTool;
  }

  /** Draws the map at once in the present size of its element. */
  resize(): void {
    this.#map.updateSize();
    this.#map.renderSync();
  }

  /** Draws changed cells with the next frame. */
  redraw(): void {
    this.cellLayer.layer.changed();
  }

  get #visibleEdges(): Edges {
    return this.#axes.edgesOf(this.#view.calculateExtent(this.#map.getSize()));
  }

  #showContent(): void {
    this.#follower.content = { plan: this.#plan?.extent, cells: this.#cells };
  }

  #placePlan(): void {
    if (this.#planLayer) this.#map.removeLayer(this.#planLayer);
    const plan = this.#planShown ? this.#plan : undefined;
    this.#planLayer = plan &&
      createPlanLayer(plan.url, this.#axes.extentOf(plan.extent));
    if (this.#planLayer) this.#map.getLayers().insertAt(0, this.#planLayer);
  }

  #cellAt({ coordinate }: MapBrowserEvent): Point {
    const [x, y] = coordinate as [number, number];
    return { x: Math.floor(x), y: Math.floor(this.#axes.turn(y)) };
  }

  /** Makes the camera known to programs that operate the page. */
  #publishCamera(): void {
    if (!this.framed) return;
    const { center, scale } = this.camera;
    this.#target.dataset.at = center.join();
    this.#target.dataset.scale = String(scale);
    this.#target.dataset.yUp = String(this.yUp);
  }

  #setCamera({ center: [x, y], scale }: Camera): void {
    this.#view.cancelAnimations();
    this.#view.setCenter([x, this.#axes.turn(y)]);
    this.#view.setResolution(1 / scale);
  }

  /**
   * Sets the camera, with an animation unless the user prefers reduced motion.
   */
  #moveTo(camera: Camera): void {
    this.#follower.stop();
    const { center: [x, y] } = camera;
    const minScale = 1 / this.#view.getMaxResolution();
    const scale = Math.min(Math.max(camera.scale, minScale), MAX_SCALE);
    if (!this.#animated) return this.#setCamera({ center: [x, y], scale });
    this.#view.cancelAnimations();
    this.#view.animate({
      center: [x, this.#axes.turn(y)],
      resolution: 1 / scale,
      ...ANIMATION,
    });
  }
}

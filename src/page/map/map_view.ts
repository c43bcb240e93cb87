/// <reference lib="dom" />
/**
 * The interactive map: OpenLayers on a plane with one unit per cell. The y of
 * OpenLayers grows upwards, that of cells downwards or upwards: only the files
 * that import OpenLayers convert between them.
 *
 * @module
 */

import type { MapBrowserEvent } from "ol";
import DoubleClickZoom from "ol/interaction/DoubleClickZoom.js";
import DragBox from "ol/interaction/DragBox.js";
import type OlMap from "ol/Map.js";
import type View from "ol/View.js";
import type { Region } from "../../protocol/region.ts";
import type { PlanImage } from "../feed/requests.ts";
import { CellLayer } from "./cell_layer.ts";
import { Axes } from "./axes.ts";
import { ANIMATION, CameraMoves } from "./camera_moves.ts";
import { type Edges, overlap } from "./framing.ts";
import { createOlMap } from "./ol_map.ts";
import type { Colors } from "./palette.ts";
import { PlanOverlay } from "./plan_overlay.ts";
import type { Point } from "./regions.ts";
import {
  type Camera,
  type MapOverlays,
  ViewFollower,
} from "./view_follower.ts";

export type { Camera };

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
  onHover(at: MapPlace | undefined): void;
  /** Called when a cell is clicked or tapped. */
  onClick(at: MapPlace): void;
  /** Called when a box was dragged. */
  onBox(region: Region): void;
}

/** A place of the pointer. */
export interface MapPlace {
  readonly cell: Point;
  /** From the left and the top of the map, CSS pixels. */
  readonly pixel: readonly [left: number, top: number];
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
  /** Moves the camera. */
  readonly moves: CameraMoves;
  readonly #map: OlMap;
  readonly #target: HTMLElement;
  readonly #view: View;
  readonly #follower: ViewFollower;
  readonly #plan: PlanOverlay;
  /** Which way y grows. Set it with {@linkcode MapView.yUp}. */
  readonly axes = new Axes();
  #boxTool = false;
  #editing = false;
  #cells: Region | undefined;
  #zones: Edges | undefined;

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
    this.#target = target;
    this.cellLayer = new CellLayer(colors);
    const { map, box } = createOlMap({
      target,
      layer: this.cellLayer.layer,
      isBoxTool: () => this.#boxTool,
      animated,
    });
    this.#map = map;
    this.#view = map.getView();
    this.#follower = new ViewFollower({
      map: this.#map,
      axes: this.axes,
      overlays,
      animation: animated ? ANIMATION : undefined,
    });
    this.#plan = new PlanOverlay(this.#map, this.axes);
    this.moves = new CameraMoves({
      view: this.#view,
      axes: this.axes,
      follower: this.#follower,
      visibleRegion: () => this.visibleRegion,
      animated,
    });
    box.on("boxend", () => {
      const [x0, y0, x1, y1] = this.axes.edgesOf(
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
      const isHover = !event.dragging && !this.#editing;
      events.onHover(isHover ? this.#placeOf(event) : undefined);
    });
    this.#map.on("click", (event) => {
      if (!this.#editing) events.onClick(this.#placeOf(event));
    });
    target.addEventListener("pointerleave", () => events.onHover(undefined));
  }

  /** The map of OpenLayers, for other layers and interactions. */
  get ol(): OlMap {
    return this.#map;
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
    const [x0, y0, x1, y1] = this.visibleEdges;
    return {
      x0: Math.floor(x0),
      y0: Math.floor(y0),
      x1: Math.ceil(x1) - 1,
      y1: Math.ceil(y1) - 1,
    };
  }

  /** Whether the layer has a floor plan. */
  get hasPlan(): boolean {
    return this.#plan.image !== undefined;
  }

  /** Whether a part of the floor plan is visible. */
  get planVisible(): boolean {
    const { image, isShown } = this.#plan;
    return image !== undefined && isShown &&
      overlap(image.extent, this.visibleEdges);
  }

  /** Whether y grows upwards. The camera keeps its coordinates. */
  set yUp(yUp: boolean) {
    if (yUp === this.axes.yUp) return;
    const { camera } = this;
    this.axes.yUp = yUp;
    this.cellLayer.yUp = yUp;
    this.#plan.place();
    this.moves.restore(camera);
    this.#follower.update();
  }

  get yUp(): boolean {
    return this.axes.yUp;
  }

  /** The smallest region with all cells of the layer. */
  set cells(cells: Region | undefined) {
    this.#cells = cells;
    this.#showContent();
  }

  /** The smallest rectangle with all zones of the layer. */
  set zones(zones: Edges | undefined) {
    this.#zones = zones;
    this.#showContent();
  }

  /** Whether the floor plan is shown. The view is the same without it. */
  set planShown(shown: boolean) {
    this.#plan.isShown = shown;
  }

  /** The floor plan of the layer; undefined for none. */
  set plan(plan: PlanImage | undefined) {
    if (plan === this.#plan.image) return;
    this.#plan.image = plan;
    this.#showContent();
  }

  /** Forgets the view, as for another layer. */
  reset(): void {
    this.#cells = this.#zones = this.#plan.image = undefined;
    this.#follower.reset();
  }

  /** The place of a region on the map; undefined before the first frame. */
  rectOf({ x0, y0, x1, y1 }: Region): Rect | undefined {
    const edges: Edges = [x0, y0, x1 + 1, y1 + 1];
    const [left, bottom, right, top] = this.axes.extentOf(edges);
    const from = this.#pixelOf([left!, top!]);
    const to = this.#pixelOf([right!, bottom!]);
    if (from === null || to === null) return undefined;
    return {
      left: from[0],
      top: from[1],
      width: to[0] - from[0],
      height: to[1] - from[1],
    };
  }

  /** Whether clicks are for the editor of zones: they then select no cells. */
  set editing(editing: boolean) {
    this.#editing = editing;
    this.#map.getInteractions().forEach((one) => {
      if (one instanceof DragBox || one instanceof DoubleClickZoom) {
        one.setActive(!editing);
      }
    });
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

  /** The outer edges of what is visible. */
  get visibleEdges(): Edges {
    return this.axes.edgesOf(this.#view.calculateExtent(this.#map.getSize()));
  }

  #pixelOf(coordinate: number[]): MapPlace["pixel"] | null {
    return this.#map.getPixelFromCoordinate(coordinate) as [number, number];
  }

  #showContent(): void {
    this.#follower.content = {
      plan: this.#plan.image?.extent,
      cells: this.#cells,
      zones: this.#zones,
    };
  }

  #placeOf({ coordinate, pixel }: MapBrowserEvent): MapPlace {
    const [x, y] = coordinate as [number, number];
    return {
      cell: { x: Math.floor(x), y: Math.floor(this.axes.turn(y)) },
      pixel: pixel as [number, number],
    };
  }

  /** Makes the camera known to programs that operate the page. */
  #publishCamera(): void {
    if (!this.framed) return;
    const { center, scale } = this.camera;
    this.#target.dataset.at = center.join();
    this.#target.dataset.scale = String(scale);
    this.#target.dataset.yUp = String(this.yUp);
  }
}

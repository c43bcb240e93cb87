/// <reference lib="dom" />
/**
 * Fits the view to what there is to show until the user moves it, and bounds
 * the zoom.
 *
 * @module
 */

import type OlMap from "ol/Map.js";
import type { Axes } from "./axes.ts";
import {
  allOf,
  type Edges,
  homeOf,
  limitPadding,
  type MapContent,
  minScaleOf,
  NO_CONTENT,
  type Padding,
} from "./framing.ts";

/** The largest scale at which a layer is shown whole, for a few cells. */
const MAX_FIT_SCALE = 48;
/** Space around a map that is shown whole, CSS pixels. */
const MARGIN_PX = 24;
/** Space between the cells and what is on the map, CSS pixels. */
const OVERLAY_MARGIN_PX = 12;
/** Moves and zooms below this are rounding errors, in pixels and as a part. */
const MIN_MOVE_PX = 0.5;
const MIN_ZOOM = 0.001;

/** Which part of the map is visible. */
export interface Camera {
  /** The coordinate in the centre, in cells: 0.5 is the centre of cell 0. */
  readonly center: readonly [x: number, y: number];
  /** CSS pixels per cell. */
  readonly scale: number;
}

/** What is on the map: kept clear of cells where there is space. */
export interface MapOverlays {
  /** At the left or at the top. */
  readonly tools: HTMLElement;
  /** At the bottom. */
  readonly foot: HTMLElement;
  /** At the top, over the whole width; may have no size. */
  readonly head: HTMLElement;
}

/** Options of {@linkcode ViewFollower}. */
export interface ViewFollowerOptions {
  readonly map: OlMap;
  readonly axes: Axes;
  readonly overlays: MapOverlays;
  /** Of `View.fit`; undefined for none. */
  readonly animation:
    | { readonly duration: number; readonly easing: (t: number) => number }
    | undefined;
}

/** A view that was fitted. */
interface Fit {
  readonly edges: Edges;
  /** Undefined until the animation ends. */
  camera: Camera | undefined;
}

/** Fits the view of a map. */
export class ViewFollower {
  readonly #options: ViewFollowerOptions;
  #content: MapContent = NO_CONTENT;
  #following = true;
  /** Whether the view follows all cells, also those far from the plan. */
  #followsAll = false;
  /** A rectangle that is shown whole, in any size, until the user moves it. */
  #pinned: Edges | undefined;
  #fit: Fit | undefined;

  constructor(options: ViewFollowerOptions) {
    this.#options = options;
    const { map, overlays } = options;
    map.on("change:size", () => this.update());
    map.on("moveend", () => this.#checkMove());
    const observer = new ResizeObserver(() => this.update());
    observer.observe(overlays.tools);
    observer.observe(overlays.foot);
    observer.observe(overlays.head);
  }

  /** Whether the view was set: fitted to the content, or by the user. */
  get framed(): boolean {
    return !this.#following || this.#fit !== undefined;
  }

  /** Whether the view follows the content: the user has not moved it. */
  get following(): boolean {
    return this.#following;
  }

  /** What the map shows. */
  get camera(): Camera {
    const { map, axes } = this.#options;
    const [x, y] = map.getView().getCenter() as [number, number];
    const scale = 1 / map.getView().getResolution()!;
    return { center: [x, axes.turn(y)], scale };
  }

  /** What there is to show. */
  set content(content: MapContent) {
    this.#content = content;
    this.#limitZoom();
    const view = this.#options.map.getView();
    // The user is just moving it.
    if (view.getInteracting() || view.getAnimating()) return;
    const edges = this.#pinned ?? this.#edges();
    if (edges?.join() !== this.#fit?.edges.join()) this.update();
  }

  /** Fits the view again, as after a change of its size. */
  update(): void {
    this.#limitZoom();
    const edges = this.#pinned ?? (this.#following ? this.#edges() : undefined);
    if (edges) this.#show(edges, false);
  }

  /** Shows all cells and the floor plan, and follows them from now on. */
  showAll(): void {
    this.#following = this.#followsAll = true;
    this.#pinned = undefined;
    const all = this.#edges();
    if (all) this.#show(all, true);
  }

  /**
   * Shows a rectangle, and stops following. It stays whole when the size of the
   * map changes, as when a mode is opened, until the user moves the view.
   */
  showEdges(edges: Edges): void {
    this.stop();
    this.#pinned = edges;
    this.#show(edges, true);
  }

  /** Stops following: the user or the address has set the view. */
  stop(): void {
    this.#following = false;
    this.#pinned = undefined;
  }

  /** Forgets content and view. */
  reset(): void {
    this.#content = NO_CONTENT;
    this.#following = true;
    this.#followsAll = false;
    this.#pinned = undefined;
    this.#fit = undefined;
  }

  #edges(): Edges | undefined {
    return (this.#followsAll ? allOf : homeOf)(this.#content);
  }

  #show(edges: Edges, animated: boolean): void {
    const { map, axes, animation } = this.#options;
    const view = map.getView();
    const size = this.#size();
    if (size === undefined) return; // again when the map has a size
    const fit: Fit = { edges, camera: undefined };
    this.#fit = fit;
    view.cancelAnimations();
    view.fit(axes.extentOf(edges), {
      ...this.#fitOptions(size),
      ...(animated && animation),
      callback: (completed) => {
        if (completed) fit.camera = this.camera;
        else if (this.#fit === fit) this.stop(); // by the user
      },
    });
    if (!animated || animation === undefined) fit.camera = this.camera;
  }

  #fitOptions(size: readonly [number, number]) {
    const { top, right, bottom, left } = limitPadding(this.#padding(), size);
    return {
      size: [...size],
      padding: [top, right, bottom, left],
      minResolution: 1 / MAX_FIT_SCALE,
    };
  }

  /** Stops following, and showing a rectangle, if the user has moved the view. */
  #checkMove(): void {
    const fitted = this.#fit?.camera;
    const isFitted = this.#following || this.#pinned !== undefined;
    if (!isFitted || fitted === undefined) return;
    const { center: [x, y], scale } = this.camera;
    const isSame = Math.abs(x - fitted.center[0]) * scale < MIN_MOVE_PX &&
      Math.abs(y - fitted.center[1]) * scale < MIN_MOVE_PX &&
      Math.abs(scale / fitted.scale - 1) < MIN_ZOOM;
    if (!isSame) this.stop();
  }

  /** Bounds the zoom to the content. */
  #limitZoom(): void {
    const view = this.#options.map.getView();
    const all = allOf(this.#content);
    const size = this.#size();
    if (all === undefined || size === undefined) return;
    const zoom = view.getZoomForResolution(1 / minScaleOf(all, size)) ?? 0;
    const minZoom = Math.max(0, Math.floor(zoom));
    if (minZoom !== view.getMinZoom()) view.setMinZoom(minZoom);
  }

  /** Returns the space that tools and legend take at the edges. */
  #padding(): Padding {
    const { map, overlays } = this.#options;
    const box = map.getTargetElement()!.getBoundingClientRect();
    const tools = overlays.tools.getBoundingClientRect();
    const head = overlays.head.clientHeight;
    // On a narrow map the legend is below it, but not the scale.
    const footTop = Math.min(
      ...[overlays.foot, ...overlays.foot.children]
        .map((element) => element.getBoundingClientRect())
        // Hidden elements are nowhere.
        .filter(({ height }) => height > 0).map(({ top }) => top),
    );
    const hasFoot = overlays.foot.clientHeight > 0;
    const beside = (px: number) => Math.max(MARGIN_PX, px + OVERLAY_MARGIN_PX);
    const isColumn = tools.height > tools.width;
    const isRow = tools.width > tools.height;
    return {
      top: isRow
        ? beside(tools.bottom - box.top)
        : head > 0
        ? beside(head)
        : MARGIN_PX,
      right: MARGIN_PX,
      bottom: hasFoot ? beside(box.bottom - footTop) : MARGIN_PX,
      left: isColumn ? beside(tools.right - box.left) : MARGIN_PX,
    };
  }

  /** Width and height, CSS pixels; undefined before the page has a layout. */
  #size(): readonly [width: number, height: number] | undefined {
    const [width = 0, height = 0] = this.#options.map.getSize() ?? [];
    return width > 0 && height > 0 ? [width, height] : undefined;
  }
}

/// <reference lib="dom" />
/**
 * Moves the camera of the map for the controls and the panels, with an
 * animation unless the user prefers reduced motion.
 *
 * @module
 */

import { easeOut } from "ol/easing.js";
import type View from "ol/View.js";
import type { Region } from "../../protocol/region.ts";
import type { Axes } from "./axes.ts";
import type { Edges } from "./framing.ts";
import { MAX_SCALE } from "./ol_map.ts";
import type { Point } from "./regions.ts";
import type { Camera, ViewFollower } from "./view_follower.ts";

/** The smallest scale of {@linkcode CameraMoves.goTo}. */
const MIN_GO_TO_SCALE = 24;

/** The animation of a move. */
export const ANIMATION = { duration: 220, easing: easeOut };

/** Options of {@linkcode CameraMoves}. */
export interface CameraMovesOptions {
  readonly view: View;
  readonly axes: Axes;
  readonly follower: ViewFollower;
  /** Returns the cells that are visible, at least in part. */
  readonly visibleRegion: () => Region;
  /** False for people who prefer reduced motion. */
  readonly animated: boolean;
}

/** The ways in which the page moves the camera. */
export class CameraMoves {
  readonly #options: CameraMovesOptions;

  constructor(options: CameraMovesOptions) {
    this.#options = options;
  }

  /** Sets the camera without an animation. */
  jumpTo(camera: Camera): void {
    this.#options.follower.stop();
    this.restore(camera);
  }

  /** Sets the camera as it was. The map follows the content as before. */
  restore({ center: [x, y], scale }: Camera): void {
    const { view, axes } = this.#options;
    view.cancelAnimations();
    view.setCenter([x, axes.turn(y)]);
    view.setResolution(1 / scale);
  }

  /** Shows all cells and the floor plan, and follows them from now on. */
  showAll(): void {
    this.#options.follower.showAll();
  }

  /** Shows a rectangle as large as possible. */
  showEdges(edges: Edges): void {
    this.#options.follower.showEdges(edges);
  }

  /** Moves a cell into the centre, and zooms in if it is too small to see. */
  goTo({ x, y }: Point): void {
    this.#moveTo({
      center: [x + 0.5, y + 0.5],
      scale: Math.max(this.#camera.scale, MIN_GO_TO_SCALE),
    });
  }

  /** Zooms around the centre. @param factor above 1 zooms in */
  zoomBy(factor: number): void {
    const { center, scale } = this.#camera;
    this.#moveTo({ center, scale: scale * factor });
  }

  /** Moves the camera by CSS pixels. */
  panBy(right: number, down: number): void {
    const { center: [x, y], scale } = this.#camera;
    const up = this.#options.axes.yUp ? -down : down;
    this.#moveTo({ center: [x + right / scale, y + up / scale], scale });
  }

  /** Moves the camera as little as needed to show a cell. */
  reveal({ x, y }: Point): void {
    const { x0, y0, x1, y1 } = this.#options.visibleRegion();
    if (x > x0 && x < x1 && y > y0 && y < y1) return;
    // One cell beyond the edge: cells at the edge may be visible only in part.
    const shift = (at: number, first: number, last: number) =>
      at <= first ? at - first - 2 : at >= last ? at - last + 2 : 0;
    const { center: [cx, cy], scale } = this.#camera;
    this.#moveTo({
      center: [cx + shift(x, x0, x1), cy + shift(y, y0, y1)],
      scale,
    });
  }

  get #camera(): Camera {
    return this.#options.follower.camera;
  }

  #moveTo(camera: Camera): void {
    const { view, axes, follower, animated } = this.#options;
    follower.stop();
    const { center: [x, y] } = camera;
    const minScale = 1 / view.getMaxResolution();
    const scale = Math.min(Math.max(camera.scale, minScale), MAX_SCALE);
    if (!animated) return this.restore({ center: [x, y], scale });
    view.cancelAnimations();
    view.animate({
      center: [x, axes.turn(y)],
      resolution: 1 / scale,
      ...ANIMATION,
    });
  }
}

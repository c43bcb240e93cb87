/**
 * Draws new shapes: OpenLayers' Draw by clicks and taps, and its DragBox for
 * rectangles that are dragged with a mouse.
 *
 * @module
 */

import { primaryAction } from "ol/events/condition.js";
import type Polygon from "ol/geom/Polygon.js";
import DragBox from "ol/interaction/DragBox.js";
import Draw, { createBox } from "ol/interaction/Draw.js";
import type OlMap from "ol/Map.js";
import { type EditorColors, sketchStyles } from "./canvas_styles.ts";

/** Options of {@linkcode ShapeDrawing}. */
export interface ShapeDrawingOptions {
  readonly map: OlMap;
  /** Distance at which a click on the first corner ends a polygon, CSS px. */
  readonly tolerance: number;
  /** Returns the position to which a corner snaps. */
  snapped(coordinate: number[]): number[];
  /**
   * Called with the corners of a shape, or with two opposite corners of a
   * rectangle, as positions of the map.
   */
  onShape(corners: readonly number[][]): void;
}

/** Draws one shape after the other. */
export class ShapeDrawing {
  readonly #options: ShapeDrawingOptions;
  readonly #box: DragBox;
  #draw: Draw | undefined;
  #isRectangle = false;

  constructor(options: ShapeDrawingOptions) {
    this.#options = options;
    this.#box = this.#createBox();
    options.map.addInteraction(this.#box);
  }

  /** Whether a shape was begun. */
  get isDrawing(): boolean {
    const sketch = this.#draw?.getOverlay().getSource()?.getFeatures() ?? [];
    return sketch.some((one) => one.getGeometry()?.getType() === "Polygon");
  }

  /** Starts to draw; the interactions that were added before come after it. */
  start(isRectangle: boolean, colors: EditorColors): void {
    this.stop();
    this.#isRectangle = isRectangle;
    const { map, tolerance, onShape } = this.#options;
    const draw = new Draw({
      ...(isRectangle
        ? { type: "Circle" as const, geometryFunction: createBox() }
        : { type: "Polygon" as const }),
      style: sketchStyles(colors),
      condition: primaryAction,
      stopClick: true,
      snapTolerance: tolerance,
    });
    draw.on("drawend", ({ feature }) => {
      const geometry = feature.getGeometry() as Polygon;
      const [x0, y0, x1, y1] = geometry.getExtent();
      onShape(
        isRectangle ? [[x0!, y0!], [x1!, y1!]] : geometry.getCoordinates()[0]!,
      );
    });
    map.addInteraction(draw);
    this.#draw = draw;
  }

  /** Stops; what is being drawn is discarded. */
  stop(): void {
    if (this.#draw) this.#options.map.removeInteraction(this.#draw);
    this.#draw = undefined;
  }

  /** Ends the polygon that is being drawn. */
  finish(): void {
    this.#draw?.finishDrawing();
  }

  /** Discards what is being drawn. */
  abort(): void {
    this.#draw?.abortDrawing();
  }

  /** Removes the last corner of what is being drawn. */
  removeLastPoint(): void {
    this.#draw?.removeLastPoint();
  }

  dispose(): void {
    this.stop();
    this.#options.map.removeInteraction(this.#box);
  }

  /** With a finger, a drag moves the map. */
  #createBox(): DragBox {
    const { snapped, onShape } = this.#options;
    const box = new DragBox({
      className: "drag-box",
      condition: (event) => {
        const { originalEvent } = event;
        return this.#draw !== undefined && this.#isRectangle &&
          originalEvent instanceof PointerEvent &&
          originalEvent.pointerType === "mouse" && primaryAction(event) &&
          !this.isDrawing;
      },
    });
    box.on("boxend", () => {
      const [x0, y0, x1, y1] = box.getGeometry().getExtent();
      this.abort();
      onShape([[x0!, y0!], [x1!, y1!]].map(snapped));
    });
    return box;
  }
}

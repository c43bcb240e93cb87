/**
 * What the canvas of the editor reports.
 *
 * @module
 */

import type OlMap from "ol/Map.js";
import type { Axes } from "../../map/axes.ts";
import type { Polygon, Position, Ring } from "../../../zones/zone.ts";
import type { SnapTarget } from "./cell_snap.ts";
import type { CornerPath } from "./shapes.ts";

/** What a press on the map does. */
export type Tool = "select" | "rectangle" | "polygon" | "hole";

/** A position that was snapped, for people. */
export interface SnapInfo {
  readonly at: Position;
  /** CSS pixels in the map. */
  readonly pixel: readonly [left: number, top: number];
  /** The zone to which it was snapped. */
  readonly zone: string | undefined;
  readonly kind: SnapTarget["kind"];
}

/** Callbacks of {@linkcode ZoneCanvas}. */
export interface CanvasEvents {
  /** Called when a zone was clicked, or none. */
  onSelect(key: string | undefined): void;
  /** Called when a corner of the selected zone was clicked. */
  onCorner(path: CornerPath): void;
  /** Called when the selected zone was moved or reshaped. */
  onReshape(
    polygons: readonly Polygon[],
    label: string,
    corner: CornerPath | undefined,
  ): void;
  /** Called when a shape was drawn with a tool. */
  onDraw(ring: Ring, tool: Tool): void;
  /** Called while a position is drawn or moved; undefined when that ends. */
  onSnap(info: SnapInfo | undefined): void;
}

/** The map as the canvas needs it. */
export interface CanvasMap {
  readonly ol: OlMap;
  readonly axes: Axes;
}

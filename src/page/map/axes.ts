/// <reference lib="dom" />
/**
 * Converts between the y of cells, which grows downwards or upwards, and that of
 * OpenLayers, which grows upwards.
 *
 * @module
 */

import type { Extent } from "ol/extent.js";
import type { Edges } from "./framing.ts";

/** The directions of the axes of a map. x grows to the right. */
export class Axes {
  /** Whether the y of cells grows upwards. */
  yUp = false;

  /** Converts a y of cells to one of OpenLayers, or back. */
  turn(y: number): number {
    return this.yUp ? y : 0 - y; // not -y, which can be -0
  }

  /** Converts a rectangle of cells to one of OpenLayers. */
  extentOf([x0, y0, x1, y1]: Edges): Extent {
    return this.yUp ? [x0, y0, x1, y1] : [x0, -y1, x1, -y0];
  }

  /** Converts a rectangle of OpenLayers to one of cells. */
  edgesOf(extent: Extent): Edges {
    const [x0, y0, x1, y1] = extent as [number, number, number, number];
    return this.yUp ? [x0, y0, x1, y1] : [x0, -y1, x1, -y0];
  }
}

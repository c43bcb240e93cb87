/// <reference lib="dom" />
/**
 * A floor plan under the cells.
 *
 * @module
 */

import ImageLayer from "ol/layer/Image.js";
import ImageStatic from "ol/source/ImageStatic.js";

/** Where an image lies. */
export interface Plan {
  /** On the same server. */
  readonly url: string;
  /** Its outer edges in cells: left, top, right, bottom. y grows downwards. */
  readonly extent: readonly [x0: number, y0: number, x1: number, y1: number];
}

/** A plan as a layer of the map. */
export function planLayer(
  { url, extent: [left, top, right, bottom] }: Plan,
): ImageLayer<ImageStatic> {
  return new ImageLayer({
    className: "plan",
    source: new ImageStatic({
      url,
      imageExtent: [left, -bottom, right, -top],
      interpolate: true,
    }),
  });
}

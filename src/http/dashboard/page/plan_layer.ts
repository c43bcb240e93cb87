/// <reference lib="dom" />
/**
 * A floor plan under the cells.
 *
 * @module
 */

import ImageLayer from "ol/layer/Image.js";
import ImageStatic from "ol/source/ImageStatic.js";

/** Where an image lies, in cells. */
export interface Plan {
  /** On the same server. */
  readonly url: string;
  /** The edges, in cells; y grows downwards. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A plan as a layer of the map. */
export function planLayer(plan: Plan): ImageLayer<ImageStatic> {
  const { url, left, top, right, bottom } = plan;
  return new ImageLayer({
    className: "plan",
    source: new ImageStatic({
      url,
      imageExtent: [left, -bottom, right, -top],
      interpolate: true,
    }),
  });
}

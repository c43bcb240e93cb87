/// <reference lib="dom" />
/**
 * The floor plan on the map, under the cells.
 *
 * @module
 */

import ImageLayer from "ol/layer/Image.js";
import type OlMap from "ol/Map.js";
import ImageStatic from "ol/source/ImageStatic.js";
import type { PlanImage } from "../feed/requests.ts";
import type { Axes } from "./axes.ts";

/** The image of a floor plan, at its place on the map. */
export class PlanOverlay {
  readonly #map: OlMap;
  readonly #axes: Axes;
  #image: PlanImage | undefined;
  #isShown = true;
  #layer: ImageLayer<ImageStatic> | undefined;

  constructor(map: OlMap, axes: Axes) {
    this.#map = map;
    this.#axes = axes;
  }

  /** The plan; undefined for none. */
  get image(): PlanImage | undefined {
    return this.#image;
  }

  set image(image: PlanImage | undefined) {
    this.#image = image;
    this.place();
  }

  /** Whether it is drawn, if there is one. */
  get isShown(): boolean {
    return this.#isShown;
  }

  set isShown(isShown: boolean) {
    if (isShown === this.#isShown) return;
    this.#isShown = isShown;
    this.place();
  }

  /** Draws the plan again. Call it when the axes have changed. */
  place(): void {
    if (this.#layer) this.#map.removeLayer(this.#layer);
    this.#layer = undefined;
    if (this.#image === undefined || !this.#isShown) return;
    const { url, extent } = this.#image;
    this.#layer = new ImageLayer({
      className: "plan",
      source: new ImageStatic({
        url,
        imageExtent: this.#axes.extentOf(extent),
        interpolate: true,
      }),
    });
    this.#map.getLayers().insertAt(0, this.#layer);
  }
}

/**
 * The lines through the position of a corner that is drawn or moved: they show
 * with which other corners it is aligned.
 *
 * @module
 */

import Feature from "ol/Feature.js";
import LineString from "ol/geom/LineString.js";
import VectorLayer from "ol/layer/Vector.js";
import type OlMap from "ol/Map.js";
import VectorSource from "ol/source/Vector.js";
import { type EditorColors, guideStyle } from "./canvas_styles.ts";
import { ZONES_Z_INDEX } from "./zone_features.ts";
import type { Position } from "../../../zones/zone.ts";

/** The lines on a map. */
export class SnapGuides {
  readonly #map: OlMap;
  readonly #source = new VectorSource();
  readonly #layer = new VectorLayer({
    source: this.#source,
    zIndex: ZONES_Z_INDEX + 1,
  });

  constructor(map: OlMap) {
    this.#map = map;
    map.addLayer(this.#layer);
  }

  set colors(colors: EditorColors) {
    this.#layer.setStyle(guideStyle(colors));
  }

  /** Shows the lines through a position of the map; undefined for none. */
  show(at: Position | undefined): void {
    this.#source.clear();
    if (at === undefined) return;
    const [x, y] = at;
    const [x0, y0, x1, y1] = this.#map.getView().calculateExtent() as [
      number,
      number,
      number,
      number,
    ];
    this.#source.addFeatures([
      new Feature(new LineString([[x, y0], [x, y1]])),
      new Feature(new LineString([[x0, y], [x1, y]])),
    ]);
  }

  dispose(): void {
    this.#map.removeLayer(this.#layer);
  }
}

/// <reference lib="dom" />
/**
 * Fits the page to paper while it is printed: one column, in light colours.
 *
 * @module
 */

import type { MapView } from "../map/map_view.ts";
import type { ZonesView } from "../zones/zones_view.ts";
import type { Preferences } from "./preferences.ts";

/** Lays the page out for paper before it is printed, and restores it after. */
export class Printing {
  /**
   * @param map is drawn in its new size
   * @param zones have the rows of their list made for its new size
   * @param preferences draw map and chart in light colours
   */
  constructor(map: MapView, zones: ZonesView, preferences: Preferences) {
    const toggle = (on: boolean) => {
      document.body.classList.toggle("paper", on);
      preferences.printing = on;
      // The browser prints before it reports the new size.
      map.resize();
      zones.resize();
    };
    addEventListener("beforeprint", () => toggle(true));
    addEventListener("afterprint", () => toggle(false));
  }
}

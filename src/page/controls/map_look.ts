/// <reference lib="dom" />
/**
 * How the map looks: colours, floor plan, legend and scale.
 *
 * @module
 */

import type { Unit } from "../../protocol/display.ts";
import { FloorPlans } from "../map/floor_plans.ts";
import type { MapView } from "../map/map_view.ts";
import { type Colors, css } from "../map/palette.ts";
import { showLegend, showScale } from "../panels/legend.ts";
import type { ZonesView } from "../zones/zones_view.ts";
import type { Controls } from "./controls.ts";

/** Dependencies of {@linkcode MapLook}. */
export interface MapLookOptions {
  readonly map: MapView;
  readonly zones: ZonesView;
  readonly controls: Controls;
  /** Returns the colours of the palette in use. */
  colors(): Colors;
  /** Returns the name of the layer; undefined before it is known. */
  layer(): string | undefined;
  /** Returns what its values count; undefined if they are only 0 and 1. */
  unit(): Unit | undefined;
}

/** Shows how the map looks. */
export class MapLook {
  readonly #options: MapLookOptions;
  readonly #plans = new FloorPlans(() => this.showPlan());
  #staleAfter: number | null = null;

  constructor(options: MapLookOptions) {
    this.#options = options;
  }

  /** Handles a new connection, perhaps to another server. */
  onHello(staleAfter: number | null): void {
    this.#staleAfter = staleAfter;
    this.#plans.invalidate();
    this.showLegend();
  }

  /** Loads the floor plans, unless they are loaded. */
  loadPlans(): void {
    this.#plans.load();
  }

  /** Shows or hides the floor plan of the layer. */
  showPlan(): void {
    const { map, controls, colors, layer } = this.#options;
    const image = this.#plans.of(layer())?.image;
    const shown = controls.planOn ? image : undefined;
    controls.hasPlan = image !== undefined;
    map.plan = image;
    map.planShown = controls.planOn;
    map.cellLayer.setColors(colors(), shown !== undefined);
    this.showScale();
  }

  /** Shows the scale bar. */
  showScale(): void {
    const { map, layer } = this.#options;
    showScale(map.scale, this.#plans.of(layer())?.metresPerCell);
  }

  /** Shows all in the present colours. */
  recolor(): void {
    document.documentElement.style.setProperty(
      "--occupied",
      css(this.#options.colors().ramp[3]!),
    );
    this.showPlan();
    this.showLegend();
  }

  /** Shows the legend, if it has changed. */
  showLegend(): void {
    const { map, zones, colors, unit } = this.#options;
    map.cellLayer.numbered = unit() !== undefined;
    showLegend(colors(), {
      staleAfter: this.#staleAfter,
      unit: unit(),
      zones: zones.layer.shapes.all.length > 0,
      fills: zones.fills,
    });
  }
}

/// <reference lib="dom" />
/**
 * What the zones on the page need of the rest of the page.
 *
 * @module
 */

import type { Unit } from "../../protocol/display.ts";
import type { Access } from "../elements/commands.ts";
import type { MapView } from "../map/map_view.ts";
import type { Colors, Theme } from "../map/palette.ts";

/** Dependencies and callbacks of {@linkcode ZonesView}. */
export interface ZonesViewOptions {
  readonly map: MapView;
  readonly colors: Colors;
  readonly theme: Theme;
  /** Whether only the list is shown, on the whole window. */
  readonly listOnly: boolean;
  /** Whether the list has the zones of all layers at first. */
  readonly allLayers: boolean;
  /** Shows a layer, if it is not shown already. */
  showLayer(name: string): void;
  titleOfLayer(name: string): string;
  /** Returns what the values of a layer count; undefined for people. */
  unitOf(layer: string): Unit | undefined;
  /** Undefined before the server said how clients reach the broker. */
  access(): Access | undefined;
  /** The server's clock, ms since 1970. */
  now(): number;
  /** Called when the zones of another layer are shown, or look different. */
  onLook(): void;
  /** Makes a change of the selection by the user an entry of the history. */
  change(apply: () => void): void;
}

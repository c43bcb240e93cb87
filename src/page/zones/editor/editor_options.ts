/**
 * What the editor needs of the page.
 *
 * @module
 */

import type { Unit } from "../../../protocol/display.ts";
import type { CameraMoves } from "../../map/camera_moves.ts";
import type { Edges } from "../../map/framing.ts";
import type { ZoneStore } from "../zone_store.ts";
import type { CanvasMap } from "./canvas_events.ts";

/** The map, as the editor needs it. */
export interface EditorMap extends CanvasMap {
  /** The outer edges of what is visible. */
  readonly visibleEdges: Edges;
  readonly moves: Pick<CameraMoves, "showEdges">;
}

/** What the editor needs of the page. */
export interface EditorOptions {
  readonly map: EditorMap;
  readonly store: ZoneStore;
  /** The layer that the map shows. */
  layer(): { readonly name: string; readonly unit: Unit | undefined };
  /** The names of all layers. */
  layers(): readonly string[];
  /** Whether single letters are shortcuts. */
  letterKeys(): boolean;
  /**
   * Called when the editor was closed.
   *
   * @param name of the zone that was selected
   */
  onClose(name: string | undefined): void;
}

/** What is selected when the editor opens. */
export interface EditorStart {
  /** The name of a zone. */
  readonly zone?: string | undefined;
  /** Whether to draw a new zone. */
  readonly isNew?: boolean;
}

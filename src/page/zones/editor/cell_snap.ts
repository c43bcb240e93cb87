/**
 * Snaps the pointer to other zones, and else to the edges of cells: OpenLayers'
 * Snap, with one more thing to snap to.
 *
 * @module
 */

import type Collection from "ol/Collection.js";
import Feature from "ol/Feature.js";
import type OlMap from "ol/Map.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import Snap, { type SnappedInfo } from "ol/interaction/Snap.js";
import type { Position } from "../../../zones/zone.ts";
import { snapAlongEdge, snapToCells } from "./snapping.ts";

/** To what the pointer was snapped. */
export interface SnapTarget {
  /** In the coordinates of the map. */
  readonly at: Position;
  /** The zone; undefined for the edges of cells. */
  readonly feature: Feature | undefined;
  readonly kind: "corner" | "edge" | "cells";
}

/** The feature of a result that is not of a zone: OpenLayers requires one. */
const CELLS = new Feature();

/** Snaps corners that are drawn or moved. */
export class CellSnap extends Snap {
  /** False: positions are free. */
  snaps = true;
  /** Whether a shape is drawn, so that also moves of the pointer are snapped. */
  isDrawing = false;
  /** Whether a corner or a zone is dragged, and not the map. */
  isDragging = false;
  /** False while a zone is moved: it moves by whole cells. */
  snapsToZones = true;
  readonly #onSnap: (target: SnapTarget | undefined) => void;
  /** Whether the present event moves a corner. A click must remain in place. */
  #isMove = false;

  /**
   * @param zones to which to snap
   * @param pixelTolerance CSS pixels
   * @param onSnap called with each position of what is drawn or moved;
   * undefined if there is none
   */
  constructor(
    zones: Collection<Feature>,
    pixelTolerance: number,
    onSnap: (target: SnapTarget | undefined) => void,
  ) {
    super({ features: zones, pixelTolerance });
    this.#onSnap = onSnap;
  }

  override handleEvent(event: MapBrowserEvent): boolean {
    this.#isMove = this.isDrawing ||
      this.isDragging && event.type === "pointerdrag";
    return super.handleEvent(event);
  }

  override snapTo(
    pixel: number[],
    coordinate: number[],
    map: OlMap,
  ): SnappedInfo | null {
    if (!this.#isMove) return null;
    const zone = this.snaps && this.snapsToZones
      ? super.snapTo(pixel, coordinate, map)
      : null;
    const vertex = zone?.vertex as Position | null | undefined;
    if (zone && vertex) {
      const { segment } = zone;
      const at = segment === null
        ? vertex
        : snapAlongEdge(vertex, segment as unknown as [Position, Position]);
      this.#onSnap({
        at,
        feature: zone.feature ?? undefined,
        kind: segment === null ? "corner" : "edge",
      });
      return { ...zone, vertex: [...at], vertexPixel: pixelOf(map, at) };
    }
    const at = snapToCells(coordinate as unknown as Position, this.snaps);
    this.#onSnap({ at, feature: undefined, kind: "cells" });
    return {
      vertex: [...at],
      vertexPixel: pixelOf(map, at),
      feature: CELLS,
      segment: null,
    };
  }
}

function pixelOf(map: OlMap, at: Position): number[] {
  return map.getPixelFromCoordinate([...at]).map(Math.round);
}

/// <reference lib="dom" />
/**
 * Creates the OpenLayers map: a plane with one unit per cell.
 *
 * @module
 */

import DoubleClickZoom from "ol/interaction/DoubleClickZoom.js";
import DragBox from "ol/interaction/DragBox.js";
import DragPan from "ol/interaction/DragPan.js";
import MouseWheelZoom from "ol/interaction/MouseWheelZoom.js";
import PinchZoom from "ol/interaction/PinchZoom.js";
import Kinetic from "ol/Kinetic.js";
import type Layer from "ol/layer/Layer.js";
import OlMap from "ol/Map.js";
import Projection from "ol/proj/Projection.js";
import View from "ol/View.js";

/** The largest scale, CSS pixels per cell. */
export const MAX_SCALE = 96;
/** The zoom level of {@linkcode MAX_SCALE}; each level below halves the scale. */
const MAX_ZOOM = 32;
/** Width and height of a tile of OpenLayers, which its zoom levels refer to. */
const TILE_PX = 256;
/** Half of the range that is visible whole at zoom level 0, in cells. */
const HALF_RANGE = TILE_PX * 2 ** (MAX_ZOOM - 1) / MAX_SCALE;

/** Options of {@linkcode createOlMap}. */
export interface OlMapOptions {
  readonly target: HTMLElement;
  readonly layer: Layer;
  /** Whether a drag selects a box instead of moving the map. */
  readonly isBoxTool: () => boolean;
  /** False for people who prefer reduced motion. */
  readonly animated: boolean;
}

/** A map and the interaction that drags boxes. */
export interface CreatedMap {
  readonly map: OlMap;
  readonly box: DragBox;
}

/** Creates a map. */
export function createOlMap(
  { target, layer, isBoxTool, animated }: OlMapOptions,
): CreatedMap {
  const view = new View({
    projection: new Projection({
      code: "cells",
      units: "pixels",
      extent: [-HALF_RANGE, -HALF_RANGE, HALF_RANGE, HALF_RANGE],
    }),
    center: [0, 0],
    resolution: 1,
    minZoom: 0,
    maxZoom: MAX_ZOOM,
    enableRotation: false,
    smoothResolutionConstraint: false,
  });
  const box = new DragBox({
    className: "drag-box",
    condition: ({ originalEvent }) =>
      originalEvent instanceof PointerEvent && originalEvent.button === 0 &&
      (isBoxTool() || originalEvent.shiftKey),
  });
  const zoomOptions = animated ? {} : { duration: 0 };
  const map = new OlMap({
    target,
    view,
    controls: [],
    layers: [layer],
    interactions: [
      new DragPan(
        animated ? { kinetic: new Kinetic(-0.005, 0.05, 100) } : {},
      ),
      new MouseWheelZoom(zoomOptions),
      new PinchZoom(zoomOptions),
      new DoubleClickZoom(zoomOptions),
      box,
    ],
    moveTolerance: 4,
  });
  return { map, box };
}

/**
 * The named areas of a simulated scene, and the zones that they are.
 *
 * @module
 */
import { DEFAULT_OCCUPIED_WHEN } from "../zones/zone_properties.ts";
import type { Ring, Zone } from "../zones/zone.ts";

/** A rectangle of a scene that has a name. */
export interface Area {
  /** Unique in its scene; one level of a topic. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Desks or seats; undefined if it is not made for a number of people. */
  readonly capacity?: number;
  /** See `Zone.clearAfter`, in ms. Default 0. */
  readonly clearAfter?: number;
  /** The first column. */
  readonly x: number;
  /** The first row. */
  readonly y: number;
  /** In columns. */
  readonly width: number;
  /** In rows. */
  readonly height: number;
}

/**
 * Returns areas as zones.
 *
 * @param areas the areas of one scene
 * @param layer the layer of its readings
 */
export function zonesOf(areas: readonly Area[], layer: string): Zone[] {
  return areas.map((area) => ({
    name: area.name,
    layer,
    title: area.title,
    capacity: area.capacity,
    occupiedWhen: DEFAULT_OCCUPIED_WHEN,
    clearAfter: area.clearAfter ?? 0,
    staleAfter: undefined,
    polygons: [[ringOf(area)]],
  }));
}

/** Counterclockwise if y grows upwards, as RFC 7946, 3.1.6 asks. */
function ringOf({ x, y, width, height }: Area): Ring {
  const [right, end] = [x + width, y + height];
  return [[x, y], [right, y], [right, end], [x, end], [x, y]];
}

/**
 * Returns an area and its parts; the area alone if it has only one part, which
 * would be the same.
 */
export function withParts(whole: Area, parts: readonly Area[]): Area[] {
  return parts.length === 1 ? [whole] : [whole, ...parts];
}

/**
 * Writes zones as a FeatureCollection of GeoJSON (RFC 7946), with coordinates
 * in cells.
 *
 * @module
 */

import type { Zone } from "./zone.ts";
import { writeZoneProperties } from "./zone_properties.ts";

/** A feature of GeoJSON that is a zone (RFC 7946, 3.2). */
export interface ZoneFeature {
  readonly type: "Feature";
  readonly properties: Readonly<Record<string, unknown>>;
  readonly geometry: ZoneGeometry;
}

/** The geometry of a zone: a Polygon if it has one, else a MultiPolygon. */
export type ZoneGeometry =
  | { readonly type: "Polygon"; readonly coordinates: Zone["polygons"][0] }
  | { readonly type: "MultiPolygon"; readonly coordinates: Zone["polygons"] };

/**
 * Returns a zone as a feature, with the members that it had when it was read.
 *
 * @param zone the zone
 */
export function toFeature(zone: Zone): ZoneFeature {
  const { polygons, foreign } = zone;
  return {
    ...foreign?.members,
    type: "Feature",
    properties: writeZoneProperties(zone),
    geometry: polygons.length === 1
      ? { type: "Polygon", coordinates: polygons[0]! }
      : { type: "MultiPolygon", coordinates: polygons },
  };
}

/**
 * Writes zones as GeoJSON, one feature a line, so that a version control system
 * shows which zones changed. `readZones()` returns equal zones from it.
 *
 * @param zones valid zones
 * @returns the text in parts, each at most a feature: for a large collection,
 * write or join them in several turns
 */
export function* writeZones(zones: Iterable<Zone>): Generator<string> {
  yield '{"type":"FeatureCollection","features":[';
  let separator = "\n";
  for (const zone of zones) {
    yield separator + JSON.stringify(toFeature(zone));
    separator = ",\n";
  }
  yield "\n]}\n";
}

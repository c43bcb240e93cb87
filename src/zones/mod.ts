/**
 * Zones: named areas of a layer, in GeoJSON.
 *
 * @module
 */

export {
  type FeatureLabel,
  ZoneError,
  type ZoneErrorCode,
  type ZoneErrorOptions,
} from "./errors.ts";
export { readZones, readZonesInSteps } from "./geojson.ts";
export { DEFAULT_ZONE_LIMITS, type ZoneLimits } from "./limits.ts";
export {
  toFeature,
  writeZones,
  type ZoneFeature,
  type ZoneGeometry,
} from "./write_geojson.ts";
export type {
  ForeignMembers,
  OccupiedWhen,
  Polygon,
  Position,
  Ring,
  Zone,
} from "./zone.ts";
export { DEFAULT_OCCUPIED_WHEN } from "./zone_properties.ts";

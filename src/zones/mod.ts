/**
 * Zones: named areas of a layer, in GeoJSON; their states and events.
 *
 * @module
 */

export {
  type FeatureLabel,
  ZoneError,
  type ZoneErrorCode,
  type ZoneErrorOptions,
} from "./errors.ts";
export { readZonesInSteps } from "./geojson.ts";
export { readFeature, readFeatureInSteps } from "./read_feature.ts";
export { DEFAULT_ZONE_LIMITS, type ZoneLimits } from "./limits.ts";
export { readZones } from "./read_zones.ts";
export { readZoneEvent, readZoneState } from "./state_json.ts";
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
export {
  ZONE_EVENT_NAMES,
  type ZoneEvent,
  type ZoneEventName,
  type ZoneRecord,
} from "./zone_events.ts";
export { ZoneIndex, type ZoneIndexOptions } from "./zone_index.ts";
export type { ZoneState } from "./zone_state.ts";
export {
  type ZoneChange,
  ZoneTracker,
  type ZoneTrackerOptions,
  type ZoneUpdate,
} from "./zone_tracker.ts";
export type {
  ZoneEdit,
  ZoneEditProblem,
  ZoneEditResult,
  ZoneObserver,
  Zones,
  ZoneService,
} from "./zone_service.ts";
export { type EditedZones, ZoneEditor } from "./zone_edit.ts";

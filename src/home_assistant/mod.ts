/**
 * Announces zones to Home Assistant.
 *
 * @module
 */

export {
  DEFAULT_DISCOVERY_PREFIX,
  Discovery,
  type DiscoveryOptions,
  revivalPayload,
  statusTopics,
} from "./discovery.ts";
export {
  assignKeys,
  featureIdOf,
  type KeyAssignment,
  type KnownZone,
  MAX_ANNOUNCED_ZONES,
  shapeOf,
} from "./zone_keys.ts";

/**
 * Reads one zone from a Feature of GeoJSON (RFC 7946, 3.2), with coordinates in
 * cells.
 *
 * @module
 */

import { inTurns, type Work } from "../common/turns.ts";
import { quoteName } from "../common/printable.ts";
import { encodeText, isJsonObject } from "../protocol/text.ts";
import { CollectionJson } from "./collection_json.ts";
import { ZoneError } from "./errors.ts";
import { readZonesInSteps } from "./geojson.ts";
import { DEFAULT_ZONE_LIMITS, type ZoneLimits } from "./limits.ts";
import type { Zone } from "./zone.ts";

/**
 * Reads a zone, in as many turns of the event loop as it needs.
 *
 * @param input the Feature; bytes are UTF-8, with or without a byte order mark,
 * and must not change until the zone is read
 * @param name the name of the zone: the Feature has the same one, or none.
 * Default: the name is that of the Feature
 * @param limits the limits to change
 * @returns the zone; rejects with a {@linkcode ZoneError}
 */
export function readFeature(
  input: Uint8Array | string,
  name?: string,
  limits: Partial<ZoneLimits> = {},
): Promise<Zone> {
  return inTurns(readFeatureInSteps(input, name, limits));
}

/**
 * Reads a zone as {@linkcode readFeature} does. A step takes about a
 * millisecond, but `JSON.parse` of 512 KiB up to 20 ms.
 *
 * @throws {ZoneError} the errors of a collection; "bad-name" also if the Feature
 * has another name
 */
export function* readFeatureInSteps(
  input: Uint8Array | string,
  name?: string,
  limits: Partial<ZoneLimits> = {},
): Work<Zone> {
  const all = { ...DEFAULT_ZONE_LIMITS, ...limits };
  const bytes = typeof input === "string" ? encodeText(input) : input;
  const value = yield* new CollectionJson(bytes, all).parseOnlyFeature();
  yield;
  const feature = name === undefined ? value : withName(value, name);
  // Written again: so it is one element of the array, whatever it contains.
  const collection = JSON.stringify({
    type: "FeatureCollection",
    features: [feature],
  });
  yield;
  const [zone] = yield* readZonesInSteps(collection, all);
  return zone!;
}

/** @throws {ZoneError} "bad-name" if the feature has another name */
function withName(feature: unknown, name: string): unknown {
  if (!isJsonObject(feature)) return feature; // refused by the reader
  const properties = feature.properties ?? {};
  if (!isJsonObject(properties)) return feature;
  const given = properties.name ?? "";
  if (given === "") {
    return { ...feature, properties: { ...properties, name } };
  }
  if (given === name || typeof given !== "string") return feature;
  throw new ZoneError(
    "bad-name",
    `the name of the feature is ${quoteName(given)}, not ${quoteName(name)}`,
    { hint: "Use the same name twice, or leave out that of the feature." },
  );
}

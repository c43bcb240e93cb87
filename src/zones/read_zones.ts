/**
 * Reads zones beside other work. Apart from what it calls, since browsers do not
 * have the turns of the server's event loop.
 *
 * @module
 */

import { inTurns } from "../common/turns.ts";
import { readZonesInSteps } from "./geojson.ts";
import type { ZoneLimits } from "./limits.ts";
import type { Zone } from "./zone.ts";

/**
 * Reads zones, all or none, in as many turns of the event loop as it needs.
 *
 * @param input the GeoJSON; bytes are UTF-8, with or without a byte order mark,
 * and must not change until the zones are read
 * @param limits the limits to change
 * @returns the zones in the order of the features; rejects with a
 * {@linkcode ZoneError}
 */
export function readZones(
  input: Uint8Array | string,
  limits: Partial<ZoneLimits> = {},
): Promise<readonly Zone[]> {
  return inTurns(readZonesInSteps(input, limits));
}

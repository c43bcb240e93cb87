/**
 * Test support: zones for the editor.
 *
 * @module
 */
import { atOnce } from "../../../../src/common/at_once.ts";
import { readZonesInSteps } from "../../../../src/zones/geojson.ts";
import type { Zone } from "../../../../src/zones/zone.ts";

type Json = Record<string, unknown>;

/** A feature: the zone "lobby", a square of 4 × 4 cells. */
export function lobby(members: Json = {}, properties: Json = {}): Json {
  return {
    ...members,
    type: "Feature",
    properties: { name: "lobby", title: "Lobby", ...properties },
    geometry: {
      type: "Polygon",
      coordinates: [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]],
    },
  };
}

/** Reads features as zones. */
export function zonesOf(...features: readonly Json[]): readonly Zone[] {
  return atOnce(readZonesInSteps(JSON.stringify({
    type: "FeatureCollection",
    features,
  })));
}

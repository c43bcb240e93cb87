/** Helpers for the tests of the form of zones. */
import { atOnce } from "../../src/common/at_once.ts";
import { readZonesInSteps } from "../../src/zones/geojson.ts";
import type { Zone, ZoneLimits } from "../../src/zones/mod.ts";

/** Defines a test without permissions, which proves that it is pure. */
export function pure(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** Reads zones at once. */
export function read(
  input: Uint8Array | string,
  limits?: Partial<ZoneLimits>,
): readonly Zone[] {
  return atOnce(readZonesInSteps(input, limits));
}

/** The coordinates of a square of four cells, as a Polygon. */
export const SQUARE = [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]];

/** A feature with the given properties and geometry. */
export function feature(
  properties: unknown,
  coordinates: unknown = SQUARE,
  type = "Polygon",
) {
  return { type: "Feature", properties, geometry: { type, coordinates } };
}

/** A collection, as JSON. */
export function collection(...features: unknown[]): string {
  return JSON.stringify({ type: "FeatureCollection", features });
}

/// <reference lib="dom" />
/**
 * The definitions of the zones, as the page has loaded them.
 *
 * @module
 */

import { DEFAULT_LAYER } from "../../protocol/topics.ts";
import type { ZoneFeature } from "../../zones/write_geojson.ts";
import type { Polygon } from "../../zones/zone.ts";

/** The collection of all zones. Relative to the page, as a proxy needs it. */
export const ZONES_PATH = "api/v1/zones";

/** The definition of a zone. */
export interface ZoneDefinition {
  readonly name: string;
  readonly layer: string;
  /** The title, or the name of a zone without one. Any text: not yet safe. */
  readonly title: string;
  /** How many it is made for; undefined if that is not known. */
  readonly capacity: number | undefined;
  /** In cells, in the axes of the layer. */
  readonly polygons: readonly Polygon[];
}

/** All definitions of one version. Never changed, but replaced. */
export interface ZoneDefinitions {
  /** With its quotes, not weak; empty if the server sent none. */
  readonly etag: string;
  /** By name, in the order of the collection. */
  readonly zones: ReadonlyMap<string, ZoneDefinition>;
}

/** Before the first are loaded. */
export const NO_DEFINITIONS: ZoneDefinitions = { etag: "", zones: new Map() };

/**
 * Requests the definitions of all zones.
 *
 * @throws {Error} if there is no usable answer
 */
export async function fetchDefinitions(): Promise<ZoneDefinitions> {
  const response = await fetch(ZONES_PATH, { cache: "no-cache" });
  if (!response.ok) {
    throw new Error(`Cannot get ${ZONES_PATH}: status ${response.status}`);
  }
  const { features } = await response.json() as {
    readonly features: readonly ZoneFeature[];
  };
  return {
    // A proxy that compresses makes it weak: then it would never be that of the
    // version in the live feed.
    etag: (response.headers.get("etag") ?? "").replace(/^W\//, ""),
    zones: new Map(features.map((feature) => {
      const zone = definitionOf(feature);
      return [zone.name, zone];
    })),
  };
}

/**
 * Returns the definition in a feature. It is not validated: it is from the
 * server, or was read with `readZones`.
 */
export function definitionOf(
  { properties, geometry }: ZoneFeature,
): ZoneDefinition {
  const name = String(properties["name"]);
  const { layer, title, capacity } = properties;
  return {
    name,
    layer: typeof layer === "string" ? layer : DEFAULT_LAYER,
    title: typeof title === "string" ? title : name,
    capacity: typeof capacity === "number" ? capacity : undefined,
    polygons: geometry.type === "Polygon"
      ? [geometry.coordinates]
      : geometry.coordinates,
  };
}

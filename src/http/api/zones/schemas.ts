/**
 * The schemas of zones, for `GET /openapi.json`.
 *
 * @module
 */
import type { ZoneEditResult, ZoneState } from "../../../zones/mod.ts";
import {
  COUNT,
  object,
  type Parameter,
  type ResponseSpec,
  REVISION,
  type Schema,
  TEXT,
  TIME,
} from "../../openapi/schemas.ts";

/** The media type of GeoJSON (RFC 7946, 12). */
export const GEO_JSON = "application/geo+json";

const DURATION: Schema = {
  type: ["string", "number"],
  description: "such as 30s or 10m; a number is in seconds",
};

/** A zone as a feature of GeoJSON. Other members are kept. */
export const FEATURE: Schema = {
  type: "object",
  description: "docs/ZONES.md",
  properties: {
    type: { const: "Feature" },
    properties: {
      type: ["object", "null"],
      properties: {
        name: { ...TEXT, description: "one level of a topic" },
        layer: { ...TEXT, default: "default" },
        title: TEXT,
        capacity: { type: "integer", minimum: 1 },
        occupiedWhen: {
          type: "object",
          description: 'one of {"cells":n}, {"count":n} and {"percent":p}',
          default: { cells: 1 },
        },
        clearAfter: { ...DURATION, default: "0s" },
        staleAfter: DURATION,
      },
    },
    geometry: {
      type: "object",
      description: "in cells",
      properties: {
        type: { enum: ["Polygon", "MultiPolygon"] },
        coordinates: { type: "array" },
      },
      required: ["type", "coordinates"],
    },
  },
  required: ["type", "geometry"],
};

/** All zones. */
export const COLLECTION: Schema = {
  type: "object",
  properties: {
    type: { const: "FeatureCollection" },
    features: { type: "array", items: FEATURE },
  },
  required: ["type", "features"],
};

/** An example of a body for PUT. */
export const EXAMPLE_FEATURE = {
  type: "Feature",
  properties: { name: "lobby", title: "Lobby", capacity: 20 },
  geometry: {
    type: "Polygon",
    coordinates: [[[0, 0], [10, 0], [10, 4], [0, 4], [0, 0]]],
  },
};

/** The state of a zone, as over MQTT. */
export const STATE: Schema = object(
  {
    zone: { ...TEXT, description: "the name of the zone" },
    title: TEXT,
    layer: TEXT,
    occupied: {
      type: ["boolean", "null"],
      description: "null: no cell of the zone is fresh and known",
    },
    count: {
      type: "number",
      minimum: 0,
      description: "the sum of the values of the fresh occupied cells",
    },
    certain: {
      type: "boolean",
      description:
        "false: cells are stale, unknown or were never reported; count is a lower bound",
    },
    capacity: { type: "integer", minimum: 1 },
    percent: {
      type: ["number", "null"],
      description: "of the capacity; without one, occupied cells of all cells",
    },
    cells: { ...COUNT, description: "cells of the map in the zone" },
    occupiedCells: COUNT,
    staleCells: COUNT,
    unknownCells: COUNT,
    since: { ...TIME, description: "since when occupied has its value" },
    time: { ...TIME, description: "when the state changed last" },
    revision: { ...REVISION, description: "of the layer at that time" },
  } satisfies Record<keyof ZoneState, Schema>,
  ["capacity"],
);

/** What an edit has done. */
export const EDIT_RESULT: Schema = object(
  {
    version: { ...TEXT, description: "of all zones, as in their ETag" },
    added: COUNT,
    changed: COUNT,
    deleted: COUNT,
  } satisfies Record<keyof ZoneEditResult, Schema>,
);

/** The name of a zone in a path. */
export const NAME_PARAMETER: Parameter = {
  name: "name",
  in: "path",
  required: true,
  description:
    "The name of the zone, percent-encoded. Write `.` and `..` as `%2F.` and `%2F..`: a URL has no such segments.",
  schema: TEXT,
  example: "lobby",
};

/** Headers that make an edit depend on what is there. */
export const CONDITIONS: readonly Parameter[] = [
  {
    name: "If-Match",
    in: "header",
    description: "An ETag: nothing is changed if it is not the present one.",
    schema: { type: "string" },
  },
  {
    name: "If-None-Match",
    in: "header",
    description: "`*`: nothing is changed if it is there already.",
    schema: { type: "string" },
  },
];

/** A response of GeoJSON. */
export function geoJsonSpec(description: string, schema: Schema): ResponseSpec {
  return { description, content: { [GEO_JSON]: { schema } } };
}

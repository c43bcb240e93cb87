/**
 * Schemas and parameters that more than one route has.
 *
 * @module
 */
import type { Answer, Parameter, Schema } from "./operation.ts";

const INT32 = { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
/** int32: a coordinate. */
export const COORDINATE: Schema = INT32;
/** 0 free, above 0 occupied or how many people, below 0 unknown. */
export const VALUE: Schema = {
  ...INT32,
  description: "0 free, above 0 occupied or how many people, below 0 unknown",
};
/** ms since 1970. */
export const TIME: Schema = {
  type: "number",
  minimum: 0,
  description: "milliseconds since 1970",
};
export const REVISION: Schema = {
  type: "integer",
  minimum: 0,
  description: "rises with every change of the map",
};
export const COUNT: Schema = { type: "integer", minimum: 0 };
export const TEXT: Schema = { type: "string" };
export const STATUS: Schema = {
  enum: ["free", "occupied", "unknown", "stale"],
};
export const REGION: Schema = {
  type: "array",
  items: COORDINATE,
  minItems: 4,
  maxItems: 4,
  description: "[x0,y0,x1,y1], both corners included",
};

/** `[[x,y,value,time],…]`, in no particular order. */
export const CELLS: Schema = {
  type: "array",
  description: "[x,y,value,time] each, in no particular order",
  items: {
    type: "array",
    prefixItems: [COORDINATE, COORDINATE, VALUE, TIME],
    minItems: 4,
    maxItems: 4,
  },
};

/** When the map was read, and what is stale then: as in replies over MQTT. */
export const MOMENT: Readonly<Record<string, Schema>> = {
  time: { ...TIME, description: "the server's clock, ms since 1970" },
  staleAfter: {
    type: "number",
    description:
      "a cell observed longer before `time` than this, in ms, is stale; left out if cells do not turn stale",
  },
  began: {
    ...TIME,
    description:
      "when the server began this map, which ends with it: revisions of another one do not compare; left out if the map is kept",
  },
};

/** An object with just these members, all required but those named. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return {
    type: "object",
    properties,
    required: Object.keys(properties).filter((name) =>
      !optional.includes(name)
    ),
    additionalProperties: false,
  };
}

/** What went wrong: `application/problem+json` (RFC 9457). */
export const PROBLEM: Schema = {
  type: "object",
  properties: {
    title: TEXT,
    status: { type: "integer", minimum: 400, maximum: 599 },
    code: { ...TEXT, description: "what is wrong, for programs" },
    detail: { ...TEXT, description: "what is wrong, for people" },
    hint: { ...TEXT, description: "what to do about it" },
  },
  required: ["title", "status", "code", "detail"],
};

/** An answer of `application/problem+json`. */
export function problem(description: string): Answer {
  return {
    description,
    content: {
      "application/problem+json": {
        schema: { $ref: "#/components/schemas/Problem" },
      },
    },
  };
}

/** An answer of `application/json`. */
export function json(description: string, schema: Schema): Answer {
  return { description, content: { "application/json": { schema } } };
}

export const LAYER_PARAMETER: Parameter = {
  name: "layer",
  in: "query",
  description: "The layer's name, as in topics; `default` if it is left out.",
  schema: { type: "string", minLength: 1 },
  example: "default",
};

export const REGION_PARAMETER: Parameter = {
  name: "region",
  in: "query",
  description: "Only the cells in `x0,y0,x1,y1`, both corners included.",
  schema: { type: "string" },
  example: "0,0,9,9",
};

export const SINCE_PARAMETER: Parameter = {
  name: "since",
  in: "query",
  description: "Only the cells that changed after this revision.",
  schema: REVISION,
  example: 0,
};

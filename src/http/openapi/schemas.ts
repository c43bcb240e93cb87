/**
 * The parts of an OpenAPI description, and the schemas, parameters and
 * responses that several routes use.
 *
 * @module
 */
import { INT32_MAX, INT32_MIN } from "../../protocol/region.ts";

/** A JSON Schema, as in OpenAPI 3.1 (draft 2020-12). */
export type Schema = Readonly<Record<string, unknown>>;

/** A parameter in the query, the path or a header. */
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Schema;
  /** A valid value for a server with some cells; a test sends it. */
  readonly example?: unknown;
}

/** The description of a response. */
export interface ResponseSpec {
  readonly description: string;
  /** By media type. */
  readonly content?: Readonly<
    Record<string, { readonly schema: Schema; readonly example?: unknown }>
  >;
}

/** The description of a route (OpenAPI 3.1, Operation Object). */
export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: {
    readonly description: string;
    readonly content: Readonly<
      Record<string, { readonly schema: Schema; readonly example: unknown }>
    >;
  };
  /** By status code. */
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  /** True if it never needs a token. */
  readonly isPublic?: boolean;
}

const INT32 = { type: "integer", minimum: INT32_MIN, maximum: INT32_MAX };
/** int32: a coordinate. */
export const COORDINATE: Schema = INT32;
/** 0 free, above 0 occupied or the number of people, below 0 unknown. */
export const VALUE: Schema = {
  ...INT32,
  description:
    "0 free, above 0 occupied or the number of people, below 0 unknown",
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
  description:
    "increases with every change of the map; in an answer about a layer, that of the layer",
};
export const COUNT: Schema = { type: "integer", minimum: 0 };
export const TEXT: Schema = { type: "string" };
export const STATUS: Schema = {
  enum: ["free", "occupied", "unknown", "stale"],
};

/** `[[x,y,value,time],…]`, in any order. */
export const CELLS: Schema = {
  type: "array",
  description:
    "[x,y,value,time] each, in any order; the time is RFC 3339 with times=rfc3339",
  items: {
    type: "array",
    prefixItems: [COORDINATE, COORDINATE, VALUE, {
      anyOf: [TIME, { type: "string", format: "date-time" }],
    }],
    minItems: 4,
    maxItems: 4,
  },
};

/** When the map was read and which cells are stale, as in MQTT replies. */
export const MOMENT: Readonly<Record<string, Schema>> = {
  time: { ...TIME, description: "the server's clock, ms since 1970" },
  staleAfter: {
    type: "number",
    description:
      "a cell observed more than this before `time`, in ms, is stale; absent if cells do not turn stale",
  },
  began: {
    ...TIME,
    description:
      "identifies the layer: when a map that is not stored began, or the last deletion of a layer before the creation of this one; another value than before: all cells are of a new layer",
  },
};

/**
 * An object with exactly these members.
 *
 * @param optional names of members that may be absent
 */
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

/** How to show a layer, as in MQTT replies. */
export const DISPLAY: Schema = {
  ...object({
    unit: {
      type: "array",
      items: TEXT,
      minItems: 2,
      maxItems: 2,
      description: "[singular,plural]: what the values above 0 count",
    },
    yUp: {
      const: true,
      description: "y grows upwards; absent: downwards",
    },
  }, ["unit", "yUp"]),
  description: "how to show the layer; absent for the defaults",
};

/** `application/problem+json` (RFC 9457). */
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

/** A response of `application/problem+json`. */
export function problemSpec(description: string): ResponseSpec {
  return {
    description,
    content: {
      "application/problem+json": {
        schema: { $ref: "#/components/schemas/Problem" },
      },
    },
  };
}

/** A response of `application/json`. */
export function jsonSpec(description: string, schema: Schema): ResponseSpec {
  return { description, content: { "application/json": { schema } } };
}

export const LAYER_PARAMETER: Parameter = {
  name: "layer",
  in: "query",
  description: "The name of the layer, as in topics. Default `default`.",
  schema: { type: "string", minLength: 1 },
  example: "default",
};

export const REGION_PARAMETER: Parameter = {
  name: "region",
  in: "query",
  description:
    "Only the cells in `x0,y0,x1,y1`: two opposite corners, both included.",
  schema: { type: "string" },
  example: "0,0,9,9",
};

export const SINCE_PARAMETER: Parameter = {
  name: "since",
  in: "query",
  description:
    "Only the cells that changed after this revision; all cells if the map has not reached it.",
  schema: REVISION,
  example: 0,
};

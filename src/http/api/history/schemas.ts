/**
 * The schemas and the errors of answers about the past.
 *
 * @module
 */
import {
  COORDINATE,
  COUNT,
  object,
  problemSpec,
  type Schema,
  TEXT,
  TIME,
  VALUE,
} from "../../openapi/schemas.ts";
import { PARQUET_TYPE } from "./answer.ts";

/** The content of a response as a Parquet file. */
export const PARQUET = {
  [PARQUET_TYPE]: {
    schema: {
      type: "string",
      format: "binary",
      description:
        "The columns of the CSV; a map has also `known`, false if the value cannot be trusted, and `layer`. Metadata `occupancy`: the question",
    },
  },
};

/** A time, or null if it is not known. */
const TIME_OR_NULL: Schema = { anyOf: [TIME, { type: "null" }] };

/** An array of numbers. */
export function column(items: Schema, description: string): Schema {
  return { type: "array", items, description };
}

const NUMBER_OR_NULL: Schema = { type: ["number", "null"] };
const SHARE: Schema = { type: "number", minimum: 0, maximum: 1 };
const SHARE_OR_NULL: Schema = { anyOf: [SHARE, { type: "null" }] };

export const GAPS: Schema = {
  type: "array",
  items: { type: "array", items: TIME, minItems: 2, maxItems: 2 },
  description:
    "times without records, [from,to] in ms since 1970: the server was not running, or did not record",
};

export const DAMAGED: Schema = {
  ...GAPS,
  description:
    "times of which a part of the history is damaged, in the same form; absent: none",
};

export const REGION: Schema = {
  type: "array",
  items: COORDINATE,
  minItems: 4,
  maxItems: 4,
  description: "[x0,y0,x1,y1], both included; absent: the whole layer",
};

export const GAP: Schema = {
  type: "boolean",
  description:
    "true if nothing was recorded at that time: the cells are as they were last known",
};

/** `[[x,y,value,time,stale],…]`, in any order. */
export const PAST_CELLS: Schema = {
  type: "array",
  description:
    "[x,y,value,time,stale] each, in any order: since when it had this state, null if for more than a day; 1 if the value was too old to be trusted, else 0",
  items: {
    type: "array",
    prefixItems: [COORDINATE, COORDINATE, VALUE, {
      anyOf: [TIME, { type: "string", format: "date-time" }, { type: "null" }],
    }, { enum: [0, 1] }],
    minItems: 5,
    maxItems: 5,
  },
};

/** The same in columns. */
export const PAST_COLUMNS: Schema = object({
  x: column(COORDINATE, "x of each cell"),
  y: column(COORDINATE, "y"),
  value: column(VALUE, "value"),
  stale: column({ enum: [0, 1] }, "1 if it was too old to be trusted"),
  since: column(
    TIME_OR_NULL,
    "when the state began; null if that was many days before",
  ),
});

export const SERIES: Schema = object({
  from: TIME,
  to: TIME,
  step: { enum: ["15m", "1h", "1d", "1w"] },
  timezone: TEXT,
  zone: {
    ...object({ name: TEXT, title: TEXT }),
    description: "absent for a region",
  },
  layer: TEXT,
  region: REGION,
  capacity: { type: "number", description: "of the zone, if it has one" },
  start: column(TIME, "the start of each step"),
  least: column(NUMBER_OR_NULL, "the smallest count; null if none is known"),
  mean: column(NUMBER_OR_NULL, "the mean count of the known time"),
  most: column(NUMBER_OR_NULL, "the largest count"),
  occupied: column(
    SHARE_OR_NULL,
    "the part of the known time in which it was occupied",
  ),
  known: column(SHARE, "the part of the step that is known"),
  entries: column(NUMBER_OR_NULL, "how often it became occupied"),
  gaps: GAPS,
  damaged: DAMAGED,
}, ["zone", "region", "capacity", "damaged"]);

const SECONDS: Schema = { type: "number", minimum: 0 };
const MATRIX: Schema = column(column(SECONDS, "seconds"), "one row each");

export const UTILISATION: Schema = object({
  layer: TEXT,
  region: REGION,
  from: TIME,
  to: TIME,
  days: column({ type: "integer", minimum: 1, maximum: 7 }, "1 is Monday"),
  hours: {
    type: "array",
    items: COUNT,
    minItems: 2,
    maxItems: 2,
    description: "from inclusive, to exclusive",
  },
  timezone: TEXT,
  seconds: { ...SECONDS, description: "the time that counts" },
  dayCount: { ...COUNT, description: "number of days with such a time" },
  cells: object({
    x: column(COORDINATE, "x of each cell"),
    y: column(COORDINATE, "y"),
    occupied: column(SECONDS, "seconds in which it was occupied"),
    known: column(SECONDS, "seconds in which it was free or occupied"),
    changes: column(COUNT, "number of changes"),
    last: column(TIME_OR_NULL, "when it was last occupied"),
  }),
  week: {
    ...object({ occupied: MATRIX, known: MATRIX }),
    description:
      "sums over all cells by day of the week (Monday first) and hour, in seconds",
  },
  byDay: {
    ...object({
      start: column(TIME, "the start of each day"),
      occupied: MATRIX,
      known: MATRIX,
    }),
    description: "by cell and day, in seconds; with by=day only",
  },
  gaps: GAPS,
  damaged: DAMAGED,
}, ["region", "byDay", "damaged"]);

/** The errors of questions about the past. */
export const PAST_PROBLEMS = {
  304: { description: "The answer is still that of the ETag" },
  400: problemSpec(
    "A parameter is not valid, or the time is not recorded; detail says why",
  ),
  409: problemSpec("The server does not record a history"),
  503: problemSpec("Too many large responses, or the map is not loaded"),
};

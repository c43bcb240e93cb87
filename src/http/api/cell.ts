import {
  COORDINATE,
  json,
  LAYER_PARAMETER,
  object,
  problem,
  REVISION,
  STATUS,
  TEXT,
  TIME,
  VALUE,
} from "../openapi/schemas.ts";
import type { Parameter } from "../openapi/operation.ts";
import { checkNames, readCoordinate, readLayer } from "../query.ts";
import { jsonResponse } from "../json.ts";
import type { Ask, Route } from "../route.ts";
import { momentOf } from "./moment.ts";
import { statusOf } from "./status.ts";

const orNull = (schema: Record<string, unknown>) => ({
  anyOf: [schema, { type: "null" }],
});

function coordinate(name: "x" | "y"): Parameter {
  return {
    name,
    in: "query",
    required: true,
    description: "The coordinate.",
    schema: COORDINATE,
    example: 1,
  };
}

/** `GET /api/v1/cell`: all that is known of one coordinate. */
export const cellRoute: Route = {
  method: "GET",
  path: "/api/v1/cell",
  needsMap: true,
  operation: {
    summary: "All that is known of one coordinate",
    description:
      "One that was never reported is `unknown`, with null for what there is none of. `source` is who reported it last; null if that reading named no source, or came before the server was last started.",
    parameters: [LAYER_PARAMETER, coordinate("x"), coordinate("y")],
    answers: {
      200: json(
        "What is known",
        object({
          layer: TEXT,
          x: COORDINATE,
          y: COORDINATE,
          value: orNull(VALUE),
          status: STATUS,
          time: orNull(TIME),
          age: orNull({
            type: "number",
            description: "ms since it was observed",
          }),
          revision: orNull(REVISION),
          source: orNull(TEXT),
        }),
      ),
      400: problem("A parameter is wrong"),
      503: problem("The store fails"),
    },
  },
  handle: answerCell,
};

function answerCell({ url, context }: Ask): Response {
  const query = url.searchParams;
  checkNames(query, ["layer", "x", "y"]);
  const layer = readLayer(query);
  const x = readCoordinate(query, "x");
  const y = readCoordinate(query, "y");
  const { time: now } = momentOf(context);
  const cell = context.map.layer(layer)?.get(x, y);
  if (cell === undefined) {
    return jsonResponse({
      layer,
      x,
      y,
      value: null,
      status: "unknown",
      time: null,
      age: null,
      revision: null,
      source: null,
    });
  }
  const { value, time, revision, freshness } = cell;
  return jsonResponse({
    layer,
    x,
    y,
    value,
    status: statusOf(value, freshness),
    time,
    age: now - time,
    revision,
    source: context.sourceOf(layer, x, y) ?? null,
  });
}

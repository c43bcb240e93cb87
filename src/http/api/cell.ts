/**
 * `GET /api/v1/cell`: everything known about one coordinate.
 *
 * @module
 */
import { Freshness } from "../../grid/mod.ts";
import { statusOf } from "../../grid/status.ts";
import {
  COORDINATE,
  jsonSpec,
  LAYER_PARAMETER,
  object,
  type Parameter,
  problemSpec,
  REVISION,
  type Schema,
  STATUS,
  TEXT,
  TIME,
  VALUE,
} from "../openapi/schemas.ts";
import { checkNames, readCoordinate, readLayer } from "../query.ts";
import { jsonResponse } from "../responses.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";
import { refreshMap } from "./map_moment.ts";

/** `GET /api/v1/cell` */
export const getCell: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Everything known about one coordinate",
    description:
      "A coordinate that was never reported has the status `unknown` and null for all other members. `source` is the source of the last reading; null if the reading named none, or if the server has restarted since.",
    parameters: [LAYER_PARAMETER, coordinate("x"), coordinate("y")],
    responses: {
      200: jsonSpec(
        "The cell",
        object({
          layer: TEXT,
          x: COORDINATE,
          y: COORDINATE,
          value: orNull(VALUE),
          status: STATUS,
          time: orNull(TIME),
          age: orNull({
            type: "number",
            description: "ms since the observation",
          }),
          revision: orNull(REVISION),
          source: orNull(TEXT),
        }),
      ),
      400: problemSpec("A parameter is invalid"),
      503: problemSpec("The store fails"),
    },
  },
  handle: answerCell,
};

function answerCell({ url, server }: RequestContext): Response {
  const query = url.searchParams;
  checkNames(query, ["layer", "x", "y"]);
  const layer = readLayer(query);
  const x = readCoordinate(query, "x");
  const y = readCoordinate(query, "y");
  const { time: now } = refreshMap(server);
  const cell = server.map.layer(layer)?.get(x, y);
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
    status: statusOf(value, freshness === Freshness.Stale),
    time,
    age: Math.max(0, now - time), // below 0 if the clock was set back
    revision,
    source: server.sourceOf(layer, x, y) ?? null,
  });
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: "null" }] };
}

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

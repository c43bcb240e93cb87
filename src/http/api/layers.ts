/**
 * `GET /api/v1/layers`: all layers and the counts of their cells, and
 * `DELETE /api/v1/layers/{layer}`.
 *
 * @module
 */
import type { CellCounts, Grid } from "../../grid/mod.ts";
import type { LayerDisplay } from "../../protocol/mod.ts";
import { quote } from "../../protocol/text.ts";
import type { HttpContext } from "../context.ts";
import {
  COUNT,
  DISPLAY,
  jsonSpec,
  MOMENT,
  object,
  problemSpec,
  REVISION,
  type Schema,
  TEXT,
  TIME,
} from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import { overloaded } from "../limits.ts";
import { checkLayer, checkNames } from "../query.ts";
import { jsonResponse, matchesETag, slowJsonResponse } from "../responses.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";
import { etagOf, refreshMap } from "./map_moment.ts";

/** With more layers, at 130 bytes each, the answer is a large one. */
const SMALL_RESPONSE_LAYERS = 500;

/** The schemas of `CellCounts`. */
export const COUNTS: Readonly<Record<keyof CellCounts, Schema>> = {
  cells: { ...COUNT, description: "coordinates ever reported" },
  free: COUNT,
  occupied: COUNT,
  unknown: COUNT,
  stale: {
    ...COUNT,
    description: "observed too long ago to count as free or occupied",
  },
  people: { ...COUNT, description: "the sum of the values of occupied cells" },
};

/** The counts of one layer. */
interface LayerSummary extends CellCounts {
  readonly name: string;
  /** From the floor plan. */
  readonly title?: string;
  readonly display?: LayerDisplay;
  /** The latest revision of its cells. */
  readonly revision: number;
  /** The time of the latest reading, ms since 1970. */
  readonly lastReading: number;
}

/** `GET /api/v1/layers` */
export const getLayers: Endpoint = {
  needsMap: true,
  operation: {
    summary: "All layers and the counts of their cells",
    responses: {
      200: jsonSpec(
        "The layers, in the order of their first reading; with a store that several servers share, in the order of their names",
        object({
          revision: REVISION,
          ...MOMENT,
          layers: {
            type: "array",
            items: object({
              name: TEXT,
              title: TEXT,
              display: DISPLAY,
              revision: REVISION,
              lastReading: {
                ...TIME,
                description: "the time of the latest reading, ms since 1970",
              },
              ...COUNTS,
            }, ["title", "display"]),
          },
        }, ["staleAfter", "began"]),
      ),
      503: problemSpec("The store fails"),
    },
  },
  async handle({ url, server, limits, exchange }): Promise<Response> {
    checkNames(url.searchParams, []);
    if (server.map.layerCount <= SMALL_RESPONSE_LAYERS) {
      return jsonResponse(summarizeAll(server));
    }
    const share = await limits.largeResponses.take(exchange, 1);
    if (share === undefined) throw overloaded("largeResponses");
    try {
      return slowJsonResponse(summarizeAll(server), exchange, share);
    } catch (error) {
      share.release();
      throw error;
    }
  },
};

function summarizeAll(server: HttpContext) {
  const moment = refreshMap(server);
  const layers = [...server.map.listed()].map(([name, grid]) =>
    summarize(name, grid, server)
  );
  return { revision: server.map.revision, ...moment, layers };
}

/** `DELETE /api/v1/layers/{layer}` */
export const deleteLayer: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Deletes a layer with all its cells",
    description:
      "The answer is sent after the commit. It has the counts of the deleted cells. Clients that show the layer clear it. A later reading creates the layer again.",
    parameters: [
      {
        name: "layer",
        in: "path",
        required: true,
        description:
          "The name of the layer; a slash in it may be percent-encoded. Write `.` and `..` as `%2F.` and `%2F..`: a URL has no such segments.",
        schema: TEXT,
        example: "old",
      },
      {
        name: "If-Match",
        in: "header",
        description:
          "The ETag of the layer's /api/v1/cells: nothing is deleted if the map has changed since.",
        schema: { type: "string" },
      },
    ],
    responses: {
      200: jsonSpec(
        "The deleted layer",
        object({
          layer: TEXT,
          revision: {
            ...REVISION,
            description: "the revision after the deletion",
          },
          ...COUNTS,
        }),
      ),
      400: problemSpec("The name is not valid"),
      403: problemSpec("The request was sent by a page of another origin"),
      404: problemSpec("There is no such layer"),
      412: problemSpec("The map has changed since the ETag of If-Match"),
      503: problemSpec("The store fails"),
    },
  },
  handle: answerDelete,
};

async function answerDelete(
  { url, request, params, server }: RequestContext,
): Promise<Response> {
  checkNames(url.searchParams, []);
  const layer = checkLayer((params.layer ?? "").replace(/^\//, ""));
  await server.processed();
  await server.caughtUp(layer);
  const etag = etagOf(server, layer);
  const condition = request.headers.get("if-match");
  if (condition !== null && !matchesETag(condition, etag)) {
    throw new Problem({
      status: 412,
      code: "changed",
      message: "The map has changed since the revision of If-Match",
      hint: "Request the map again, or send no If-Match.",
      headers: { etag },
    });
  }
  const deleted = await server.deleteLayer(layer);
  if (deleted === "no-layer") {
    throw new Problem({
      status: 404,
      code: "no-layer",
      message: `There is no layer ${quote(layer)}`,
      hint: "GET /api/v1/layers lists all layers.",
    });
  }
  if (typeof deleted === "string") {
    throw new Problem({
      status: 503,
      code: deleted,
      message: server.store().problem ?? "The server cannot delete it now",
      hint: "Send it again in a moment.",
      headers: { "retry-after": "2" },
    });
  }
  const revision = server.map.revisionOf(layer);
  return jsonResponse({ layer, revision, ...deleted });
}

function summarize(
  name: string,
  grid: Grid,
  { plans, displayOf }: HttpContext,
): LayerSummary {
  const title = plans.get(name)?.title;
  const display = displayOf(name);
  return {
    name,
    ...(title !== undefined && { title }),
    ...(display !== undefined && { display }),
    revision: grid.revision,
    lastReading: grid.latest,
    ...grid.counts(),
  };
}

/**
 * `GET /api/v1/layers`: all layers and the counts of their cells.
 *
 * @module
 */
import type { CellCounts, Grid } from "../../grid/mod.ts";
import type { LayerDisplay } from "../../protocol/mod.ts";
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
} from "../openapi/schemas.ts";
import { checkNames } from "../query.ts";
import { jsonResponse } from "../responses.ts";
import type { Endpoint } from "../endpoint.ts";
import { refreshMap } from "./map_moment.ts";

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
}

/** `GET /api/v1/layers` */
export const getLayers: Endpoint = {
  needsMap: true,
  operation: {
    summary: "All layers and the counts of their cells",
    responses: {
      200: jsonSpec(
        "The layers, in the order of their first reading",
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
              ...COUNTS,
            }, ["title", "display"]),
          },
        }, ["staleAfter", "began"]),
      ),
      503: problemSpec("The store fails"),
    },
  },
  handle({ url, server }): Response {
    checkNames(url.searchParams, []);
    const moment = refreshMap(server);
    const layers = [...server.map.layers()].map(([name, grid]) =>
      summarize(name, grid, server)
    );
    const { revision } = server.map;
    return jsonResponse({ revision, ...moment, layers });
  },
};

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
    ...grid.counts(),
  };
}

import type { CellCounts, Grid } from "../../grid/mod.ts";
import type { HttpContext } from "../context.ts";
import { jsonResponse } from "../json.ts";
import type { Schema } from "../openapi/operation.ts";
import {
  COUNT,
  json,
  MOMENT,
  object,
  problem,
  REVISION,
  TEXT,
} from "../openapi/schemas.ts";
import { checkNames } from "../query.ts";
import type { Ask, Route } from "../route.ts";
import { momentOf } from "./moment.ts";

/** The counts of cells, as members of an object. */
export const COUNTS: Readonly<Record<string, Schema>> = {
  cells: { ...COUNT, description: "coordinates that were ever reported" },
  free: COUNT,
  occupied: COUNT,
  unknown: COUNT,
  stale: {
    ...COUNT,
    description: "neither free nor occupied: too old to tell",
  },
  people: { ...COUNT, description: "the sum of the values of occupied cells" },
};

/** What is known of one layer. */
interface LayerSummary extends CellCounts {
  readonly name: string;
  /** As people call it, if a floor plan says so. */
  readonly title?: string;
  /** The newest revision of its cells. */
  readonly revision: number;
}

/** `GET /api/v1/layers`: which there are, and what they say. */
export const layersRoute: Route = {
  method: "GET",
  path: "/api/v1/layers",
  needsMap: true,
  operation: {
    summary: "Which layers there are, and what their cells say",
    answers: {
      200: json(
        "The layers, in the order in which they came",
        object({
          revision: REVISION,
          ...MOMENT,
          layers: {
            type: "array",
            items: object({
              name: TEXT,
              title: TEXT,
              revision: REVISION,
              ...COUNTS,
            }, ["title"]),
          },
        }, ["staleAfter", "began"]),
      ),
      503: problem("The store fails"),
    },
  },
  handle({ url, context }: Ask): Response {
    checkNames(url.searchParams, []);
    const moment = momentOf(context);
    const layers = [...context.map.layers()].map(([name, grid]) =>
      summarize(name, grid, context)
    );
    const { revision } = context.map;
    return jsonResponse({ revision, ...moment, layers });
  },
};

function summarize(
  name: string,
  grid: Grid,
  { plans }: HttpContext,
): LayerSummary {
  const title = plans.get(name)?.title;
  return {
    name,
    ...(title !== undefined && { title }),
    revision: grid.revision,
    ...grid.counts(),
  };
}

import { cellRoute } from "./api/cell.ts";
import { cellsRoute } from "./api/cells.ts";
import { changesRoute } from "./api/changes.ts";
import { healthRoute, readyRoute } from "./api/health.ts";
import { layersRoute } from "./api/layers.ts";
import { planImageRoute, plansRoute } from "./api/plans.ts";
import { readingsRoute } from "./api/readings.ts";
import { summaryRoute } from "./api/summary.ts";
import { jsonResponse } from "./json.ts";
import { metricsRoute } from "./metrics/route.ts";
import { describeRoutes, type DocumentOptions } from "./openapi/document.ts";
import { type HttpParts, partRoutes } from "./parts.ts";
import type { Route } from "./route.ts";

/**
 * All that can be asked. The same table answers requests and describes itself in
 * `GET /openapi.json`.
 */
export function makeRoutes(
  parts: HttpParts,
  options: DocumentOptions,
): readonly Route[] {
  const routes: Route[] = [
    cellsRoute,
    cellRoute,
    layersRoute,
    summaryRoute,
    changesRoute,
    readingsRoute,
    plansRoute,
    planImageRoute,
    healthRoute,
    readyRoute,
    metricsRoute,
    {
      method: "GET",
      path: "/openapi.json",
      needsMap: false,
      operation: {
        summary: "This description, in OpenAPI 3.1",
        answers: {
          200: {
            description: "The description",
            content: { "application/json": { schema: { type: "object" } } },
          },
        },
      },
      handle: () => jsonResponse(describeRoutes(routes, options)),
    },
    ...partRoutes(parts),
  ];
  return routes;
}

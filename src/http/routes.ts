/**
 * The table of all routes, for dispatch and for `GET /openapi.json`.
 *
 * @module
 */
import { getCell } from "./api/cell.ts";
import { getCells } from "./api/cells.ts";
import { getChanges } from "./api/changes.ts";
import { getHealth, getReadiness } from "./api/health.ts";
import { getPastChanges } from "./api/history/changes.ts";
import { getHistory } from "./api/history/info.ts";
import { getPastMap } from "./api/history/map.ts";
import { pruneHistory } from "./api/history/prune.ts";
import { getRegionSeries, getZoneSeries } from "./api/history/series.ts";
import { getUtilisation } from "./api/history/utilisation.ts";
import { deleteLayer, getLayers } from "./api/layers.ts";
import { getLive } from "./api/live.ts";
import { getPlanImage, getPlans } from "./api/plans.ts";
import { postReadings } from "./api/readings.ts";
import { getSources } from "./api/sources.ts";
import { getSummary } from "./api/summary.ts";
import { getZones, putZones } from "./api/zones/collection.ts";
import { deleteZone, getZone, putZone } from "./api/zones/one.ts";
import { getZoneState, getZoneStates } from "./api/zones/states.ts";
import { describeRoutes } from "./openapi/document.ts";
import { problemSpec } from "./openapi/schemas.ts";
import { FixedResponse } from "./fixed_response.ts";
import { Problem } from "./problem.ts";
import { jsonResponse } from "./responses.ts";
import {
  type Endpoint,
  get,
  post,
  put,
  remove,
  type RequestContext,
  type Route,
} from "./endpoint.ts";

const getMetrics: Endpoint = {
  needsMap: false,
  operation: {
    summary: "Metrics in the text format of Prometheus",
    responses: {
      200: {
        description: "The metrics; docs/HTTP.md explains them",
        content: { "text/plain": { schema: { type: "string" } } },
      },
    },
  },
  async handle({ metrics, server }): Promise<Response> {
    server.refresh(); // the counts of stale cells
    return new FixedResponse(await metrics.render(), {
      headers: {
        "content-type": metrics.contentType,
        "cache-control": "no-store",
      },
    });
  },
};

const getOpenApi: Endpoint = {
  needsMap: false,
  operation: {
    summary: "This description, in OpenAPI 3.1",
    responses: {
      200: {
        description: "The description",
        content: { "application/json": { schema: { type: "object" } } },
      },
    },
  },
  handle: ({ server: { version }, guard: { tokenRequired } }) =>
    jsonResponse(describeRoutes(ROUTES, { version, tokenRequired })),
};

const noFile = problemSpec("The dashboard has no such file");

const getPage: Endpoint = {
  needsMap: false,
  operation: {
    summary: "The dashboard, a page that shows the map",
    responses: {
      200: {
        description: "The page",
        content: { "text/html": { schema: { type: "string" } } },
      },
      404: noFile,
    },
  },
  handle: servePage,
};

const postLogin: Endpoint = {
  needsMap: false,
  operation: {
    summary: "Logs a browser in: the form of the login page",
    description:
      "Sets the access cookie. Programs send the token in each request instead.",
    isPublic: true,
    parameters: [{
      name: "to",
      in: "query",
      description: "The path and the query of the page to show. Default: `/`.",
      schema: { type: "string" },
    }],
    body: {
      description: "The form",
      content: {
        "application/x-www-form-urlencoded": {
          schema: {
            type: "object",
            properties: { token: { type: "string" } },
            required: ["token"],
          },
          example: "token=0123456789abcdef0123456789abcdef",
        },
      },
    },
    responses: {
      303: { description: "Redirects to the page" },
      401: {
        description: "The token is wrong; the login page",
        content: { "text/html": { schema: { type: "string" } } },
      },
      403: problemSpec("The request was sent by a page of another origin"),
      413: problemSpec("The form is too large"),
      415: problemSpec("The body is not a form"),
      429: {
        description: "Too many wrong tokens; the login page",
        content: { "text/html": { schema: { type: "string" } } },
      },
    },
  },
  handle: (context) => context.guard.login(context),
};

const getAsset: Endpoint = {
  needsMap: false,
  operation: {
    summary: "A file of the dashboard",
    isPublic: true,
    parameters: [{
      name: "file",
      in: "path",
      required: true,
      description: "As named by the page.",
      schema: { type: "string" },
    }],
    responses: { 200: { description: "The file" }, 404: noFile },
  },
  handle: servePage,
};

/**
 * Loads the files of the page at the first request: many servers never need it.
 */
async function servePage({ request, url }: RequestContext): Promise<Response> {
  const { dashboardResponse } = await import("./dashboard/mod.ts");
  const response = dashboardResponse(request);
  if (response !== undefined) return response;
  throw new Problem({
    status: 404,
    code: "not-found",
    message: `Nothing found at ${url.pathname}`,
    hint: "The page is at /.",
  });
}

/** All routes. The first that matches handles the request. */
export const ROUTES: readonly Route[] = [
  get("/api/v1/cells", getCells),
  get("/api/v1/cell", getCell),
  get("/api/v1/layers", getLayers),
  remove("/api/v1/layers/{layer}", deleteLayer),
  get("/api/v1/summary", getSummary),
  get("/api/v1/sources", getSources),
  get("/api/v1/changes", getChanges),
  get("/api/v1/history", getHistory),
  remove("/api/v1/history", pruneHistory),
  get("/api/v1/history/map", getPastMap),
  get("/api/v1/history/changes", getPastChanges),
  get("/api/v1/history/zones/{name}", getZoneSeries),
  get("/api/v1/history/series", getRegionSeries),
  get("/api/v1/history/utilisation", getUtilisation),
  post("/api/v1/readings", postReadings),
  get("/api/v1/plans", getPlans),
  get("/api/v1/plans/{layer}/image", getPlanImage),
  get("/api/v1/zones", getZones),
  put("/api/v1/zones", putZones),
  get("/api/v1/zone-states", getZoneStates),
  get("/api/v1/zone-states/{name}", getZoneState),
  get("/api/v1/zones/{name}", getZone),
  put("/api/v1/zones/{name}", putZone),
  remove("/api/v1/zones/{name}", deleteZone),
  get("/healthz", getHealth),
  get("/readyz", getReadiness),
  get("/metrics", getMetrics),
  get("/openapi.json", getOpenApi),
  get("/", getPage),
  post("/", postLogin),
  get("/assets/*", getAsset),
  get("/live", getLive),
];

import type { CellCounts } from "../../grid/mod.ts";
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
  TIME,
} from "../openapi/schemas.ts";
import { checkNames } from "../query.ts";
import type { Ask, Route } from "../route.ts";
import { COUNTS } from "./layers.ts";
import { momentOf } from "./moment.ts";

const RATE: Schema = { type: "number", minimum: 0 };

/** `GET /api/v1/summary`: how it is, in one look. */
export const summaryRoute: Route = {
  method: "GET",
  path: "/api/v1/summary",
  needsMap: true,
  operation: {
    summary: "How it is, in one look",
    description:
      "Sums over all layers, what comes in, and how things stand with broker and store.",
    answers: {
      200: json(
        "The summary",
        object({
          name: TEXT,
          version: TEXT,
          started: TIME,
          revision: REVISION,
          ...MOMENT,
          layers: COUNT,
          ...COUNTS,
          rates: {
            ...object({
              readings: RATE,
              changes: RATE,
              messages: RATE,
              bytes: RATE,
            }),
            description: "a second, over the last ten seconds",
          },
          readings: object({
            accepted: COUNT,
            changed: COUNT,
            refused: { type: "object", additionalProperties: COUNT },
          }),
          viewers: COUNT,
          broker: object({
            description: TEXT,
            mqtt: { enum: ["3.1.1", "5"] },
            up: { type: "boolean" },
            since: TIME,
            problem: TEXT,
          }, ["problem"]),
          store: object({
            description: TEXT,
            durable: { type: "boolean" },
            problem: TEXT,
          }, ["problem"]),
        }, ["staleAfter", "began"]),
      ),
      503: problem("The store fails"),
    },
  },
  handle({ url, context, rates }: Ask): Response {
    checkNames(url.searchParams, []);
    const moment = momentOf(context);
    const { name, version, started, map, counts, viewers } = context;
    return jsonResponse({
      name,
      version,
      started,
      revision: map.revision,
      ...moment,
      layers: [...map.layers()].length,
      ...totals(context),
      rates: rates.report(),
      readings: {
        accepted: counts.accepted,
        changed: counts.changed,
        refused: Object.fromEntries(counts.refused),
      },
      viewers: viewers.current,
      ...parts(context),
    });
  },
};

/** The counts of all layers together. */
function totals({ map }: HttpContext): CellCounts {
  const sum = {
    cells: 0,
    free: 0,
    occupied: 0,
    unknown: 0,
    stale: 0,
    people: 0,
  };
  for (const [, grid] of map.layers()) {
    const counts = grid.counts();
    for (const key of Object.keys(sum) as (keyof CellCounts)[]) {
      sum[key] += counts[key];
    }
  }
  return sum;
}

function parts(context: HttpContext): Record<string, unknown> {
  const link = context.link();
  const store = context.store();
  return {
    broker: {
      description: link.description,
      mqtt: link.mqttVersion === 5 ? "5" : "3.1.1",
      up: link.up,
      since: link.since,
      ...(link.problem !== undefined && { problem: link.problem }),
    },
    store: {
      description: store.description,
      durable: store.durable,
      ...(store.problem !== undefined && { problem: store.problem }),
    },
  };
}

/**
 * `GET /api/v1/summary`: the state of the whole server.
 *
 * @module
 */
import { addCounts, NO_CELLS } from "../../grid/mod.ts";
import type {
  ConnectionStatus,
  HttpContext,
  SharedStatus,
} from "../context.ts";
import {
  COUNT,
  jsonSpec,
  MOMENT,
  object,
  problemSpec,
  REVISION,
  type Schema,
  TEXT,
  TIME,
} from "../openapi/schemas.ts";
import { checkNames } from "../query.ts";
import { jsonResponse } from "../responses.ts";
import type { Endpoint } from "../endpoint.ts";
import { COUNTS } from "./layers.ts";
import { refreshMap } from "./map_moment.ts";

const SHARED: Schema = {
  ...object({
    members: { type: "array", items: TEXT },
    shards: COUNT,
    held: { type: "array", items: COUNT },
    lag: object({ entries: COUNT, ms: { type: "number", minimum: 0 } }),
  }),
  description:
    "if several servers share the store: their names, and as this server sees it the shards whose lease it holds and how far it is behind",
};
const RATE: Schema = { type: "number", minimum: 0 };
const BROKER: Record<string, Schema> = {
  description: TEXT,
  mqtt: { enum: ["3.1.1", "5"] },
  up: { type: "boolean" },
  since: TIME,
  problem: TEXT,
};

/** `GET /api/v1/summary` */
export const getSummary: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The state of the server",
    description:
      "Counts over all layers, rates of incoming readings, and the status of broker and store.",
    responses: {
      200: jsonSpec(
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
            description: "per second, over the last ten seconds",
          },
          readings: object({
            accepted: COUNT,
            changed: COUNT,
            refused: { type: "object", additionalProperties: COUNT },
          }),
          viewers: COUNT,
          broker: object({
            ...BROKER,
            connections: {
              type: "array",
              items: object(BROKER, ["problem"]),
              description:
                "if the server joins several brokers; `up` is then true while one of them is",
            },
          }, ["problem", "connections"]),
          store: object({
            description: TEXT,
            durable: { type: "boolean" },
            problem: TEXT,
            shared: SHARED,
          }, ["problem", "shared"]),
          history: {
            ...object({
              recording: { type: "boolean" },
              problem: TEXT,
              bytes: COUNT,
              oldest: TIME,
            }, ["problem", "oldest"]),
            description: "absent if the server records no history",
          },
        }, ["staleAfter", "began", "history"]),
      ),
      503: problemSpec("The store fails"),
    },
  },
  handle({ url, server, rates, feed }): Response {
    checkNames(url.searchParams, []);
    const moment = refreshMap(server);
    const { name, version, started, map, counts } = server;
    const layers = [...map.layers()].map(([, grid]) => grid.counts());
    return jsonResponse({
      name,
      version,
      started,
      revision: map.revision,
      ...moment,
      layers: layers.length,
      ...layers.reduce(addCounts, NO_CELLS),
      rates: rates.report(),
      readings: {
        accepted: counts.accepted,
        changed: counts.changed,
        refused: Object.fromEntries(counts.refused),
      },
      viewers: feed.viewers.current,
      broker: brokerOf(server),
      store: storeOf(server),
      history: historyOf(server), // omitted if undefined
    });
  },
};

function brokerOf(server: HttpContext) {
  const link = server.link();
  const { connections } = link;
  return {
    ...connectionOf(link),
    ...(connections.length > 1 && {
      connections: connections.map(connectionOf),
    }),
  };
}

function connectionOf(
  { description, mqttVersion, up, since, problem }: ConnectionStatus,
) {
  return {
    description,
    mqtt: mqttVersion === 5 ? "5" : "3.1.1",
    up,
    since,
    ...(problem !== undefined && { problem }),
  };
}

function storeOf(server: HttpContext) {
  const { description, durable, problem, shared } = server.store();
  return {
    description,
    durable,
    ...(problem !== undefined && { problem }),
    ...(shared !== undefined && { shared: sharedOf(shared) }),
  };
}

function historyOf({ history }: HttpContext) {
  if (history === undefined) return undefined;
  const { recording, problem, bytes, oldest } = history.info();
  return { recording, problem, bytes, oldest };
}

function sharedOf({ members, shards, held, lag }: SharedStatus) {
  return { members, shards, held, lag };
}

/**
 * `GET /api/v1/zone-states` and `GET /api/v1/zone-states/{name}`: how full the
 * zones are.
 *
 * @module
 */
import type { Endpoint, RequestContext } from "../../endpoint.ts";
import {
  jsonSpec,
  object,
  problemSpec,
  REVISION,
  TIME,
} from "../../openapi/schemas.ts";
import { checkNames } from "../../query.ts";
import { Problem } from "../../problem.ts";
import { jsonResponse } from "../../responses.ts";
import { listResponse } from "../../text_response.ts";
import { refreshMap } from "../map_moment.ts";
import { nameOf, noZone } from "./edits.ts";
import { NAME_PARAMETER, STATE } from "./schemas.ts";

/** `GET /api/v1/zone-states` */
export const getZoneStates: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The states of all zones",
    description:
      "They include all readings that were acknowledged before the request.",
    responses: {
      200: jsonSpec(
        "The states, in the order of the zones",
        object({
          revision: {
            ...REVISION,
            description:
              "the states include the map of this revision; with a shared store the sum over its shards",
          },
          time: { ...TIME, description: "the server's clock, ms since 1970" },
          zones: { type: "array", items: STATE },
        }),
      ),
      503: problemSpec("The store fails, or too many large responses"),
    },
  },
  async handle(context) {
    checkNames(context.url.searchParams, []);
    const moment = await statesMoment(context);
    const states = [...context.server.zones.states()];
    return listResponse(context, moment, "zones", states);
  },
};

/** `GET /api/v1/zone-states/{name}` */
export const getZoneState: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The state of one zone",
    parameters: [NAME_PARAMETER],
    responses: {
      200: jsonSpec("The state", STATE),
      400: problemSpec("The name is not valid"),
      404: problemSpec("There is no such zone"),
      503: problemSpec("The store fails"),
    },
  },
  async handle(context) {
    checkNames(context.url.searchParams, []);
    const name = nameOf(context);
    await statesMoment(context);
    const { zones } = context.server;
    const state = zones.state(name);
    if (state !== undefined) return jsonResponse(state);
    if (!zones.definitions.has(name)) throw noZone(name);
    throw new Problem({
      status: 503,
      code: "not-ready",
      message: "The state of the zone is not known yet",
      hint: "Try again in a moment.",
      headers: { "retry-after": "1" },
    });
  },
};

/** Waits until the states are those of the present map. */
async function statesMoment({ server }: RequestContext) {
  refreshMap(server);
  const { revision } = server.map;
  await server.zones.updated();
  return { revision, time: server.clock() };
}

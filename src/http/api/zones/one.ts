/**
 * `GET`, `PUT` and `DELETE /api/v1/zones/{name}`: one zone, as GeoJSON.
 *
 * @module
 */
import {
  DEFAULT_ZONE_LIMITS,
  readFeature,
  toFeature,
} from "../../../zones/mod.ts";
import type { Endpoint, RequestContext } from "../../endpoint.ts";
import { jsonSpec, problemSpec } from "../../openapi/schemas.ts";
import { checkNames } from "../../query.ts";
import {
  answerEdit,
  BODY_PROBLEMS,
  checkCondition,
  checkEdit,
  EDIT_PROBLEMS,
  inEditTurn,
  nameOf,
  noZone,
  withZones,
  zoneETag,
  zoneTarget,
} from "./edits.ts";
import { geoJsonResponse } from "./geojson_response.ts";
import {
  CONDITIONS,
  EDIT_RESULT,
  EXAMPLE_FEATURE,
  FEATURE,
  GEO_JSON,
  geoJsonSpec,
  NAME_PARAMETER,
} from "./schemas.ts";

const NO_ZONE = problemSpec("There is no such zone");
const BAD_NAME = problemSpec("The name is not valid");

/** `GET /api/v1/zones/{name}` */
export const getZone: Endpoint = {
  needsMap: true,
  operation: {
    summary: "One zone, as GeoJSON",
    description:
      "A Feature. Its ETag is of this zone alone: edits of other zones do not change it.",
    parameters: [NAME_PARAMETER],
    responses: {
      200: geoJsonSpec("The zone", FEATURE),
      304: { description: "The zone is that of the ETag" },
      400: BAD_NAME,
      404: NO_ZONE,
      503: problemSpec("Too many large responses, or the server starts"),
    },
  },
  handle: answerZone,
};

function answerZone(context: RequestContext): Response | Promise<Response> {
  const { url, server } = context;
  checkNames(url.searchParams, []);
  const name = nameOf(context);
  const zone = server.zones.definitions.get(name);
  if (zone === undefined) throw noZone(name);
  return geoJsonResponse(
    context,
    zoneETag(zone),
    () => [`${JSON.stringify(toFeature(zone))}\n`],
  );
}

/** `PUT /api/v1/zones/{name}` */
export const putZone: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Adds or replaces one zone",
    description:
      "The feature has the name of the address, or none. The answer is sent after the commit; its ETag is that of the zone.",
    parameters: [NAME_PARAMETER, ...CONDITIONS],
    body: {
      description: "A Feature of at most 512 KiB",
      content: { [GEO_JSON]: { schema: FEATURE, example: EXAMPLE_FEATURE } },
    },
    responses: {
      200: jsonSpec("The zone was replaced", EDIT_RESULT),
      201: jsonSpec("The zone was added", EDIT_RESULT),
      ...BODY_PROBLEMS,
      ...EDIT_PROBLEMS,
    },
  },
  handle: setZone,
};

async function setZone(context: RequestContext): Promise<Response> {
  checkNames(context.url.searchParams, []);
  const name = nameOf(context);
  const target = zoneTarget(context.server.zones, name);
  await checkEdit(context, target);
  const edit = () =>
    withZones(
      context,
      {
        maxBytes: DEFAULT_ZONE_LIMITS.featureBytes,
        tooLargeHint:
          "Draw the zone with fewer corners, or divide it into several.",
      },
      (bytes) => readFeature(bytes, name),
      (zone) =>
        answerEdit(
          context,
          { kind: "set", zone },
          target,
          () => zoneETag(zone),
        ),
    );
  return inEditTurn(context, edit);
}

/** `DELETE /api/v1/zones/{name}` */
export const deleteZone: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Deletes one zone",
    description:
      "The answer is sent after the commit. The cells of the map stay as they are.",
    parameters: [NAME_PARAMETER, ...CONDITIONS.slice(0, 1)],
    responses: {
      200: jsonSpec("The zone was deleted", EDIT_RESULT),
      400: BAD_NAME,
      404: NO_ZONE,
      ...EDIT_PROBLEMS,
    },
  },
  handle: removeZone,
};

async function removeZone(context: RequestContext): Promise<Response> {
  const { url, server: { zones } } = context;
  checkNames(url.searchParams, []);
  const name = nameOf(context);
  const target = zoneTarget(zones, name);
  await zones.synchronized();
  // RFC 9110, 13.2.1: without a zone, the condition does not matter.
  if (zones.file === undefined && !target.exists()) throw noZone(name);
  checkCondition(context, target);
  const edit = () =>
    answerEdit(
      context,
      { kind: "delete", name },
      target,
      () => undefined,
    );
  return inEditTurn(context, edit);
}

/**
 * `GET /api/v1/zones` and `PUT /api/v1/zones`: all zones, as GeoJSON.
 *
 * @module
 */
import {
  DEFAULT_ZONE_LIMITS,
  readZones,
  writeZones,
} from "../../../zones/mod.ts";
import type { Endpoint, RequestContext } from "../../endpoint.ts";
import { jsonSpec, problemSpec } from "../../openapi/schemas.ts";
import { checkNames } from "../../query.ts";
import {
  answerEdit,
  BODY_PROBLEMS,
  checkEdit,
  collectionTarget,
  EDIT_PROBLEMS,
  etagOf,
  inEditTurn,
  withZones,
} from "./edits.ts";
import { geoJsonResponse } from "./geojson_response.ts";
import {
  COLLECTION,
  CONDITIONS,
  EDIT_RESULT,
  EXAMPLE_FEATURE,
  GEO_JSON,
  geoJsonSpec,
} from "./schemas.ts";

/** `GET /api/v1/zones` */
export const getZones: Endpoint = {
  needsMap: true,
  operation: {
    summary: "All zones, as GeoJSON",
    description:
      "A FeatureCollection (RFC 7946) with coordinates in cells: docs/ZONES.md. The ETag identifies the definitions; the states of the zones do not change it.",
    responses: {
      200: geoJsonSpec(
        "The zones, in the order of their collection",
        COLLECTION,
      ),
      304: { description: "The zones are those of the ETag" },
      503: problemSpec("Too many large responses, or the server starts"),
    },
  },
  handle: answerZones,
};

function answerZones(
  context: RequestContext,
): Response | Promise<Response> {
  const { url, server: { zones } } = context;
  checkNames(url.searchParams, []);
  // The map is replaced, not changed: all parts are of this version.
  const { definitions } = zones;
  return geoJsonResponse(
    context,
    etagOf(zones),
    () => writeZones(definitions.values()),
  );
}

/** `PUT /api/v1/zones` */
export const putZones: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Replaces all zones",
    description:
      "All or none: if a zone is not valid, those before stay in force. The answer is sent after the commit. A zone that keeps its name keeps its state. If-None-Match: * replaces nothing if there are zones.",
    parameters: CONDITIONS,
    body: {
      description: "At most 16 MiB, 10,000 zones and 500,000 positions",
      content: {
        [GEO_JSON]: {
          schema: COLLECTION,
          example: { type: "FeatureCollection", features: [EXAMPLE_FEATURE] },
        },
      },
    },
    responses: {
      200: jsonSpec("What was changed; the ETag is the new one", EDIT_RESULT),
      ...BODY_PROBLEMS,
      ...EDIT_PROBLEMS,
    },
  },
  handle: replaceZones,
};

async function replaceZones(context: RequestContext): Promise<Response> {
  checkNames(context.url.searchParams, []);
  const target = collectionTarget(context.server.zones);
  await checkEdit(context, target);
  const edit = () =>
    withZones(
      context,
      {
        maxBytes: DEFAULT_ZONE_LIMITS.bytes,
        tooLargeHint: "Draw the zones with fewer corners, or remove some.",
      },
      (bytes) => readZones(bytes),
      (zones) =>
        answerEdit(
          context,
          { kind: "replace", zones },
          target,
          (version) => etagOf({ version }),
        ),
    );
  return inEditTurn(context, edit);
}

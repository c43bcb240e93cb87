/**
 * `GET /api/v1/plans` and `GET /api/v1/plans/{layer}/image`: the floor plans.
 *
 * @module
 */
import type { LayerDisplay } from "../../protocol/mod.ts";
import { quote } from "../../protocol/text.ts";
import {
  COUNT,
  DISPLAY,
  jsonSpec,
  object,
  problemSpec,
  TEXT,
} from "../openapi/schemas.ts";
import { FixedResponse } from "../fixed_response.ts";
import type { Plan } from "../plans/plan.ts";
import { Problem } from "../problem.ts";
import { jsonResponse, matchesETag } from "../responses.ts";
import type { Endpoint } from "../endpoint.ts";

/** `GET /api/v1/plans` */
export const getPlans: Endpoint = {
  needsMap: false,
  operation: {
    summary: "The floor plans by layer",
    responses: {
      200: jsonSpec(
        "The plans",
        object({
          plans: {
            type: "array",
            items: object({
              layer: TEXT,
              title: TEXT,
              metresPerCell: { type: "number", exclusiveMinimum: 0 },
              display: DISPLAY,
              image: object({
                url: {
                  type: "string",
                  description: "relative to the address of this response",
                },
                type: TEXT,
                width: COUNT,
                height: COUNT,
                extent: {
                  type: "array",
                  items: { type: "number" },
                  minItems: 4,
                  maxItems: 4,
                  description:
                    "[x0,y0,x1,y1]: the outer edges of the image, in cells; the cell x,y covers x,y to x+1,y+1; the first row of the image is at y0, or at y1 if y grows upwards",
                },
              }),
            }, ["metresPerCell", "display", "image"]),
          },
        }),
      ),
    },
  },
  handle({ server }): Response {
    const plans = [...server.plans.values()].map((plan) =>
      describe(plan, server.displayOf(plan.layer))
    );
    return jsonResponse({ plans });
  },
};

/** `GET /api/v1/plans/{layer}/image` */
export const getPlanImage: Endpoint = {
  needsMap: false,
  operation: {
    summary: "The image of a floor plan",
    parameters: [{
      name: "layer",
      in: "path",
      required: true,
      description:
        "The name of the layer; a slash in it may be percent-encoded.",
      schema: TEXT,
      example: "default",
    }],
    responses: {
      200: {
        description: "The image",
        content: Object.fromEntries(
          ["image/png", "image/jpeg", "image/webp"].map((
            type,
          ) => [type, { schema: {} }]),
        ),
      },
      304: { description: "The image has not changed" },
      404: problemSpec("The layer has no image"),
    },
  },
  handle({ server, params, request }): Response {
    const layer = params.layer ?? "";
    const image = server.plans.get(layer)?.image;
    if (image === undefined) {
      throw new Problem({
        status: 404,
        code: "no-plan",
        message: `The layer ${quote(layer)} has no image`,
        hint:
          "GET /api/v1/plans lists the floor plans. The server's option --map-file adds them.",
      });
    }
    const { etag, type, bytes } = image;
    const headers = { etag, "cache-control": "no-cache" };
    if (matchesETag(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return new FixedResponse(bytes, {
      headers: { ...headers, "content-type": type },
    });
  },
};

function describe(
  { layer, title, metresPerCell, image }: Plan,
  display: LayerDisplay | undefined,
) {
  return {
    layer,
    title,
    ...(metresPerCell !== undefined && { metresPerCell }),
    ...(display !== undefined && { display }),
    ...(image !== undefined && {
      image: {
        url: `plans/${encodeSegments(layer)}/image`,
        type: image.type,
        width: image.width,
        height: image.height,
        extent: image.extent,
      },
    }),
  };
}

/**
 * Keeps the slashes of a layer's name: proxies decode `%2F`, or refuse it.
 */
function encodeSegments(layer: string): string {
  return layer.split("/").map(encodeURIComponent).join("/");
}

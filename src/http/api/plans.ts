import { jsonResponse } from "../json.ts";
import { hasETag } from "../negotiation.ts";
import { COUNT, json, object, problem, TEXT } from "../openapi/schemas.ts";
import type { Plan } from "../plans/plan.ts";
import { Problem } from "../problem.ts";
import type { Ask, Route } from "../route.ts";

/** `GET /api/v1/plans`: the floor plans that the server was started with. */
export const plansRoute: Route = {
  method: "GET",
  path: "/api/v1/plans",
  needsMap: false,
  operation: {
    summary: "The floor plans, by layer",
    answers: {
      200: json(
        "The plans",
        object({
          plans: {
            type: "array",
            items: object({
              layer: TEXT,
              title: TEXT,
              metresPerCell: { type: "number", exclusiveMinimum: 0 },
              image: object({
                url: TEXT,
                type: TEXT,
                width: COUNT,
                height: COUNT,
                extent: {
                  type: "array",
                  items: { type: "number" },
                  minItems: 4,
                  maxItems: 4,
                  description:
                    "[x0,y0,x1,y1]: the outer edges of the image, in cells; the cell x,y reaches from x,y to x+1,y+1; the first row lies at y0",
                },
              }),
            }, ["metresPerCell", "image"]),
          },
        }),
      ),
    },
  },
  handle({ context }: Ask): Response {
    return jsonResponse({ plans: [...context.plans.values()].map(describe) });
  },
};

/** `GET /api/v1/plans/{layer}/image` */
export const planImageRoute: Route = {
  method: "GET",
  path: "/api/v1/plans/{layer}/image",
  needsMap: false,
  operation: {
    summary: "The image of a floor plan",
    parameters: [{
      name: "layer",
      in: "path",
      required: true,
      description: "The layer's name, percent-encoded: `hall%2Fl2`.",
      schema: TEXT,
      example: "default",
    }],
    answers: {
      200: {
        description: "The image",
        content: Object.fromEntries(
          ["image/png", "image/jpeg", "image/webp"].map((
            type,
          ) => [type, { schema: {} }]),
        ),
      },
      304: { description: "It is the one with the ETag" },
      404: problem("The layer has no image"),
    },
  },
  handle({ context, params, request }: Ask): Response {
    const layer = params.layer ?? "";
    const image = context.plans.get(layer)?.image;
    if (image === undefined) {
      throw new Problem({
        status: 404,
        code: "no-plan",
        message: "This layer has no floor plan",
        hint: "GET /api/v1/plans tells which have one; --map-file gives them.",
      });
    }
    const { etag, type, bytes } = image;
    const headers = { etag, "cache-control": "no-cache" };
    if (hasETag(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(bytes, {
      headers: { ...headers, "content-type": type },
    });
  },
};

function describe({ layer, title, metresPerCell, image }: Plan) {
  return {
    layer,
    title,
    ...(metresPerCell !== undefined && { metresPerCell }),
    ...(image !== undefined && {
      image: {
        url: `/api/v1/plans/${encodeURIComponent(layer)}/image`,
        type: image.type,
        width: image.width,
        height: image.height,
        extent: image.extent,
      },
    }),
  };
}

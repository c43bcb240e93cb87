import type { RefusedReading, Submission } from "../context.ts";
import { jsonResponse } from "../json.ts";
import type { Schema } from "../openapi/operation.ts";
import {
  COUNT,
  json,
  LAYER_PARAMETER,
  object,
  problem,
  REVISION,
  TEXT,
} from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import { checkNames, readLayer } from "../query.ts";
import type { Ask, Route } from "../route.ts";
import { readBody } from "./body.ts";

const REFUSED_ROW: Schema = object({
  row: { type: "integer", minimum: 1 },
  code: TEXT,
  message: TEXT,
}, ["row"]);

/** `POST /api/v1/readings`: readings in, as on the data topic. */
export const readingsRoute: Route = {
  method: "POST",
  path: "/api/v1/readings",
  needsMap: true,
  operation: {
    summary: "Readings in",
    description:
      "The same bytes as on occupancy/data: CSV or JSON, by Content-Type or else by the first byte. Answered once they are as safe as the store promises. Bad rows are refused alone; 400 only if no row can be read. What is not known to have been taken may be sent again: a reading says what is, not what is added.",
    parameters: [LAYER_PARAMETER],
    body: {
      description: "At most 8 MiB",
      content: {
        "text/csv": {
          schema: { type: "string" },
          example: "1,2,1\n1,3,0\n",
        },
        "application/json": {
          schema: {
            description: "docs/PROTOCOL.md, Readings",
            anyOf: [{ type: "object" }, { type: "array" }],
          },
          example: { source: "hall-camera", cells: [[1, 2, 3], [1, 3, 0]] },
        },
      },
    },
    answers: {
      200: json(
        "What became of them",
        object({
          layer: TEXT,
          revision: { ...REVISION, description: "of the map that has them" },
          accepted: {
            ...COUNT,
            description: "readings that are now what the map says",
          },
          changed: {
            ...COUNT,
            description: "of these, those that changed a cell",
          },
          refused: COUNT,
          reasons: {
            type: "object",
            additionalProperties: COUNT,
            description: "how many were refused for which reason",
          },
          problems: {
            type: "array",
            items: REFUSED_ROW,
            description:
              "the first refused rows, counted from 1; late and future readings once each",
          },
        }),
      ),
      400: problem("No reading can be read in it, or a parameter is wrong"),
      403: problem("It comes from a page of another origin"),
      408: problem("The body took too long"),
      413: problem("The body is too long"),
      415: problem("The body is compressed"),
      503: problem("It could not be kept: send it again after Retry-After"),
    },
  },
  handle: takeReadings,
};

async function takeReadings(
  { request, url, context, limits }: Ask,
): Promise<Response> {
  checkNames(url.searchParams, ["layer"]);
  const layer = readLayer(url.searchParams);
  const { bytes, release } = await readBody(request, limits);
  try {
    const type = request.headers.get("content-type") ?? undefined;
    const submission = await context.submit(layer, bytes, type);
    return answer(layer, submission);
  } finally {
    release();
  }
}

function answer(layer: string, submission: Submission): Response {
  switch (submission.outcome) {
    case "unavailable":
      throw new Problem({
        status: 503,
        code: submission.code,
        message: submission.message,
        hint: "Nothing of it was kept: send it again in a moment.",
        headers: { "retry-after": "2" },
      });
    case "invalid":
      throw new Problem({
        status: 400,
        code: submission.code,
        message: submission.message,
        hint: submission.hint ?? "docs/PROTOCOL.md tells how readings look.",
      });
    case "kept":
      return told(layer, submission);
  }
}

function told(
  layer: string,
  kept: Submission & { outcome: "kept" },
): Response {
  const { revision, accepted, changed, refused, refusedByCode } = kept;
  const account = {
    layer,
    revision,
    accepted,
    changed,
    refused,
    reasons: Object.fromEntries(refusedByCode),
    problems: kept.problems.map(rowOf),
  };
  const untimely = (refusedByCode.get("late") ?? 0) +
    (refusedByCode.get("future") ?? 0);
  if (accepted > 0 || untimely > 0 || refused === 0) {
    return jsonResponse(account);
  }
  throw new Problem({
    status: 400,
    code: "no-readings",
    message: "No reading could be read",
    hint: "Send lines x,y,value or JSON: docs/PROTOCOL.md tells how.",
    more: account,
  });
}

function rowOf({ line, code, message }: RefusedReading) {
  return { ...(line !== undefined && { row: line }), code, message };
}

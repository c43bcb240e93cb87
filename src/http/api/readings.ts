/**
 * `POST /api/v1/readings`: submits readings in the formats of the data topic.
 *
 * @module
 */
import type { Refusal } from "../../protocol/mod.ts";
import type { SubmissionResult } from "../../protocol/submission.ts";
import {
  COUNT,
  jsonSpec,
  LAYER_PARAMETER,
  object,
  problemSpec,
  REVISION,
  type Schema,
  TEXT,
} from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import { checkNames, readLayer } from "../query.ts";
import { jsonResponse } from "../responses.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";
import { readBody } from "./body.ts";

const REFUSED_ROW: Schema = object({
  row: { type: "integer", minimum: 1 },
  code: TEXT,
  message: TEXT,
}, ["row"]);

/** `POST /api/v1/readings` */
export const postReadings: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Submits readings",
    description:
      "The body has the format of occupancy/data: CSV, TSV, JSON or JSON lines, selected by Content-Type, otherwise by the first byte. A layer that the body names must be that of the parameter. The response is sent after the commit. Invalid rows are refused one by one; the answer is 400 only if no row is valid. Late and future readings are valid rows: if all are, the answer is 200 with `accepted` 0. A client without a response may send the readings again: a reading sets a value and does not add to it.",
    parameters: [LAYER_PARAMETER],
    body: {
      description: "At most 8 MiB; JSON that is not lines: at most 4 MiB",
      content: {
        "text/csv": {
          schema: { type: "string" },
          example: "1,2,1\n1,3,0\n",
        },
        "application/x-ndjson": {
          schema: { type: "string" },
          example: '{"x":1,"y":2,"value":1}\n{"x":1,"y":3,"value":0}\n',
        },
        "text/tab-separated-values": {
          schema: { type: "string" },
          example: "1\t2\t1\n",
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
    responses: {
      200: jsonSpec(
        "The result",
        object({
          layer: TEXT,
          revision: {
            ...REVISION,
            description: "the revision of the layer that has the readings",
          },
          accepted: {
            ...COUNT,
            description: "readings that are now the value of their cell",
          },
          changed: {
            ...COUNT,
            description: "accepted readings that changed a cell",
          },
          refused: COUNT,
          reasons: {
            type: "object",
            additionalProperties: COUNT,
            description: "refused readings by reason",
          },
          problems: {
            type: "array",
            items: REFUSED_ROW,
            description:
              "the first refused rows, counted from 1, and the first of each reason",
          },
        }),
      ),
      400: problemSpec(
        "No row is valid, the map is full, or a parameter is invalid",
      ),
      403: problemSpec("The request was sent by a page of another origin"),
      408: problemSpec("The body took too long"),
      413: problemSpec("The body is too large"),
      415: problemSpec("The body is compressed, or multipart"),
      503: problemSpec("Not stored yet: send it again after Retry-After"),
    },
  },
  handle: submitReadings,
};

/** By error code; all others: 400. */
const STATUSES: Readonly<Record<string, number | undefined>> = {
  "bad-content-type": 415,
  "too-large": 413,
};

async function submitReadings(
  context: RequestContext,
): Promise<Response> {
  const { request, url, server } = context;
  checkNames(url.searchParams, ["layer"]);
  const layer = readLayer(url.searchParams);
  const body = await readBody(context);
  try {
    const type = request.headers.get("content-type") ?? undefined;
    return answerResult(layer, await server.submit(layer, body.bytes, type));
  } finally {
    body.release();
  }
}

function answerResult(layer: string, result: SubmissionResult): Response {
  switch (result.outcome) {
    case "unavailable":
      throw new Problem({
        status: 503,
        code: result.code,
        message: result.message,
        hint: "Send it again in a moment.",
        headers: { "retry-after": "2" },
      });
    case "invalid":
      throw new Problem({
        status: STATUSES[result.code] ?? 400,
        code: result.code,
        message: result.message,
        hint: result.hint ?? "See docs/PROTOCOL.md, Readings.",
      });
    case "committed":
      return answerCommitted(layer, result);
  }
}

function answerCommitted(
  layer: string,
  committed: SubmissionResult & { outcome: "committed" },
): Response {
  const { revision, accepted, changed, refused, refusedByCode } = committed;
  const result = {
    layer,
    revision,
    accepted,
    changed,
    refused,
    reasons: Object.fromEntries(refusedByCode),
    problems: committed.problems.map(rowOf),
  };
  // Late and future readings are valid rows.
  const untimely = (refusedByCode.get("late") ?? 0) +
    (refusedByCode.get("future") ?? 0);
  if (accepted > 0 || untimely > 0 || refused === 0) {
    return jsonResponse(result);
  }
  if (refusedByCode.has("too-many-cells")) {
    throw new Problem({
      status: 400,
      code: "too-many-cells",
      message: "The map is full: no reading is of a cell that it has",
      hint:
        "Delete layers, or raise the limit of the server: see docs/OPERATIONS.md, The size of the map.",
      extensions: result,
    });
  }
  throw new Problem({
    status: 400,
    code: "no-readings",
    message: "No reading is valid",
    hint: "Send lines x,y,value or JSON. See docs/PROTOCOL.md, Readings.",
    extensions: result,
  });
}

function rowOf({ line, code, message }: Refusal) {
  return { ...(line !== undefined && { row: line }), code, message };
}

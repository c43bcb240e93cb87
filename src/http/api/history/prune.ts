/**
 * `DELETE /api/v1/history`: deletes what was recorded before a time.
 *
 * @module
 */
import { doneWithin } from "../../../common/async.ts";
import { messageOf } from "../../../common/errors.ts";
import { ProtocolError } from "../../../protocol/mod.ts";
import type { HttpContext } from "../../context.ts";
import type { Endpoint, RequestContext } from "../../endpoint.ts";
import {
  COUNT,
  jsonSpec,
  object,
  problemSpec,
  TIME,
} from "../../openapi/schemas.ts";
import { Problem } from "../../problem.ts";
import { checkNames } from "../../query.ts";
import { jsonResponse } from "../../responses.ts";
import { historyOf, problemOf } from "./answer.ts";
import {
  RequestTimes,
  timeParameter,
  TIMEZONE_PARAMETER,
} from "./parameters.ts";

/** A longer deletion goes on after the answer. */
const WAIT_MS = 20_000;

/** `DELETE /api/v1/history` */
export const pruneHistory: Endpoint = {
  needsMap: true,
  operation: {
    summary: "Deletes what was recorded before a time",
    description:
      "Deletes the changes of whole hours, except the last two, and the rollups of whole days (UTC), except the last one, of all layers and zones. What remains is as before. A long deletion goes on after the answer.",
    parameters: [
      timeParameter("before", "The time.", "-90d", true),
      TIMEZONE_PARAMETER,
    ],
    responses: {
      200: jsonSpec(
        "What was deleted",
        object({
          before: TIME,
          done: {
            type: "boolean",
            description: "false if the server is still deleting",
          },
          bytesBefore: { ...COUNT, description: "size in the store before" },
          bytes: { ...COUNT, description: "size now" },
          oldest: {
            ...TIME,
            description: "the first time of which the map is known now",
          },
          oldestRollup: {
            ...TIME,
            description: "the first time of which there are rollups now",
          },
        }, ["oldest", "oldestRollup"]),
      ),
      400: problemSpec("The time is missing or not valid"),
      403: problemSpec("The request was sent by a page of another origin"),
      409: problemSpec(
        "The server does not record a history, another server of the group writes it, or it is still deleting",
      ),
      503: problemSpec("The store fails, or the map is not loaded"),
    },
  },
  handle: prune,
};

async function prune({ url, server }: RequestContext): Promise<Response> {
  const query = url.searchParams;
  checkNames(query, ["before", "timezone"]);
  const history = historyOf(server);
  const before = timeOf(() =>
    new RequestTimes(server, history, query).read("before")
  );
  const bytesBefore = history.info().bytes;
  const done = await deletionOf(server, before);
  const { bytes, oldest, oldestRollup } = history.info();
  return jsonResponse({
    ...{ before, done, bytesBefore, bytes },
    ...{ oldest, oldestRollup },
  });
}

/**
 * @returns false if it is not done in time: it goes on
 * @throws {Problem} if it fails, or if another one is not done yet
 */
async function deletionOf(
  server: HttpContext,
  before: number,
): Promise<boolean> {
  const deletion = server.pruneHistory(before);
  if (deletion === undefined) {
    throw new Problem({
      status: 409,
      code: "still-deleting",
      message: "The server is still deleting what was asked for before",
      hint: "Send it again when GET /api/v1/history has a stable size.",
    });
  }
  try {
    return await doneWithin(deletion, WAIT_MS);
  } catch (error) {
    if (error instanceof ProtocolError) throw problemOf(error);
    throw new Problem({
      status: 503,
      code: "store",
      message: `The history cannot be deleted: ${messageOf(error)}`,
      hint: "Send it again in a moment.",
      headers: { "retry-after": "30" },
    });
  }
}

function timeOf(read: () => number): number {
  try {
    return read();
  } catch (error) {
    throw problemOf(error);
  }
}

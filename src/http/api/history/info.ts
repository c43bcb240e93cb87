/**
 * `GET /api/v1/history`: what is recorded, and how much there is.
 *
 * @module
 */
import type { Endpoint } from "../../endpoint.ts";
import {
  COUNT,
  jsonSpec,
  object,
  problemSpec,
  TEXT,
  TIME,
} from "../../openapi/schemas.ts";
import { checkNames } from "../../query.ts";
import { jsonResponse } from "../../responses.ts";
import { historyOf } from "./answer.ts";
import { GAPS } from "./schemas.ts";

const SECONDS = { type: "number", minimum: 0 };

/** `GET /api/v1/history` */
export const getHistory: Endpoint = {
  needsMap: true,
  operation: {
    summary: "What is recorded of the past",
    responses: {
      200: jsonSpec(
        "The state of the history",
        object({
          recording: {
            type: "boolean",
            description: "false while the recording is paused",
          },
          problem: { ...TEXT, description: "why it is paused" },
          resolution: {
            ...SECONDS,
            description:
              "changes of a cell within this time count as one, in seconds",
          },
          cells: {
            type: "boolean",
            description: "false if only rollups are kept: no map at a time",
          },
          keep: {
            ...SECONDS,
            description: "how long changes of cells are kept, in seconds",
          },
          keepRollups: {
            ...SECONDS,
            description: "how long rollups are kept, in seconds",
          },
          oldest: {
            ...TIME,
            description: "the first time of which the map is known",
          },
          oldestRollup: {
            ...TIME,
            description: "the first time of which there are rollups",
          },
          newest: { ...TIME, description: "the last recorded time" },
          bytes: { ...COUNT, description: "size in the store" },
          maxBytes: {
            ...COUNT,
            description: "at this size the oldest changes are deleted",
          },
          lag: {
            type: "number",
            minimum: 0,
            description: "how far the recording is behind the map, in ms",
          },
          tooLate: {
            ...COUNT,
            description:
              "readings that came too late to change the past, since the start",
          },
          dropped: {
            ...COUNT,
            description:
              "changes that were not recorded because there were too many, since the start",
          },
          rows: {
            type: "object",
            additionalProperties: COUNT,
            description: "number of rows in the store, by kind",
          },
          gaps: { ...GAPS, description: `the latest ${GAPS.description}` },
          timezone: {
            ...TEXT,
            description: "the time zone of days and weeks",
          },
        }, ["problem", "oldest", "oldestRollup", "newest"]),
      ),
      400: problemSpec("A parameter is not valid"),
      409: problemSpec("The server does not record a history"),
      503: problemSpec("The map is not loaded"),
    },
  },
  handle({ server, url }) {
    checkNames(url.searchParams, []);
    return jsonResponse(historyOf(server).info());
  },
};

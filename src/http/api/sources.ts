/**
 * `GET /api/v1/sources`: which sources report, and which are silent.
 *
 * @module
 */
import { MAX_LISTED_SOURCES } from "../../protocol/mod.ts";
import type { Endpoint } from "../endpoint.ts";
import {
  COUNT,
  jsonSpec,
  object,
  problemSpec,
  type Schema,
  TEXT,
  TIME,
} from "../openapi/schemas.ts";
import { checkNames, readLimit } from "../query.ts";
import { listResponse } from "../text_response.ts";

const ACTIVITY: Readonly<Record<string, Schema>> = {
  first: { ...TIME, description: "when the first reading arrived" },
  last: {
    ...TIME,
    description: "when the last reading arrived, accepted or refused",
  },
  readings: { ...COUNT, description: "accepted readings" },
  rate: {
    type: "number",
    minimum: 0,
    description:
      "accepted readings per second, over the last minute or since `first`",
  },
  refused: {
    ...COUNT,
    description: "refused readings; an unreadable payload counts as one",
  },
  lastRefused: {
    ...object({ code: TEXT, time: TIME }),
    description: "the last refused one; absent if none was refused",
  },
};

const OPTIONAL = ["lastRefused"];

/** `GET /api/v1/sources` */
export const getSources: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The sources of readings",
    description:
      "Silent sources first, then those without a reading for the longest time. In memory only: a source is in the list from its first reading after the start of the server.",
    parameters: [
      {
        name: "limit",
        in: "query",
        description: "Maximum number of sources in the answer. Default: all.",
        schema: { type: "integer", minimum: 1, maximum: MAX_LISTED_SOURCES },
        example: 100,
      },
      {
        name: "contains",
        in: "query",
        description:
          "Only the sources whose name contains this, in upper or lower case.",
        schema: TEXT,
        example: "cam",
      },
    ],
    responses: {
      200: jsonSpec(
        "The sources",
        object({
          time: { ...TIME, description: "the server's clock, ms since 1970" },
          began: {
            ...TIME,
            description: "when the server started, and with it the list",
          },
          silentAfter: {
            type: "number",
            description:
              "a source without a reading for this time, in ms, is silent; absent without --silent-after",
          },
          total: { ...COUNT, description: "sources in the whole list" },
          silent: { ...COUNT, description: "silent ones of them" },
          sources: {
            type: "array",
            items: object({
              source: TEXT,
              silent: { type: "boolean" },
              ...ACTIVITY,
            }, OPTIONAL),
          },
          unnamed: {
            ...object(ACTIVITY, OPTIONAL),
            description: "readings without a source; absent if there were none",
          },
          unlisted: {
            ...object(ACTIVITY, OPTIONAL),
            description:
              "readings of sources that are one too many; absent if there were none",
          },
        }, ["silentAfter", "unnamed", "unlisted"]),
      ),
      400: problemSpec("A parameter is not valid"),
      503: problemSpec("Too many large answers are not read yet"),
    },
  },
  handle(context): Promise<Response> {
    const { server: { sources }, url: { searchParams: query } } = context;
    checkNames(query, ["limit", "contains"]);
    const limit = readLimit(query, MAX_LISTED_SOURCES);
    const contains = query.get("contains") ?? "";
    const { sources: list, ...rest } = sources.list({ limit, contains });
    return listResponse(context, rest, "sources", list);
  },
};

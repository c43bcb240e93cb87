/**
 * `GET /api/v1/history/utilisation`: how much each cell was used.
 *
 * @module
 */
import type { Utilisation } from "../../../history/answers.ts";
import type { Endpoint } from "../../endpoint.ts";
import {
  jsonSpec,
  LAYER_PARAMETER,
  REGION_PARAMETER,
} from "../../openapi/schemas.ts";
import { checkNames, readChoice, readLayer, readRegion } from "../../query.ts";
import type { TimeForm } from "../cell_rows.ts";
import { answerPast, CELLS_SHARES, FORMATS, type PastBody } from "./answer.ts";
import { utilisationTable } from "./columns.ts";
import {
  cornersOf,
  FORMAT_PARAMETER,
  readDays,
  readHours,
  RequestTimes,
  timeParameter,
  timesParameter,
  TIMEZONE_PARAMETER,
} from "./parameters.ts";
import { PARQUET, PAST_PROBLEMS, UTILISATION } from "./schemas.ts";
import { writeJsonLine, writeTable } from "./text.ts";

/** `GET /api/v1/history/utilisation` */
export const getUtilisation: Endpoint = {
  needsMap: true,
  operation: {
    summary: "How much each cell was used",
    parameters: [
      timeParameter("from", "The first time; default `-7d`.", "-7d"),
      timeParameter("to", "The time after the last; default `now`.", "now"),
      LAYER_PARAMETER,
      REGION_PARAMETER,
      {
        name: "days",
        in: "query",
        description:
          "The days of the week that count, 1 Monday to 7 Sunday, as days and ranges. Default: all.",
        schema: { type: "string" },
        example: "1-5",
      },
      {
        name: "hours",
        in: "query",
        description:
          "The hours of the day that count: from inclusive, to exclusive. Default: all.",
        schema: { type: "string" },
        example: "8-18",
      },
      {
        name: "by",
        in: "query",
        description:
          "`day` to get the seconds by cell and day too, of at most 1000 cells; JSON only.",
        schema: { enum: ["total", "day"], default: "total" },
        example: "day",
      },
      TIMEZONE_PARAMETER,
      FORMAT_PARAMETER,
      timesParameter("in CSV"),
    ],
    responses: {
      200: {
        description: "The cells that were known at any time",
        content: {
          ...jsonSpec("", UTILISATION).content,
          "text/csv": {
            schema: {
              type: "string",
              description:
                "A header, then one line per cell: x,y,occupied,known,changes,last; seconds, and when it was last occupied",
            },
          },
          ...PARQUET,
        },
      },
      ...PAST_PROBLEMS,
    },
  },
  handle(context) {
    const query = context.url.searchParams;
    checkNames(query, [
      ...["from", "to", "layer", "region", "days", "hours", "by"],
      ...["timezone", "format", "times"],
    ]);
    const layer = readLayer(query);
    const region = readRegion(query);
    const byDay = readChoice(query, "by", ["total", "day"]) === "day";
    const format = readChoice(query, "format", FORMATS);
    const form = readChoice(query, "times", ["ms", "rfc3339"]);
    return answerPast(context, {
      shares: CELLS_SHARES,
      read(history) {
        const times = new RequestTimes(context.server, history, query);
        return {
          ...{ layer, region, byDay, timezone: times.timezone },
          ...{ from: times.read("from", "-7d"), to: times.read("to", "now") },
          ...{ days: readDays(query), hours: readHours(query) },
        };
      },
      ask: (history, question) => history.utilisation(question),
      write: (answer) => bodyOf(answer, format, form),
    });
  },
};

function bodyOf(
  utilisation: Utilisation,
  format: PastBody["format"],
  times: TimeForm,
): PastBody {
  const { cells, week, byDay, gaps, damaged, region, ...head } = utilisation;
  const { length } = cells;
  const columns = {
    x: cells.x.subarray(0, length),
    y: cells.y.subarray(0, length),
    occupied: cells.occupied.subarray(0, length),
    known: cells.known.subarray(0, length),
    changes: cells.changes.subarray(0, length),
    last: cells.last.subarray(0, length),
  };
  const rest = { week, byDay, gaps, damaged };
  const start = { ...head, region: cornersOf(region) };
  const content = [
    JSON.stringify([start, rest, times]),
    ...Object.values(columns),
  ];
  if (format === "json") {
    const parts = writeJsonLine({ ...start, cells: columns, ...rest });
    return { format, parts, content };
  }
  const table = utilisationTable(columns);
  return format === "csv"
    ? { format, parts: writeTable(table, times), content }
    : { format, table, content };
}

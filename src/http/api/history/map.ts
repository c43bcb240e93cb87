/**
 * `GET /api/v1/history/map`: the map as it was at a time.
 *
 * @module
 */
import type { PastMap } from "../../../history/answers.ts";
import type { Endpoint } from "../../endpoint.ts";
import {
  jsonSpec,
  LAYER_PARAMETER,
  object,
  REGION_PARAMETER,
  TEXT,
  TIME,
} from "../../openapi/schemas.ts";
import { checkNames, readChoice, readLayer, readRegion } from "../../query.ts";
import { CSV_HEADER, type TimeForm } from "../cell_rows.ts";
import { answerPast, CELLS_SHARES, FORMATS, type PastBody } from "./answer.ts";
import { mapTable } from "./columns.ts";
import {
  FORMAT_PARAMETER,
  RequestTimes,
  timeParameter,
  timesParameter,
  TIMEZONE_PARAMETER,
} from "./parameters.ts";
import { GAP, PARQUET, PAST_CELLS, PAST_PROBLEMS } from "./schemas.ts";
import { writeCellRows, writeCellsCsv } from "./text.ts";

/** `GET /api/v1/history/map` */
export const getPastMap: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The map as it was at a time",
    parameters: [
      timeParameter("at", "The time.", "-1h", true),
      LAYER_PARAMETER,
      REGION_PARAMETER,
      TIMEZONE_PARAMETER,
      FORMAT_PARAMETER,
      timesParameter("of the cells"),
    ],
    responses: {
      200: {
        description: "The cells",
        content: {
          ...jsonSpec(
            "",
            object({
              ...{ layer: TEXT, at: TIME, gap: GAP },
              damaged: {
                const: true,
                description:
                  "a part of the history is damaged: cells whose state is not known for that reason are unknown",
              },
              cells: PAST_CELLS,
            }, ["damaged"]),
          ).content,
          "text/csv": {
            schema: {
              type: "string",
              description:
                `A header, then one line per cell: ${CSV_HEADER}, and layer unless it is default; time is since when the cell had this state`,
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
      ...["at", "layer", "region", "timezone", "format", "times"],
    ]);
    const layer = readLayer(query);
    const region = readRegion(query);
    const format = readChoice(query, "format", FORMATS);
    const times = readChoice(query, "times", ["ms", "rfc3339"]);
    return answerPast(context, {
      shares: CELLS_SHARES,
      read: (history) =>
        new RequestTimes(context.server, history, query).read("at"),
      ask: (history, at) => history.mapAt({ layer, region, at }),
      write: (map) => bodyOf(map, format, times),
    });
  },
};

function bodyOf(
  { layer, at, gap, damaged, cells }: PastMap,
  format: PastBody["format"],
  times: TimeForm,
): PastBody {
  const head = { layer, at, gap, ...(damaged && { damaged }) };
  const { length, x, y, value, stale, since } = cells;
  const columns = [x, y, value, stale, since];
  const content = [
    JSON.stringify([head, times]),
    ...columns.map((column) => column.subarray(0, length)),
  ];
  switch (format) {
    case "json": {
      const parts = writeCellRows(head, "cells", cells, times);
      return { format, parts, content };
    }
    case "csv":
      return { format, parts: writeCellsCsv(cells, layer, times), content };
    case "parquet":
      return { format, table: mapTable({ cells, layer, gap }), content };
  }
}

/**
 * `GET /api/v1/history/changes`: the map at a time and what changed after it,
 * for a replay.
 *
 * @module
 */
import type { PastCells, PastChanges } from "../../../history/answers.ts";
import type { Endpoint } from "../../endpoint.ts";
import {
  jsonSpec,
  LAYER_PARAMETER,
  object,
  REGION_PARAMETER,
  TEXT,
  TIME,
} from "../../openapi/schemas.ts";
import { checkNames, readLayer, readRegion } from "../../query.ts";
import { answerPast, CELLS_SHARES, type PastBody } from "./answer.ts";
import {
  RequestTimes,
  timeParameter,
  TIMEZONE_PARAMETER,
} from "./parameters.ts";
import { DAMAGED, GAP, GAPS, PAST_COLUMNS, PAST_PROBLEMS } from "./schemas.ts";
import { writeJsonLine } from "./text.ts";

/** `GET /api/v1/history/changes` */
export const getPastChanges: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The map at a time and the changes after it, for a replay",
    parameters: [
      timeParameter("from", "The first time.", "-1h", true),
      timeParameter(
        "to",
        "The time after the last, at most an hour later.",
        "-30m",
        true,
      ),
      LAYER_PARAMETER,
      REGION_PARAMETER,
      TIMEZONE_PARAMETER,
    ],
    responses: {
      200: jsonSpec(
        "The map at `from`, and the changes in order of time",
        object({
          layer: TEXT,
          from: TIME,
          to: TIME,
          start: object({ at: TIME, gap: GAP, cells: PAST_COLUMNS }),
          changes: PAST_COLUMNS,
          gaps: GAPS,
          damaged: DAMAGED,
        }, ["damaged"]),
      ),
      ...PAST_PROBLEMS,
    },
  },
  handle(context) {
    const query = context.url.searchParams;
    checkNames(query, ["from", "to", "layer", "region", "timezone"]);
    const layer = readLayer(query);
    const region = readRegion(query);
    return answerPast(context, {
      shares: CELLS_SHARES,
      read(history) {
        const times = new RequestTimes(context.server, history, query);
        return { from: times.read("from"), to: times.read("to") };
      },
      ask: (history, range) => history.changes({ layer, region, ...range }),
      write: bodyOf,
    });
  },
};

function bodyOf(
  { layer, from, to, start, changes, gaps, damaged }: PastChanges,
): PastBody {
  const { at, gap } = start;
  const columns = [columnsOf(start.cells), columnsOf(changes)] as const;
  const [cells, later] = columns;
  return {
    format: "json",
    parts: writeJsonLine({
      ...{ layer, from, to },
      ...{ start: { at, gap, cells }, changes: later, gaps, damaged },
    }),
    content: [
      JSON.stringify([layer, from, to, at, gap, gaps, damaged, cells.x.length]),
      ...columns.flatMap((one) => Object.values(one)),
    ],
  };
}

function columnsOf({ length, x, y, value, stale, since }: PastCells) {
  return {
    x: x.subarray(0, length),
    y: y.subarray(0, length),
    value: value.subarray(0, length),
    stale: stale.subarray(0, length),
    since: since.subarray(0, length),
  };
}

/**
 * `GET /api/v1/history/zones/{name}` and `GET /api/v1/history/series`: how many
 * were in a zone or a region, step by step.
 *
 * @module
 */
import type { HistoryService, Series } from "../../../history/answers.ts";
import type { SeriesRange } from "../../../history/answers.ts";
import type { Endpoint, RequestContext } from "../../endpoint.ts";
import {
  jsonSpec,
  LAYER_PARAMETER,
  type Parameter,
  problemSpec,
  REGION_PARAMETER,
} from "../../openapi/schemas.ts";
import { checkNames, readChoice, readLayer, readRegion } from "../../query.ts";
import type { TimeForm } from "../cell_rows.ts";
import { nameOf } from "../zones/edits.ts";
import { NAME_PARAMETER } from "../zones/schemas.ts";
import { answerPast, FORMATS, type PastBody } from "./answer.ts";
import { seriesTable } from "./columns.ts";
import {
  cornersOf,
  FORMAT_PARAMETER,
  RequestTimes,
  STEP_PARAMETER,
  timeParameter,
  timesParameter,
  TIMEZONE_PARAMETER,
} from "./parameters.ts";
import { PARQUET, PAST_PROBLEMS, SERIES } from "./schemas.ts";
import { writeTable } from "./text.ts";

const COLUMNS = "start,least,mean,most,occupied,known,entries";

const RANGE: readonly Parameter[] = [
  timeParameter("from", "The first time; default `-1d`.", "-1d"),
  timeParameter("to", "The time after the last; default `now`.", "now"),
  STEP_PARAMETER,
  TIMEZONE_PARAMETER,
  FORMAT_PARAMETER,
  timesParameter("in CSV"),
];
const RANGE_NAMES = RANGE.map(({ name }) => name);

const RESPONSE = {
  description: "One element of each column for each step",
  content: {
    ...jsonSpec("", SERIES).content,
    "text/csv": {
      schema: {
        type: "string",
        description: `A header, then one line per step: ${COLUMNS}`,
      },
    },
    ...PARQUET,
  },
};

/** `GET /api/v1/history/zones/{name}` */
export const getZoneSeries: Endpoint = {
  needsMap: true,
  operation: {
    summary: "How many were in a zone, step by step",
    parameters: [NAME_PARAMETER, ...RANGE],
    responses: {
      200: RESPONSE,
      ...PAST_PROBLEMS,
      404: problemSpec("There is no such zone"),
    },
  },
  handle(context) {
    checkNames(context.url.searchParams, RANGE_NAMES);
    const zone = nameOf(context);
    return answerSeries(
      context,
      (history, range) => history.zoneSeries({ zone, ...range }),
    );
  },
};

/** `GET /api/v1/history/series` */
export const getRegionSeries: Endpoint = {
  needsMap: true,
  operation: {
    summary: "How many were in a region or a layer, step by step",
    description:
      "Of the time before the changes of cells that are kept, there is the mean only, as a number of occupied cells: a cell with the value 3 counts as 1.",
    parameters: [LAYER_PARAMETER, REGION_PARAMETER, ...RANGE],
    responses: { 200: RESPONSE, ...PAST_PROBLEMS },
  },
  handle(context) {
    const query = context.url.searchParams;
    checkNames(query, ["layer", "region", ...RANGE_NAMES]);
    const layer = readLayer(query);
    const region = readRegion(query);
    return answerSeries(
      context,
      (history, range) => history.regionSeries({ layer, region, ...range }),
    );
  },
};

function answerSeries(
  context: RequestContext,
  ask: (history: HistoryService, range: SeriesRange) => Promise<Series>,
): Promise<Response> {
  const query = context.url.searchParams;
  const format = readChoice(query, "format", FORMATS);
  const times = readChoice(query, "times", ["ms", "rfc3339"]);
  return answerPast(context, {
    shares: 1,
    read: (history) =>
      new RequestTimes(context.server, history, query).readSeries(),
    ask,
    write: (series) => bodyOf(series, format, times),
  });
}

function bodyOf(
  series: Series,
  format: PastBody["format"],
  times: TimeForm,
): PastBody {
  const { start, least, mean, most, occupied, known, entries } = series;
  const columns = { start, least, mean, most, occupied, known, entries };
  const json = JSON.stringify({
    ...{ from: series.from, to: series.to, step: series.step },
    ...{ timezone: series.timezone, zone: series.zone, layer: series.layer },
    ...{ region: cornersOf(series.region), capacity: series.capacity },
    ...{ ...columns, gaps: series.gaps, damaged: series.damaged },
  }) + "\n";
  if (format === "json") return { format, parts: [json], content: [json] };
  const table = seriesTable(series);
  if (format === "parquet") return { format, table, content: [json] };
  const parts = writeTable(table, times);
  return { format, parts, content: [times, json] };
}

/**
 * Asks the HTTP interface of a server about the past.
 *
 * @module
 */
import type {
  HistoryInfo,
  PastCells,
  Series,
  UtilisationAnswer,
} from "../../../history/answers.ts";
import {
  isColumn,
  isGaps,
  isHistoryInfo,
  isNumber,
} from "../../../history/info.ts";
import { isJsonObject } from "../../../protocol/text.ts";
import { type HttpAnswer, type HttpApi, segmentOf } from "../../http_api.ts";

const HISTORY = "api/v1/history";

/** The parameters of a question; those without a value are not sent. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** An answer, with its text as the server sent it. */
export interface Answered<Answer> {
  readonly text: string;
  readonly answer: Answer;
}

/** A cell: x, y, value, since when in ms since 1970 (null: longer), 1 if stale. */
export type PastRow = readonly [number, number, number, number | null, 0 | 1];

/** The map at a time. */
export interface MapAnswer {
  readonly layer: string;
  /** ms since 1970 */
  readonly at: number;
  /** True if nothing was recorded at that time. */
  readonly gap: boolean;
  /** True if a part of the history is damaged: some cells are unknown for it. */
  readonly damaged?: boolean;
  readonly cells: readonly PastRow[];
}

/** How many were there, step by step. */
export type SeriesAnswer = Omit<Series, "region"> & {
  /** The corners. */
  readonly region?: readonly number[];
};

/** What was deleted. */
export interface PruneResult {
  /** ms since 1970 */
  readonly before: number;
  /** False if the server is still deleting. */
  readonly done: boolean;
  /** The first time of which the map is known, ms since 1970. */
  readonly oldest?: number;
  /** Bytes of the history before and after. */
  readonly bytesBefore: number;
  readonly bytes: number;
}

/** Sends questions about the history of one server. */
export class HistoryClient {
  readonly #api: HttpApi;

  constructor(api: HttpApi) {
    this.#api = api;
  }

  /** Returns what is recorded. */
  info(): Promise<Answered<HistoryInfo>> {
    return this.#get(HISTORY, {}, isHistoryInfo);
  }

  /** Returns the map at a time. */
  map(parameters: Parameters): Promise<Answered<MapAnswer>> {
    return this.#get(`${HISTORY}/map`, parameters, isMap);
  }

  /** Returns the counts of a zone. */
  zone(name: string, parameters: Parameters): Promise<Answered<SeriesAnswer>> {
    const path = `${HISTORY}/zones/${segmentOf(name)}`;
    return this.#get(path, parameters, isSeries);
  }

  /** Returns the counts of a region or a layer. */
  series(parameters: Parameters): Promise<Answered<SeriesAnswer>> {
    return this.#get(`${HISTORY}/series`, parameters, isSeries);
  }

  /** Returns how much each cell was used. */
  utilisation(parameters: Parameters): Promise<Answered<UtilisationAnswer>> {
    return this.#get(`${HISTORY}/utilisation`, parameters, isUtilisation);
  }

  /** Deletes what was recorded before a time. */
  async prune(parameters: Parameters): Promise<Answered<PruneResult>> {
    const path = HISTORY + queryOf(parameters);
    return this.#read(await this.#api.send("DELETE", path), isPruneResult);
  }

  async #get<Answer>(
    path: string,
    parameters: Parameters,
    isAnswer: (value: unknown) => value is Answer,
  ): Promise<Answered<Answer>> {
    const answer = await this.#api.send("GET", path + queryOf(parameters));
    return this.#read(answer, isAnswer);
  }

  #read<Answer>(
    { text, json }: HttpAnswer,
    isAnswer: (value: unknown) => value is Answer,
  ): Answered<Answer> {
    const answer = json();
    if (!isAnswer(answer)) throw this.#api.notOccupancy();
    return { text, answer };
  }
}

/** The cells of a map as columns. */
export function cellsOf({ cells }: MapAnswer): PastCells {
  return {
    length: cells.length,
    x: Int32Array.from(cells, ([x]) => x),
    y: Int32Array.from(cells, ([, y]) => y),
    value: Int32Array.from(cells, ([, , value]) => value),
    since: Float64Array.from(cells, ([, , , time]) => time ?? NaN),
    stale: Uint8Array.from(cells, ([, , , , stale]) => stale),
  };
}

function queryOf(parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function isMap(value: unknown): value is MapAnswer {
  return isJsonObject(value) && typeof value.layer === "string" &&
    isNumber(value.at) && typeof value.gap === "boolean" &&
    Array.isArray(value.cells) && value.cells.every(isRow);
}

function isRow(row: unknown): row is PastRow {
  return Array.isArray(row) && row.length === 5 &&
    row.every((one, i) => isNumber(one) || (i === 3 && one === null));
}

const SERIES_COLUMNS = [
  ...["least", "mean", "most", "occupied", "known", "entries"],
];

function isSeries(value: unknown): value is SeriesAnswer {
  if (
    !isJsonObject(value) || !isNumber(value.from) || !isNumber(value.to) ||
    typeof value.step !== "string" || !isZoneName(value.timezone) ||
    typeof value.layer !== "string" || !isColumn(value.start, isNumber) ||
    !isGaps(value.gaps) || !isGaps(value.damaged ?? [])
  ) return false;
  const { length } = value.start;
  return SERIES_COLUMNS.every((name) =>
    isColumn(value[name], isNumberOrNull, length)
  );
}

const USE_COLUMNS = ["x", "y", "occupied", "known", "changes"];

function isUtilisation(value: unknown): value is UtilisationAnswer {
  if (
    !isJsonObject(value) || !isNumber(value.from) || !isNumber(value.to) ||
    !isNumber(value.seconds) || !isNumber(value.dayCount) ||
    typeof value.layer !== "string" || !isZoneName(value.timezone) ||
    !isColumn(value.days, isNumber) || !isColumn(value.hours, isNumber, 2) ||
    !isGaps(value.gaps) || !isGaps(value.damaged ?? []) ||
    !isJsonObject(value.cells) ||
    !isJsonObject(value.week)
  ) return false;
  const { cells, week } = value;
  if (!isColumn(cells.x, isNumber)) return false;
  const { length } = cells.x;
  return USE_COLUMNS.every((name) => isColumn(cells[name], isNumber, length)) &&
    isColumn(cells.last, isNumberOrNull, length) &&
    [week.occupied, week.known].every((rows) =>
      isColumn(rows, (row) => isColumn(row, isNumber, 24), 7)
    );
}

function isPruneResult(value: unknown): value is PruneResult {
  return isJsonObject(value) && isNumber(value.before) &&
    isNumber(value.bytes) && isNumber(value.bytesBefore) &&
    typeof value.done === "boolean" &&
    (value.oldest === undefined || isNumber(value.oldest));
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || isNumber(value);
}

function isZoneName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

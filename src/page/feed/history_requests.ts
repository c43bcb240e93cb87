/// <reference lib="dom" />
/**
 * The page's requests about the past. Responses are not validated: they come
 * from the server of the page.
 *
 * @module
 */

import type {
  GapMs,
  HistoryInfo,
  Series,
  Step,
} from "../../history/answers.ts";
import { endSentence, parseProblem } from "./requests.ts";

/** Addresses are relative to the page: a proxy may add a prefix. */
const HISTORY = "api/v1/history";
const NOT_FOUND = 404;

/** Columns of cells in JSON. */
export interface CellColumnsJson {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly value: readonly number[];
  readonly stale: readonly number[];
  /** ms since 1970; null if not known. */
  readonly since: readonly (number | null)[];
}

/** The response of `GET /api/v1/history/changes`. */
export interface ChangesJson {
  readonly from: number;
  readonly to: number;
  readonly start: {
    readonly at: number;
    readonly gap: boolean;
    readonly cells: CellColumnsJson;
  };
  /** In order of time. */
  readonly changes: CellColumnsJson;
  readonly gaps: readonly GapMs[];
  readonly damaged?: readonly GapMs[];
}

/** Which steps of time to request. */
export interface SeriesQuery {
  /** ms since 1970 */
  readonly from: number;
  readonly to: number;
  readonly step: Step;
  /** An IANA name. */
  readonly timezone: string;
}

/**
 * Requests what is recorded.
 *
 * @throws {Error} if nothing is recorded, or there is no answer: the message
 * says why and what to do
 */
export function fetchHistoryInfo(): Promise<HistoryInfo> {
  return fetchPast<HistoryInfo>(HISTORY);
}

/**
 * Requests the map at a time, and its changes in at most an hour after it.
 *
 * @throws {Error} if there is no usable answer
 */
export function fetchPastChanges(
  layer: string,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<ChangesJson> {
  const query = queryOf({ layer, from, to });
  return fetchPast<ChangesJson>(`${HISTORY}/changes?${query}`, signal);
}

/** Returns the address of the counts of a layer. */
export function layerSeriesPath(
  layer: string,
  query: SeriesQuery,
  format?: "csv",
): string {
  return `${HISTORY}/series?${queryOf({ layer, ...query, format })}`;
}

/** Returns the address of the counts of a zone. */
export function zoneSeriesPath(
  zone: string,
  query: SeriesQuery,
  format?: "csv",
): string {
  const name = encodeURIComponent(zone);
  return `${HISTORY}/zones/${name}?${queryOf({ ...query, format })}`;
}

/** Returns the address of a map at a time, as CSV. */
export function pastMapPath(layer: string, at: number): string {
  return `${HISTORY}/map?${queryOf({ layer, at, format: "csv" })}`;
}

/**
 * Requests counts.
 *
 * @param path of {@linkcode layerSeriesPath} or {@linkcode zoneSeriesPath}
 * @throws {Error} if there is no usable answer
 */
export function fetchSeries(
  path: string,
  signal?: AbortSignal,
): Promise<Series> {
  return fetchPast<Series>(path, signal);
}

/**
 * Requests an answer about the past.
 *
 * @param path relative to the page
 * @throws {Error} with the server's sentences: what is wrong and what to do
 */
export async function fetchPast<Body>(
  path: string,
  signal?: AbortSignal,
): Promise<Body> {
  let response: Response;
  try {
    response = await fetch(path, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error("The server does not answer. Try again when it is back.");
  }
  if (response.ok) return await response.json();
  const { detail, hint } = parseProblem(await response.text());
  if (detail === undefined) {
    throw new Error(
      response.status === NOT_FOUND
        ? "This server has no history. Update it, and start it with a store that has one (SQLite)."
        : `The server has no answer: status ${response.status}. Try again later.`,
    );
  }
  const text = endSentence(detail);
  throw new Error(hint === undefined ? text : `${text} ${endSentence(hint)}`);
}

function queryOf(
  values: Readonly<Record<string, string | number | undefined>>,
): URLSearchParams {
  return new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]]
    ),
  );
}

/// <reference lib="dom" />
/**
 * The page's requests to the HTTP API: floor plans, and the details of a cell.
 * Responses are not validated: they come from the server of the page.
 *
 * @module
 */

import type { SourceList, SourceQuery } from "../../protocol/sources.ts";

/** Addresses are relative to the page: a proxy may add a prefix. */
const PLANS = "api/v1/plans";

/** A cell of a layer. */
export interface CellLocation {
  readonly layer: string;
  readonly x: number;
  readonly y: number;
}

/** The last observation of a cell. */
export interface Observation {
  readonly value: number;
  /** ms since 1970. */
  readonly time: number;
  /** Whether it is too old to be trusted. */
  readonly stale: boolean;
}

/**
 * The details of a cell. The live feed omits the source, and readings that
 * repeat the value.
 */
export interface CellDetails {
  /** The source of the last reading; null if unknown. */
  readonly source: string | null;
  /** Undefined if the cell was never observed. */
  readonly observation: Observation | undefined;
}

/** The response of `GET /api/v1/cell`. */
interface CellResponse {
  readonly value: number | null;
  readonly time: number | null;
  readonly status: string;
  readonly source: string | null;
}

/**
 * Requests the details of a cell.
 *
 * @throws {Error} if there is no usable answer
 */
export async function fetchCell(
  { layer, x, y }: CellLocation,
  signal: AbortSignal,
): Promise<CellDetails> {
  const query = new URLSearchParams({ layer, x: String(x), y: String(y) });
  const { source, value, time, status } = await fetchJson<CellResponse>(
    `api/v1/cell?${query}`,
    signal,
  );
  return {
    source: source === "" ? null : source,
    observation: value === null || time === null
      ? undefined
      : { value, time, stale: status === "stale" },
  };
}

/** An image and its place in the layer. */
export interface PlanImage {
  readonly url: string;
  /** The outer edges in cells: left, top, right, bottom. y grows downwards. */
  readonly extent: readonly [x0: number, y0: number, x1: number, y1: number];
}

/** The floor plan of a layer. */
export interface FloorPlan {
  readonly layer: string;
  readonly metresPerCell?: number;
  readonly image?: PlanImage;
}

/**
 * Requests the floor plans of all layers.
 *
 * @throws {Error} if there is no usable answer
 */
export async function fetchPlans(): Promise<readonly FloorPlan[]> {
  const { plans } = await fetchJson<{ plans: readonly FloorPlan[] }>(PLANS);
  const address = new URL(PLANS, document.baseURI);
  return plans.map(({ image, ...plan }) => ({
    ...plan,
    ...(image !== undefined &&
      { image: { ...image, url: new URL(image.url, address).href } }),
  }));
}

/**
 * Requests the sources of readings.
 *
 * @throws {Error} if there is no usable answer
 */
export async function fetchSources(
  { limit, contains = "" }: SourceQuery,
  signal: AbortSignal,
): Promise<SourceList> {
  const query = new URLSearchParams({
    ...(limit !== undefined && { limit: String(limit) }),
    ...(contains !== "" && { contains }),
  });
  return await fetchJson<SourceList>(`api/v1/sources?${query}`, signal);
}

/** Why the live connection cannot be opened. */
export interface Refusal {
  /** Sentences for people. */
  readonly text: string;
  /** Whether the server answers, but the WebSocket does not reach it. */
  readonly passesNoWebSocket: boolean;
}

/**
 * Explains why the live connection cannot be opened: a browser does not say what
 * was answered to a WebSocket.
 *
 * @returns undefined if nothing answers
 */
export async function explainRefusal(): Promise<Refusal | undefined> {
  let response: Response;
  try {
    response = await fetch("live", { cache: "no-store" });
  } catch {
    return undefined;
  }
  const { status, statusText } = response;
  const text = await response.text().catch(() => "");
  if (status === NO_WEBSOCKET) {
    return {
      text:
        "The server answers, but no WebSocket reaches it at /live. A proxy between it and the browser must pass WebSockets on.",
      passesNoWebSocket: true,
    };
  }
  const { detail = statusText, hint } = parseProblem(text);
  const sentences = [
    endSentence(`/live was refused with status ${status}: ${detail}`),
    ...(status === UNAUTHORIZED
      ? ["Reload the page to log in again."]
      : hint === undefined
      ? []
      : [hint]),
  ];
  return { text: sentences.join(" "), passesNoWebSocket: false };
}

/** Adds the full stop that a text may lack. */
export function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Status of `/live` for a request that is no WebSocket. */
const NO_WEBSOCKET = 426;
const UNAUTHORIZED = 401;

/** Reads `application/problem+json`; a proxy may answer something else. */
export function parseProblem(text: string): { detail?: string; hint?: string } {
  try {
    const { detail, hint } = JSON.parse(text);
    return {
      ...(typeof detail === "string" && { detail }),
      ...(typeof hint === "string" && { hint }),
    };
  } catch {
    return {};
  }
}

async function fetchJson<Body>(
  path: string,
  signal?: AbortSignal,
): Promise<Body> {
  const response = await fetch(path, signal ? { signal } : {});
  if (!response.ok) {
    throw new Error(`Cannot get ${path}: status ${response.status}`);
  }
  return await response.json();
}

/**
 * Lists and deletes layers over the HTTP interface of a server.
 *
 * @module
 */
import { AppError, messageOf } from "../../../common/errors.ts";
import type { CellCounts } from "../../../grid/mod.ts";
import { isJsonObject } from "../../../protocol/text.ts";

/** A layer, as `GET /api/v1/layers` describes it. */
export interface LayerInfo extends CellCounts {
  readonly name: string;
  /** The time of the latest reading, ms since 1970. */
  readonly lastReading: number;
}

/** All layers at one moment. */
export interface LayerList {
  /** The server's time, ms since 1970. */
  readonly time: number;
  readonly layers: readonly LayerInfo[];
}

/** Options of {@linkcode LayersClient}. */
export interface LayersClientOptions {
  /** The address of the server. */
  readonly url: string;
  readonly token: string | undefined;
  /** Maximum time for each answer, in ms. */
  readonly timeout: number;
}

const HTTP_HINT =
  "Set --url to the address that the server shows at its start as its dashboard.";

/** Sends requests to the HTTP interface of one server. */
export class LayersClient {
  readonly #options: LayersClientOptions;

  constructor(options: LayersClientOptions) {
    this.#options = options;
  }

  /**
   * Returns all layers, in the order of their first reading.
   *
   * @throws {AppError} if the server does not answer, or refuses
   */
  async list(): Promise<LayerList> {
    const answer = await this.#send("GET", "api/v1/layers");
    if (!isLayerList(answer)) throw this.#notOccupancy();
    return answer;
  }

  /**
   * Deletes a layer.
   *
   * @returns the counts of the deleted cells
   * @throws {AppError} if the server does not answer, or refuses
   */
  async delete(layer: string): Promise<CellCounts> {
    // URLs have no segments "." and "..", encoded or not.
    const prefix = /^\.\.?$/.test(layer) ? "%2F" : "";
    const path = `api/v1/layers/${prefix}${encodeURIComponent(layer)}`;
    const answer = await this.#send("DELETE", path);
    if (!isCounts(answer)) throw this.#notOccupancy();
    return answer;
  }

  async #send(method: string, path: string): Promise<unknown> {
    const { url, token, timeout } = this.#options;
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(new URL(path, url), {
        method,
        redirect: "manual",
        signal: AbortSignal.timeout(timeout),
        ...(token !== undefined && {
          headers: { authorization: `Bearer ${token}` },
        }),
      });
      answer = await response.json().catch((error: unknown) => {
        if (error instanceof SyntaxError) return undefined; // not JSON
        throw error;
      });
    } catch (error) {
      throw noAnswer(url, error, timeout);
    }
    if (response.ok) return answer;
    throw this.#refusal(answer);
  }

  /** @param problem the body of the answer: problem details (RFC 9457) */
  #refusal(problem: unknown): AppError {
    if (!isJsonObject(problem) || typeof problem.detail !== "string") {
      return this.#notOccupancy();
    }
    const { code, detail, hint } = problem;
    const reason = detail.replace(/\.$/, "");
    return new AppError(
      typeof code === "string" ? code : "refused",
      `The server refused the request: ${reason}`,
      {
        hint: code === "no-token"
          ? "Give the file with the token of the server: --http-token-file."
          : typeof hint === "string"
          ? hint
          : undefined,
      },
    );
  }

  #notOccupancy(): AppError {
    return new AppError(
      "no-occupancy",
      `The answer of ${this.#options.url} is not that of an occupancy server`,
      { hint: HTTP_HINT },
    );
  }
}

function noAnswer(url: string, error: unknown, timeout: number): AppError {
  const isTimeout = error instanceof DOMException &&
    error.name === "TimeoutError";
  const reason = isTimeout
    ? `no answer within ${timeout / 1000} s`
    : causeOf(error);
  return new AppError("no-answer", `Cannot reach ${url}: ${reason}`, {
    exitClass: "no-answer",
    hint: isTimeout
      ? "The server may be busy: wait longer with --timeout 30s."
      : `Start the server, without --no-http. ${HTTP_HINT}`,
    cause: error,
  });
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const text = messageOf(cause ?? error);
  if (/connection refused/i.test(text)) return "connection refused";
  if (/lookup|dns/i.test(text)) return "unknown host";
  if (/certificate/i.test(text)) return "its certificate is not trusted";
  return text.replace(/^.*client error \(\w+\): /s, "");
}

const COUNTS: readonly (keyof CellCounts)[] = [
  "cells",
  "free",
  "occupied",
  "unknown",
  "stale",
  "people",
];

function isCounts(value: unknown): value is CellCounts {
  return isJsonObject(value) &&
    COUNTS.every((name) => typeof value[name] === "number");
}

function isLayerList(value: unknown): value is LayerList {
  return isJsonObject(value) && typeof value.time === "number" &&
    Array.isArray(value.layers) &&
    value.layers.every((layer: unknown) =>
      isCounts(layer) && isJsonObject(layer) &&
      typeof layer.name === "string" &&
      typeof layer.lastReading === "number"
    );
}

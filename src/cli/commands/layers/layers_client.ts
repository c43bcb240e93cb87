/**
 * Lists and deletes layers over the HTTP interface of a server.
 *
 * @module
 */
import type { CellCounts } from "../../../grid/mod.ts";
import { isJsonObject } from "../../../protocol/text.ts";
import { type HttpApi, segmentOf } from "../../http_api.ts";

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

/** Sends requests about the layers of one server. */
export class LayersClient {
  readonly #api: HttpApi;

  constructor(api: HttpApi) {
    this.#api = api;
  }

  /**
   * Returns all layers, in the order of their first reading.
   *
   * @throws {AppError} if the server does not answer, or refuses
   */
  async list(): Promise<LayerList> {
    const answer = (await this.#api.send("GET", "api/v1/layers")).json();
    if (!isLayerList(answer)) throw this.#api.notOccupancy();
    return answer;
  }

  /**
   * Deletes a layer.
   *
   * @returns the counts of the deleted cells
   * @throws {AppError} if the server does not answer, or refuses
   */
  async delete(layer: string): Promise<CellCounts> {
    const path = `api/v1/layers/${segmentOf(layer)}`;
    const answer = (await this.#api.send("DELETE", path)).json();
    if (!isCounts(answer)) throw this.#api.notOccupancy();
    return answer;
  }
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

/**
 * Reads and edits zones over the HTTP interface of a server.
 *
 * @module
 */
import { AppError } from "../../../common/errors.ts";
import { isJsonObject } from "../../../protocol/text.ts";
import {
  readZoneState,
  type ZoneEditResult,
  type ZoneState,
} from "../../../zones/mod.ts";
import { type HttpAnswer, type HttpApi, segmentOf } from "../../http_api.ts";

const ZONES = "api/v1/zones";

/** The states of all zones at one moment. */
export interface ZoneStates {
  /** The server's time, ms since 1970. */
  readonly time: number;
  readonly zones: readonly ZoneState[];
}

/** GeoJSON with its version. */
export interface ZoneDocument {
  readonly text: string;
  readonly etag: string;
}

/** Sends requests about the zones of one server. */
export class ZonesClient {
  readonly #api: HttpApi;

  constructor(api: HttpApi) {
    this.#api = api;
  }

  /**
   * Returns the states of all zones, in the order of the collection.
   *
   * @throws {AppError} if the server does not answer, or refuses
   */
  async states(): Promise<ZoneStates> {
    const answer = await this.#api.send("GET", "api/v1/zone-states");
    const states = readStates(answer.json());
    if (states === undefined) throw this.#api.notOccupancy();
    return states;
  }

  /** Returns all zones, as a FeatureCollection. */
  async all(): Promise<ZoneDocument> {
    return this.#document(await this.#api.send("GET", ZONES));
  }

  /** Returns a zone, as a Feature; undefined if there is none. */
  async find(name: string): Promise<ZoneDocument | undefined> {
    try {
      return this.#document(await this.#api.send("GET", pathOf(name)));
    } catch (error) {
      if (error instanceof AppError && error.code === "no-zone") {
        return undefined;
      }
      throw error;
    }
  }

  /**
   * Replaces all zones.
   *
   * @param collection the new zones
   * @param etag of those to replace: if there was another edit, none are
   */
  replaceAll(collection: string, etag: string): Promise<ZoneEditResult> {
    return this.#edit("PUT", ZONES, collection, { "if-match": etag });
  }

  /**
   * Adds or replaces one zone.
   *
   * @param feature the new zone
   * @param etag of that to replace; undefined: there must be none
   */
  set(
    name: string,
    feature: string,
    etag: string | undefined,
  ): Promise<ZoneEditResult> {
    return this.#edit(
      "PUT",
      pathOf(name),
      feature,
      etag === undefined ? { "if-none-match": "*" } : { "if-match": etag },
    );
  }

  /** Deletes one zone. */
  delete(name: string): Promise<ZoneEditResult> {
    return this.#edit("DELETE", pathOf(name));
  }

  async #edit(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<ZoneEditResult> {
    let answer: unknown;
    try {
      answer = (await this.#api.send(method, path, {
        headers: { ...headers, "content-type": "application/geo+json" },
        ...(body !== undefined && { body }),
      })).json();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "changed") throw error;
      throw new AppError("changed", "The zones were changed meanwhile", {
        hint: "Nothing was done. Run the command again.",
        cause: error,
      });
    }
    if (!isResult(answer)) throw this.#api.notOccupancy();
    return answer;
  }

  #document({ text, etag }: HttpAnswer): ZoneDocument {
    if (etag === undefined) throw this.#api.notOccupancy();
    return { text, etag };
  }
}

function pathOf(name: string): string {
  return `${ZONES}/${segmentOf(name)}`;
}

/** @throws {ProtocolError} if a state is not valid */
function readStates(value: unknown): ZoneStates | undefined {
  if (
    !isJsonObject(value) || typeof value.time !== "number" ||
    !Array.isArray(value.zones)
  ) return undefined;
  return { time: value.time, zones: value.zones.map(readZoneState) };
}

function isResult(value: unknown): value is ZoneEditResult {
  return isJsonObject(value) &&
    ["added", "changed", "deleted"].every((key) =>
      typeof value[key] === "number"
    );
}

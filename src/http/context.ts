/**
 * What the HTTP side is given of the server it stands in: the map to read, what
 * is known of broker and store, and one way in for readings.
 *
 * @module
 */
import type { OccupancyMap } from "../grid/mod.ts";
import type { Topics } from "../protocol/mod.ts";
import type { Plan } from "./plans/plan.ts";

/** The map as a reader sees it: it belongs to the server, which alone changes it. */
export type ReadableMap = Pick<
  OccupancyMap,
  "revision" | "ageing" | "size" | "layer" | "layers"
>;

/** What a server has done since it started; counts only ever rise. */
export interface ServerCounts {
  /** Messages with readings that were taken in, by MQTT and by HTTP. */
  readonly messages: number;
  /** Bytes of their payloads. */
  readonly bytes: number;
  /** Readings whose value is now the cell's, new or repeated. */
  readonly accepted: number;
  /** Readings that changed a cell. */
  readonly changed: number;
  /** Requests answered over MQTT, errors included. */
  readonly requests: number;
  /** Refused readings and payloads by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** How things stand with the broker. */
export interface LinkStatus {
  /** For people, e.g. `mqtt://localhost:1883`. Has no password in it. */
  readonly description: string;
  /** The protocol version in force: 4 is MQTT 3.1.1. */
  readonly mqttVersion: 4 | 5;
  /** Whether it is joined just now. */
  readonly up: boolean;
  /** Since when it is as it is, ms since 1970. */
  readonly since: number;
  /** Why it is down, for people; undefined while it is up. */
  readonly problem: string | undefined;
}

/** How things stand with the store. */
export interface StoreStatus {
  /** As given on the command line, e.g. `memory:`. */
  readonly description: string;
  /** True if what is kept outlives the process. */
  readonly durable: boolean;
  /** Why it fails just now, for people; undefined while it works. */
  readonly problem: string | undefined;
}

/** One reading, or a whole payload, that was not taken. */
export interface RefusedReading {
  /** The line (CSV) or element (JSON), counted from 1; undefined: all of it, or not known. */
  readonly row?: number | undefined;
  /** What is wrong, in kebab case; docs/PROTOCOL.md lists all. */
  readonly code: string;
  /** What is wrong, for people, without a full stop. */
  readonly message: string;
  /** How many readings this stands for, if it is more than one. */
  readonly count?: number | undefined;
}

/** What became of one payload of readings. */
export interface Submission {
  /** False if the payload as a whole is not valid: nothing of it was taken. */
  readonly valid: boolean;
  /** Readings that are now what the map says, new or repeated. */
  readonly accepted: number;
  /** How many of these changed a cell. */
  readonly changed: number;
  /** How many readings were refused or dropped, told in `refused` or not. */
  readonly refusedTotal: number;
  /** The first of the refused, with their rows; late and future ones as a count. */
  readonly refused: readonly RefusedReading[];
  /** The revision of the map that has them. */
  readonly revision: number;
}

/** Why a payload could not be kept just now; it may be tried again. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  /** `store-failing`, `overloaded` or `stopping`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What viewers cost just now. Kept by `src/http/live/`, read by the metrics. */
export interface ViewerCounts {
  /** Viewers that are connected. */
  current: number;
  /** Bytes sent to viewers since the start. */
  sentBytes: number;
}

/** What the HTTP side is given. One a server, alive as long as that is. */
export interface HttpContext {
  /** The server's name on its broker. */
  readonly name: string;
  /** The version of occupancy. */
  readonly version: string;
  readonly topics: Topics;
  /** Synchronous readers see one revision; it may be another after an `await`. */
  readonly map: ReadableMap;
  readonly counts: ServerCounts;
  /** Sent by viewers of the live feed. */
  readonly viewers: ViewerCounts;
  /** The floor plans by layer. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** When the server started, ms since 1970. */
  readonly started: number;
  /** See `MapMoment.began`: when the map began; undefined if it outlives the server. */
  readonly began: number | undefined;
  /** Aborted when the server ends: streams and sockets close. */
  readonly signal: AbortSignal;
  /** ms since 1970, as the server dates. */
  clock(): number;
  /**
   * Lets cells age to the present: call it before the map is read. Cheap when
   * nothing is due.
   *
   * @returns the time at which the map is right, ms since 1970; undefined while
   * the store fails, and cells may look younger than they are
   */
  refresh(): number | undefined;
  link(): LinkStatus;
  store(): StoreStatus;
  /**
   * Takes a payload of readings in, the same bytes as on the data topic.
   *
   * @param layer a valid name
   * @param payload not to be changed until this resolves
   * @param contentType `text/csv` or `application/json`; else the first byte tells
   * @returns what became of it, once it is committed and in the map
   * @throws {UnavailableError} if it cannot be kept just now
   */
  submit(
    layer: string,
    payload: Uint8Array,
    contentType?: string,
  ): Promise<Submission>;
  /**
   * Calls the listener after the map, the link or the store has changed, at
   * most once for each group of readings that is committed together. It must
   * return quickly and not throw: ingest waits for it.
   *
   * @returns ends it; safe to call twice
   */
  observe(listener: () => void): () => void;
  /**
   * Who reported a cell last, if that reading named its source and the server
   * has not been started again since.
   */
  sourceOf(layer: string, x: number, y: number): string | undefined;
}

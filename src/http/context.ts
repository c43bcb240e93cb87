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
  /** Clients connected to it; undefined, always, if it is not the embedded one. */
  readonly clients: number | undefined;
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

/** One reading that was not taken, or all for one reason. */
export interface RefusedReading {
  /** What is wrong, in kebab case; docs/PROTOCOL.md lists all. */
  readonly code: string;
  /** What is wrong, for people, without a full stop. */
  readonly message: string;
  /** The line (CSV) or element (JSON), counted from 1, if it is known. */
  readonly line?: number;
}

/** What became of a payload of readings. */
export type Submission =
  /** The good readings are committed and in the map; some may have been refused. */
  | {
    readonly outcome: "kept";
    /** Readings that are now what the map says, new or repeated. */
    readonly accepted: number;
    /** How many of these changed a cell. */
    readonly changed: number;
    /** How many readings were refused or dropped. */
    readonly refused: number;
    /** How many of these for each reason. */
    readonly refusedByCode: ReadonlyMap<string, number>;
    /** The first of them, with their rows; `late` and `future` once each, without. */
    readonly problems: readonly RefusedReading[];
    /** The revision of the map that has them. */
    readonly revision: number;
  }
  /** The payload as a whole is not valid: nothing of it was taken. */
  | {
    readonly outcome: "invalid";
    readonly code: string;
    readonly message: string;
    readonly hint: string | undefined;
  }
  /** It could not be kept just now, and will not be: it may be sent again. */
  | {
    readonly outcome: "unavailable";
    /** `store-failing`, `starting` or `stopping`. */
    readonly code: string;
    readonly message: string;
  };

/** What viewers cost just now. Kept by `src/http/feed/`, read by the metrics. */
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
  began(): number | undefined;
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
  /** True once the map is loaded: before, it says nothing. */
  loaded(): boolean;
  link(): LinkStatus;
  store(): StoreStatus;
  /**
   * Takes a payload of readings in, the same bytes as on the data topic.
   *
   * @param layer a valid name
   * @param payload not to be changed until this resolves
   * @param contentType `text/csv` or `application/json`; else the first byte tells
   * @returns what became of it, once it is committed and in the map
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
   * Calls the listener after each commit that the store has taken, with how long
   * it took, in ms, and how many readings it had. For one listener.
   */
  observeCommits(listener: (ms: number, readings: number) => void): void;
  /**
   * Calls the listener after each request over MQTT whose reply the broker has,
   * with how many ms that took from its arrival. For one listener.
   */
  observeRequests(listener: (ms: number) => void): void;
  /**
   * Who reported a cell last, if that reading named its source and the server
   * has not been started again since.
   */
  sourceOf(layer: string, x: number, y: number): string | undefined;
}

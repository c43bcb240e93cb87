/**
 * The interface through which the HTTP server uses the occupancy server: the
 * map, the status of broker and store, and a method to submit readings.
 *
 * @module
 */
import type { CellCounts, OccupancyMap } from "../grid/mod.ts";
import type { HistoryService } from "../history/answers.ts";
import type { ClientAccess } from "../feed/messages.ts";
import type { BrokerCounts, BrokerState } from "../mqtt/link.ts";
import type {
  LayerDisplay,
  SourceList,
  SourceQuery,
  Topics,
} from "../protocol/mod.ts";
import type {
  SubmissionResult,
  UnavailableCode,
} from "../protocol/submission.ts";
import type { ShardSize } from "../store/store.ts";
import type { ZoneService } from "../zones/mod.ts";
import type { Plan } from "./plans/plan.ts";

/** The map, read-only: only the server changes it. */
export type ReadableMap = Pick<
  OccupancyMap,
  | "revision"
  | "revisionOf"
  | "ageing"
  | "ageingOf"
  | "size"
  | "layer"
  | "layerCount"
  | "layers"
  | "listed"
  | "sinceOf"
  | "beganOf"
  | "identityOf"
>;

/** Counts since the server started. They never decrease. */
export interface ServerCounts {
  /** Messages with readings, over MQTT and HTTP, also refused ones. */
  readonly messages: number;
  /** Bytes of the payloads of these messages. */
  readonly bytes: number;
  /** Readings that are now the value of their cell, new or repeated. */
  readonly accepted: number;
  /** Readings that changed a cell. */
  readonly changed: number;
  /** The same by layer of the map. */
  readonly changedByLayer: ReadonlyMap<string, number>;
  /** Cells that were removed because they were unknown for long. */
  readonly removedCells: number;
  /** Requests answered over MQTT, errors included. */
  readonly requests: number;
  /** Refused readings and payloads by reason. */
  readonly refused: ReadonlyMap<string, number>;
  /** What was refused because of a limit, by limit; not readings. */
  readonly limited: Iterable<readonly [string, number]>;
}

/** One of several connections to brokers. */
export interface ConnectionStatus {
  /** The broker, for people, e.g. `mqtt://localhost:1883`: without a password. */
  readonly description: string;
  /** The protocol version in use: 4 is MQTT 3.1.1. */
  readonly mqttVersion: 4 | 5;
  /** True while connected. */
  readonly up: boolean;
  /** When `up` last changed, ms since 1970. */
  readonly since: number;
  /** Why it is down, for people; undefined while it is up. */
  readonly problem: string | undefined;
}

/** The connection to the broker, or to all brokers. */
export interface LinkStatus extends ConnectionStatus {
  /** True while connected, to one broker at least. */
  readonly up: boolean;
  /** What is down and why, for people; undefined while all is up. */
  readonly problem: string | undefined;
  /** Of a server that joins several brokers; else one. */
  readonly connections: readonly ConnectionStatus[];
  /** Of the embedded broker; undefined for an external one. */
  readonly brokerCounts?: BrokerCounts | undefined;
  /** Of the embedded broker; undefined for an external one. */
  readonly brokerState?: BrokerState | undefined;
  /** Why the embedded broker accepts no new clients, for people. */
  readonly acceptProblem?: string | undefined;
}

/** The store and whether it works. */
export interface StoreStatus {
  /** As on the command line, e.g. `memory:`. */
  readonly description: string;
  /** True if the map survives the end of the process. */
  readonly durable: boolean;
  /** Why it fails, for people; undefined while it works. */
  readonly problem: string | undefined;
  /** Undefined if only this server uses the store. */
  readonly shared?: SharedStatus | undefined;
}

/** A store that several servers share, as this server sees it. */
export interface SharedStatus {
  /** The names of the servers, sorted. */
  readonly members: readonly string[];
  /** Number of shards. */
  readonly shards: number;
  /** The shards whose lease this server holds. */
  readonly held: readonly number[];
  /** What was read of the journals and not applied. */
  readonly lag: {
    readonly entries: number;
    /** Age of the oldest entry, in ms. */
    readonly ms: number;
  };
  /** Damaged entries that were skipped; undefined if not counted. */
  readonly damagedEntries: number | undefined;
  /** By shard; undefined if not known. */
  readonly sizes: readonly ShardSize[] | undefined;
}

/** A webhook and its events since the start of the server. */
export interface WebhookStatus {
  /** From 1. */
  readonly number: number;
  /** The part of its address that is not secret. */
  readonly origin: string;
  readonly counts: {
    readonly sent: number;
    readonly failed: number;
    readonly dropped: number;
    readonly retries: number;
    /** Waiting now. */
    readonly queued: number;
  };
}

/** The sources of readings. */
export interface ReadableSources {
  /** How many there are. */
  readonly size: number;
  /** How many of them are silent. */
  readonly silent: number;
  /** Returns the list. */
  list(query?: SourceQuery): SourceList;
}

/** The occupancy server, as the HTTP server uses it. */
export interface HttpContext {
  /** The server's MQTT client id. */
  readonly name: string;
  /** The version of occupancy. */
  readonly version: string;
  readonly topics: Topics;
  /** Returns how clients reach the broker. */
  clientAccess(): ClientAccess;
  /**
   * Synchronous reads see one revision; after an `await` the revision may be
   * later.
   */
  readonly map: ReadableMap;
  readonly counts: ServerCounts;
  readonly zones: ZoneService;
  readonly sources: ReadableSources;
  /** Answers questions about the past; undefined if it is not recorded. */
  readonly history: HistoryService | undefined;
  /**
   * Deletes what was recorded before a time, ms since 1970.
   *
   * @returns resolves when it is deleted; undefined if another deletion is not
   * done yet
   */
  pruneHistory(ms: number): Promise<void> | undefined;
  /** How many cells the map may have, and how large it may be. */
  readonly cellLimits: {
    readonly maxCells?: number | undefined;
    readonly maxLayerCells?: number | undefined;
    /** In bytes. */
    readonly maxBytes?: number | undefined;
  };
  /** The floor plans by layer. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** Returns how to show a layer; undefined for the defaults. */
  displayOf(layer: string): LayerDisplay | undefined;
  /** When the server started, ms since 1970. */
  readonly started: number;
  /**
   * Returns the start of a map that is not stored, see `MapMoment.began`;
   * undefined for a stored map.
   */
  began(): number | undefined;
  /** Aborted when the server ends, to close streams and sockets. */
  readonly signal: AbortSignal;
  /** The server's clock, ms since 1970. */
  clock(): number;
  /**
   * Updates which cells are stale. Call it before reading the map; it is cheap
   * if no cell has become stale.
   *
   * @returns the time at which the map is correct, ms since 1970; undefined
   * while the store fails: then cells that the map shows as fresh may be stale
   */
  refresh(): number | undefined;
  /** Returns true when the map is loaded. Until then the map is empty. */
  loaded(): boolean;
  link(): LinkStatus;
  store(): StoreStatus;
  /** Returns the webhooks, always the same ones. */
  webhooks(): Iterable<WebhookStatus>;
  /**
   * Submits a payload of readings, in the formats of the data topic.
   *
   * @param layer a valid name
   * @param payload must not be changed until the promise resolves
   * @param contentType `text/csv` or `application/json`; any other value: the
   * first byte of the payload decides
   * @returns resolves once the readings are committed and in the map
   */
  submit(
    layer: string,
    payload: Uint8Array,
    contentType?: string,
  ): Promise<SubmissionResult>;
  /**
   * Waits until all readings that have arrived are in the map, or refused, or
   * the store fails. Call it before {@linkcode deleteLayer}, which otherwise
   * processes them in one turn of the event loop.
   */
  processed(): Promise<void>;
  /**
   * Waits until the layer has all that the servers that share the store had
   * committed before the call, or the store fails. Resolves at once if the store
   * is not shared.
   */
  caughtUp(layer: string): Promise<void>;
  /**
   * Deletes a layer. When the promise resolves, the deletion is committed.
   *
   * @param layer a valid name
   * @returns the counts of the deleted cells, or why none were deleted
   */
  deleteLayer(
    layer: string,
  ): Promise<CellCounts | "no-layer" | UnavailableCode>;
  /**
   * Calls the listener after the map, the link or the store has changed, at
   * most once per commit. The listener must be fast and must not throw:
   * readings wait for it.
   *
   * @returns a function that removes the listener; safe to call twice
   */
  observe(listener: () => void): () => void;
  /**
   * Calls the listener after each commit with its duration in ms and its number
   * of readings. Replaces the previous listener.
   */
  observeCommits(listener: (ms: number, readings: number) => void): void;
  /**
   * Calls the listener after each MQTT request whose reply was sent, with the
   * time from the request's arrival, in ms. Replaces the previous listener.
   */
  observeRequests(listener: (ms: number) => void): void;
  /**
   * Returns the source of the last reading of a cell; undefined if the reading
   * named none, or if the server has restarted since.
   */
  sourceOf(layer: string, x: number, y: number): string | undefined;
}

/**
 * The options of a server, and the context that its parts share.
 *
 * @module
 */
import type { LimitCounts } from "../common/limit_counts.ts";
import type { OccupancyMap } from "../grid/mod.ts";
import { messageOf } from "../common/errors.ts";
import { type Link, LinkError, type PublishOptions } from "../mqtt/link.ts";
import type { GroupTopics, LayerDisplay, Topics } from "../protocol/mod.ts";
import type { Zone } from "../zones/mod.ts";
import type { LoadLimit, Store, StoreError } from "../store/store.ts";
import { CellLimiter, type CellLimits } from "./cell_limiter.ts";
import { Leadership } from "./leadership.ts";
import type { ServerLog } from "./log.ts";
import { ReceiptClock } from "./receipt_clock.ts";
import type { SessionSource } from "./group/sessions.ts";
import { History, type HistoryOptions } from "./history/history.ts";
import { SourceBook } from "./source_book.ts";
import { SourceRegistry } from "./sources/source_registry.ts";
import { Telemetry } from "./telemetry.ts";

export type { ServerLog } from "./log.ts";

/** Limited, because any publisher can create a layer; each costs about 9 KB. */
const DEFAULT_MAX_LAYERS = 10_000;
/** Half a million readings: their commit takes about 50 ms. */
const DEFAULT_MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
const DEFAULT_CHANGES_INTERVAL_MS = 100;

/** The zones of a file. */
export interface FileZones {
  /** For people: the path of the file. */
  readonly file: string;
  /** See `readZones()`. */
  readonly zones: readonly Zone[];
}

/** Options of {@linkcode Server}. */
export interface ServerOptions {
  /** Opened by {@linkcode Server.start}, closed by {@linkcode Server.stop}. */
  readonly link: Link;
  /** Loaded at start, closed at stop. */
  readonly store: Store;
  /** Empty; filled from the store at start. */
  readonly map: OccupancyMap;
  readonly topics: Topics;
  /** The topics of its group. Default: it shares its load with no server. */
  readonly group?: GroupTopics | undefined;
  /** Opens the sessions of members of the group. Default: they wait. */
  readonly sessions?: SessionSource | undefined;
  /** The MQTT client id; published in the server's state. */
  readonly name: string;
  readonly version: string;
  readonly log: ServerLog;
  /** The clock of the machine, ms since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: () => number;
  /** Larger messages with readings are refused, in bytes. Default 8 MiB. */
  readonly maxPayload?: number;
  /** Readings that would create more layers are refused. Default 10,000. */
  readonly maxLayers?: number;
  /** Readings that would create more cells are refused. Default: none. */
  readonly cellLimits?: CellLimits;
  /** The start fails if the stored map is larger. Default: no limit. */
  readonly loadLimit?: LoadLimit;
  /**
   * Cells that have been unknown for this time are removed, in ms. Default
   * `Infinity`.
   */
  readonly removeAfter?: number;
  /**
   * A source without a reading for this time is silent, in ms. Default: sources
   * are never silent.
   */
  readonly silentAfter?: number | undefined;
  /** Minimum time between deltas of a layer, in ms; 0: none. Default 100. */
  readonly changesInterval?: number;
  /** Returns how to show a layer. Default: undefined, for the defaults. */
  readonly displayOf?: (layer: string) => LayerDisplay | undefined;
  /** The zones of a file. Default: those of the store. */
  readonly fileZones?: FileZones | undefined;
  /**
   * The discovery prefix of Home Assistant. Default: zones are not announced,
   * and those that were announced before are removed.
   */
  readonly homeAssistant?: string | undefined;
  /** How the history is recorded. Default: it is not. */
  readonly history?: HistoryOptions | undefined;
  /** Counts what limits refuse; shared with the broker. Default: a new one. */
  readonly limited?: LimitCounts;
}

/** The connection to the broker, or to all brokers. */
export interface LinkState {
  /** Of several connections: true while one is up. */
  readonly up: boolean;
  /** When `up` last changed, ms since 1970. */
  readonly since: number;
  /** Why connections are down, for people; undefined while all are up. */
  readonly problem: string | undefined;
}

/** The present state of a server. Each field is written in one place. */
export interface ServerStatus {
  /** True once the map is loaded. Written by {@linkcode Server}. */
  loaded: boolean;
  /**
   * When the map began, see `MapMoment.began`, ms since 1970; undefined if the
   * store is durable. Written by {@linkcode Server}.
   */
  began: number | undefined;
  /** Written by `Connections`. */
  link: LinkState;
  /**
   * When another client has last used the client id of this server, ms since
   * 1970. Written by `Connections`.
   */
  conflictAt: number | undefined;
  /** Why the store fails; undefined while it works. Written by the pipeline. */
  storeProblem: StoreError | undefined;
}

/** What the parts of a server share. */
export interface ServerContext {
  readonly link: Link;
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly sources: SourceBook;
  readonly registry: SourceRegistry;
  readonly topics: Topics;
  readonly group: GroupTopics | undefined;
  readonly name: string;
  readonly version: string;
  readonly log: ServerLog;
  readonly clock: ReceiptClock;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
  readonly telemetry: Telemetry;
  readonly status: ServerStatus;
  readonly leadership: Leadership;
  /** Undefined if it is not recorded. */
  readonly history: History | undefined;
  /** In bytes. */
  readonly maxPayload: number;
  readonly maxLayers: number;
  readonly cellLimiter: CellLimiter;
  readonly loadLimit: LoadLimit | undefined;
  /** In ms; `Infinity`: no cells are removed. */
  readonly removeAfter: number;
  /** In ms; undefined: sources are never silent. */
  readonly silentAfter: number | undefined;
  /** In ms; 0: no deltas. */
  readonly changesInterval: number;
  readonly displayOf: ((layer: string) => LayerDisplay | undefined) | undefined;
}

/** Returns the context of a server that has not started. */
export function createContext(options: ServerOptions): ServerContext {
  const { link, store, map, topics, name, version, log } = options;
  const monotonic = options.monotonic ?? (() => performance.now());
  const clock = new ReceiptClock(map, {
    clock: options.clock ?? Date.now,
    monotonic,
    connections: link.connections ?? [link],
    isGroup: options.group !== undefined,
  });
  const telemetry = new Telemetry(options.limited);
  const { limited } = telemetry.stats;
  const status: ServerStatus = {
    loaded: false,
    began: undefined,
    link: {
      up: false,
      since: clock.now(),
      problem: "not connected to the broker yet",
    },
    conflictAt: undefined,
    storeProblem: undefined,
  };
  const leadership = new Leadership({ store, status, log });
  return {
    link,
    store,
    map,
    sources: new SourceBook(),
    registry: new SourceRegistry({ began: clock.now(), monotonic, limited }),
    topics,
    group: options.group,
    name,
    version,
    log,
    clock,
    monotonic,
    telemetry,
    status,
    leadership,
    history: options.history && store.history && new History(
      {
        store,
        map,
        log,
        leadership,
        limited,
        monotonic,
        now: () => clock.now(),
      },
      store.history,
      options.history,
    ),
    maxPayload: options.maxPayload ?? DEFAULT_MAX_PAYLOAD_BYTES,
    maxLayers: options.maxLayers ?? DEFAULT_MAX_LAYERS,
    cellLimiter: new CellLimiter(map, options.cellLimits ?? {}),
    loadLimit: options.loadLimit,
    removeAfter: options.removeAfter ?? Infinity,
    silentAfter: options.silentAfter,
    changesInterval: options.changesInterval ?? DEFAULT_CHANGES_INTERVAL_MS,
    displayOf: options.displayOf,
  };
}

/**
 * Publishes; logs a failure instead of throwing.
 *
 * @returns resolves with false if the broker refused the message; of a link that
 * was closed it may have it
 */
export async function publishOrWarn(
  { link, log }: Pick<ServerContext, "link" | "log">,
  topic: string,
  payload: Uint8Array,
  options: PublishOptions = {},
): Promise<boolean> {
  try {
    await link.publish(topic, payload, options);
    return true;
  } catch (error) {
    log.warnLimited(
      "failed-publish",
      `Cannot publish on ${topic}: ${messageOf(error)}`,
    );
    return error instanceof LinkError && error.code === "closed";
  }
}

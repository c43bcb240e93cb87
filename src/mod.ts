/**
 * A client of the occupancy server: publishes readings, requests the map, its
 * past and zones, and watches their changes. The commands `occupancy client` and
 * `occupancy request` use the same code. docs/LIBRARY.md is the introduction.
 *
 * @example
 * ```ts
 * import { CellMap, connect } from "./mod.ts";
 *
 * async function main() {
 *   await using client = await connect({ broker: "mqtt://localhost:1883" });
 *   await client.publish([{ x: 1, y: 2, value: true }, { x: 1, y: 3, value: 0 }]);
 *
 *   const map = await client.request({ region: { x0: 0, y0: 0, x1: 9, y1: 9 } });
 *   console.log(map.get(1, 2)?.value); // 1
 *   for (const { x, y, value, stale } of map) console.log(x, y, value, stale);
 *
 *   let live: CellMap | undefined;
 *   for await (const event of client.watch({ signal: AbortSignal.timeout(60_000) })) {
 *     if (live === undefined) live = new CellMap(event);
 *     else live.apply(event);
 *     console.log(`${event.cells.length} cells changed, ${live.size} in all`);
 *   }
 * }
 * ```
 *
 * @module
 */
import {
  type ConnectOptions,
  type Reading,
  type ReadingTable,
  Sender,
  toBatch,
} from "./client/mod.ts";
import { type Link, LinkError } from "./mqtt/link.ts";
import { brokerUrl } from "./mqtt/url.ts";
import {
  type Region,
  type Series,
  type SourceList,
  type SourceQuery,
  type Step,
  Topics,
} from "./protocol/mod.ts";
import {
  CellMap,
  type PastCellMap,
  Requester,
  requestPastMap,
  requestSeries,
  requestSources,
  type ServerWatch,
  type Time,
  Watcher,
  type WatchEvent,
  type ZonesView,
  ZoneWatcher,
  type ZoneWatchEvent,
} from "./request/mod.ts";

export type { ConnectOptions, Reading, ReadingTable } from "./client/mod.ts";
export {
  AppError,
  type AppErrorOptions,
  type ExitClass,
} from "./common/errors.ts";
export { LinkError, type LinkErrorCode } from "./mqtt/link.ts";
export {
  type GapMs,
  type LayerDisplay,
  type PastCell,
  type PastReplyHeader,
  ProtocolError,
  type ProtocolErrorOptions,
  ReadingBatch,
  type Region,
  type Scalar,
  type Series,
  type SourceActivity,
  type SourceList,
  type SourceQuery,
  type SourceState,
  type Step,
  type Unit,
} from "./protocol/mod.ts";
export {
  CellMap,
  type CellState,
  type MapView,
  NoAnswerError,
  PastCellMap,
  type PastCellState,
  RefusedError,
  type Time,
  type WatchEvent,
  type ZonesView,
  type ZoneWatchEvent,
} from "./request/mod.ts";
export type { ZoneEvent, ZoneEventName, ZoneState } from "./zones/mod.ts";

const DEFAULT_BROKER = "mqtt://localhost:1883";
const DEFAULT_TIMEOUT_MS = 5000;
/** Readings per message. Fewer messages are less work for the broker. */
const READINGS_PER_MESSAGE = 1000;

/** Options of {@linkcode OccupancyClient.publish}. */
export interface PublishOptions {
  /** Default `default`. */
  readonly layer?: string;
  /** The name of the source of the readings, at most 200 UTF-16 code units. */
  readonly source?: string;
  /** Stops the sending. Readings sent before are not undone. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode OccupancyClient.request}. */
export interface RequestOptions {
  /** Default `default`. */
  readonly layer?: string;
  /**
   * Only the cells between these opposite corners, both included, in 32-bit
   * integers. Default: all.
   */
  readonly region?: Region;
  /**
   * Only the cells that changed after this revision of the same layer. Default:
   * all.
   */
  readonly since?: number;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode OccupancyClient.watch}. */
export interface WatchOptions {
  /** Default `default`. */
  readonly layer?: string;
  /**
   * Only the cells between these opposite corners, both included, in 32-bit
   * integers. Default: all.
   */
  readonly region?: Region;
  /** Ends the watch. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode OccupancyClient.zones} and its watch. */
export interface ZonesOptions {
  /** The names of the zones. Default: all zones. */
  readonly names?: readonly string[];
  /** Aborts the request, or ends the watch. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode OccupancyClient.mapAt}. */
export interface MapAtOptions {
  /** Default `default`. */
  readonly layer?: string;
  /**
   * Only the cells between these opposite corners, both included, in 32-bit
   * integers. Default: all.
   */
  readonly region?: Region;
  /** The time zone of dates: an IANA name. Default: that of the server. */
  readonly timezone?: string;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode OccupancyClient.history}. */
export interface HistoryOptions {
  /**
   * The name of a zone. Do not combine it with `layer` and `region`. Default: a
   * series of a region.
   */
  readonly zone?: string;
  /** The layer of the region. Default `default`. */
  readonly layer?: string;
  /** The region. Default: the whole layer. */
  readonly region?: Region;
  /** The first time. Default: a day ago. */
  readonly from?: Time;
  /** The time after the last. Default: now. */
  readonly to?: Time;
  /** The length of the steps; at most 10,000 of them. Default `1h`. */
  readonly step?: Step;
  /**
   * The time zone of dates, days and weeks: an IANA name. Default: that of the
   * server.
   */
  readonly timezone?: string;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode OccupancyClient.sources}. */
export interface SourcesOptions extends SourceQuery {
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to the broker of a server. If the connection is lost later, the
 * client reconnects until it is closed.
 *
 * @throws {LinkError} if the broker cannot be reached, or rejects the client
 * @throws {ProtocolError} if the prefix or the client id cannot be in a topic
 */
export async function connect(
  options: ConnectOptions = {},
): Promise<OccupancyClient> {
  const client = new OccupancyClient(options);
  await client.open();
  return client;
}

/** A connection to an occupancy server. {@linkcode connect} creates one. */
export class OccupancyClient implements AsyncDisposable {
  /** The MQTT client id. */
  readonly clientId: string;
  readonly #options: ConnectOptions;
  readonly #topics: Topics;
  readonly #requester: Requester;
  readonly #timeout: number;
  readonly #closing = new AbortController();
  readonly #links = new Set<Link>();
  #link: Link | undefined;
  #watches = 0;

  /**
   * Creates a client that is not connected yet. Use {@linkcode connect}
   * instead, or call {@linkcode open}.
   *
   * @throws {ProtocolError} as {@linkcode connect}
   */
  constructor(options: ConnectOptions) {
    this.#options = options;
    this.clientId = options.clientId ??
      `occupancy-${crypto.randomUUID().slice(0, 8)}`;
    this.#topics = new Topics(options.prefix);
    this.#timeout = options.timeout ?? DEFAULT_TIMEOUT_MS;
    this.#requester = new Requester({
      topics: this.#topics,
      name: this.clientId,
    });
  }

  /**
   * Connects, if the client is not connected.
   *
   * @throws {LinkError} as {@linkcode connect}
   */
  async open(): Promise<void> {
    this.#link ??= await this.#connect(this.#requester);
  }

  /**
   * Publishes readings, in order, and waits until the broker has acknowledged
   * all of them. The server applies them before it answers a later request of
   * this client.
   *
   * @param readings objects or columns
   * @throws {RangeError} if a field is out of range; then nothing is sent
   * @throws {ProtocolError} "bad-layer"
   * @throws {LinkError} if the broker refuses a message, or the client is closed
   * @throws the signal's reason if aborted
   */
  async publish(
    readings: Iterable<Reading> | ReadingTable,
    { layer, source, signal }: PublishOptions = {},
  ): Promise<void> {
    const sender = new Sender(this.#openLink(), {
      topic: this.#topics.data(layer),
      batch: READINGS_PER_MESSAGE,
      source,
      signal,
    });
    await sender.send(toBatch(readings));
    await sender.finish();
    signal?.throwIfAborted();
  }

  /**
   * Requests the map. With `since`, the reply has only the cells that changed.
   * If its revision is lower than `since`, the server has another map, and the
   * reply has all of its cells.
   *
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request
   * @throws {LinkError} if the client is closed
   * @throws the signal's reason if aborted
   */
  async request(options: RequestOptions = {}): Promise<CellMap> {
    const view = await this.#requester.request(this.#openLink(), {
      ...options,
      timeout: this.#timeout,
      signal: this.#orClosed(options.signal),
    });
    return new CellMap(view);
  }

  /**
   * Watches the map: yields a snapshot, then every change. Uses a separate
   * connection, which closes when the loop ends. The watch continues without a
   * missed change if the broker or the server is unavailable for less than the
   * timeout.
   *
   * @throws {NoAnswerError} if the server is offline or silent for too long
   * @throws {RefusedError} if the server rejects the request
   * @throws {LinkError} if the broker is unavailable for too long, or the
   * client is closed
   */
  async *watch(
    { layer, region, signal }: WatchOptions = {},
  ): AsyncGenerator<WatchEvent, void, void> {
    const watcher = new Watcher({
      ...this.#watchOptions(),
      ...(layer !== undefined && { layer }),
      ...(region && { region }),
    });
    yield* this.#follow(watcher, signal);
  }

  /**
   * Requests the states of zones, all of one moment.
   *
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request: "no-zone" if there
   * is no zone of a name
   * @throws {LinkError} if the client is closed
   * @throws the signal's reason if aborted
   */
  async zones({ names, signal }: ZonesOptions = {}): Promise<ZonesView> {
    return await this.#requester.requestZones(this.#openLink(), {
      ...(names && { names }),
      timeout: this.#timeout,
      signal: this.#orClosed(signal),
    });
  }

  /**
   * Requests the sources of readings: silent ones first, then those without a
   * reading for the longest time.
   *
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request
   * @throws {LinkError} if the client is closed
   * @throws the signal's reason if aborted
   */
  async sources(
    { signal, ...query }: SourcesOptions = {},
  ): Promise<SourceList> {
    return await requestSources(this.#requester, this.#openLink(), {
      ...query,
      timeout: this.#timeout,
      signal: this.#orClosed(signal),
    });
  }

  /**
   * Requests the map as it was at a time, from a server with a history.
   *
   * @param at the time
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request: "bad-time" if the
   * time is not valid, before the first record or in the future, "history-off"
   * if the server records no history, "no-history" if it is of a version without
   * @throws {LinkError} if the client is closed
   * @throws the signal's reason if aborted
   */
  async mapAt(
    at: Time,
    { signal, ...query }: MapAtOptions = {},
  ): Promise<PastCellMap> {
    return await requestPastMap(this.#requester, this.#openLink(), {
      ...{ ...query, at, timeout: this.#timeout },
      signal: this.#orClosed(signal),
    });
  }

  /**
   * Requests how many were in a zone, a region or a layer, step by step, from a
   * server with a history.
   *
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request: "bad-time",
   * "bad-range" or "bad-step" if the times are not valid, "unknown-zone", or as
   * {@linkcode mapAt}
   * @throws {LinkError} if the client is closed
   * @throws the signal's reason if aborted
   */
  async history({ signal, ...query }: HistoryOptions = {}): Promise<Series> {
    return await requestSeries(this.#requester, this.#openLink(), {
      ...{ ...query, timeout: this.#timeout },
      signal: this.#orClosed(signal),
    });
  }

  /**
   * Watches zones: yields a snapshot, then every change of a state and every
   * event. Uses a separate connection, as {@linkcode watch} does, and continues
   * in the same way: what changed while the broker or the server was unavailable
   * follows as one change. The events of that time are lost.
   *
   * @throws {NoAnswerError} if the server is offline or silent for too long
   * @throws {RefusedError} if the server rejects the request: "no-zone" if there
   * is no zone of a name at the start
   * @throws {ProtocolError} "bad-zone"
   * @throws {LinkError} if the broker is unavailable for too long, or the
   * client is closed
   */
  async *watchZones(
    { names, signal }: ZonesOptions = {},
  ): AsyncGenerator<ZoneWatchEvent, void, void> {
    const watcher = new ZoneWatcher({ ...this.#watchOptions(), names });
    yield* this.#follow(watcher, signal);
  }

  /** Aborts requests, ends watches and disconnects. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort(closedError());
    this.#link = undefined;
    const links = [...this.#links];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  /** Calls {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #openLink(): Link {
    if (this.#link !== undefined) return this.#link;
    throw closedError();
  }

  /** Returns a signal that is also aborted when the client is closed. */
  #orClosed(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal ? AbortSignal.any([signal, closing]) : closing;
  }

  #watchOptions() {
    const name = `${this.clientId}-watch${++this.#watches}`;
    return { topics: this.#topics, name, timeout: this.#timeout };
  }

  async *#follow<Event>(
    watcher: ServerWatch<Event, unknown>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Event, void, void> {
    this.#openLink();
    const ended = this.#orClosed(signal);
    if (ended.aborted) return;
    const link = await this.#connect(watcher);
    try {
      yield* watcher.watch(link, { signal: ended });
    } finally {
      this.#links.delete(link);
      await link.close();
    }
  }

  async #connect(
    role: Requester | ServerWatch<unknown, unknown>,
  ): Promise<Link> {
    const {
      broker = DEFAULT_BROKER,
      prefix: _prefix,
      clientId: _clientId,
      timeout: _timeout,
      ...access
    } = this.#options;
    // Loaded on demand: the MQTT package is most of the code.
    const { Connection } = await import("./mqtt/connection.ts");
    const link = new Connection({
      ...access,
      url: brokerUrl(broker),
      clientId: role.name,
      subscriptions: role.subscriptions,
    });
    await link.open(role.handlersFor(link));
    this.#links.add(link);
    return link;
  }
}

function closedError(): LinkError {
  return new LinkError("closed", "Cannot use the client: it is not connected");
}

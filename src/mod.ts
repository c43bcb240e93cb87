/**
 * A client of the occupancy server, for programs: send readings, ask for the
 * map, watch what changes. It is what `occupancy client` and `occupancy
 * request` are made of. docs/LIBRARY.md introduces it.
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
  type Reading,
  type ReadingTable,
  Sender,
  toBatch,
} from "./client/mod.ts";
import { type Link, LinkError } from "./mqtt/link.ts";
import { brokerUrl } from "./mqtt/url.ts";
import { type Region, Topics } from "./protocol/mod.ts";
import { CellMap, Requester, Watcher, type WatchEvent } from "./request/mod.ts";

export type { Reading, ReadingTable } from "./client/mod.ts";
export { LinkError, type LinkErrorCode } from "./mqtt/link.ts";
export { ProtocolError, ReadingBatch, type Region } from "./protocol/mod.ts";
export {
  CellMap,
  type CellState,
  NoAnswerError,
  RefusedError,
  type WatchEvent,
} from "./request/mod.ts";

const DEFAULT_BROKER = "mqtt://localhost:1883";
const DEFAULT_TIMEOUT = 5000;
/** Readings a message: the broker's work is by message. */
const BATCH = 1000;

/** How to reach the server, and as whom. */
export interface ConnectOptions {
  /** `host`, `host:port` or an `mqtt:`, `mqtts:`, `ws:`, `wss:` URL. Default this machine. */
  readonly broker?: string;
  /** What the server's topics start with. Default `occupancy`. */
  readonly prefix?: string;
  /** MQTT client id, unique on the broker. Default one that nobody else has. */
  readonly clientId?: string;
  /** How long the server or the broker may be silent, ms. Default 5,000. */
  readonly timeout?: number;
  /** PEM certificate authorities to trust instead of the system's. */
  readonly ca?: string;
}

/** Where readings go. */
export interface PublishOptions {
  /** Default `default`. */
  readonly layer?: string;
  /** Who observed them, at most 200 UTF-16 code units. */
  readonly source?: string;
  /** Ends the sending; what was sent stays sent. */
  readonly signal?: AbortSignal;
}

/** Which part of the map. */
export interface RequestOptions {
  /** Default `default`. */
  readonly layer?: string;
  /** Only these cells, edges included; 32-bit integers. Default: all. */
  readonly region?: Region;
  /** Only what changed after this revision of an earlier map. Default: all. */
  readonly since?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** What is watched. */
export interface WatchOptions {
  /** Default `default`. */
  readonly layer?: string;
  /** Only these cells, edges included; 32-bit integers. Default: all. */
  readonly region?: Region;
  /** Ends the watching. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to the server's broker. A connection that is lost later is tried
 * again until it is closed.
 *
 * @throws {LinkError} If there is no broker, or it refuses
 * @throws {ProtocolError} If the prefix or the client id is no topic name
 */
export async function connect(
  options: ConnectOptions = {},
): Promise<OccupancyClient> {
  const client = new OccupancyClient(options);
  await client.open();
  return client;
}

/** A connection to an occupancy server. {@linkcode connect} makes one. */
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

  /** Not yet connected: see {@linkcode open}. Throws as {@linkcode connect} does. */
  constructor(options: ConnectOptions) {
    this.#options = options;
    this.clientId = options.clientId ??
      `occupancy-${crypto.randomUUID().slice(0, 8)}`;
    this.#topics = new Topics(options.prefix);
    this.#timeout = options.timeout ?? DEFAULT_TIMEOUT;
    this.#requester = new Requester({
      topics: this.#topics,
      name: this.clientId,
    });
  }

  /** Connects. {@linkcode connect} has done that. @throws {LinkError} as it does */
  async open(): Promise<void> {
    this.#link ??= await this.#connect(this.#requester);
  }

  /**
   * Sends readings, in order, and waits until the broker has them all. On this
   * connection a later request is answered after them.
   *
   * @param readings One by one, or as columns
   * @throws {RangeError} If a field is out of range; then nothing is sent
   * @throws {ProtocolError} "bad-layer"
   * @throws {LinkError} If the broker refuses them, or the client is closed
   */
  async publish(
    readings: Iterable<Reading> | ReadingTable,
    { layer, source, signal }: PublishOptions = {},
  ): Promise<void> {
    const sender = new Sender(this.#open(), {
      topic: this.#topics.data(layer),
      batch: BATCH,
      source,
      signal,
    });
    await sender.send(toBatch(readings));
    await sender.finish();
    signal?.throwIfAborted();
  }

  /**
   * Asks for the map. With `since`, only what changed is in it; if its revision
   * is below `since`, the server has begun another map: ask for all of it.
   *
   * @throws {NoAnswerError} If the server is silent for too long
   * @throws {RefusedError} If the server refuses the request
   * @throws {LinkError} If the client is closed
   * @throws What the signal was aborted with
   */
  async request(options: RequestOptions = {}): Promise<CellMap> {
    const view = await this.#requester.request(this.#open(), {
      ...options,
      timeout: this.#timeout,
      signal: this.#untilClosed(options.signal),
    });
    return new CellMap(view);
  }

  /**
   * Watches the map: a snapshot, then what changes, never with a hole. It has a
   * connection of its own, which ends with the loop. Broker and server may be
   * away for up to the timeout.
   *
   * @throws {NoAnswerError} If the server is silent for too long
   * @throws {RefusedError} If the server refuses to give the map
   * @throws {LinkError} If the broker is away for too long
   */
  async *watch(
    { layer, region, signal }: WatchOptions = {},
  ): AsyncGenerator<WatchEvent, void, void> {
    this.#open();
    const watcher = new Watcher({
      topics: this.#topics,
      name: `${this.clientId}-watch${++this.#watches}`,
      timeout: this.#timeout,
      ...(layer !== undefined && { layer }),
      ...(region && { region }),
    });
    const until = this.#untilClosed(signal);
    if (until.aborted) return;
    const link = await this.#connect(watcher);
    try {
      yield* watcher.watch(link, { signal: until });
    } finally {
      this.#links.delete(link);
      await link.close();
    }
  }

  /** Ends all that is under way, and disconnects. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    this.#link = undefined;
    const links = [...this.#links];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  /** As {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): Link {
    if (this.#link !== undefined) return this.#link;
    throw closed();
  }

  #untilClosed(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal ? AbortSignal.any([signal, closing]) : closing;
  }

  async #connect(listener: Requester | Watcher): Promise<Link> {
    const { broker = DEFAULT_BROKER, ca } = this.#options;
    // Loaded when it is needed: it is most of what there is to load.
    const { Connection } = await import("./mqtt/connection.ts");
    const link = new Connection({
      url: brokerUrl(broker),
      clientId: listener.name,
      subscriptions: listener.subscriptions,
      ...(ca !== undefined && { ca }),
    });
    await link.open(listener.handlersFor(link));
    this.#links.add(link);
    return link;
  }
}

function closed(): LinkError {
  return new LinkError("closed", "Cannot use the client: it is not connected");
}

/**
 * Watches the map: a snapshot, then every change.
 *
 * @module
 */
import { delay, doneWithin } from "../common/async.ts";
import {
  type Incoming,
  type Link,
  LinkError,
  type LinkHandlers,
} from "../mqtt/link.ts";
import {
  ChangesFollower,
  type ChangesPart,
  DEFAULT_LAYER,
  type LayerDisplay,
  type MapMoment,
  parseChanges,
  ProtocolError,
  type ReadingBatch,
  type Region,
  sortedRegion,
  type Topics,
} from "../protocol/mod.ts";
import { cellsWithin, type MapView, Requester } from "./requester.ts";
import { RefusedError } from "./errors.ts";
import { DeltaBuffer } from "./delta_buffer.ts";

const DEFAULT_CHECK_AFTER_MS = 10_000;
const DEFAULT_REQUEST_INTERVAL_MS = 1000;

/**
 * An event of a watch. A client that applies all events in order has the
 * server's map.
 *
 * A cell is stale if it was observed more than `staleAfter` before the `time`
 * of the last event with this cell. The server sends an event when cells become
 * stale, fresh or unknown, so do not age cells by a local clock. An unknown cell
 * (value below 0) is never stale.
 */
export interface WatchEvent {
  /** Whether `cells` are all cells of the region, or those that changed. */
  readonly kind: "snapshot" | "changes";
  /** The watched layer. */
  readonly layer: string;
  /** The revision of the map after this event. */
  readonly revision: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /**
   * Cells observed longer ago than this, before `time`, are stale, in ms.
   * Without it, no cell is stale.
   */
  readonly staleAfter?: number;
  /** Identifies the map, see `MapMoment.began`. */
  readonly began?: number;
  /** How the server wants the layer to be shown, as of its last reply. */
  readonly display?: LayerDisplay;
  /** Each with its time; a value below 0 is unknown. Owned by the receiver. */
  readonly cells: ReadingBatch;
}

/** Options of {@linkcode Watcher}. */
export interface WatcherOptions {
  readonly topics: Topics;
  /** The MQTT client id. The reply topic is derived from it. */
  readonly name: string;
  /** Default `default`. */
  readonly layer?: string;
  /** Only the cells of this region. Default: all. */
  readonly region?: Region;
  /** Maximum time without the server or the broker, in ms. */
  readonly timeout: number;
  /**
   * Time without a delta after which the watcher requests what changed, in ms,
   * in case it missed one. Default 10,000.
   */
  readonly checkAfter?: number;
  /** Minimum time between two requests, in ms. Default 1,000. */
  readonly requestInterval?: number;
}

/**
 * Follows the map and never misses a change: after a missing delta and after
 * each reconnect it requests what changed. Open the link with
 * {@linkcode subscriptions} and {@linkcode handlersFor}.
 */
export class Watcher {
  /** The MQTT client id. */
  readonly name: string;
  readonly #options: WatcherOptions;
  readonly #layer: string;
  readonly #changesTopic: string;
  readonly #requester: Requester;
  readonly #deltas = new DeltaBuffer();
  #watching = false;
  #connected = false;
  #disconnectReason = "";
  #linkFailure: LinkError | undefined;
  /** The state of the client's copy; undefined before the first snapshot. */
  #follower: ChangesFollower | undefined;
  /** Of the last reply: deltas have none. */
  #display: LayerDisplay | undefined;
  /** True if deltas may have been missed. */
  #mustRequest = true;
  #lastRequest = -Infinity;
  /** When the last reply or delta was applied, of `performance.now()`. */
  #lastApplied = -Infinity;
  /** Since when the store of the server fails; undefined if it works. */
  #storeFailingSince: number | undefined;
  /** Aborted to end the current wait or request. */
  #interrupt = new AbortController();
  #wake: (() => void) | undefined;

  /** @throws {ProtocolError} "bad-layer", or "bad-reply-topic" for the name */
  constructor(options: WatcherOptions) {
    const { topics, name, layer = DEFAULT_LAYER } = options;
    this.name = name;
    const { region } = options;
    this.#options = {
      ...options,
      ...region && { region: sortedRegion(region) },
    };
    this.#layer = layer;
    this.#changesTopic = topics.changes(layer);
    this.#requester = new Requester({ topics, name });
  }

  /** The topics to subscribe to. */
  get subscriptions(): string[] {
    return [...this.#requester.subscriptions, this.#changesTopic];
  }

  /** Returns the handlers to open the link with. */
  handlersFor(link: Link): LinkHandlers {
    const requester = this.#requester.handlersFor(link);
    return {
      message: (message) => {
        if (message.topic === this.#changesTopic) {
          link.acknowledge([message]);
          this.#receiveDelta(message);
        } else {
          const before = this.#requester.serverState;
          requester.message(message);
          const after = this.#requester.serverState;
          if (before === "offline" && after !== before) this.#onAvailable();
          else if (after === "offline" && after !== before) {
            this.#interruptWait();
          }
        }
      },
      up: () => {
        this.#connected = true;
        this.#onAvailable();
      },
      down: (reason) => {
        this.#connected = false;
        this.#disconnectReason = reason;
        this.#interruptWait();
      },
      failed: (error) => {
        this.#linkFailure = error;
        requester.failed?.(error);
        this.#interruptWait();
      },
    };
  }

  /**
   * Watches until the consumer ends the loop or the signal is aborted. Waits up
   * to the timeout for a broker or server that is unavailable. A slow consumer
   * receives fewer events, each with the sum of several deltas: the buffers in
   * the watcher and in the server are bounded.
   *
   * @throws {NoAnswerError} if the server is offline or silent for too long
   * @throws {RefusedError} if the server rejects the request
   * @throws {LinkError} if the broker is unavailable for too long, or the
   * connection fails permanently
   * @throws {Error} if this watcher is already watching
   */
  async *watch(
    link: Link,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchEvent, void, void> {
    if (this.#watching) {
      throw new Error("Cannot watch: this watcher is already watching");
    }
    this.#watching = true;
    const onAbort = () => this.#interruptWait();
    signal?.addEventListener("abort", onAbort);
    try {
      while (!signal?.aborted) {
        const event = await this.#nextEvent(link, signal);
        if (event !== undefined) yield event;
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#deltas.close();
      this.#discardCopy();
      this.#lastRequest = -Infinity;
      this.#watching = false;
    }
  }

  /** Performs the next step of the watch, which may return no event. */
  async #nextEvent(
    link: Link,
    signal: AbortSignal | undefined,
  ): Promise<WatchEvent | undefined> {
    // Earlier interrupts are handled by the lines below; later ones abort a
    // wait.
    const interrupt = this.#interrupt = new AbortController();
    if (this.#linkFailure !== undefined) throw this.#linkFailure;
    if (signal?.aborted) return undefined;
    if (this.#isServerUnavailable) {
      return await this.#waitForServer(interrupt.signal);
    }
    if (this.#mustRequest || !this.#deltas.isOpen) {
      return await this.#catchUp(link, interrupt.signal);
    }
    const part = this.#deltas.take();
    if (part !== undefined) return this.#applyDelta(part);
    const { checkAfter = DEFAULT_CHECK_AFTER_MS } = this.#options;
    // A delta that changes nothing does not count: with a forged one the copy
    // may have a revision that the server has not reached.
    const remaining = this.#lastApplied + checkAfter - performance.now();
    if (remaining <= 0 || !await this.#waitForDelta(remaining)) {
      this.#mustRequest = true;
    }
    return undefined;
  }

  get #isServerUnavailable(): boolean {
    return !this.#connected || this.#requester.serverState === "offline";
  }

  /** @throws {LinkError | NoAnswerError} after the timeout */
  async #waitForServer(interrupted: AbortSignal): Promise<undefined> {
    const { timeout } = this.#options;
    await this.#waitUntil(performance.now() + timeout, interrupted);
    if (interrupted.aborted) return;
    throw this.#connected
      ? this.#requester.noAnswerError(timeout)
      : new LinkError(
        "unreachable",
        `Disconnected from the broker: ${this.#disconnectReason}`,
        { hint: "Check that the broker runs and that the network works." },
      );
  }

  /** Requests the map, or what changed since the revision of the copy. */
  async #catchUp(
    link: Link,
    interrupted: AbortSignal,
  ): Promise<WatchEvent | undefined> {
    const { region, timeout, requestInterval = DEFAULT_REQUEST_INTERVAL_MS } =
      this.#options;
    await this.#waitUntil(this.#lastRequest + requestInterval, interrupted);
    if (interrupted.aborted) return undefined;
    this.#lastRequest = performance.now();
    this.#mustRequest = true; // until the reply is applied
    this.#deltas.open(); // before the request, so that no delta is missed
    const follower = this.#follower;
    const since = follower?.revision;
    try {
      const view = await this.#requester.request(link, {
        layer: this.#layer,
        timeout,
        signal: interrupted,
        ...(region && { region }),
        ...(since !== undefined && { since }),
      });
      // Interrupted between the arrival of the reply and now.
      if (interrupted.aborted) return undefined;
      this.#storeFailingSince = undefined;
      return this.#applyReply(view as FullView, follower);
    } catch (error) {
      if (interrupted.aborted || this.#isTemporary(error)) return undefined;
      throw error;
    }
  }

  #applyReply(
    view: FullView,
    follower: ChangesFollower | undefined,
  ): WatchEvent | undefined {
    const { revision, began } = view;
    if (
      follower !== undefined &&
      (began !== follower.began || revision < follower.revision)
    ) {
      this.#discardCopy();
      this.#lastRequest = -Infinity; // request all of the new map at once
      return undefined;
    }
    this.#follower = new ChangesFollower(view);
    this.#display = view.display;
    this.#deltas.dropUpTo(revision);
    this.#mustRequest = false;
    this.#lastApplied = performance.now();
    return this.#eventOf(follower ? "changes" : "snapshot", view, revision);
  }

  #applyDelta(part: ChangesPart): WatchEvent | undefined {
    const follower = this.#follower!;
    const result = follower.receive(part);
    // Any client can publish a delta of another map: the reply to a request
    // for what changed, which is short, shows if the server has one.
    if (result === "other-map" || result === "gap") this.#mustRequest = true;
    if (typeof result === "string") return undefined;
    this.#lastApplied = performance.now();
    const { region } = this.#options;
    const cells = region === undefined ? result : cellsWithin(result, region);
    return this.#eventOf("changes", { ...part, cells }, follower.revision);
  }

  #eventOf(
    kind: WatchEvent["kind"],
    { time, staleAfter, began, cells }: MapMoment & {
      readonly cells: ReadingBatch;
    },
    revision: number,
  ): WatchEvent | undefined {
    if (kind === "changes" && cells.length === 0) return undefined;
    return {
      kind,
      layer: this.#layer,
      revision,
      time,
      ...(staleAfter !== undefined && { staleAfter }),
      ...(began !== undefined && { began }),
      ...(this.#display !== undefined && { display: this.#display }),
      cells,
    };
  }

  /** Call if the server has another map: then a new snapshot is needed. */
  #discardCopy(): void {
    this.#follower = undefined;
    this.#mustRequest = true;
  }

  /** Returns true if the store fails, but not for longer than the timeout. */
  #isTemporary(error: unknown): boolean {
    if (!(error instanceof RefusedError && error.code === "store-failing")) {
      return false;
    }
    this.#storeFailingSince ??= performance.now();
    const limit = this.#follower === undefined ? 0 : this.#options.timeout;
    return performance.now() - this.#storeFailingSince < limit;
  }

  #receiveDelta({ payload, retain }: Incoming): void {
    if (retain || !this.#deltas.isOpen) return;
    try {
      const part = parseChanges(payload);
      if (part.layer === this.#layer) this.#deltas.add(part);
    } catch (error) {
      // From another sender, or damaged: then the next delta shows the gap.
      if (!(error instanceof ProtocolError)) throw error;
    }
    this.#wake?.();
  }

  /** Called when broker and server are available again: deltas were missed. */
  #onAvailable(): void {
    this.#mustRequest = true;
    this.#interruptWait();
  }

  #interruptWait(): void {
    this.#interrupt.abort();
    this.#wake?.();
  }

  /** @param time until when to wait, of `performance.now()` */
  async #waitUntil(time: number, interrupted: AbortSignal): Promise<void> {
    const ms = time - performance.now();
    if (ms > 0) await delay(ms, interrupted);
  }

  /** Waits for a delta or an interrupt. Returns false on a timeout. */
  async #waitForDelta(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    try {
      return await doneWithin(promise, ms);
    } finally {
      this.#wake = undefined;
    }
  }
}

/** A reply on the current wire, which has these members. */
type FullView = MapView & MapMoment & { readonly revision: number };

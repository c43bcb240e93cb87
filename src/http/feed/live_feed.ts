/**
 * The live feed: sends the map and its changes to all viewers, each over its
 * WebSocket. docs/LIVE.md is the specification.
 *
 * @module
 */
import {
  type CloseMessage,
  FEED_PROTOCOL_VERSION,
  type StatusMessage,
} from "../../feed/messages.ts";
import type { HttpContext } from "../context.ts";
import type { MessageSocket } from "../listener/web_socket.ts";
import type { Rates } from "../metrics/rates.ts";
import type { Budget } from "../budget.ts";
import type { Exchange } from "../exchange.ts";
import { TickDeltas } from "./deltas.ts";
import {
  CountHistory,
  HISTORY_INTERVAL_MS,
  LayerReporter,
} from "./layer_status.ts";
import { DEFAULT_FEED_LIMITS, type FeedLimits } from "./limits.ts";
import { Snapshots } from "./snapshots.ts";
import { type Tick, Viewer, type ViewerOptions } from "./viewer.ts";
import { ZoneFeed } from "./zone_feed.ts";

const STATUS_INTERVAL_MS = 1000;
/** Time of a tick for parts of snapshots; readings wait during this time. */
const TICK_BUDGET_MS = 5;
/** Time of a tick, after which the other viewers wait for the next one. */
const MAX_TICK_MS = 15;
/**
 * While readings arrive, the feed pauses for its last tick times this factor...
 */
const PAUSE_FACTOR = 9;
/** ...but at most for this time. */
const MAX_PAUSE_MS = 1000;

const STOPPING: CloseMessage = {
  type: "gone",
  code: "stopping",
  message:
    "The server is stopping. The map may be out of date. Try again in a moment.",
};

const TOKEN_CHANGED: CloseMessage = {
  type: "gone",
  code: "token-changed",
  message: "The access token has changed. Reload the page to log in again.",
};

/** The viewers and what was sent to them. */
export interface ViewerCounts {
  /** Viewers that are connected. */
  current: number;
  /** Bytes sent to viewers since the start. */
  sentBytes: number;
}

/**
 * Sends each viewer its view and then the changes in it.
 *
 * No changes are queued. They are read from the map when a viewer has room for
 * them, once for all viewers with the same view, so the memory for a
 * slow viewer is bounded.
 */
export class LiveFeed {
  /** Counts for the metrics. */
  readonly viewers: ViewerCounts = { current: 0, sentBytes: 0 };
  readonly #context: HttpContext;
  readonly #rates: Rates;
  readonly #budget: Budget;
  readonly #limits: FeedLimits;
  readonly #snapshots: Snapshots;
  readonly #history = new CountHistory();
  readonly #layers: LayerReporter;
  readonly #zones: ZoneFeed;
  readonly #connected = new Set<Viewer>();
  readonly #viewerOptions: ViewerOptions;
  readonly #statusTimer: ReturnType<typeof setInterval>;
  readonly #historyTimer: ReturnType<typeof setInterval>;
  readonly #unobserve: () => void;
  /** The timer of the next tick. */
  #tickTimer: ReturnType<typeof setTimeout> | undefined;
  /** When that timer fires; this and the next two are monotonic, in ms. */
  #tickAt = 0;
  /** When deltas were last sent. */
  #deltasAt = -Infinity;
  /** No tick before this time. */
  #pausedUntil = -Infinity;
  /** Messages with readings at the last tick. */
  #messages = 0;
  /** The last time at which the map was correct, ms since 1970. */
  #correctAt: number | undefined;
  /** The state of broker and store in the last status message. */
  #health = "";
  #stopped = false;

  /**
   * Starts to record the history of the layers. Stops when the signal of the
   * context is aborted.
   *
   * @param rates the rates of the server, sampled every second
   * @param budget the number of viewers
   */
  constructor(
    context: HttpContext,
    rates: Rates,
    budget: Budget,
    limits: Partial<FeedLimits> = {},
  ) {
    this.#context = context;
    this.#budget = budget;
    this.#rates = rates;
    this.#limits = { ...DEFAULT_FEED_LIMITS, ...limits };
    this.#snapshots = new Snapshots(context.map, this.#limits.partCells);
    this.#layers = new LayerReporter(context);
    this.#zones = new ZoneFeed(context.zones, () => this.#scheduleZones());
    this.#viewerOptions = {
      context,
      limits: this.#limits,
      snapshots: this.#snapshots,
      zones: this.#zones,
      historyOf: (layer) => this.#history.points(layer),
      onSent: (bytes) => this.viewers.sentBytes += bytes,
      schedule: (urgent) => urgent ? this.#schedule(0) : this.#scheduleDeltas(),
    };
    this.#statusTimer = setInterval(
      () => this.#everySecond(),
      STATUS_INTERVAL_MS,
    );
    this.#historyTimer = setInterval(
      () => this.#sampleHistory(),
      HISTORY_INTERVAL_MS,
    );
    this.#unobserve = context.observe(() => this.#scheduleDeltas());
    this.#sampleHistory();
    if (context.signal.aborted) this.stop();
    else context.signal.addEventListener("abort", () => this.stop());
  }

  /**
   * Adds a viewer, or closes its socket if there are too many.
   *
   * @param socket open
   * @param exchange the request
   * @param access aborted if the token has changed since the request
   */
  add(
    socket: MessageSocket,
    exchange: Exchange,
    access?: AbortSignal,
  ): void {
    const viewer = new Viewer(socket, exchange, this.#viewerOptions);
    if (access?.aborted) {
      viewer.close(1008, TOKEN_CHANGED);
      return;
    }
    if (this.#stopped) {
      viewer.close(1001, STOPPING);
      return;
    }
    const share = this.#budget.tryTake(exchange, 1);
    const tooMany: CloseMessage = {
      type: "gone",
      code: "too-many-viewers",
      message:
        `The server allows ${this.#budget.max} viewers, and all are connected. Close one, or try again later.`,
    };
    if (share === undefined) {
      viewer.close(1013, tooMany);
      return;
    }
    exchange.onCut = () => viewer.close(1013, tooMany);
    this.#connected.add(viewer);
    this.viewers.current = this.#connected.size;
    socket.onmessage = (data) => viewer.receive(data);
    socket.onclose = () => {
      viewer.dispose();
      share.release();
      this.#connected.delete(viewer);
      this.viewers.current = this.#connected.size;
    };
    const { version, name, map: { ageing } } = this.#context;
    viewer.send({
      type: "hello",
      version,
      protocol: FEED_PROTOCOL_VERSION,
      staleAfter: finiteOrNull(ageing.staleAfter),
      forgetAfter: finiteOrNull(ageing.forgetAfter),
      title: name,
      clients: this.#context.clientAccess(),
    });
    viewer.send(this.#statusMessage());
    this.#scheduleDeltas(); // for the zones
  }

  /** Disconnects all viewers, because the token has changed. */
  revokeAccess(): void {
    for (const viewer of this.#connected) viewer.close(1008, TOKEN_CHANGED);
  }

  /** Disconnects all viewers and stops all timers. Safe to call twice. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#tickTimer);
    clearInterval(this.#statusTimer);
    clearInterval(this.#historyTimer);
    this.#unobserve();
    this.#layers.close();
    this.#zones.close();
    for (const viewer of this.#connected) viewer.close(1001, STOPPING);
  }

  /** Schedules a tick at the time of the next deltas. Cheap. */
  #scheduleDeltas(): void {
    if (this.#connected.size === 0) return;
    const due = this.#deltasAt + this.#limits.intervalMs;
    this.#schedule(due - performance.now());
  }

  /** Schedules a tick at the time of the next changes of zones. Cheap. */
  #scheduleZones(): void {
    const { due } = this.#zones;
    if (due !== undefined) this.#schedule(due - performance.now());
  }

  /**
   * Schedules a tick after a delay, or at the end of the pause if that is
   * later. An earlier scheduled tick stays.
   */
  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    const now = performance.now();
    const at = Math.max(now, now + delayMs, this.#pausedUntil);
    if (this.#tickTimer !== undefined) {
      if (this.#tickAt <= at) return;
      clearTimeout(this.#tickTimer);
    }
    this.#tickAt = at;
    this.#tickTimer = setTimeout(() => {
      this.#tickTimer = undefined;
      this.#tick();
    }, at - now);
  }

  /** Sends to each viewer what fits into its send window. */
  #tick(): void {
    const start = performance.now();
    this.#sendStatusIfHealthChanged();
    if (!this.#context.loaded()) return;
    const time = this.#refresh();
    const isDue = start >= this.#deltasAt + this.#limits.intervalMs;
    const tick: Tick = {
      time,
      at: start,
      deltas: isDue ? this.#deltas(time) : undefined,
      isTimeUp: () => performance.now() - start > TICK_BUDGET_MS,
    };
    this.#zones.update(start);
    let hasMore = false;
    let isComplete = true;
    for (const viewer of [...this.#connected]) {
      isComplete = performance.now() - start < MAX_TICK_MS;
      if (!isComplete) break;
      hasMore = viewer.update(tick) || hasMore;
      // To the end: the others are first if this tick ends early.
      if (this.#connected.delete(viewer)) this.#connected.add(viewer);
    }
    if (isDue && isComplete) this.#deltasAt = start;
    this.#pause(start);
    if (hasMore || !isComplete) this.#schedule(0);
    else if (this.#hasPending()) this.#scheduleDeltas();
    this.#scheduleZones();
  }

  #deltas(time: number): TickDeltas {
    return new TickDeltas({
      map: this.#context.map,
      time,
      maxCells: this.#limits.deltaCells,
      viewers: this.#connected.size,
    });
  }

  /** While readings arrive, leaves most of the time to them. */
  #pause(tickStart: number): void {
    const { messages } = this.#context.counts;
    const now = performance.now();
    const pause = messages === this.#messages
      ? 0
      : PAUSE_FACTOR * (now - tickStart);
    this.#pausedUntil = now + Math.min(pause, MAX_PAUSE_MS);
    this.#messages = messages;
  }

  #hasPending(): boolean {
    for (const viewer of this.#connected) if (viewer.hasPending) return true;
    return false;
  }

  /** Updates which cells are stale; returns the time of the map. */
  #refresh(): number {
    this.#correctAt = this.#context.refresh() ?? this.#correctAt;
    return this.#correctAt ?? this.#context.clock();
  }

  #everySecond(): void {
    this.#snapshots.removeExpired();
    this.#layers.sample(performance.now(), this.#connected.size > 0);
    this.#sendStatus();
    this.#scheduleDeltas(); // to detect stalled viewers
  }

  #sendStatusIfHealthChanged(): void {
    if (this.#connected.size === 0) return;
    const { up } = this.#context.link();
    const { problem } = this.#context.store();
    if (this.#health !== `${up} ${problem}`) this.#sendStatus();
  }

  #sendStatus(): void {
    if (this.#connected.size === 0) return;
    const status = JSON.stringify(this.#statusMessage());
    for (const viewer of this.#connected) viewer.sendIfRoom(status);
  }

  #statusMessage(): StatusMessage {
    const { map } = this.#context;
    const { up, since } = this.#context.link();
    const { problem } = this.#context.store();
    this.#health = `${up} ${problem}`;
    const time = this.#context.loaded()
      ? this.#refresh()
      : this.#context.clock();
    return {
      type: "status",
      revision: map.revision,
      time,
      broker: up ? "up" : "down",
      brokerSince: since,
      store: problem ?? "ok",
      rate: this.#rates.report(),
      ...this.#layers.report(),
      viewers: this.viewers.current,
    };
  }

  #sampleHistory(): void {
    if (!this.#context.loaded()) return;
    const time = this.#context.refresh();
    if (time !== undefined) this.#history.sample(this.#context.map, time);
  }
}

/** Infinity is null: JSON has no infinity. */
function finiteOrNull(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}

/**
 * Follows the live feed of a server over a WebSocket and reconnects whenever
 * the connection is lost. Uses only APIs that browsers and Deno share.
 *
 * @module
 */
import { Backoff, withJitter } from "../../common/backoff.ts";
import { roundView, type View } from "../../feed/messages.ts";
import { ClockOffset } from "./clock_offset.ts";
import { Connection, type LiveEvents } from "./connection.ts";

/** Options of {@linkcode LiveClient}. */
export interface LiveClientOptions {
  /** First delay before a reconnect, doubled each time. Default 250. */
  readonly minRetryMs?: number;
  /**
   * Maximum delay before a reconnect, and the delay after a rejection. Default
   * 10,000.
   */
  readonly maxRetryMs?: number;
  /** Default 1,000. */
  readonly pingIntervalMs?: number;
  /** A connection without messages for this time is closed. Default 10,000. */
  readonly silenceTimeoutMs?: number;
  /** A random number from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

const DEFAULTS = {
  minRetryMs: 250,
  maxRetryMs: 10_000,
  pingIntervalMs: 1000,
  silenceTimeoutMs: 10_000,
  random: Math.random,
} as const;

/** A client of the live feed. */
export class LiveClient {
  readonly #url: string | URL;
  readonly #events: LiveEvents;
  readonly #options: Required<LiveClientOptions>;
  readonly #clock = new ClockOffset();
  #view: View | undefined;
  #connection: Connection | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #backoff: Backoff;
  #closed = false;

  /**
   * Connects, and reconnects until it is closed.
   *
   * @param url `ws:` or `wss:`
   * @throws {SyntaxError} if the URL is not one of a WebSocket
   */
  constructor(
    url: string | URL,
    events: LiveEvents,
    options: LiveClientOptions = {},
  ) {
    this.#url = url;
    this.#events = events;
    this.#options = { ...DEFAULTS, ...options };
    const { minRetryMs, maxRetryMs } = this.#options;
    this.#backoff = new Backoff(minRetryMs, maxRetryMs);
    this.#connect();
  }

  /**
   * Requests a view, which replaces the previous one.
   *
   * @param region null for the whole layer; fractions are rounded outwards
   */
  view(layer: string, region: View["region"]): void {
    this.#view = roundView({ layer, region });
    this.#connection?.request(this.#view);
  }

  /**
   * The server's clock, ms since 1970; the local clock until the first answer.
   */
  serverTime(): number {
    const now = Date.now();
    return this.#clock.serverTime(now) ?? now;
  }

  /** Closes the client permanently. Safe to call twice. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#connection?.close();
    this.#connection = undefined;
  }

  #connect(): void {
    const { pingIntervalMs, silenceTimeoutMs } = this.#options;
    const connection = new Connection(new WebSocket(this.#url), {
      events: this.#events,
      clock: this.#clock,
      pingIntervalMs,
      silenceTimeoutMs,
      onOpen: () => {
        this.#backoff.reset();
        if (this.#view !== undefined) connection.request(this.#view);
      },
      onEnd: (reason, refused) => this.#reconnect(reason, refused),
    });
    this.#connection = connection;
  }

  #reconnect(reason: string, refused: boolean): void {
    if (this.#closed) return;
    this.#connection = undefined;
    const { maxRetryMs, random } = this.#options;
    const pause = refused ? maxRetryMs : this.#backoff.next();
    this.#retryTimer = setTimeout(
      () => this.#connect(),
      withJitter(pause, random()),
    );
    this.#events.onLost?.(reason);
  }
}

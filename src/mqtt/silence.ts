/**
 * Detects that a connection was silent although the other end should have sent
 * something: the network was cut, or the broker stood still.
 *
 * @module
 */

/** After so long a silence the other end is requested to answer, in ms. */
const PING_AFTER_MS = 2000;
/** A longer silence means that pings were not answered. */
const SILENCE_THRESHOLD_MS = 5000;

/** What {@linkcode SilenceWatch} calls. */
export interface SilenceEvents {
  /** Requests an answer from the other end. */
  ping(): void;
  /** Called after a silence, with its length in ms. */
  silent(ms: number): void;
}

/** Measures the time without packets on one connection at a time. */
export class SilenceWatch {
  readonly #events: SilenceEvents;
  #heardAt = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(events: SilenceEvents) {
    this.#events = events;
  }

  /** Call when the connection is established. */
  start(): void {
    this.stop();
    this.#heardAt = performance.now();
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heardAt >= PING_AFTER_MS) {
        this.#events.ping();
      }
    }, PING_AFTER_MS);
  }

  /** Call for each packet, before it is handled. */
  heard(): void {
    if (this.#timer === undefined) return;
    const now = performance.now();
    const ms = now - this.#heardAt;
    this.#heardAt = now;
    if (ms >= SILENCE_THRESHOLD_MS) this.#events.silent(ms);
  }

  /** Call when the connection is lost or closed. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.heard();
    this.#timer = undefined;
  }
}

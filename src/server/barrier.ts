/**
 * Holds requests at QoS 0 back until the readings before them have arrived.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import type { Marker, MarkerEvents } from "./markers.ts";

/** Timeout of the first marker: some brokers drop it without an error. */
const FIRST_MARKER_TIMEOUT_MS = 2000;

/** Further requests are answered without waiting: a bound for the memory. */
const MAX_HELD_REQUESTS = 12_000;

/** Publishes the markers of a {@linkcode Barrier}. */
export interface MarkerPublisher {
  /** At most one of the callbacks is called, once. */
  publish(events: MarkerEvents): Marker;
}

/** Receives the requests that are no longer held. */
export interface RequestQueue {
  push(request: Incoming): void;
}

/**
 * Holds requests back.
 *
 * MQTT orders only messages of the same QoS (MQTT 5, 4.6): once the in-flight
 * window is full, a broker delays readings at QoS 1, and a request at QoS 0
 * overtakes them. The barrier holds such a request until a marker returns. In a
 * group of servers it holds all requests, until a marker has passed all members.
 *
 * If the broker does not deliver markers, requests are answered out of order.
 */
export class Barrier {
  readonly #markers: MarkerPublisher;
  readonly #mayBeDropped: boolean;
  readonly #pipeline: RequestQueue;
  #held: Incoming[] = [];
  /** The number of those at QoS 1. */
  #unacknowledged = 0;
  #marker: Marker | undefined;
  /** How many held requests were received before the marker; 0: no marker. */
  #coveredCount = 0;
  /** Once true, markers need no timeout: only a lost connection loses them. */
  #hasReturned = false;
  #timeout: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param mayBeDropped whether a broker may drop the first marker
   */
  constructor(
    markers: MarkerPublisher,
    pipeline: RequestQueue,
    mayBeDropped = true,
  ) {
    this.#markers = markers;
    this.#pipeline = pipeline;
    this.#mayBeDropped = mayBeDropped;
  }

  /** The number of held requests at QoS 1. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Holds a request until a marker returns. */
  hold(request: Incoming): void {
    if (this.#held.length >= MAX_HELD_REQUESTS) {
      this.#pipeline.push(request);
      return;
    }
    this.#held.push(request);
    if (request.qos > 0) this.#unacknowledged++;
    if (this.#coveredCount === 0) this.#publishMarker();
  }

  /**
   * Releases all requests. Call it when the marker cannot return: the
   * connection or the store failed.
   */
  releaseAll(): void {
    this.#marker?.cancel();
    this.#release(this.#held.length);
  }

  /**
   * Call when the connection is lost. The broker delivers requests at QoS 1
   * again that were not acknowledged, perhaps to another server. Those of the
   * session of another server are not lost with it.
   */
  connectionLost(): void {
    this.#marker?.cancel();
    clearTimeout(this.#timeout);
    this.#coveredCount = 0;
    this.#held = this.#held.filter(({ qos, session }) =>
      qos === 0 || session?.isLost === false
    );
    this.#unacknowledged = this.#held.filter(({ qos }) => qos > 0).length;
  }

  /**
   * Publishes a marker for all held requests. Only one is in flight: requests
   * that arrive later wait for the next one.
   */
  #publishMarker(): void {
    this.#marker?.cancel();
    this.#coveredCount = this.#held.length;
    const release = () => this.#release(this.#coveredCount);
    if (!this.#hasReturned && this.#mayBeDropped) {
      this.#timeout = setTimeout(release, FIRST_MARKER_TIMEOUT_MS);
    }
    this.#marker = this.#markers.publish({
      onReturn: () => {
        this.#hasReturned = true;
        release();
      },
      onFailure: release,
    });
  }

  #release(count: number): void {
    clearTimeout(this.#timeout);
    this.#coveredCount = 0;
    for (const request of this.#held.splice(0, count)) {
      if (request.qos > 0) this.#unacknowledged--;
      this.#pipeline.push(request);
    }
    if (this.#held.length > 0) this.#publishMarker();
  }
}

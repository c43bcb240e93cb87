/**
 * Dates readings that waited in the broker while the server was disconnected.
 *
 * @module
 */
import type { ServerContext } from "./context.ts";
import type { Marker, Markers } from "./markers.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * Maximum time until the marker returns; after that all readings count as new.
 * Long, because many messages may wait. Limited, because a broker may drop the
 * marker.
 */
const MARKER_TIMEOUT_MS = 300_000;
/** How often the store records that the server is connected. */
const ALIVE_INTERVAL_MS = 60_000;

/**
 * Distinguishes readings that waited in the broker while the server was
 * disconnected from new ones, so that no old reading is dated as new.
 *
 * MQTT does not say how long a message has waited. But a marker that the server
 * publishes after each connect arrives after all messages that waited. Until
 * then, readings without a time are dated with the last time when the server
 * was certainly connected. The store records that time once a minute.
 */
export class Backlog {
  readonly #context: ServerContext;
  readonly #markers: Markers;
  readonly #pipeline: Pick<Pipeline, "flush" | "commit">;
  /** True from a disconnection until all messages that waited are committed. */
  #isPending = true;
  /** True if these messages have arrived, but may not be committed yet. */
  #isReceived = false;
  /** The last time stored, ms since 1970. */
  #recordedAt = -Infinity;
  #marker: Marker | undefined;
  #timeout: ReturnType<typeof setTimeout> | undefined;

  constructor(
    context: ServerContext,
    markers: Markers,
    pipeline: Pick<Pipeline, "flush" | "commit">,
  ) {
    this.#context = context;
    this.#markers = markers;
    this.#pipeline = pipeline;
  }

  /** Call after the map was loaded. */
  start(): void {
    const { store, clock } = this.#context;
    if (store.lastAlive !== undefined) clock.markDisconnected(store.lastAlive);
  }

  /** Call after each connect. */
  connected(): void {
    this.#cancelMarker();
    // Without a session the broker has stored nothing.
    if (this.#context.link.sessionPresent !== true) return this.#markReceived();
    const onReturn = () => this.#markReceived();
    this.#marker = this.#markers.publish({ onReturn, onFailure: onReturn });
    this.#timeout = setTimeout(onReturn, MARKER_TIMEOUT_MS);
  }

  /** Call when the connection is lost. */
  disconnected(): void {
    const { clock } = this.#context;
    this.#pipeline.flush();
    this.#cancelMarker();
    this.#isReceived = false;
    this.#isPending = true;
    clock.markDisconnected(clock.now());
  }

  /** Call about once a second. */
  tick(): void {
    this.#commitReceived();
    const elapsed = this.#context.clock.now() - this.#recordedAt;
    if (Math.abs(elapsed) >= ALIVE_INTERVAL_MS) this.#recordAlive();
  }

  /** Call before the link is closed: from then on messages wait. */
  stop(): void {
    this.#recordAlive();
    this.#cancelMarker();
  }

  #markReceived(): void {
    this.#cancelMarker();
    this.#isReceived = true;
    this.#commitReceived();
  }

  /** Commits what arrived before the marker; later readings count as new. */
  #commitReceived(): void {
    if (!this.#isReceived || !this.#pipeline.flush()) return;
    this.#isReceived = false;
    this.#context.clock.markCaughtUp();
    this.#isPending = false;
    this.#recordAlive();
  }

  #cancelMarker(): void {
    clearTimeout(this.#timeout);
    this.#marker?.cancel();
    this.#marker = undefined;
  }

  #recordAlive(): void {
    const { link, store, clock } = this.#context;
    const keepsSession = link.sessionPresent !== undefined;
    if (this.#isPending || !keepsSession || !store.durable) return;
    const now = clock.now();
    if (this.#pipeline.commit([{ kind: "alive", now }])) {
      this.#recordedAt = now;
    }
  }
}

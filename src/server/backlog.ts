/**
 * Dates readings that waited while the server was disconnected or stood still.
 *
 * @module
 */
import type { Link } from "../mqtt/link.ts";
import type { ServerContext } from "./context.ts";
import type { Marker, Markers } from "./markers.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * Maximum time until the marker returns; after that all readings count as new.
 * Long, because many messages may wait. Limited, because a broker may drop the
 * marker.
 */
const MARKER_TIMEOUT_MS = 300_000;
/** In this time, what waited in sockets is read after the process stood still. */
const READ_SOCKETS_MS = 1000;

/** Called by a {@linkcode Backlog}. */
export interface BacklogEvents {
  /** Messages may wait, or may have been lost. */
  onInterrupted(): void;
  /** All messages that may have waited are committed. */
  onCaughtUp(): void;
}

/**
 * Distinguishes readings that waited in the broker while the server was
 * disconnected from new ones, so that no old reading is dated as new.
 *
 * MQTT does not say how long a message has waited. But a marker that the server
 * publishes after each connect arrives after all messages that waited. Until
 * then, readings without a time are dated with the last time when the server
 * was certainly connected. The store records that time once a minute.
 *
 * Each connection to a broker has its own.
 *
 * The same if the process stood still while it was connected (it was stopped,
 * or the machine was overloaded): messages have waited in sockets too, of the
 * embedded broker and of HTTP.
 */
export class Backlog {
  readonly #context: ServerContext;
  readonly #link: Link;
  readonly #markers: Markers;
  readonly #pipeline: Pick<Pipeline, "flush" | "processed">;
  readonly #events: BacklogEvents;
  /** True from a disconnection until all messages that waited are committed. */
  #isPending = true;
  /** True if these messages have arrived, but may not be committed yet. */
  #isReceived = false;
  #marker: Marker | undefined;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  #isConnected = false;
  /** Runs while messages may wait in sockets. */
  #socketTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    context: ServerContext,
    link: Link,
    markers: Markers,
    pipeline: Pick<Pipeline, "flush" | "processed">,
    events: BacklogEvents,
  ) {
    this.#context = context;
    this.#link = link;
    this.#markers = markers;
    this.#pipeline = pipeline;
    this.#events = events;
  }

  /**
   * True until all messages are committed that may have waited while the server
   * was disconnected or stood still.
   */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** Call after the map was loaded. */
  start(): void {
    const { store: { lastAlive }, clock } = this.#context;
    if (lastAlive !== undefined) clock.markDisconnected(lastAlive, this.#link);
  }

  /** Call after each connect. */
  connected(): void {
    this.#isConnected = true;
    // Without a session the broker has stored nothing.
    if (this.#link.sessionPresent === true) this.#publishMarker();
    else this.#markReceived();
  }

  /** Call when the connection is lost. */
  disconnected(): void {
    const { clock } = this.#context;
    this.#pipeline.flush();
    this.#isConnected = false;
    this.#setPending();
    clock.markDisconnected(clock.lastAlive(), this.#link);
  }

  /**
   * Call after the broker or the network was silent, before what arrives next is
   * handled.
   *
   * @param ms how long nothing arrived, in ms
   */
  silent(ms: number): void {
    const { clock } = this.#context;
    this.#pipeline.flush();
    this.#setPending();
    clock.markDisconnected(clock.now() - ms, this.#link);
    if (this.#isConnected) this.#publishMarker();
  }

  /** Call when the process has stood still. */
  stalled(): void {
    this.#setPending();
    this.#startSocketTimer();
  }

  /** Call about once a second. */
  tick(): void {
    this.#commitReceived();
  }

  /** Call before the link is closed: from then on messages wait. */
  stop(): void {
    this.#cancelMarker();
    clearTimeout(this.#socketTimer);
  }

  #setPending(): void {
    this.#cancelMarker();
    this.#isReceived = false;
    this.#isPending = true;
    this.#events.onInterrupted();
  }

  #startSocketTimer(): void {
    clearTimeout(this.#socketTimer);
    this.#socketTimer = setTimeout(
      () => this.#onSocketsRead(),
      READ_SOCKETS_MS,
    );
  }

  #onSocketsRead(): void {
    // While the store fails, what has waited is not dated yet.
    if (!this.#pipeline.flush()) return this.#startSocketTimer();
    this.#context.clock.markSocketsRead();
    // Without a connection, connected() does it later.
    if (this.#isConnected) this.#publishMarker();
  }

  #publishMarker(): void {
    this.#cancelMarker();
    const onReturn = () => this.#markReceived();
    this.#timeout = setTimeout(onReturn, MARKER_TIMEOUT_MS);
    this.#marker = this.#markers.publish({ onReturn, onFailure: onReturn });
  }

  #markReceived(): void {
    this.#cancelMarker();
    this.#isReceived = true;
    this.#commitReceived();
    // A shared store takes its time.
    if (this.#isReceived) {
      void this.#pipeline.processed().then(() => this.#commitReceived());
    }
  }

  /** Commits what arrived before the marker; later readings count as new. */
  #commitReceived(): void {
    if (!this.#isReceived || !this.#pipeline.flush()) return;
    this.#isReceived = false;
    this.#context.clock.markCaughtUp(this.#link);
    this.#isPending = false;
    this.#events.onCaughtUp();
  }

  #cancelMarker(): void {
    clearTimeout(this.#timeout);
    this.#marker?.cancel();
    this.#marker = undefined;
  }
}

/** Logs a reconnect, and whether the messages that waited are lost. */
export function logReconnect(
  { log }: Pick<ServerContext, "log">,
  link: Link,
): void {
  log.info(`Reconnected to ${link.description}`);
  if (link.sessionPresent === false) {
    log.warn(
      "The broker has lost this server's session: messages that it stored for the server are lost (docs/OPERATIONS.md lists the settings that avoid this)",
    );
  }
}

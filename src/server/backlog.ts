/**
 * Dates readings that waited while the server was disconnected or stood still.
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
/** In this time, what waited in sockets is read after the process stood still. */
const READ_SOCKETS_MS = 1000;

/**
 * Distinguishes readings that waited in the broker while the server was
 * disconnected from new ones, so that no old reading is dated as new.
 *
 * MQTT does not say how long a message has waited. But a marker that the server
 * publishes after each connect arrives after all messages that waited. Until
 * then, readings without a time are dated with the last time when the server
 * was certainly connected. The store records that time once a minute.
 *
 * The same if the process stood still while it was connected (it was stopped,
 * or the machine was overloaded): messages have waited in sockets too, of the
 * embedded broker and of HTTP.
 */
export class Backlog {
  readonly #context: ServerContext;
  readonly #markers: Markers;
  readonly #pipeline: Pick<Pipeline, "flush" | "processed" | "commit">;
  /** Called when messages may wait, or may have been lost. */
  onInterrupted: (() => void) | undefined;
  /** True from a disconnection until all messages that waited are committed. */
  #isPending = true;
  /** True if these messages have arrived, but may not be committed yet. */
  #isReceived = false;
  /** The last time stored, ms since 1970. */
  #recordedAt = -Infinity;
  #marker: Marker | undefined;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  #isConnected = false;
  /** Runs while messages may wait in sockets. */
  #socketTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    context: ServerContext,
    markers: Markers,
    pipeline: Pick<Pipeline, "flush" | "processed" | "commit">,
  ) {
    this.#context = context;
    this.#markers = markers;
    this.#pipeline = pipeline;
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
    const { store, clock } = this.#context;
    if (store.lastAlive !== undefined) clock.markDisconnected(store.lastAlive);
  }

  /** Call after each connect. */
  connected(): void {
    this.#isConnected = true;
    // Without a session the broker has stored nothing.
    if (this.#context.link.sessionPresent === true) this.#publishMarker();
    else this.#markReceived();
  }

  /** Call when the connection is lost. */
  disconnected(): void {
    const { clock } = this.#context;
    this.#pipeline.flush();
    this.#isConnected = false;
    this.#setPending();
    clock.markDisconnected(clock.lastAlive());
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
    clock.markDisconnected(clock.now() - ms);
    if (this.#isConnected) this.#publishMarker();
  }

  /** Call before readings are dated. */
  checkStall(): void {
    const { clock } = this.#context;
    const since = clock.checkStall();
    if (since === undefined) return;
    clock.markStalled(since);
    this.#setPending();
    this.#startSocketTimer();
  }

  /** Call about once a second. */
  tick(): void {
    this.checkStall();
    this.#commitReceived();
    const elapsed = this.#context.clock.now() - this.#recordedAt;
    if (Math.abs(elapsed) >= ALIVE_INTERVAL_MS) this.#recordAlive();
  }

  /** Call before the link is closed: from then on messages wait. */
  stop(): void {
    this.#recordAlive();
    this.#cancelMarker();
    clearTimeout(this.#socketTimer);
  }

  #setPending(): void {
    this.#cancelMarker();
    this.#isReceived = false;
    this.#isPending = true;
    this.onInterrupted?.();
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
    void this.#pipeline.commit([{ kind: "alive", now }]).then((isCommitted) => {
      if (isCommitted) this.#recordedAt = now;
    });
  }
}

/** Logs a reconnect, and whether the messages that waited are lost. */
export function logReconnect(
  { link, log }: Pick<ServerContext, "link" | "log">,
): void {
  log.info(`Reconnected to ${link.description}`);
  if (link.sessionPresent === false) {
    log.warn(
      "The broker has lost this server's session: messages that it stored for the server are lost (docs/OPERATIONS.md lists the settings that avoid this)",
    );
  }
}

/**
 * Notices which sources are silent, and publishes their events.
 *
 * @module
 */
import { nextTurn } from "../../common/next_turn.ts";
import {
  encodeSourceEvent,
  type SourceEvent,
  type SourceList,
  type SourceQuery,
} from "../../protocol/mod.ts";
import type { Connections } from "../connections.ts";
import { publishOrWarn, type ServerContext } from "../context.ts";
import type { Marker } from "../markers.ts";
import type { Pipeline } from "../pipeline.ts";
import { listSources } from "./source_list.ts";

/** Events that are published in one turn of the event loop. */
const MAX_TURN_EVENTS = 100;
/**
 * How long the first marker may take: some brokers deliver none. Once one has
 * returned, only a lost connection loses others.
 */
const FIRST_MARKER_TIMEOUT_MS = 30_000;

/** The sources of readings of a running server. */
export interface SourceService {
  /** How many sources are in the list. */
  readonly size: number;
  /** How many of them are silent. */
  readonly silent: number;
  /**
   * Returns the list: silent sources first, then those without a reading for
   * the longest time.
   */
  list(query?: SourceQuery): SourceList;
  /**
   * Calls the listener after each event that this server publishes, once: of a
   * shared store, only the leader does. It must be fast and must not throw.
   *
   * @returns removes the listener; safe to call twice
   */
  observe(listener: (event: SourceEvent) => void): () => void;
}

/** The parts of the server that a {@linkcode SourceWatch} uses. */
export interface SourceWatchParts {
  readonly connections: Pick<
    Connections,
    "publish" | "isPending" | "onInterrupted"
  >;
  readonly pipeline: Pick<Pipeline, "processed">;
}

/**
 * Notices which sources are silent: those of which nothing has arrived for a
 * time during which all readings could arrive. That time begins again when the
 * connection to a broker was lost, a broker was silent, the store failed,
 * or this process stood still. And before a source is silent, a message from
 * the server to itself must have passed the broker: so the connection works,
 * and all that was published before has arrived.
 */
export class SourceWatch implements SourceService {
  readonly #context: ServerContext;
  readonly #parts: SourceWatchParts;
  readonly #monotonic: () => number;
  readonly #observers = new Set<(event: SourceEvent) => void>();
  /** Events to publish. */
  #events: SourceEvent[] = [];
  #isScheduled = false;
  /** Since when all readings could arrive, by `#monotonic`. */
  #listeningSince: number;
  #marker: Marker | undefined;
  #hasReturned = false;
  #timeout: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ServerContext, parts: SourceWatchParts) {
    this.#context = context;
    this.#parts = parts;
    this.#monotonic = context.monotonic;
    this.#listeningSince = this.#monotonic();
    context.registry.onBack = (event) => this.#add([event]);
    parts.connections.onInterrupted = () => this.#interrupted();
  }

  get size(): number {
    return this.#context.registry.size;
  }

  get silent(): number {
    return this.#context.registry.silent;
  }

  list(query?: SourceQuery): SourceList {
    return listSources(this.#context, query);
  }

  observe(listener: (event: SourceEvent) => void): () => void {
    const observer = (event: SourceEvent) => listener(event);
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** Call about once a second. */
  tick(): void {
    const { registry, silentAfter } = this.#context;
    if (silentAfter === undefined) return;
    if (!this.#isListening) this.#interrupted();
    else if (
      this.#marker === undefined &&
      registry.hasDue(silentAfter, this.#listeningSince)
    ) this.#publishMarker(silentAfter);
  }

  /** Publishes the last events. Call before the link is closed. */
  stop(): void {
    this.#cancelMarker();
    while (this.#events.length > 0) this.#publish();
  }

  get #isListening(): boolean {
    const { link, storeProblem } = this.#context.status;
    return link.up && storeProblem === undefined &&
      !this.#parts.connections.isPending;
  }

  /** Readings may have been delayed or lost. */
  #interrupted(): void {
    this.#listeningSince = this.#monotonic();
    this.#cancelMarker();
  }

  #publishMarker(silentAfter: number): void {
    const mark = () => {
      this.#cancelMarker();
      if (!this.#isListening) return;
      const { registry, clock } = this.#context;
      const since = this.#listeningSince;
      this.#add(registry.markSilent(silentAfter, since, clock.now()));
    };
    const marker = this.#parts.connections.publish({
      onReturn: () => {
        this.#hasReturned = true;
        clearTimeout(this.#timeout);
        void this.#parts.pipeline.processed().then(() => {
          if (this.#marker === marker) mark();
        });
      },
      onFailure: () => this.#cancelMarker(),
    });
    this.#marker = marker;
    if (this.#hasReturned) return;
    this.#timeout = setTimeout(mark, FIRST_MARKER_TIMEOUT_MS);
  }

  #cancelMarker(): void {
    clearTimeout(this.#timeout);
    this.#marker?.cancel();
    this.#marker = undefined;
  }

  #add(events: readonly SourceEvent[]): void {
    for (const event of events) this.#events.push(event);
    if (this.#isScheduled || this.#events.length === 0) return;
    this.#isScheduled = true;
    nextTurn(
      () => this.#publish(),
      this.#events.length > MAX_TURN_EVENTS,
    );
  }

  /** Publishes some events; the others in the next turns. */
  #publish(): void {
    this.#isScheduled = false;
    const { topics, leadership } = this.#context;
    for (const event of this.#events.splice(0, MAX_TURN_EVENTS)) {
      if (!leadership.isLeader) continue;
      const topic = topics.sourceEvent(event.source);
      void publishOrWarn(this.#context, topic, encodeSourceEvent(event), {
        qos: 1,
        contentType: "application/json",
      });
      for (const observer of this.#observers) observer(event);
    }
    this.#add([]);
  }
}

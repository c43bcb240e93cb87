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
import { LinkError } from "../../mqtt/link.ts";
import { messageOf } from "../../common/errors.ts";
import type { ServerContext } from "../context.ts";
import type { Marker } from "../markers.ts";
import type { Pipeline } from "../pipeline.ts";
import { SharedSilence } from "./shared_silence.ts";
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

/** An event to publish. */
interface Outgoing {
  readonly event: SourceEvent;
  /** True if an earlier leader may have published it. */
  readonly isRepeated: boolean;
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
 * and all that was published before has arrived; in a group, at all members.
 *
 * Of the servers of a shared store, the leader decides; the others follow it.
 */
export class SourceWatch implements SourceService {
  readonly #context: ServerContext;
  readonly #parts: SourceWatchParts;
  readonly #monotonic: () => number;
  readonly #observers = new Set<(event: SourceEvent) => void>();
  /** Events to publish. */
  #outgoing: Outgoing[] = [];
  #inFlight = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  /** Undefined without a shared store. */
  readonly #shared: SharedSilence | undefined;
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
    const { records } = context.store;
    this.#shared = records?.shared &&
      new SharedSilence(context, records, {
        publish: (events, isRepeated) => this.#enqueue(events, isRepeated),
        clear: () => {
          this.#cancelMarker();
          this.#clear();
        },
        drained: () => this.#whenDrained(),
      });
    context.registry.onBack = (event) => this.#add([event]);
    parts.connections.onInterrupted = () => this.interrupted();
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

  /** Call when the map is loaded. Resolves when the silent sources are known. */
  async load(): Promise<void> {
    await this.#shared?.load();
  }

  /** Call about once a second. */
  tick(): void {
    const { registry, silentAfter } = this.#context;
    this.#shared?.tick();
    this.#schedule(); // what has waited for a lease
    if (silentAfter === undefined) return;
    if (!this.#isListening) this.interrupted();
    else if (
      this.#marker === undefined && this.#decides &&
      registry.hasDue(silentAfter, this.#listeningSince)
    ) this.#publishMarker(silentAfter);
  }

  /** Publishes the last events. Call before the link is closed. */
  stop(): void {
    this.#cancelMarker();
    this.#shared?.stop();
    const { leadership } = this.#context;
    while (this.#outgoing.length > 0 && leadership.isLeader) this.#publish();
    this.#clear();
  }

  /** True if this server decides which sources are silent. */
  get #decides(): boolean {
    return this.#shared?.mayAdd ?? true;
  }

  get #isListening(): boolean {
    const { link, storeProblem } = this.#context.status;
    return link.up && storeProblem === undefined &&
      !this.#parts.connections.isPending;
  }

  /** Call when readings may have been delayed or lost. */
  interrupted(): void {
    this.#listeningSince = this.#monotonic();
    this.#cancelMarker();
  }

  #publishMarker(silentAfter: number): void {
    const mark = () => {
      this.#cancelMarker();
      if (!this.#isListening || !this.#decides) return;
      const { registry, clock } = this.#context;
      const since = this.#listeningSince;
      this.#add(registry.markSilent(silentAfter, since, clock.now()));
    };
    const marker = this.#parts.connections.publish({
      onReturn: () => {
        this.#hasReturned = true;
        clearTimeout(this.#timeout);
        void this.#applied().then(() => {
          if (this.#marker === marker) mark();
        });
      },
      onFailure: () => this.#cancelMarker(),
      onTimeout: () => this.interrupted(),
    });
    this.#marker = marker;
    if (this.#hasReturned) return;
    this.#timeout = setTimeout(mark, FIRST_MARKER_TIMEOUT_MS);
  }

  /** Resolves when all is applied that any server had received or stored. */
  async #applied(): Promise<void> {
    const { map, store } = this.#context;
    await this.#parts.pipeline.processed();
    await store.shared?.sync(map.shards.keys());
  }

  #cancelMarker(): void {
    clearTimeout(this.#timeout);
    this.#marker?.cancel();
    this.#marker = undefined;
  }

  #add(events: readonly SourceEvent[]): void {
    if (this.#shared !== undefined) this.#shared.add(events);
    else this.#enqueue(events, false);
  }

  #enqueue(events: readonly SourceEvent[], isRepeated: boolean): void {
    for (const event of events) this.#outgoing.push({ event, isRepeated });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#outgoing.length === 0) return;
    this.#isScheduled = true;
    nextTurn(
      () => this.#publish(),
      this.#outgoing.length > MAX_TURN_EVENTS,
    );
  }

  /** Publishes some events; the others in the next turns. */
  #publish(): void {
    this.#isScheduled = false;
    // A server that is deposed clears them; else they wait for its lease.
    if (!this.#context.leadership.isLeader) return;
    for (
      const { event, isRepeated } of this.#outgoing.splice(0, MAX_TURN_EVENTS)
    ) {
      void this.#send(event);
      if (isRepeated) continue;
      for (const observer of this.#observers) observer(event);
    }
    this.#resolveDrained();
    this.#schedule();
  }

  async #send(event: SourceEvent): Promise<void> {
    const { link, log, topics } = this.#context;
    const topic = topics.sourceEvent(event.source);
    const options = { qos: 1, contentType: "application/json" } as const;
    this.#inFlight++;
    try {
      await link.publish(topic, encodeSourceEvent(event), options);
      this.#shared?.published(event);
    } catch (error) {
      const isClosed = error instanceof LinkError && error.code === "closed";
      // It is published again after a connect, or by the next leader.
      if (isClosed && this.#shared !== undefined) {
        this.#shared.unconfirmed(event);
        return;
      }
      log.warnLimited(
        "failed-publish",
        `Cannot publish on ${topic}: ${messageOf(error)}`,
      );
      this.#shared?.published(event);
    } finally {
      this.#inFlight--;
      this.#resolveDrained();
    }
  }

  #clear(): void {
    this.#outgoing = [];
    this.#resolveDrained();
  }

  async #whenDrained(): Promise<void> {
    while (this.#outgoing.length > 0 || this.#inFlight > 0) {
      this.#drained ??= Promise.withResolvers<void>();
      await this.#drained.promise;
    }
  }

  #resolveDrained(): void {
    if (this.#outgoing.length > 0 || this.#inFlight > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}

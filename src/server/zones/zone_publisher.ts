/**
 * Remembers and publishes the states and events of zones, if this server leads.
 *
 * @module
 */
import type { Work } from "../../common/turns.ts";
import type { ZoneRecord, ZoneState, ZoneUpdate } from "../../zones/mod.ts";
import type { ServerContext } from "../context.ts";
import { type RememberedZones, ZoneMemories } from "./zone_memories.ts";
import { ZoneMessages } from "./zone_messages.ts";
import type { DefinitionSource } from "./zone_records.ts";

/** Changes that are stored in about a millisecond. */
const SLICE_CHANGES = 250;
/** Events that the broker has acknowledged are removed together. */
const EVENTS_DONE_INTERVAL_MS = 250;

/** What a {@linkcode ZonePublisher} needs to know of the zones. */
export interface PublishedZones {
  /** Returns true if there is a zone of this name. */
  has(zone: string): boolean;
}

/**
 * Remembers what has changed, with the events, and publishes it after the
 * commit. Of a shared store, only the leader does: with each message it checks
 * whether it still leads, and what it remembers too late does not count.
 */
export class ZonePublisher {
  readonly #context: ServerContext;
  readonly #zones: PublishedZones;
  readonly #memories: ZoneMemories;
  readonly #messages: ZoneMessages;
  /** True between `begin` and `end`. */
  #isLeading = false;
  /** True if the broker may have states of another server. */
  #mustPublishAll = false;
  /** Zones whose last change is stored, but not in the messages yet. */
  readonly #unpublished = new Set<string>();
  /** Zones whose events have changed since they were stored. */
  readonly #changedEvents = new Set<string>();
  #eventsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ServerContext, zones: PublishedZones) {
    this.#context = context;
    this.#zones = zones;
    this.#memories = new ZoneMemories(context.store.records);
    this.#messages = new ZoneMessages(context, {
      onEventsDone: (zone) => this.#onEventsDone(zone),
      onCleared: (zone) => this.#onCleared(zone),
    });
  }

  /** True if this server remembers and publishes. */
  get isLeading(): boolean {
    return this.#isLeading && this.#context.leadership.isLeader;
  }

  /** The time that publishing has taken, in ms. */
  get cost(): number {
    return this.#messages.cost;
  }

  /**
   * Reads what is remembered, before it begins.
   *
   * @throws {StoreError} if it cannot be read
   */
  read(): Work<RememberedZones> {
    return this.#memories.read();
  }

  /**
   * Begins to publish: first the events that are perhaps not published yet. All
   * states are published with the next update.
   *
   * @param remembered as it was read
   * @returns the records with which the zones continue
   */
  begin({ records, events }: RememberedZones): readonly ZoneRecord[] {
    this.#isLeading = true;
    this.#mustPublishAll = true;
    for (const event of events) this.#messages.addEvents(event.zone, [event]);
    return records;
  }

  /**
   * Remembers nothing more, and publishes the rest: resolves when the broker has
   * acknowledged it and that is stored.
   */
  async resign(): Promise<void> {
    this.#isLeading = false;
    await this.#messages.drained();
    this.#storeEvents();
    await this.#memories.committed();
  }

  /** Publishes nothing more, until it begins again. */
  end(): void {
    this.#isLeading = false;
    this.#messages.clearAll();
    this.#unpublished.clear();
    this.#changedEvents.clear();
    clearTimeout(this.#eventsTimer);
    this.#eventsTimer = undefined;
  }

  /** Stores where the zones are from, for the other servers. */
  setSource(source: DefinitionSource): void {
    if (this.isLeading) this.#memories.setSource(source);
  }

  /** Stores what has changed, with the events that are to be published. */
  *remember({ changes }: ZoneUpdate): Work<void> {
    for (const [i, { zone, events, record }] of changes.entries()) {
      if (i > 0 && i % SLICE_CHANGES === 0) yield;
      if (record === undefined) continue;
      if (!this.isLeading) return;
      const waiting = this.#messages.eventsOf(zone);
      this.#memories.remember(record, [...waiting, ...events]);
      this.#changedEvents.delete(zone);
      this.#unpublished.add(zone);
    }
  }

  /**
   * Resolves when all that is remembered so far is committed.
   *
   * @returns false if it does not count: another server leads
   */
  committed(): Promise<boolean> {
    return this.#memories.committed();
  }

  /**
   * Publishes changes that were remembered.
   *
   * @param states returns all states, when the broker has those of another
   * server
   */
  publish(
    { changes, removed }: ZoneUpdate,
    states: () => Iterable<ZoneState>,
  ): void {
    if (!this.isLeading) return;
    for (const zone of removed) this.#messages.clear(zone);
    if (this.#mustPublishAll) {
      this.#mustPublishAll = false;
      this.publishStates(states());
    }
    for (const { zone, state, events } of changes) {
      if (state !== undefined) this.#messages.setState(state);
      this.#messages.addEvents(zone, events);
      this.#unpublished.delete(zone);
    }
    if (this.#changedEvents.size > 0) this.#storeEventsSoon();
  }

  /** Publishes states, as they are. */
  publishStates(states: Iterable<ZoneState>): void {
    if (!this.isLeading) return;
    for (const state of states) this.#messages.setState(state);
  }

  /** Continues after a connect. */
  connected(): void {
    this.#messages.connected();
  }

  /** Resolves when the broker has acknowledged all messages. */
  drained(): Promise<void> {
    return this.#messages.drained();
  }

  /** Publishes nothing more, and stores which events are still to publish. */
  close(): void {
    this.#messages.stop();
    clearTimeout(this.#eventsTimer);
    this.#storeEvents();
  }

  #onEventsDone(zone: string): void {
    this.#changedEvents.add(zone);
    this.#storeEventsSoon();
  }

  #storeEventsSoon(): void {
    this.#eventsTimer ??= setTimeout(() => {
      this.#eventsTimer = undefined;
      this.#storeEvents();
    }, EVENTS_DONE_INTERVAL_MS);
  }

  #storeEvents(): void {
    if (!this.#context.leadership.isLeader) return;
    for (const zone of this.#changedEvents) {
      // Else its new events would be forgotten.
      if (this.#unpublished.has(zone)) continue;
      this.#memories.setEvents(zone, this.#messages.eventsOf(zone));
      this.#changedEvents.delete(zone);
    }
  }

  #onCleared(zone: string): void {
    // A zone of this name may be there again.
    if (this.isLeading && !this.#zones.has(zone)) this.#memories.forget(zone);
  }
}

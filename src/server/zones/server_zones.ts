/**
 * The zones of a server: definitions, states, events, edits.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import { inTurns, type Work } from "../../common/turns.ts";
import {
  DEFAULT_ZONE_LIMITS,
  type Zone,
  type ZoneChange,
  type ZoneEdit,
  ZoneEditor,
  type ZoneEditProblem,
  type ZoneEditResult,
  ZoneIndex,
  type ZoneObserver,
  type Zones,
  type ZoneService,
  type ZoneState,
  ZoneTracker,
  type ZoneUpdate,
} from "../../zones/mod.ts";
import type { FileZones, ServerContext } from "../context.ts";
import type { Pipeline } from "../pipeline.ts";
import { ZoneMessages } from "./zone_messages.ts";
import { ZoneStore } from "./zone_store.ts";
import { ZoneUpdates } from "./zone_updates.ts";

/** How long an edit waits for its commit before it is reported as failed. */
const COMMIT_TIMEOUT_MS = 10_000;
/** Changes that are stored or published in about a millisecond. */
const SLICE_CHANGES = 250;
/** Events that the broker has acknowledged are removed together. */
const EVENTS_DONE_INTERVAL_MS = 250;

/**
 * The zones of a server.
 *
 * An update of states is first stored with its events, then published and shown
 * to observers. So a restart neither loses an event nor makes another one of the
 * same change; after a crash the broker may get an event again, which is
 * identical.
 */
export class ServerZones implements ZoneService {
  readonly #context: ServerContext;
  readonly #store: ZoneStore;
  readonly #editor = new ZoneEditor(DEFAULT_ZONE_LIMITS);
  readonly #messages: ZoneMessages;
  readonly #observers = new Set<ZoneObserver>();
  readonly #tracker: ZoneTracker;
  readonly #updates: ZoneUpdates;
  readonly #fileZones: FileZones | undefined;
  #definitions: Zones = new Map();
  /** The last states that were stored: all of one moment, by name. */
  readonly #states = new Map<string, ZoneState>();
  #version = "";
  /** For the version of the zones of a file: random, and a count. */
  readonly #fileId = crypto.randomUUID().slice(0, 8);
  #fileEdits = 0;
  /** The last edit. */
  #edits: Promise<unknown> = Promise.resolve();
  /** The messages of the last update are passed on. */
  #publishing: Promise<void> = Promise.resolve();
  /** Zones whose last change is stored, but not in the messages yet. */
  readonly #unpublished = new Set<string>();
  /** Zones whose events have changed since they were stored. */
  readonly #changedEvents = new Set<string>();
  #eventsTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param fileZones undefined: the zones are those of the store */
  constructor(
    context: ServerContext,
    pipeline: Pick<Pipeline, "refresh">,
    fileZones: FileZones | undefined,
  ) {
    this.#context = context;
    this.#fileZones = fileZones;
    this.#store = new ZoneStore(context.store.records);
    this.#messages = new ZoneMessages(context, {
      onEventsDone: (zone) => this.#onEventsDone(zone),
      onCleared: (zone) => this.#onCleared(zone),
    });
    this.#tracker = new ZoneTracker({
      map: context.map,
      makeIndex: (zones) => new ZoneIndex(zones),
    });
    this.#updates = new ZoneUpdates(context, pipeline, this.#tracker, {
      remember: (update) => this.#remember(update),
      publish: (update) => this.#publish(update),
      cost: () => this.#messages.cost,
    });
  }

  get file(): string | undefined {
    return this.#fileZones?.file;
  }

  get version(): string {
    return this.#version;
  }

  get definitions(): Zones {
    return this.#definitions;
  }

  state(name: string): ZoneState | undefined {
    return this.#states.get(name);
  }

  *states(): Generator<ZoneState, void, void> {
    for (const name of this.#definitions.keys()) {
      const state = this.#states.get(name);
      if (state !== undefined) yield state;
    }
  }

  updated(): Promise<void> {
    return this.#updates.updated();
  }

  observe(observer: ZoneObserver): () => void {
    const own = { ...observer }; // distinct if added twice
    this.#observers.add(own);
    return () => this.#observers.delete(own);
  }

  /**
   * Reads what is stored. Call it once, when the map is loaded.
   *
   * @throws {StoreError} if it cannot be read
   */
  load(): void {
    const stored = this.#store.load();
    this.#tracker.restore(stored.records);
    for (const event of stored.events) {
      this.#messages.addEvents(event.zone, [event]);
    }
    const file = this.#fileZones?.zones;
    this.#putInForce(
      file === undefined
        ? stored.zones
        : new Map(file.map((zone) => [zone.name, zone])),
    );
  }

  edit(
    edit: ZoneEdit,
    isExpected: (zones: Zones) => boolean = () => true,
  ): Promise<ZoneEditResult | ZoneEditProblem> {
    if (this.#fileZones !== undefined) return Promise.resolve("read-only");
    return this.#enqueue(edit, isExpected);
  }

  /** Replaces the zones of a file by those of its present content. */
  setFileZones(
    zones: readonly Zone[],
  ): Promise<ZoneEditResult | ZoneEditProblem> {
    return this.#enqueue({ kind: "replace", zones }, () => true);
  }

  /** Call when the map may have changed. Cheap. */
  notify(): void {
    this.#updates.notify();
  }

  /** Call after each connect: all states are published again. */
  connected(): void {
    for (const state of this.states()) this.#messages.setState(state);
    this.#messages.connected();
  }

  /** Publishes the state of a zone again; does nothing if it has none. */
  republish(name: string): void {
    const state = this.state(name);
    if (state !== undefined) this.#messages.setState(state);
  }

  /** Call when the store fails. */
  storeFails(): void {
    this.#updates.storeFails();
  }

  /** Brings the states up to date a last time. */
  stop(): void {
    this.#updates.stop();
    this.#stopped = true;
  }

  /** Resolves when the broker has acknowledged all messages. */
  async drained(): Promise<void> {
    await this.#store.committed();
    await this.#publishing;
    await this.#messages.drained();
  }

  /** Publishes nothing more, and stores which events are still to publish. */
  close(): void {
    this.#messages.stop();
    clearTimeout(this.#eventsTimer);
    this.#storeEvents();
  }

  /** Does an edit after those before it. */
  async #enqueue(
    edit: ZoneEdit,
    isExpected: (zones: Zones) => boolean,
  ): Promise<ZoneEditResult | ZoneEditProblem> {
    let isLate = false;
    const done = this.#edits.then(() =>
      isLate ? "store-failing" : this.#edit(edit, isExpected)
    );
    this.#edits = done.catch(() => {});
    if (await doneWithin(done, COMMIT_TIMEOUT_MS)) return await done;
    isLate = true; // if it has not begun, it is not done
    return "store-failing";
  }

  async #edit(
    edit: ZoneEdit,
    isExpected: (zones: Zones) => boolean,
  ): Promise<ZoneEditResult | ZoneEditProblem> {
    const { status } = this.#context;
    if (this.#stopped) return "stopping";
    if (!status.loaded) return "starting";
    const before = this.#definitions;
    if (!isExpected(before)) return "changed";
    const edited = await inTurns(this.#editor.apply(before, edit));
    if (typeof edited === "string") return edited;
    const { zones, set, added, deleted } = edited;
    if (set.size > 0 || deleted.length > 0 || !hasSameOrder(zones, before)) {
      if (this.#fileZones === undefined) {
        if (status.storeProblem !== undefined) return "store-failing";
        await this.#store.save(edited, edit.kind === "replace");
      } else this.#fileEdits++;
      this.#putInForce(zones);
    }
    await this.updated();
    return {
      version: this.#version,
      added,
      changed: set.size - added,
      deleted: deleted.length,
    };
  }

  #putInForce(zones: Zones): void {
    this.#definitions = zones;
    this.#version = this.#fileZones === undefined
      ? this.#store.version
      : `${this.#fileId}-${this.#fileEdits}`;
    this.#tracker.replace([...zones.values()]);
    this.#updates.notify();
    for (const { onDefinitions } of this.#observers) onDefinitions?.();
  }

  /** Stores what has changed, with the events that are to be published. */
  *#remember({ changes }: ZoneUpdate): Work<void> {
    for (const [i, { zone, events, record }] of changes.entries()) {
      if (i > 0 && i % SLICE_CHANGES === 0) yield;
      if (record === undefined) continue;
      const waiting = this.#messages.eventsOf(zone);
      this.#store.remember(record, [...waiting, ...events]);
      this.#changedEvents.delete(zone);
      this.#unpublished.add(zone);
    }
  }

  async #publish({ changes, removed }: ZoneUpdate): Promise<void> {
    await this.#store.committed();
    // At once: all states are of one moment.
    for (const zone of removed) this.#states.delete(zone);
    for (const { zone, state } of changes) {
      if (state !== undefined) this.#states.set(zone, state);
    }
    this.#publishing = inTurns(this.#publishInSlices(changes, removed));
    await this.#publishing;
  }

  *#publishInSlices(
    changes: readonly ZoneChange[],
    removed: readonly string[],
  ): Work<void> {
    for (const zone of removed) this.#messages.clear(zone);
    let next = 0;
    do {
      const slice = changes.slice(next, next += SLICE_CHANGES);
      for (const { zone, state, events } of slice) {
        if (state !== undefined) this.#messages.setState(state);
        this.#messages.addEvents(zone, events);
        this.#unpublished.delete(zone);
      }
      const part = {
        changes: slice,
        removed: next <= SLICE_CHANGES ? removed : [],
      };
      for (const { onUpdate } of this.#observers) onUpdate?.(part);
      yield;
    } while (next < changes.length);
    if (this.#changedEvents.size > 0) this.#storeEventsSoon();
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
    for (const zone of this.#changedEvents) {
      // Else its new events would be forgotten.
      if (this.#unpublished.has(zone)) continue;
      this.#store.setEvents(zone, this.#messages.eventsOf(zone));
      this.#changedEvents.delete(zone);
    }
  }

  #onCleared(zone: string): void {
    // A zone of this name may be there again.
    if (!this.#definitions.has(zone)) this.#store.forget(zone);
  }
}

function hasSameOrder(a: Zones, b: Zones): boolean {
  const names = b.keys();
  for (const name of a.keys()) if (name !== names.next().value) return false;
  return true;
}

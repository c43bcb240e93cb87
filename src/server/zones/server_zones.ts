/**
 * The zones of a server: definitions, states, events, edits.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import { atOnce } from "../../common/at_once.ts";
import { messageOf } from "../../common/errors.ts";
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
import { byName, hasSameOrder, ZoneDefinitions } from "./zone_definitions.ts";
import { ZonePublisher } from "./zone_publisher.ts";
import { ZoneSource } from "./zone_source.ts";
import { ZoneUpdates } from "./zone_updates.ts";

/** How long an edit waits for its commit before it is reported as failed. */
const COMMIT_TIMEOUT_MS = 10_000;
/** Changes that are published in about a millisecond. */
const SLICE_CHANGES = 250;

/**
 * The zones of a server.
 *
 * An update of states is first stored with its events, then published and shown
 * to observers. So a restart neither loses an event nor makes another one of the
 * same change; after a crash the broker may get an event again, which is
 * identical.
 *
 * The servers of a shared store have the same definitions, and each computes the
 * states for its own clients. Only the leader stores and publishes them; a new
 * one continues with what the one before has stored.
 */
export class ServerZones implements ZoneService {
  readonly #context: ServerContext;
  readonly #stored: ZoneDefinitions;
  readonly #editor = new ZoneEditor(DEFAULT_ZONE_LIMITS);
  readonly #publisher: ZonePublisher;
  readonly #source: ZoneSource;
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
  /** Increases when it is decided again whether this server publishes. */
  #elections = 0;
  /** The last edit, or other work on the definitions. */
  #edits: Promise<unknown> = Promise.resolve();
  /** The messages of the last update are passed on. */
  #publishing: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param fileZones undefined: the zones are those of the store */
  constructor(
    context: ServerContext,
    pipeline: Pick<Pipeline, "refresh">,
    fileZones: FileZones | undefined,
  ) {
    this.#context = context;
    this.#fileZones = fileZones;
    this.#stored = new ZoneDefinitions(context.store.records);
    this.#publisher = new ZonePublisher(context, {
      has: (zone) => this.#definitions.has(zone),
    });
    this.#source = new ZoneSource(context, this.#publisher, fileZones?.file);
    this.#tracker = new ZoneTracker({
      map: context.map,
      makeIndex: (zones) => new ZoneIndex(zones),
    });
    this.#updates = new ZoneUpdates(context, pipeline, this.#tracker, {
      remember: (update) => this.#publisher.remember(update),
      publish: (update) => this.#publish(update),
      cost: () => this.#publisher.cost,
    });
    context.leadership.observe({
      onElected: () => void this.#onElected(),
      onResign: () => this.#onResign(),
      onDeposed: () => this.#publisher.end(),
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

  /** True if this server publishes states and events. */
  get isLeading(): boolean {
    return this.#publisher.isLeading;
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
    const { store } = this.#context;
    const stored = this.#stored.load();
    const file = this.#fileZones?.zones;
    const remembered = atOnce(this.#publisher.read());
    if (store.shared === undefined) this.#publisher.begin(remembered);
    this.#tracker.restore(remembered.records);
    this.#putInForce(file === undefined ? stored : byName(file));
    store.records?.shared?.observe(
      "zones",
      () => void this.#inOrder(() => this.#reload()),
    );
  }

  async synchronized(): Promise<void> {
    if (!this.#isShared) return;
    const done = this.#inOrder(() => this.#synchronize());
    await doneWithin(done, COMMIT_TIMEOUT_MS);
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
    this.#publisher.publishStates(this.states());
    this.#publisher.connected();
  }

  /** Publishes the state of a zone again; does nothing if it has none. */
  republish(name: string): void {
    const state = this.state(name);
    if (state !== undefined) this.#publisher.publishStates([state]);
  }

  /** Call when the store fails. */
  storeFails(): void {
    this.#updates.storeFails();
  }

  /** Brings the states up to date a last time. */
  stop(): void {
    this.#updates.stop();
    this.#source.stop();
    this.#stopped = true;
  }

  /** Resolves when the broker has acknowledged all messages. */
  async drained(): Promise<void> {
    await this.#publisher.committed();
    await this.#publishing;
    await this.#publisher.drained();
  }

  /** Publishes nothing more, and stores which events are still to publish. */
  close(): void {
    this.#publisher.close();
  }

  /** Does an edit after those before it. */
  async #enqueue(
    edit: ZoneEdit,
    isExpected: (zones: Zones) => boolean,
  ): Promise<ZoneEditResult | ZoneEditProblem> {
    let isLate = false;
    const done = this.#inOrder(() =>
      this.#edit(edit, isExpected, () => isLate)
    );
    if (await doneWithin(done, COMMIT_TIMEOUT_MS)) return await done;
    isLate = true; // if it has not begun, it is not done
    return "store-failing";
  }

  /** Does work on the definitions after what came before it. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#edits.then(work);
    this.#edits = done.catch(() => {});
    return done;
  }

  async #edit(
    edit: ZoneEdit,
    isExpected: (zones: Zones) => boolean,
    isLate: () => boolean,
  ): Promise<ZoneEditResult | ZoneEditProblem> {
    const { status } = this.#context;
    for (;;) {
      if (isLate()) return "store-failing";
      if (this.#stopped) return "stopping";
      if (!status.loaded) return "starting";
      if (!await this.#synchronize()) return "store-failing";
      // Perhaps these are not the definitions that all servers have committed.
      if (this.#isShared && status.storeProblem !== undefined) {
        return "store-failing";
      }
      const before = this.#definitions;
      if (!isExpected(before)) return "changed";
      const edited = await inTurns(this.#editor.apply(before, edit));
      if (typeof edited === "string") return edited;
      const { zones, set, added, deleted } = edited;
      if (set.size > 0 || deleted.length > 0 || !hasSameOrder(zones, before)) {
        if (this.#fileZones === undefined) {
          if (status.storeProblem !== undefined) return "store-failing";
          const isWhole = edit.kind === "replace";
          // Perhaps another server has changed the definitions meanwhile.
          if (!await this.#stored.save(edited, isWhole)) continue;
        } else this.#fileEdits++;
        await this.#reload(zones);
      }
      await this.updated();
      return {
        version: this.#version,
        added,
        changed: set.size - added,
        deleted: deleted.length,
      };
    }
  }

  /** True if other servers can change the definitions. */
  get #isShared(): boolean {
    return this.#context.store.shared !== undefined &&
      this.#fileZones === undefined;
  }

  /**
   * Brings the definitions to those that all servers have committed. Resolves to
   * false if they cannot be read.
   */
  async #synchronize(): Promise<boolean> {
    if (!this.#isShared) return true;
    await this.#context.store.shared!.sync([0]);
    return await this.#reload();
  }

  /**
   * Puts definitions in force: those of a shared store as they were committed,
   * so that all servers have the same.
   *
   * @param zones otherwise these; undefined: the present ones
   * @returns resolves to false if they cannot be read: those before stay
   */
  async #reload(zones?: Zones): Promise<boolean> {
    if (!this.#isShared) {
      if (zones !== undefined) this.#putInForce(zones);
    } else if (this.#stored.isOutdated) {
      try {
        this.#putInForce(await this.#stored.reload());
      } catch (error) {
        this.#context.log.warnLimited(
          "zones",
          `${messageOf(error)}. The zones before stay in force`,
        );
        return false;
      }
    }
    return true;
  }

  #putInForce(zones: Zones): void {
    this.#definitions = zones;
    this.#version = this.#fileZones === undefined
      ? this.#stored.version
      : `${this.#fileId}-${this.#fileEdits}`;
    this.#tracker.replace([...zones.values()]);
    this.#updates.notify();
    void this.#source.set(zones);
    for (const { onDefinitions } of this.#observers) onDefinitions?.();
  }

  /** Continues with what the leader before has stored, and publishes. */
  async #onElected(): Promise<void> {
    const election = ++this.#elections;
    await this.#inOrder(() => this.#reload());
    await this.#betweenUpdates();
    if (election !== this.#elections) return;
    // What it remembered is committed, and until it begins there is no more.
    this.#publisher.end();
    try {
      const remembered = await inTurns(this.#publisher.read());
      await this.#betweenUpdates();
      if (election !== this.#elections) return;
      if (!this.#context.leadership.isLeader) return;
      this.#tracker.resume(this.#publisher.begin(remembered));
      this.#source.store();
      this.#updates.notify();
    } catch (error) {
      this.#context.log.warn(
        `${messageOf(error)}. The zones are not published`,
      );
    }
  }

  /** Publishes what is remembered, so that the next leader does not. */
  async #onResign(): Promise<void> {
    this.#elections++;
    await this.#betweenUpdates();
    await this.#publisher.resign();
  }

  #betweenUpdates(): Promise<void> {
    return new Promise((resolve) => this.#updates.between(resolve));
  }

  async #publish({ changes, removed }: ZoneUpdate): Promise<void> {
    if (!await this.#publisher.committed()) {
      // Another server leads; or this one leads again, and continues with what
      // is stored.
      this.#publisher.end();
      if (this.#context.leadership.isLeader) void this.#onElected();
    }
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
    let next = 0;
    do {
      const slice = changes.slice(next, next + SLICE_CHANGES);
      const part = { changes: slice, removed: next === 0 ? removed : [] };
      next += SLICE_CHANGES;
      this.#publisher.publish(part, () => this.states());
      for (const { onUpdate } of this.#observers) onUpdate?.(part);
      yield;
    } while (next < changes.length);
  }
}

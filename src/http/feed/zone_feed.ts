/**
 * The states of zones for viewers: all of them, then those that change.
 *
 * @module
 */
import { MAX_ZONES_PER_MESSAGE } from "../../feed/zone_messages.ts";
import type { ZoneService } from "../../zones/zone_service.ts";
import type { ZoneState } from "../../zones/zone_state.ts";

/** Minimum time between two batches of changes. */
export const ZONES_INTERVAL_MS = 100;
/**
 * Maximum number of zones that a viewer may lack besides those that exist.
 * Above it the viewer receives all states again.
 */
const MAX_EXTRA_PENDING = 1000;

/** The part of the zones that the feed uses. */
export type FeedZones = Pick<
  ZoneService,
  "file" | "version" | "definitions" | "state" | "observe"
>;

/**
 * Collects changes of zones and passes them to all viewers, at most ten times a
 * second. Viewers that are up to date share the text of a message.
 */
export class ZoneFeed {
  readonly #zones: FeedZones;
  readonly #texts: StateTexts;
  readonly #cursors = new Set<ZoneCursor>();
  readonly #unobserve: () => void;
  /** The names of zones that have changed since the last batch. */
  #changed = new Set<string>();
  /** Whether the definitions have changed since then. */
  #hasNewVersion = false;
  /** When the last batch was made, as `performance.now()`. */
  #batchAt = -Infinity;

  /**
   * @param onChange called after each change; it must be fast
   * @param maxZones of a message
   */
  constructor(
    zones: FeedZones,
    onChange: () => void,
    maxZones = MAX_ZONES_PER_MESSAGE,
  ) {
    this.#zones = zones;
    this.#texts = new StateTexts(zones, maxZones);
    this.#unobserve = zones.observe({
      onDefinitions: () => {
        if (this.#cursors.size === 0) return;
        this.#hasNewVersion = true;
        onChange();
      },
      onUpdate: ({ changes, removed }) => {
        if (this.#cursors.size === 0) return;
        for (const { zone, state } of changes) {
          if (state !== undefined) this.#changed.add(zone);
        }
        for (const name of removed) this.#changed.add(name);
        if (this.#changed.size > 0) onChange();
      },
    });
  }

  /** Adds a viewer, which lacks all states. */
  join(): ZoneCursor {
    const cursor = new ZoneCursor(this.#zones, this.#texts);
    this.#cursors.add(cursor);
    return cursor;
  }

  /** Removes a viewer. Safe to call twice. */
  leave(cursor: ZoneCursor): void {
    this.#cursors.delete(cursor);
    if (this.#cursors.size > 0) return;
    this.#changed.clear();
    this.#hasNewVersion = false;
  }

  /**
   * Returns when the next batch is due, as `performance.now()`; undefined if
   * nothing has changed.
   */
  get due(): number | undefined {
    return this.#changed.size > 0 || this.#hasNewVersion
      ? this.#batchAt + ZONES_INTERVAL_MS
      : undefined;
  }

  /** Passes the changes to all viewers, if a batch is due. */
  update(now: number): void {
    const { due } = this;
    if (due === undefined || now < due) return;
    this.#batchAt = now;
    const batch = new ZoneBatch(this.#changed, this.#texts);
    this.#changed = new Set();
    this.#hasNewVersion = false;
    for (const cursor of this.#cursors) cursor.add(batch);
  }

  /** Stops to observe the zones. Safe to call twice. */
  close(): void {
    this.#unobserve();
    this.#cursors.clear();
  }
}

/** What a viewer lacks of the states of all zones. */
export class ZoneCursor {
  readonly #zones: FeedZones;
  readonly #texts: StateTexts;
  /** The zones that were not sent yet, on a new connection. */
  #rest: Iterator<string> | undefined;
  #isWhole = true;
  /** A batch that is sent in part or not at all, while nothing else is due. */
  #batch: { readonly texts: readonly string[]; next: number } | undefined;
  #batchNames: ReadonlySet<string> = new Set();
  /** The zones that have changed while the viewer was behind. */
  readonly #pending = new Set<string>();
  #version: string | undefined;

  constructor(zones: FeedZones, texts: StateTexts) {
    this.#zones = zones;
    this.#texts = texts;
    this.#rest = zones.definitions.keys();
  }

  /** Whether there is something to send. */
  get hasPending(): boolean {
    return this.#rest !== undefined || this.#batch !== undefined ||
      this.#pending.size > 0 || this.#version !== this.#zones.version;
  }

  /** Adds changes. What was not sent before is replaced by later states. */
  add(batch: ZoneBatch): void {
    const isBehind = this.#rest !== undefined || this.#pending.size > 0 ||
      this.#batch !== undefined;
    if (!isBehind) {
      const { texts } = batch;
      if (texts.length > 0) this.#batch = { texts, next: 0 };
      this.#batchNames = batch.names;
      return;
    }
    if (this.#batch !== undefined) {
      for (const name of this.#batchNames) this.#pending.add(name);
      this.#batch = undefined;
    }
    for (const name of batch.names) this.#pending.add(name);
    const max = this.#zones.definitions.size + MAX_EXTRA_PENDING;
    if (this.#pending.size > max) this.#startAgain();
  }

  /**
   * Returns the next message; undefined if there is none. It has the present
   * states, or those of a batch that is at most one interval old.
   */
  next(): string | undefined {
    if (this.#rest !== undefined) return this.#nextOfRest(this.#rest);
    const batch = this.#batch;
    if (batch !== undefined) {
      const text = batch.texts[batch.next++];
      if (batch.next === batch.texts.length) this.#batch = undefined;
      this.#version = this.#zones.version;
      return text;
    }
    const isCurrent = this.#version === this.#zones.version;
    if (this.#pending.size === 0 && isCurrent) return undefined;
    return this.#write(
      this.#texts.take(this.#pending[Symbol.iterator]()).names,
    );
  }

  #nextOfRest(rest: Iterator<string>): string {
    const { names, done } = this.#texts.take(rest);
    if (done) this.#rest = undefined;
    return this.#write(names);
  }

  #write(names: readonly string[]): string {
    for (const name of names) this.#pending.delete(name);
    const text = this.#texts.message(names, this.#isWhole);
    this.#isWhole = false;
    this.#version = this.#zones.version;
    return text;
  }

  #startAgain(): void {
    this.#pending.clear();
    this.#rest = this.#zones.definitions.keys();
    this.#isWhole = true;
  }
}

/** Changes of one moment, and their messages. */
export class ZoneBatch {
  readonly names: ReadonlySet<string>;
  readonly #states: StateTexts;
  #texts: readonly string[] | undefined;

  constructor(names: ReadonlySet<string>, states: StateTexts) {
    this.names = names;
    this.#states = states;
  }

  /** Made when they are first used. */
  get texts(): readonly string[] {
    return this.#texts ??= this.#write();
  }

  #write(): string[] {
    const texts: string[] = [];
    const rest = this.names[Symbol.iterator]();
    for (let done = this.names.size === 0; !done;) {
      const part = this.#states.take(rest);
      ({ done } = part);
      if (part.names.length > 0) {
        texts.push(this.#states.message(part.names, false));
      }
    }
    return texts;
  }
}

/** Writes messages. The text of each state is made once, for all viewers. */
class StateTexts {
  readonly #zones: FeedZones;
  readonly #maxZones: number;
  readonly #texts = new WeakMap<ZoneState, string>();

  constructor(zones: FeedZones, maxZones: number) {
    this.#zones = zones;
    this.#maxZones = maxZones;
  }

  /** Takes the names of one message. */
  take(from: Iterator<string>): {
    readonly names: readonly string[];
    readonly done: boolean;
  } {
    const names: string[] = [];
    while (names.length < this.#maxZones) {
      const { value, done } = from.next();
      if (done) return { names, done: true };
      names.push(value);
    }
    return { names, done: false };
  }

  /** Returns a message `zones` with the present states. */
  message(names: readonly string[], whole: boolean): string {
    const { version, file } = this.#zones;
    const states: string[] = [];
    const removed: string[] = [];
    for (const name of names) {
      const state = this.#zones.state(name);
      // Without a state it is gone, or new and has one soon.
      if (state === undefined) removed.push(name);
      else states.push(this.#textOf(state));
    }
    const head = JSON.stringify({
      ...{ type: "zones", version, file: file ?? null, whole, removed },
    });
    return `${head.slice(0, -1)},"states":[${states.join()}]}`;
  }

  #textOf(state: ZoneState): string {
    let text = this.#texts.get(state);
    if (text === undefined) {
      text = JSON.stringify(state);
      this.#texts.set(state, text);
    }
    return text;
  }
}

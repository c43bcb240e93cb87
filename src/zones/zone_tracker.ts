/**
 * Follows a map for a set of zones: their states and their events.
 *
 * @module
 */

import { Deadlines } from "../common/deadlines.ts";
import type { Work } from "../common/turns.ts";
import type { OccupancyMap } from "../grid/mod.ts";
import { LayerCounts } from "./layer_counts.ts";
import type { TileZonesMaker } from "./tile_zones.ts";
import type { Zone } from "./zone.ts";
import { hasSameCells, isSameZone } from "./zone_equality.ts";
import {
  holdEnd,
  nextRecord,
  type ZoneEvent,
  type ZoneRecord,
} from "./zone_events.ts";
import { differs, stateOf, type ZoneState } from "./zone_state.ts";

/** What has changed of one zone. */
export interface ZoneChange {
  /** The name of the zone. */
  readonly zone: string;
  /** The new state, to publish; undefined if it is the same. */
  readonly state: ZoneState | undefined;
  /** To publish after the state, in this order; mostly none. */
  readonly events: readonly ZoneEvent[];
  /** To store in one commit with the events; undefined if it is the same. */
  readonly record: ZoneRecord | undefined;
}

/** The result of {@linkcode ZoneTracker.update}. */
export interface ZoneUpdate {
  /** Each zone at most once. */
  readonly changes: readonly ZoneChange[];
  /** Names of zones that there are no more: delete their states and records. */
  readonly removed: readonly string[];
}

/** A zone and what is known of it. */
interface Tracked {
  readonly zone: Zone;
  readonly counts: LayerCounts;
  /** Its number in `counts`. */
  readonly number: number;
  record: ZoneRecord | undefined;
  state: ZoneState | undefined;
}

/** The zones of one layer. */
interface TrackedLayer {
  readonly counts: LayerCounts;
  /** By number. */
  readonly zones: readonly Tracked[];
}

/** Options of {@linkcode ZoneTracker}. */
export interface ZoneTrackerOptions {
  /** Never changed by the tracker. */
  readonly map: OccupancyMap;
  /** Makes the index of the zones of a layer. */
  readonly makeIndex: TileZonesMaker;
  /** The records before a restart, one for each name. Default: none. */
  readonly stored?: Iterable<ZoneRecord>;
  /**
   * An update pauses after work of this cost, in units of about 10 ns, measured
   * by numbers of tiles and cells. Default: a millisecond.
   */
  readonly sliceCost?: number;
}

/**
 * Passes of a count. The changes during the pauses of one are counted by the
 * next; the last one does not pause.
 */
const MAX_PASSES = 8;
/** Zones whose states are made in about a millisecond. */
const SLICE_ZONES = 500;
/** See {@linkcode ZoneTrackerOptions.sliceCost}. */
const SLICE_COST = 100_000;

/**
 * Follows a map for a set of zones.
 *
 * States are those of one moment of the map, also if an update took several
 * turns. An event is returned once: the caller stores the records of an update
 * in one commit with its events, before anything is published, and passes the
 * records to the constructor after a restart. What changed meanwhile becomes one
 * event in the first update.
 *
 * A zone keeps its record as long as its name exists, also when it is edited: so
 * its events alternate whatever is edited.
 *
 * @example
 * ```ts
 * import { inTurns } from "../common/turns.ts";
 * import type { ZoneTracker } from "./zone_tracker.ts";
 *
 * async function printEvents(tracker: ZoneTracker, now: number) {
 *   if (!tracker.isDue(now)) return;
 *   const { changes } = await inTurns(tracker.update(now));
 *   for (const { events } of changes) {
 *     for (const { zone, event } of events) console.log(zone, event);
 *   }
 * }
 * ```
 */
export class ZoneTracker {
  readonly #map: OccupancyMap;
  readonly #makeIndex: TileZonesMaker;
  readonly #sliceCost: number;
  #layers = new Map<string, TrackedLayer>();
  #zones = new Map<string, Tracked>();
  /** Zones to evaluate in the next update, besides those that are due. */
  #dirty = new Set<Tracked>();
  /** Records without a zone: of the time before the start. */
  readonly #stored = new Map<string, ZoneRecord>();
  /** The zones of the next update. */
  #next: readonly Zone[] | undefined;
  /** When the hold times of zones end, by name. */
  readonly #holds = new Deadlines<string>();
  #now = -Infinity;
  /** True if all zones continue with the records in `#stored`. */
  #mustResume = false;
  #isRunning = false;

  /** Follows no zones until {@linkcode ZoneTracker.replace}. */
  constructor(
    { map, makeIndex, stored = [], sliceCost = SLICE_COST }: ZoneTrackerOptions,
  ) {
    this.#map = map;
    this.#makeIndex = makeIndex;
    this.#sliceCost = sliceCost;
    this.restore(stored);
  }

  /**
   * Adds the records of the time before a restart. Call it before the first
   * update.
   */
  restore(records: Iterable<ZoneRecord>): void {
    for (const record of records) this.#stored.set(record.zone, record);
  }

  /**
   * Continues with the records of another tracker, from the next update on: what
   * has changed since then becomes events. Zones without a record are new. Do
   * not call it while an update runs.
   */
  resume(records: Iterable<ZoneRecord>): void {
    this.#stored.clear();
    this.restore(records);
    for (const [name, tracked] of this.#zones) {
      tracked.record = this.#stored.get(name);
    }
    this.#next ??= Array.from(this.#zones.values(), ({ zone }) => zone);
    this.#mustResume = true;
  }

  /**
   * Replaces all zones, with the next {@linkcode ZoneTracker.update}. The counts
   * of a layer whose zones have the same cells are kept.
   *
   * @throws {RangeError} if two have the same name
   */
  replace(zones: readonly Zone[]): void {
    const names = new Set<string>();
    for (const { name } of zones) {
      if (names.has(name)) {
        throw new RangeError(`Cannot use two zones with the name ${name}`);
      }
      names.add(name);
    }
    this.#next = [...zones];
  }

  /** Number of zones. */
  get size(): number {
    return this.#zones.size;
  }

  /** True if the next update puts other zones in force. */
  get isReplaced(): boolean {
    return this.#next !== undefined;
  }

  /** Returns the state of a zone as the last update found it. */
  state(name: string): ZoneState | undefined {
    return this.#zones.get(name)?.state;
  }

  /** Returns all states as the last update found them. */
  *states(): Generator<ZoneState, void, void> {
    for (const { state } of this.#zones.values()) {
      if (state !== undefined) yield state;
    }
  }

  /**
   * When a hold time ends or a cell becomes stale for a zone with its own
   * `staleAfter`: an update from this time on (ms since 1970) may change a state
   * although the map does not change. Infinity if there is no such time.
   */
  get nextDue(): number {
    let due = this.#holds.next ?? Infinity;
    for (const { counts } of this.#layers.values()) {
      due = Math.min(due, Math.floor(counts.due) + 1);
    }
    return due;
  }

  /** Returns true if an update may change a state; constant cost per layer. */
  isDue(now: number): boolean {
    if (this.#next !== undefined || now >= (this.#holds.next ?? Infinity)) {
      return true;
    }
    for (const { counts } of this.#layers.values()) {
      if (counts.isDue(this.#map, now)) return true;
    }
    return false;
  }

  /**
   * Counts what has changed, in slices; the map may change in between, and the
   * result is of a moment at the end. Must be run to its end.
   *
   * There is one exception: cells that are stale for a zone with its own `staleAfter`
   * and get the same value again: if they are in hundreds of tiles, some updates
   * are necessary until all are fresh, and `isDue` stays true.
   *
   * @param now the clock, ms since 1970
   * @throws {Error} if another update has not ended
   * @throws {RangeError} as the maker of indexes does: then the zones before
   * stay in force
   */
  *update(now: number): Work<ZoneUpdate> {
    if (this.#isRunning) {
      throw new Error("Cannot update the zones: an update is running");
    }
    this.#isRunning = true;
    try {
      const removed = yield* this.#replaceNow();
      yield* this.#count(now);
      const changes: ZoneChange[] = [];
      let evaluated = 0;
      for (const tracked of this.#takeDirty(now)) {
        const change = this.#evaluate(tracked, now);
        if (change !== undefined) changes.push(change);
        if (++evaluated % SLICE_ZONES === 0) yield;
      }
      this.#now = now;
      return { changes, removed };
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * Brings all counts to one moment of the map: the tiles that changed in the
   * pauses are counted again. Otherwise a person who moves from one tile to
   * another in a pause could be counted twice, or not at all.
   */
  *#count(now: number): Work<void> {
    const map = this.#map;
    for (let pass = 1;; pass++) {
      for (const { counts } of this.#layers.values()) {
        const work = counts.count(
          map,
          now,
          this.#sliceCost,
          pass === 1,
        );
        if (pass < MAX_PASSES) yield* work;
        else while (!work.next().done);
      }
      const all = [...this.#layers.values()];
      if (all.every(({ counts }) => counts.isCurrent(map))) return;
    }
  }

  /** Returns the zones whose state may have changed. */
  #takeDirty(now: number): ReadonlySet<Tracked> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const { counts, zones } of this.#layers.values()) {
      for (const number of counts.takeTouched()) dirty.add(zones[number]!);
    }
    for (let name; (name = this.#holds.takeDue(now)) !== undefined;) {
      dirty.add(this.#zones.get(name)!);
    }
    if (now < this.#now && this.#holds.size > 0) {
      // The clock was set back: hold times begin at the new time at the latest.
      for (const tracked of this.#zones.values()) {
        if (tracked.record?.heldSince != null) dirty.add(tracked);
      }
    }
    return dirty;
  }

  #evaluate(tracked: Tracked, now: number): ZoneChange | undefined {
    const { zone, counts, number, record: last, state: lastState } = tracked;
    const { revision } = counts;
    const found = counts.counts(number);
    const { record, events } = nextRecord(zone, found, last, now, revision);
    const { occupied, since } = record;
    const moment = { occupied, since, time: now, revision };
    const state = stateOf(zone, found, moment);
    const end = holdEnd(zone, record);
    if (end === undefined) this.#holds.delete(zone.name);
    else this.#holds.set(zone.name, end);
    const isNew = lastState === undefined || differs(lastState, state);
    if (isNew) tracked.state = state;
    tracked.record = record;
    if (!isNew && record === last) return undefined;
    const { title, layer, count, capacity } = state;
    return {
      zone: zone.name,
      state: isNew ? state : undefined,
      events: events.map((event) => ({
        ...{ zone: zone.name, title, layer, event, count, capacity },
        ...{ time: now, revision },
      })),
      record: record === last ? undefined : record,
    };
  }

  /** Puts the zones of `replace` in force. Returns the names that are gone. */
  *#replaceNow(): Work<string[]> {
    const next = this.#next;
    if (next === undefined) return [];
    this.#next = undefined;
    const layers = new Map<string, TrackedLayer>();
    const zones = new Map<string, Tracked>();
    const dirty = new Set<Tracked>();
    // Nothing is changed before all is made: an index may throw.
    for (const [layer, group] of Map.groupBy(next, ({ layer }) => layer)) {
      const counts = this.#countsOf(layer, group);
      const made: Tracked[] = [];
      for (const [number, zone] of group.entries()) {
        const tracked = this.#track(zone, counts, number);
        if (tracked !== this.#zones.get(zone.name)) dirty.add(tracked);
        made.push(tracked);
        zones.set(zone.name, tracked);
        if (made.length % SLICE_ZONES === 0) yield;
      }
      layers.set(layer, { counts, zones: made });
    }
    const names = [...this.#zones.keys(), ...this.#stored.keys()];
    const removed = names.filter((name) => !zones.has(name));
    for (const name of removed) this.#holds.delete(name);
    this.#layers = layers;
    this.#zones = zones;
    this.#dirty = dirty;
    this.#stored.clear();
    this.#mustResume = false;
    return removed;
  }

  /** Returns the same object as before for a zone that was not edited. */
  #track(zone: Zone, counts: LayerCounts, number: number): Tracked {
    const old = this.#zones.get(zone.name);
    if (
      old?.counts === counts && isSameZone(old.zone, zone) && !this.#mustResume
    ) return old;
    const record = old?.record ?? this.#stored.get(zone.name);
    return { zone, counts, number, record, state: old?.state };
  }

  /** Returns the counts of a layer: the present ones if they stay valid. */
  #countsOf(layer: string, zones: readonly Zone[]): LayerCounts {
    const counts = this.#layers.get(layer)?.counts;
    const isSame = counts?.zones.length === zones.length &&
      zones.every((zone, i) => hasSameCells(zone, counts.zones[i]!));
    return isSame
      ? counts
      : new LayerCounts(layer, zones, this.#makeIndex(zones));
  }
}

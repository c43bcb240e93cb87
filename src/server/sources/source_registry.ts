/**
 * Lists the sources of readings, and what has arrived of each.
 *
 * @module
 */
import type { LimitCounts } from "../../common/limit_counts.ts";
import type { Work } from "../../common/turns.ts";
import {
  MAX_LISTED_SOURCES,
  type SourceEvent,
  type SourceList,
  type SourceQuery,
  type SourceState,
} from "../../protocol/mod.ts";
import type { SourcedReadings } from "../source_book.ts";
import { Activity } from "./activity.ts";

/** A source that reports for longer than this is not replaced by new ones. */
const KNOWN_AFTER_MS = 10 * 60_000;
/** Except if nothing has arrived of it for this time. */
const UNUSED_AFTER_MS = 24 * 3_600_000;
/** How often such sources are looked for. */
const UNUSED_CHECK_MS = 60_000;
/** Those that may be replaced are in order to this precision. */
const MOVE_INTERVAL_MS = 1000;
/** Sources that are marked in about a millisecond. */
const SLICE_SOURCES = 500;

/** Options of {@linkcode SourceRegistry}. */
export interface SourceRegistryOptions {
  /** The present time, ms since 1970. */
  readonly began: number;
  /** Default 10,000: each needs about 400 bytes, and its name. */
  readonly maxSources?: number;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined;
  /** Counts the sources that are removed or not listed. */
  readonly limited: Pick<LimitCounts, "add">;
}

/** A source in the list. */
class Source extends Activity {
  readonly name: string;
  isSilent = false;
  /** False if it may be replaced. */
  isKnown = false;
  /** When it was put at the end of those that may be replaced. */
  movedMs = -Infinity;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

/**
 * The sources whose names arrived with readings, in memory only.
 *
 * Any client can invent names. So a new one replaces the source without a
 * reading for the longest time, but only among those that are as new: a source
 * that has reported for ten minutes stays until it has not reported for a day.
 * If all are such sources, a new one is not listed.
 */
export class SourceRegistry {
  /** When the list began, ms since 1970. */
  readonly began: number;
  readonly #maxSources: number;
  readonly #monotonic: () => number;
  readonly #limited: Pick<LimitCounts, "add">;
  readonly #sources = new Map<string, Source>();
  /**
   * The sources that may be replaced, the one heard the longest ago first, to a
   * second.
   */
  readonly #new = new Set<Source>();
  /**
   * Iterates over `#new`: all before it are removed. A new iterator for each
   * removal would pass over the places of all earlier ones.
   */
  #oldest = this.#new.values();
  readonly #unnamed = new Activity();
  readonly #unlisted = new Activity();
  #silentCount = 0;
  #unusedCheckMs = -Infinity;
  /** Readings by index of the source; all 0 between two calls. */
  #counts = new Int32Array(16);
  readonly #indexes: number[] = [];
  /** Called when a silent source has reported. */
  onBack: ((event: SourceEvent) => void) | undefined;

  constructor(
    { began, maxSources, monotonic, limited }: SourceRegistryOptions,
  ) {
    this.began = began;
    this.#maxSources = maxSources ?? MAX_LISTED_SOURCES;
    this.#monotonic = monotonic ?? (() => performance.now());
    this.#limited = limited;
  }

  /** The number of sources in the list. */
  get size(): number {
    return this.#sources.size;
  }

  /** The number of silent sources. */
  get silent(): number {
    return this.#silentCount;
  }

  /**
   * Counts readings that are committed. Costs a name lookup for each source,
   * not for each reading.
   *
   * @param batch the readings
   * @param from index of the first reading
   * @param to index after the last reading
   * @param time when they arrived, ms since 1970
   * @param dropped indexes of readings that the map refused: not counted
   * @param ageMs how long ago they arrived, in ms
   * @param lagMs how long ago another server received them, in ms: they count
   * as heard now, because the clocks of two servers differ
   */
  record(
    batch: SourcedReadings,
    from: number,
    to: number,
    time: number,
    dropped: readonly number[] = [],
    ageMs = 0,
    lagMs = 0,
  ): void {
    const nowMs = this.#monotonic() - ageMs;
    const arrivedMs = nowMs - lagMs;
    const { sources, sourceIndex } = batch;
    if (sources.length === 1) {
      const accepted = to - from - dropped.length;
      if (accepted > 0) {
        this.#unnamed.accept(accepted, time, nowMs, arrivedMs);
      }
      return;
    }
    if (this.#counts.length < sources.length) {
      this.#counts = new Int32Array(2 * sources.length);
    }
    const counts = this.#counts;
    const indexes = this.#indexes;
    for (let i = from; i < to; i++) {
      const index = sourceIndex[i]!;
      if (counts[index] === 0) indexes.push(index);
      counts[index]!++;
    }
    for (const i of dropped) counts[sourceIndex[i]!]!--;
    for (const index of indexes) {
      const count = counts[index]!;
      counts[index] = 0;
      if (count === 0) continue;
      this.#activityOf(sources[index]!, time, nowMs)
        .accept(count, time, nowMs, arrivedMs);
    }
    indexes.length = 0;
  }

  /**
   * Counts refused readings.
   *
   * @param name the source; empty if it is not known
   * @param count how many
   * @param code why
   * @param time when they arrived, ms since 1970
   * @param ageMs how long ago that is, in ms
   * @param lagMs as for {@linkcode record}
   */
  refuse(
    name: string,
    count: number,
    code: string,
    time: number,
    ageMs = 0,
    lagMs = 0,
  ): void {
    const nowMs = this.#monotonic() - ageMs;
    this.#activityOf(name, time, nowMs)
      .refuse(count, code, time, nowMs, nowMs - lagMs);
  }

  /**
   * Returns true if {@linkcode markSilent} would mark a source.
   *
   * @param silentAfter in ms
   * @param sinceMs since when all readings have arrived without a pause
   */
  hasDue(silentAfter: number, sinceMs: number): boolean {
    for (const _ of this.#due(silentAfter, sinceMs)) return true;
    return false;
  }

  /**
   * Marks the sources as silent that have not reported for a time.
   *
   * @param silentAfter in ms
   * @param sinceMs since when all readings have arrived without a pause
   * @param time the present time, ms since 1970
   */
  markSilent(
    silentAfter: number,
    sinceMs: number,
    time: number,
  ): SourceEvent[] {
    const events: SourceEvent[] = [];
    for (const source of this.#due(silentAfter, sinceMs)) {
      source.isSilent = true;
      this.#silentCount++;
      const { name, last } = source;
      events.push({ source: name, event: "silent", time, last });
    }
    return events;
  }

  /**
   * Returns the list: silent sources first, then those heard the longest ago.
   */
  list(
    { limit, contains = "" }: SourceQuery = {},
  ): Pick<SourceList, "sources" | "unnamed" | "unlisted"> {
    const nowMs = this.#monotonic();
    const stateOf = (one: Activity) => one.state(nowMs);
    const text = contains.toLowerCase();
    const all = [...this.#sources.values()]
      .filter(({ name }) => text === "" || name.toLowerCase().includes(text));
    all.sort((a, b) =>
      Number(b.isSilent) - Number(a.isSilent) || a.heardMs - b.heardMs
    );
    const sources = all.slice(0, limit).map((one): SourceState => ({
      source: one.name,
      silent: one.isSilent,
      ...stateOf(one),
    }));
    const hasArrived = (one: Activity) => !Number.isNaN(one.first);
    return {
      sources,
      ...(hasArrived(this.#unnamed) && { unnamed: stateOf(this.#unnamed) }),
      ...(hasArrived(this.#unlisted) && { unlisted: stateOf(this.#unlisted) }),
    };
  }

  *#due(silentAfter: number, sinceMs: number): Generator<Source, void, void> {
    const latest = this.#monotonic() - silentAfter;
    if (sinceMs > latest) return;
    for (const source of this.#sources.values()) {
      if (!source.isSilent && source.heardMs <= latest) yield source;
    }
  }

  /**
   * Sets which sources are silent, as another server has found out. One that is
   * not in the list is added; one that has reported since is not silent. Pauses
   * after some sources: what they report meanwhile counts.
   *
   * @param silent by name: when the last reading before the silence arrived, ms
   * since 1970
   * @param now the present time, ms since 1970
   */
  *setSilent(silent: ReadonlyMap<string, number>, now: number): Work<void> {
    const nowMs = this.#monotonic();
    let count = 0;
    for (const source of this.#sources.values()) {
      if (++count % SLICE_SOURCES === 0) yield;
      if (source.isSilent && !silent.has(source.name)) this.#endSilence(source);
    }
    for (const [name, last] of silent) {
      if (++count % SLICE_SOURCES === 0) yield;
      const heardMs = nowMs - Math.max(0, now - last);
      const source = this.#sources.get(name) ?? this.#add(name, nowMs);
      if (source === undefined || source.last > last) continue;
      if (Number.isNaN(source.first)) {
        const times = { first: last, firstMs: heardMs, last, lastMs: heardMs };
        Object.assign(source, { ...times, heardMs });
      }
      if (!source.isSilent) this.#silentCount++;
      source.isSilent = true;
    }
  }

  /**
   * Returns when the last reading of a source arrived, ms since 1970; undefined
   * if it is not in the list.
   */
  lastOf(name: string): number | undefined {
    return this.#sources.get(name)?.last;
  }

  #endSilence(source: Source): void {
    source.isSilent = false;
    this.#silentCount--;
  }

  /** Returns where to count what has just arrived. */
  #activityOf(name: string, time: number, nowMs: number): Activity {
    if (name === "") return this.#unnamed;
    const source = this.#find(name, nowMs) ?? this.#add(name, nowMs);
    if (source === undefined) return this.#unlisted;
    if (source.isSilent) {
      this.#endSilence(source);
      const { last } = source;
      this.onBack?.({ source: name, event: "back", time, last });
    }
    return source;
  }

  #find(name: string, nowMs: number): Source | undefined {
    const source = this.#sources.get(name);
    if (source === undefined || source.isKnown) return source;
    if (nowMs - source.movedMs < MOVE_INTERVAL_MS) return source;
    this.#new.delete(source);
    if (nowMs - source.firstMs >= KNOWN_AFTER_MS) source.isKnown = true;
    else this.#addNew(source, nowMs);
    return source;
  }

  /** Puts a source at the end of those that may be replaced. */
  #addNew(source: Source, nowMs: number): void {
    source.movedMs = nowMs;
    this.#new.add(source);
  }

  /** Returns undefined if there are too many sources. */
  #add(name: string, nowMs: number): Source | undefined {
    if (this.size >= this.#maxSources) {
      this.#limited.add("sources");
      if (!this.#removeOne(nowMs)) return undefined;
    }
    const source = new Source(name);
    this.#sources.set(name, source);
    this.#addNew(source, nowMs);
    return source;
  }

  #removeOne(nowMs: number): boolean {
    if (this.#new.size === 0) this.#findUnused(nowMs);
    const oldest = this.#nextOldest();
    if (oldest === undefined) return false;
    this.#new.delete(oldest);
    this.#sources.delete(oldest.name);
    if (oldest.isSilent) this.#silentCount--;
    return true;
  }

  #nextOldest(): Source | undefined {
    const { value } = this.#oldest.next();
    if (value !== undefined) return value;
    this.#oldest = this.#new.values();
    return this.#oldest.next().value;
  }

  /** The sources that are no longer in use may be replaced like new ones. */
  #findUnused(nowMs: number): void {
    if (nowMs < this.#unusedCheckMs) return;
    this.#unusedCheckMs = nowMs + UNUSED_CHECK_MS;
    const unused = [...this.#sources.values()].filter(({ heardMs }) =>
      nowMs - heardMs >= UNUSED_AFTER_MS
    );
    for (const source of unused.sort((a, b) => a.heardMs - b.heardMs)) {
      source.isKnown = false;
      this.#addNew(source, nowMs);
    }
  }
}

/**
 * What servers have in memory of the history of all shards.
 *
 * @module
 */
import type { Gap } from "../../../history/gaps.ts";
import type { HistorySize, HistoryZone } from "../../history_tables.ts";
import type { HistoryReads } from "./reads.ts";
import { NO_STATE, type ShardState, sizeOf } from "./shard_state.ts";

/** Questions at the same time share what was read before, in ms. */
const MIN_INTERVAL_MS = 50;
/** A number of `meta` that says that layers were deleted, with the shard. */
const DELETIONS = "deletedTo#";

/** The zones of a shard, as of a version. */
interface ShardZones {
  readonly version: number;
  readonly zones: readonly HistoryZone[];
}

/** The states of all shards, and what is being written. */
export class ShardStates {
  /** See `HistoryTables.meta`. */
  readonly meta = new Map<string, number>();
  readonly #reads: Pick<HistoryReads, "state" | "zones">;
  readonly #states: ShardState[];
  readonly #zones: (ShardZones | undefined)[] = [];
  /** Of the present transaction. */
  readonly #newLayers = new Set<string>();
  readonly #deletedLayers = new Set<string>();
  readonly #newHours = new Set<number>();
  #refreshing: Promise<void> | undefined;
  #refreshedAt = -Infinity;

  constructor(shards: number, reads: Pick<HistoryReads, "state" | "zones">) {
    this.#reads = reads;
    this.#states = Array.from({ length: shards }, () => NO_STATE);
  }

  /** Reads all states, unless that was just done. @throws {StoreError} */
  refresh(): Promise<void> {
    if (performance.now() - this.#refreshedAt < MIN_INTERVAL_MS) {
      return Promise.resolve();
    }
    return this.#refreshing ??= this.#read()
      .finally(() => this.#refreshing = undefined);
  }

  /** Reads all states as they are now, or later. @throws {StoreError} */
  async read(): Promise<void> {
    await this.#refreshing?.catch(() => {}); // it may have begun too early
    await this.#read();
  }

  /** A number as Redis has it. */
  stored(key: string): number | undefined {
    return this.#states[0]!.numbers.get(key);
  }

  /** Sets the state of a shard, as a script has returned it. */
  set(shard: number, state: ShardState): void {
    this.#states[shard] = state;
  }

  /** A row of a layer is written, perhaps a part of an hour. */
  wrote(layer: string, hour?: number): void {
    this.#newLayers.add(layer);
    if (hour !== undefined) this.#newHours.add(hour);
  }

  /** A layer is deleted. */
  deleted(layer: string): void {
    this.#newLayers.delete(layer);
    this.#deletedLayers.add(layer);
  }

  /** The transaction has ended: all that counts is in the states, or nothing. */
  forgetWritten(): void {
    this.#newLayers.clear();
    this.#deletedLayers.clear();
    this.#newHours.clear();
    this.#setMeta();
  }

  openHours(): number[] {
    const hours = new Set(this.#newHours);
    for (const { openHours } of this.#states) {
      for (const hour of openHours) hours.add(hour);
    }
    return [...hours].sort((a, b) => a - b);
  }

  /** The shards with parts of an hour. */
  withOpenHour(hour: number): number[] {
    return [...this.#states.keys()].filter((shard) =>
      this.#states[shard]!.openHours.includes(hour)
    );
  }

  layers(): string[] {
    const layers = new Set<string>();
    for (const state of this.#states) {
      for (const layer of state.layers) {
        if (!this.#deletedLayers.has(layer)) layers.add(layer);
      }
    }
    for (const layer of this.#newLayers) layers.add(layer);
    return [...layers].sort();
  }

  gaps({ from, to }: Gap): Gap[] {
    return this.#states[0]!.gaps
      .filter((gap) => gap.from < to && gap.to > from)
      .sort((a, b) => a.from - b.from || a.to - b.to);
  }

  size(): HistorySize {
    return sizeOf(this.#states);
  }

  oldest(what: "oldestHour" | "oldestDay"): number | undefined {
    const times = this.#states.map((state) => state[what])
      .filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** See `HistoryTables.zones()`. @throws {StoreError} */
  async zones(): Promise<readonly HistoryZone[]> {
    const zones = new Map<string, HistoryZone>();
    for (const { zone } of await this.#allZones()) {
      const before = zones.get(zone.zone);
      zones.set(zone.zone, before === undefined ? zone : joined(before, zone));
    }
    return [...zones.values()].sort((a, b) => a.zone < b.zone ? -1 : 1);
  }

  /** The shards with rollups of a zone; that of its present layer last. */
  async shardsOfZone(name: string): Promise<number[]> {
    const all = await this.#allZones();
    return all.filter(({ zone }) => zone.zone === name)
      .sort((a, b) => a.zone.lastDay - b.zone.lastDay)
      .map(({ shard }) => shard);
  }

  /** The shards with rollups of a zone, as they were read last. */
  knownShardsOfZone(name: string): number[] {
    return [...this.#zones.keys()].filter((shard) =>
      this.#zones[shard]?.zones.some(({ zone }) => zone === name)
    );
  }

  /** Of shards whose zones have changed, they are read again. */
  async #allZones(): Promise<{ shard: number; zone: HistoryZone }[]> {
    const all = await Promise.all(this.#states.map(async (state, shard) => {
      const version = state.sizes.get("zones-version") ?? 0;
      if (version === 0) return [];
      let known = this.#zones[shard];
      if (known?.version !== version) {
        const zones = await this.#reads.zones(shard);
        known = this.#zones[shard] = { version, zones };
      }
      return known.zones.map((zone) => ({ shard, zone }));
    }));
    return all.flat();
  }

  async #read(): Promise<void> {
    const states = await Promise.all(
      this.#states.map((_, shard) => this.#reads.state(shard)),
    );
    this.#states.splice(0, states.length, ...states);
    this.#setMeta();
    this.#refreshedAt = performance.now();
  }

  #setMeta(): void {
    this.meta.clear();
    for (const [name, value] of this.#states[0]!.numbers) {
      this.meta.set(name, value);
    }
    for (const [shard, { sizes }] of this.#states.entries()) {
      const deletions = sizes.get("deletions");
      if (deletions !== undefined) this.meta.set(DELETIONS + shard, deletions);
    }
  }
}

function joined(a: HistoryZone, b: HistoryZone): HistoryZone {
  const newest = a.lastDay > b.lastDay ? a : b;
  return {
    ...newest,
    firstDay: Math.min(a.firstDay, b.firstDay),
  };
}

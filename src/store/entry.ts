/**
 * The entries of a journal, and how to apply them.
 *
 * @module
 */
import type {
  Ageing,
  ApplyResult,
  Coordinates,
  DroppedListener,
  MapShard,
  OccupancyMap,
  ReadingColumns,
} from "../grid/mod.ts";

/**
 * One step in the history of a map. Applying the same entries in the same order
 * gives the same map with the same revisions; with several shards, the order
 * matters only among the entries of a shard. `now` is the server's clock, in ms
 * since 1970.
 *
 * An entry with a layer is of the layer's shard. One without is of the shard
 * that it names, or of all shards: see {@linkcode shardOfEntry}. The encoding of
 * an entry has no `shard`: the journal that has it is of one shard.
 */
export type Entry =
  /** Readings of one layer arrived. */
  | {
    readonly kind: "apply";
    readonly now: number;
    readonly layer: string;
    readonly readings: ReadingColumns;
    /** Only in a shared store, if the readings name sources. Not encoded. */
    readonly sources?: ReadingSources;
  }
  /** Time passed: cells turned stale, fresh or forgotten. */
  | { readonly kind: "age"; readonly now: number; readonly shard?: number }
  /** The same for the cells of some tiles of a layer. */
  | {
    readonly kind: "age-tiles";
    readonly now: number;
    readonly layer: string;
    /** Tile coordinates. */
    readonly tiles: Coordinates;
  }
  /** The thresholds changed. */
  | {
    readonly kind: "configure";
    readonly now: number;
    readonly ageing: Ageing;
    readonly shard?: number;
  }
  /** The server was connected and had processed its backlog. */
  | { readonly kind: "alive"; readonly now: number; readonly shard?: number }
  /** A layer was deleted. */
  | { readonly kind: "delete"; readonly now: number; readonly layer: string }
  /** Those of the cells that are shown as unknown were removed. */
  | {
    readonly kind: "remove";
    readonly now: number;
    readonly layer: string;
    readonly cells: Coordinates;
  }
  /** Records of a shared store changed; see {@linkcode Records.shared}. */
  | RecordsEntry;

/** Who sent readings. */
export interface ReadingSources {
  /** The names of sources; the first one, "", means none. */
  readonly sources: readonly string[];
  /** For each reading: an index into `sources`. */
  readonly sourceIndex: Uint32Array;
}

/** A change of a record. */
export interface RecordChange {
  readonly id: number;
  /** Undefined: the record is deleted. */
  readonly value: Uint8Array | undefined;
}

/**
 * Changes of records in the journal of shard 0 of a shared store. Its place in
 * the journal decides whether it counts: all servers ignore alike what was
 * written too late.
 */
export interface RecordsEntry {
  readonly kind: "records";
  readonly now: number;
  /** All changes are of its records. */
  readonly owner: RecordOwner;
  /** Random: identifies the entry. */
  readonly mark: number;
  /**
   * Of `zones`: the mark of the last entry of `zones` that counts, 0 if there is
   * none; otherwise another server has changed them in between. Of other owners:
   * the fencing number of the leader's lease; an entry with a lower one than one
   * before is of a former leader.
   */
  readonly guard: number;
  readonly changes: readonly RecordChange[];
}
/**
 * What records belong to: the embedded broker, the definitions of zones, what
 * Home Assistant has of them, what is remembered of each zone, and of a shared
 * store the sources that are silent. Earlier versions kept what is remembered
 * among those of `zones`.
 */
export type RecordOwner =
  | "broker"
  | "zones"
  | "home-assistant"
  | "zone-memories"
  | "sources";

/**
 * Returns the shard of an entry; undefined for an entry of all shards.
 *
 * @param map determines the shards of layers
 */
export function shardOfEntry(
  map: Pick<OccupancyMap, "shardOf">,
  entry: Entry,
): number | undefined {
  if (entry.kind === "records") return 0;
  return "layer" in entry ? map.shardOf(entry.layer) : entry.shard;
}

/**
 * Applies an entry to a map.
 *
 * @param shard the shard of an entry without a layer. Default: the one that the
 * entry names, or all
 * @param onDropped called for each reading that the map drops
 * @returns the result of an entry `apply`; undefined for other kinds
 */
export function applyEntry(
  map: OccupancyMap,
  entry: Entry,
  shard?: number,
  onDropped?: DroppedListener,
): ApplyResult | undefined {
  if (entry.kind === "records") return undefined; // the store keeps them
  if (!("layer" in entry)) {
    const number = shard ?? entry.shard;
    applyToShards(number === undefined ? map : map.shards[number]!, entry);
    return undefined;
  }
  const { layer, now } = entry;
  const target = map.of(layer);
  switch (entry.kind) {
    case "apply":
      return target.apply(layer, entry.readings, now, onDropped);
    case "age-tiles":
      target.ageTiles(layer, entry.tiles, now);
      return undefined;
    case "delete":
      target.deleteLayer(layer, now);
      return undefined;
    case "remove":
      target.remove(layer, entry.cells, now);
      return undefined;
  }
}

function applyToShards(
  target: OccupancyMap | MapShard,
  entry: Exclude<Entry, { layer: string } | RecordsEntry>,
): void {
  if (entry.kind === "age") target.age(entry.now);
  if (entry.kind === "configure") target.configure(entry.ageing);
}

/** Returns the number of readings in entries. */
export function countReadings(entries: readonly Entry[]): number {
  let count = 0;
  for (const entry of entries) {
    if (entry.kind === "apply") count += entry.readings.length;
  }
  return count;
}

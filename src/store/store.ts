/**
 * The interface to storage, the entries of its journal, and how to apply them.
 *
 * The server commits entries before it applies and acknowledges them, so a
 * restart never loses a change that a client has seen.
 *
 * @module
 */
import { AppError } from "../common/errors.ts";
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
 * What committed entries survive: `commit` a crash of the process, `fsync` also
 * a power loss.
 */
export type Durability = "commit" | "fsync";

/** How large a stored map may be. */
export interface LoadLimit {
  /** Memory of the map, in bytes. */
  readonly maxBytes: number;
  /** Memory of the server, in bytes; for the error. */
  readonly memoryBytes: number;
}

/**
 * What records belong to: the embedded broker, the definitions of zones, what
 * Home Assistant has of them, and what is remembered of each zone. Earlier
 * versions kept the last one among those of `zones`.
 */
export type RecordOwner =
  | "broker"
  | "zones"
  | "home-assistant"
  | "zone-memories";

/**
 * Byte strings beside the map, each under a number. Changes are committed with
 * the next entries, or soon after if there are none.
 */
export interface Records {
  /**
   * Reads the records of an owner, in the order of their ids. Call it before
   * the first change of one of them.
   *
   * @throws {StoreError} if they cannot be read
   */
  load(
    owner: RecordOwner,
  ): Iterable<readonly [id: number, value: Uint8Array]>;
  /**
   * Adds a record.
   *
   * @param encode returns its value; called before the next commit
   * @returns the id of the record
   */
  add(owner: RecordOwner, encode: () => Uint8Array<ArrayBuffer>): number;
  /**
   * Replaces the value of a record that was added, or loaded. Where the records
   * are those of one server, a copy of another store also adds records with
   * their ids by it.
   */
  replace(id: number, encode: () => Uint8Array<ArrayBuffer>): void;
  /** Deletes a record. */
  delete(id: number): void;
  /**
   * Commits the staged change of a record, and all changes since, together: a
   * crash keeps all of them or none. A record is committed with its value at
   * the commit, so without this it can be newer than other records.
   */
  bind(id: number): void;
  /**
   * Calls back once all changes so far are committed: at once if they are. While
   * the store fails, it calls back when the store works again.
   *
   * @param callback called with false if changes do not count, which happens
   * only to the records of several servers
   * @param owner of a shared store, waits only for changes of its records, and
   * perhaps of others. Default: for all
   */
  afterCommit(callback: (counts: boolean) => void, owner?: RecordOwner): void;
  /** Undefined if only this server uses the store. */
  readonly shared?: RecordSharing;
}

/**
 * The records of several servers. All have the same ones. Those of `zones` are
 * changed by any server, but only as it knows them; the others by the leader.
 */
export interface RecordSharing {
  /** Changes with each change of the records of `zones`, alike on all servers. */
  readonly edition: number;
  /**
   * The following changes of the records of `zones` count only if no other
   * server has changed them since this edition.
   */
  expect(edition: number): void;
  /**
   * Begins to write as the leader: what earlier leaders commit from now on does
   * not count.
   *
   * @param fence see {@linkcode Leases.fenceOf}
   * @returns resolves after the commit: false if there is a later leader
   */
  lead(fence: number): Promise<boolean>;
  /**
   * Calls back after another server has changed records of an owner.
   *
   * @returns ends it
   */
  observe(owner: RecordOwner, onChange: () => void): () => void;
}

/** Committed entries of one shard, in the order of its journal. */
export interface Delivery {
  readonly shard: number;
  readonly entries: readonly Entry[];
  /** Undefined for entries of other servers. */
  readonly own?: {
    /** The argument of {@linkcode Store.commit}. */
    readonly commit: readonly Entry[];
    /**
     * For each of the entries: its index in `commit`. A large entry is divided:
     * its pieces have views of its columns, and may be in several deliveries.
     */
    readonly indexes: readonly number[];
  };
}

/** Applies what the servers of a shared store commit. */
export interface Follower {
  /**
   * Applies entries, all of them. The next ones are delivered after the promise
   * resolves. Never rejects.
   */
  apply(delivery: Delivery): Promise<void>;
  /**
   * A shard of the map was replaced by a later state, because this server was so
   * far behind that entries were not in the journal any more: they are not
   * delivered. See `OccupancyMap.replaceShard()`.
   */
  onReloaded?(shard: number): void;
  /**
   * The store fails, or works again (`undefined`). While it fails, what is
   * committed stays pending, and the store tries again by itself.
   */
  onProblem(problem: StoreError | undefined): void;
  /**
   * Returns false if this server cannot publish: then other servers should hold
   * the leases. Default: true.
   */
  canPublish?(): boolean;
}

/**
 * Which server does what for all: at most one server at a time holds the lease
 * of a shard. It writes the shard's checkpoints and publishes its deltas; that
 * of shard 0, the leader, also publishes zones, events, webhooks and Home
 * Assistant's discovery.
 */
export interface Leases {
  /** Number of shards. */
  readonly shards: number;
  /** The names of the servers that are connected to the store, sorted. */
  readonly members: readonly string[];
  /**
   * Returns true if this server holds the lease of a shard: never after the
   * lease has expired, also if the process stood still.
   */
  holds(shard: number): boolean;
  /**
   * Returns the fencing number of the lease of a shard that this server holds:
   * higher than those of all leases of this shard before. Undefined if it does
   * not hold one.
   */
  fenceOf(shard: number): number | undefined;
  /** Returns the name of the holder; undefined if none is known. */
  holderOf(shard: number): string | undefined;
  /**
   * Calls back when a lease or the members changed.
   *
   * @returns ends it
   */
  observe(onChange: () => void): () => void;
  /**
   * Calls back before this server gives a lease up to another server, and waits
   * about a second for the promise: so that what it has begun is complete. Not
   * called for a lease that expires.
   *
   * @param complete must not reject
   * @returns ends it
   */
  beforeRelease(complete: (shard: number) => Promise<void>): () => void;
}

/** The size of a shard in the store. */
export interface ShardSize {
  /** Entries of the journal that are not trimmed yet. */
  readonly journalEntries: number;
  /** Memory of the journal, in bytes, about. */
  readonly journalBytes: number;
  /** Memory of the checkpoint, in bytes, about. */
  readonly checkpointBytes: number;
}

/** What a store has that several servers share. */
export interface SharedStore {
  readonly leases: Leases;
  /**
   * Damaged entries of the journals that this server has skipped since its
   * start. Undefined if they are not counted.
   */
  readonly damagedEntries?: number;
  /**
   * The sizes of the shards as they were read last, at most some seconds before;
   * undefined if they are not known. Reading this begins to read them again.
   */
  readonly sizes?: readonly ShardSize[] | undefined;
  /** How far this server is behind the journal. */
  readonly lag: {
    /** Journal entries that were read but not applied. */
    readonly entries: number;
    /** Age of the oldest of them, in ms; 0 if there are none. */
    readonly ms: number;
  };
  /** Begins to deliver. Call it once, after {@linkcode Store.load}. */
  follow(follower: Follower): void;
  /**
   * Resolves when all that was committed before the call, by any server, was
   * delivered and applied; at once while the store fails.
   *
   * @param shards the shards that matter
   */
  sync(shards: Iterable<number>): Promise<void>;
}

/**
 * Stores one map. Only one server uses a store at a time, unless it is shared.
 *
 * A store of one server commits at once: `commit` returns undefined, and the
 * caller applies the entries. A shared store returns a promise, and delivers the
 * entries of all servers, own ones too, in the order of its journal: each server
 * applies what is delivered, so that all have the same map.
 */
export interface Store {
  /** The address of the store, as on the command line: `memory:`. */
  readonly description: string;
  /** True if committed entries survive the process. */
  readonly durable: boolean;
  /** Undefined if only this server uses the store. */
  readonly shared?: SharedStore;
  /**
   * The time of the last entry `alive`, in ms since 1970; undefined if there is
   * none. Valid after {@linkcode Store.load}.
   */
  readonly lastAlive?: number | undefined;
  /** Undefined if the store is not durable. Valid after `load`. */
  readonly records?: Records;
  /**
   * Restores the stored map, with its thresholds and its revision.
   *
   * @param map an empty map, with the shards of the store
   * @param limit default: none
   * @throws {StoreError} if the stored map cannot be read, or is larger than
   * the limit
   */
  load(map: OccupancyMap, limit?: LoadLimit): void | Promise<void>;
  /**
   * Stores entries. When it returns, or the promise resolves, they have the
   * durability of the store; with a promise, they were delivered and applied
   * too. Of a shared store, it resolves later while the store fails, and rejects
   * only after {@linkcode Store.close}.
   *
   * @throws {StoreError} if nothing was stored; the call may be repeated
   */
  commit(entries: readonly Entry[]): void | Promise<void>;
  /**
   * Called after committed entries were applied to the map, unless the store is
   * shared. The store may use the map to shorten its journal. Never throws.
   */
  applied(map: OccupancyMap): void;
  /**
   * Checks whether the store can still be used, if that can change without a
   * commit. Cheap.
   *
   * @returns why commits fail; undefined if nothing is known against them
   */
  problem?(): StoreError | undefined;
  /**
   * Saves what was committed if the store's files were removed or moved. Call
   * it before {@linkcode Store.close}. Never throws.
   */
  rescue?(): Promise<void>;
  /**
   * Stores the map completely, as {@linkcode Store.close} does: the tiles that
   * were marked as changed too. Undefined if the store is not durable.
   *
   * @param map has what was committed
   * @throws {StoreError} if that fails; what was committed is stored still
   */
  checkpoint?(map: OccupancyMap): void | Promise<void>;
  /**
   * Closes the store. May be called more than once.
   *
   * @param map stored completely if present, so that the next start is fast
   */
  close(map?: OccupancyMap): void | Promise<void>;
}

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

/** A store cannot be opened, read or written. */
export class StoreError extends AppError {
  override readonly name = "StoreError";

  /**
   * @param message what happened, for users
   * @param options hint and cause
   */
  constructor(
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super("store", message, options);
  }
}

/**
 * The interface to storage.
 *
 * The server commits entries before it applies and acknowledges them, so a
 * restart never loses a change that a client has seen.
 *
 * @module
 */
import type { Soon } from "../common/async.ts";
import type { OccupancyMap } from "../grid/mod.ts";
import type { Entry, RecordOwner } from "./entry.ts";
import type { HistoryTables, HistoryWork } from "./history_tables.ts";
import type { RecordSharing, SharedStore } from "./shared_store.ts";
import type { StoreError } from "./store_error.ts";

export * from "./entry.ts";
export type * from "./history_tables.ts";
export * from "./shared_store.ts";
export * from "./store_error.ts";

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

/** Applies an entry of the journal of a shard to a map that is loaded. */
export type ApplyLoaded = (entry: Entry, shard: number) => void;

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
   * The history of the map. Undefined if the store cannot keep one. May be read
   * once the store is loaded, until it is closed.
   */
  readonly history?: HistoryTables;
  /**
   * What is to be recorded. Set it before {@linkcode Store.load}; without it the
   * store records nothing. A checkpoint is complete only after everything that
   * was captured before it is durable.
   */
  historyWork?: HistoryWork | undefined;
  /**
   * Why the history cannot be written: it is paused, while entries are committed
   * still. Undefined while it works.
   */
  readonly historyProblem?: StoreError | undefined;
  /**
   * Commits history without entries, if there is some.
   *
   * @param budgetMs the time that it should take; default: a few milliseconds
   * @returns why that failed; the history is then tried again later
   */
  commitHistory?(budgetMs?: number): Soon<StoreError | undefined>;
  /**
   * Restores the stored map, with its thresholds and its revision.
   *
   * @param map an empty map, with the shards of the store
   * @param limit default: none
   * @param apply used only by a shared store. Default: `applyEntry`
   * @throws {StoreError} if the stored map cannot be read, or is larger than
   * the limit
   */
  load(
    map: OccupancyMap,
    limit?: LoadLimit,
    apply?: ApplyLoaded,
  ): void | Promise<void>;
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

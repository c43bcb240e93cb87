/**
 * What a store has that several servers share.
 *
 * @module
 */
import type { Entry, RecordOwner } from "./entry.ts";
import type { StoreError } from "./store_error.ts";

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
   * resolves, in the same memory: do not keep them. Never rejects.
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

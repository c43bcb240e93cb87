/**
 * The keys of a map in Redis.
 *
 * @module
 */

/** The shards of a new map. */
export const DEFAULT_SHARDS = 16;

/**
 * The names of all keys. Those that belong to no shard have the hash tag
 * `{PREFIX}`, those of shard 3 `{PREFIX/3}`: so the keys of a shard are in one
 * slot of a cluster (Redis Cluster specification, "Hash tags").
 */
export class Keys {
  /** Hash: format and number of shards. */
  readonly meta: string;
  /** Set: the names of all servers. */
  readonly members: string;
  /** Hash: for each name of a server the time of its last entry `alive`. */
  readonly alive: string;
  readonly #prefix: string;

  /** @param prefix starts all keys */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.meta = `{${prefix}}:meta`;
    this.members = `{${prefix}}:members`;
    this.alive = `{${prefix}}:alive`;
  }

  /** Patterns (KEYS, SCAN) that match all keys of the map, and no others. */
  get patterns(): readonly string[] {
    return [`{${this.#prefix}}:*`, `{${this.#prefix}/*}:*`];
  }

  /** String: the run id of the server with a name; expires. */
  member(name: string): string {
    return `{${this.#prefix}}:member:${name}`;
  }

  /** Stream: the journal of a shard. */
  journal(shard: number): string {
    return this.ofShard(shard, "journal");
  }

  /** Another key of a shard. */
  ofShard(shard: number, name: string): string {
    return `{${this.#prefix}/${shard}}:${name}`;
  }
}

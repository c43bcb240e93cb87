/**
 * Reads the sizes of the shards, for metrics.
 *
 * @module
 */
import type { ShardSize } from "../store.ts";
import type { Deployment, RedisNode } from "./deployment.ts";
import type { Keys } from "./keys.ts";
import { ShardNodes } from "./shard_nodes.ts";

/** Sizes are not read more often, in ms. */
const MIN_AGE_MS = 10_000;
/** Maximum wait for an answer, in ms. */
const TIMEOUT_MS = 2000;
/** Values that MEMORY USAGE looks at. */
const SAMPLES = "5";

/** What {@linkcode ShardSizes} needs. */
export interface ShardSizesOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  /** Their number. */
  readonly shards: number;
  /** In ms; never goes back. Default: `performance.now()`. */
  readonly clock?: () => number;
}

/** Reads sizes when they are asked for, and returns those read before. */
export class ShardSizes {
  readonly #options: ShardSizesOptions;
  readonly #nodes: ShardNodes;
  #latest: readonly ShardSize[] | undefined;
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ShardSizesOptions) {
    const { deployment, keys } = options;
    this.#options = options;
    this.#nodes = new ShardNodes(deployment, (shard) => keys.journal(shard));
  }

  /**
   * The sizes that were read last; undefined at first, and after an error.
   * Begins to read them again if they are older than 10 s.
   */
  get latest(): readonly ShardSize[] | undefined {
    void this.refresh();
    return this.#latest;
  }

  /** Reads the sizes if they are old. Never rejects. */
  refresh(): Promise<void> {
    const { clock = () => performance.now() } = this.#options;
    const now = clock();
    if (this.#reading !== undefined) return this.#reading;
    if (this.#isClosed || now - this.#readAt < MIN_AGE_MS) {
      return Promise.resolve();
    }
    this.#readAt = now;
    return this.#reading = this.#read();
  }

  /** Ends. */
  close(): void {
    this.#isClosed = true;
    this.#nodes.close();
  }

  async #read(): Promise<void> {
    const { shards } = this.#options;
    const sizes = Array.from(
      { length: shards },
      (_, shard) =>
        this.#nodes.run(shard, (node) => this.#readShard(node, shard)),
    );
    try {
      this.#latest = await Promise.all(sizes);
    } catch {
      this.#latest = undefined; // the store reports why Redis fails
    }
    this.#reading = undefined;
    if (this.#isClosed) this.#nodes.close(); // opened meanwhile
  }

  async #readShard(node: RedisNode, shard: number): Promise<ShardSize> {
    const { keys } = this.#options;
    const journal = keys.journal(shard);
    const memory = (key: string) =>
      node.send(["MEMORY", "USAGE", key, "SAMPLES", SAMPLES], TIMEOUT_MS);
    const [entries, ...bytes] = await Promise.all([
      node.send(["XLEN", journal], TIMEOUT_MS),
      memory(journal),
      memory(keys.ofShard(shard, "chunks")),
      memory(keys.ofShard(shard, "checkpoint")),
    ]);
    // Null for a key that does not exist.
    const [journalBytes, chunks, checkpoint] = bytes.map(Number);
    return {
      journalEntries: Number(entries),
      journalBytes: journalBytes!,
      checkpointBytes: chunks! + checkpoint!,
    };
  }
}

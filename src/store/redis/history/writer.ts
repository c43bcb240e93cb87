/**
 * Writes the history to Redis, under the fencing number of this server.
 *
 * @module
 */
import { delay } from "../../../common/async.ts";
import { Backoff } from "../../../common/backoff.ts";
import { StoreError } from "../../store_error.ts";
import type { Deployment, RedisNode } from "../deployment.ts";
import { readInfo } from "../info.ts";
import { MissingReplicasError, redisStoreError } from "../redis_problem.ts";
import { ShardNodes } from "../shard_nodes.ts";
import { list } from "../stream_entry.ts";
import type { HistoryBatch, Script } from "./batch.ts";
import { TAKE_FENCE } from "./scripts.ts";
import { WRITE } from "./write_script.ts";
import { decodeState, type ShardState } from "./shard_state.ts";

/** Maximum wait for an answer, in ms. */
const TIMEOUT_MS = 5000;
/** How long a WAIT of Redis lasts, in ms. */
const WAIT_MS = 500;
/** Pauses while replicas are missing, in ms. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;
/** Above this part of `maxmemory`, the rest is for the readings. */
const MAX_MEMORY_SHARE = 0.8;
const MEMORY_INTERVAL_MS = 10_000;

/** Options of {@linkcode HistoryWriter}. */
export interface HistoryWriterOptions {
  readonly deployment: Deployment;
  /** Number of shards. */
  readonly shards: number;
  /** Returns the key of a shard that all scripts get. */
  readonly keyOf: (shard: number) => string;
  /** Returns how many replicas must have what is written. */
  readonly replicas: () => number;
  /** Receives the state of a shard after a write. */
  readonly onState: (shard: number, state: ShardState) => void;
  /** Receives why a write waits; undefined when it does not any more. */
  readonly onProblem: (problem: StoreError | undefined) => void;
}

/** Writes, over connections of its own. */
export class HistoryWriter {
  readonly #options: HistoryWriterOptions;
  readonly #nodes: ShardNodes;
  readonly #closing = new AbortController();
  /** With this number it writes. */
  #fence: number | undefined;
  #memoryFull = false;
  #memoryReadAt = -Infinity;

  constructor(options: HistoryWriterOptions) {
    this.#options = options;
    this.#nodes = new ShardNodes(options.deployment, options.keyOf);
  }

  /** True if this server may write, as far as it knows. */
  get isLeading(): boolean {
    return this.#fence !== undefined;
  }

  /** True if Redis has little memory left. */
  get memoryFull(): boolean {
    return this.#memoryFull;
  }

  /**
   * Begins to write.
   *
   * @returns false if another server has a later lease, or Redis fails
   */
  async lead(fence: number): Promise<boolean> {
    this.#fence = fence;
    try {
      const all = await Promise.all(
        this.#allShards().map((shard) =>
          this.#nodes.run(shard, (node) => this.#takeFence(node, shard, fence))
        ),
      );
      return all.every((taken) => taken) && this.#fence === fence;
    } catch {
      return false; // the store says why
    }
  }

  /** Does not write any more. */
  resign(): void {
    this.#fence = undefined;
  }

  /** Ends. */
  close(): void {
    this.#fence = undefined;
    this.#closing.abort();
    this.#nodes.close();
  }

  /**
   * Writes what was collected.
   *
   * @throws {StoreError} if not all is there: write all of it again
   */
  async write(batch: HistoryBatch): Promise<void> {
    const fence = this.#fence;
    if (fence === undefined) throw notLeading();
    try {
      await Promise.all(
        Array.from(
          batch.scripts,
          ([shard, scripts]) => this.#writeShard(shard, scripts, fence),
        ),
      );
      await this.#writeShard(0, batch.last, fence);
    } catch (error) {
      throw redisStoreError(this.#options.deployment.description, error);
    } finally {
      this.#options.onProblem(undefined);
    }
  }

  /** Reads how much memory Redis has left, if that was long ago. */
  async checkMemory(): Promise<void> {
    const now = performance.now();
    if (now - this.#memoryReadAt < MEMORY_INTERVAL_MS) return;
    this.#memoryReadAt = now;
    try {
      const nodes = new Set(
        await Promise.all(this.#allShards().map((one) => this.#nodes.of(one))),
      );
      const full = await Promise.all([...nodes].map(isNearlyFull));
      this.#memoryFull = full.includes(true);
    } catch {
      // The next write says why Redis fails.
    }
  }

  async #takeFence(
    node: RedisNode,
    shard: number,
    fence: number,
  ): Promise<boolean> {
    const key = this.#options.keyOf(shard);
    const taking = node.send(
      ["EVAL", TAKE_FENCE, "1", key, `${fence}`],
      TIMEOUT_MS,
    );
    const waiting = this.#wait(node);
    waiting.catch(() => {}); // as the one before
    if (Number(await taking) === 0) return false;
    return await waiting >= this.#options.replicas();
  }

  async #writeShard(
    shard: number,
    scripts: readonly Script[],
    fence: number,
  ): Promise<void> {
    if (scripts.length === 0) return;
    await this.#nodes.run(shard, async (node) => {
      for (const script of scripts) {
        await this.#send(node, shard, script, fence);
      }
      await this.#untilReplicated(node);
    });
  }

  async #send(
    node: RedisNode,
    shard: number,
    script: Script,
    fence: number,
  ): Promise<void> {
    const key = this.#options.keyOf(shard);
    const reply = await node.send(
      ["EVAL", WRITE, "1", key, `${fence}`, ...script.arguments],
      TIMEOUT_MS,
    );
    if (reply === null) {
      if (this.#fence === fence) this.#fence = undefined;
      throw notLeading();
    }
    const [state, results] = list(reply);
    this.#options.onState(shard, decodeState(state));
    const numbers = list(results).map(Number);
    for (const [i, receive] of script.results.entries()) {
      receive(numbers[2 * i]!, numbers[2 * i + 1] === 1);
    }
  }

  /** Waits until enough replicas have what was written on a connection. */
  async #untilReplicated(node: RedisNode): Promise<void> {
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    const { replicas, deployment, onProblem } = this.#options;
    for (;;) {
      const wanted = replicas();
      if (wanted === 0) return;
      const confirmed = await this.#wait(node);
      if (confirmed >= wanted) return;
      // Written again, it would be there twice: so it waits.
      const error = new MissingReplicasError(confirmed, wanted);
      onProblem(redisStoreError(deployment.description, error));
      await delay(backoff.next(), this.#closing.signal);
      if (!this.isLeading) throw notLeading();
    }
  }

  async #wait(node: RedisNode): Promise<number> {
    const wanted = this.#options.replicas();
    if (wanted === 0) return 0;
    const command = ["WAIT", `${wanted}`, `${WAIT_MS}`];
    return Number(await node.send(command, TIMEOUT_MS));
  }

  #allShards(): number[] {
    return Array.from({ length: this.#options.shards }, (_, shard) => shard);
  }
}

async function isNearlyFull(node: RedisNode): Promise<boolean> {
  const memory = await readInfo(node, "memory", TIMEOUT_MS);
  const most = Number(memory.get("maxmemory") ?? 0);
  const used = Number(memory.get("used_memory") ?? 0);
  return most > 0 && used > MAX_MEMORY_SHARE * most;
}

function notLeading(): StoreError {
  return new StoreError("Another server writes the history", {
    hint: "This server goes on when it leads the group again.",
  });
}

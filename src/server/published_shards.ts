/**
 * Decides which shards of a map this server publishes the deltas of.
 *
 * @module
 */
import type { SharedStore } from "../store/store.ts";

const RETRY_INTERVAL_MS = 250;

/** Called by {@linkcode PublishedShards}. */
export interface PublishedShardEvents {
  /** This server publishes a shard from now on. */
  onBegin(shard: number): void;
  /** It does not any more. */
  onEnd(shard: number): void;
  /** Returns true while the store fails: then `sync` waits for nothing. */
  isFailing(): boolean;
}

/**
 * The shards whose leases this server holds; without a shared store, all. A new
 * holder waits until it has applied what the holder before can have published.
 */
export class PublishedShards {
  readonly #shared: SharedStore | undefined;
  readonly #events: PublishedShardEvents;
  /** By shard: the fencing number with which it is published. */
  readonly #fences: (number | undefined)[] = [];
  /** By shard: the one with which that begins. */
  readonly #nextFences: (number | undefined)[] = [];
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #endLeases: (() => void) | undefined;

  /** @param shared undefined without a shared store */
  constructor(shared: SharedStore | undefined, events: PublishedShardEvents) {
    this.#shared = shared;
    this.#events = events;
  }

  /**
   * Returns true if this server publishes a shard. Call it right before each
   * message: a lease can end at any time.
   */
  has(shard: number): boolean {
    if (this.#shared === undefined) return true;
    const fence = this.#fences[shard];
    return fence !== undefined &&
      this.#shared.leases.fenceOf(shard) === fence;
  }

  /** Begins to follow the leases. May be called more than once. */
  start(): void {
    const leases = this.#shared?.leases;
    if (leases === undefined || this.#endLeases !== undefined) return;
    this.#endLeases = leases.observe(() => this.#check());
    this.#check();
  }

  /** Begins to publish nothing more. */
  stop(): void {
    this.#endLeases?.();
    this.#nextFences.length = 0;
    clearTimeout(this.#retryTimer);
  }

  #check(): void {
    const { leases } = this.#shared!;
    for (let shard = 0; shard < leases.shards; shard++) {
      const fence = leases.fenceOf(shard);
      if (this.#fences[shard] !== undefined && this.#fences[shard] !== fence) {
        this.#fences[shard] = undefined;
        this.#events.onEnd(shard);
      }
      if (fence === undefined) this.#nextFences[shard] = undefined;
      else if (
        fence !== this.#fences[shard] && fence !== this.#nextFences[shard]
      ) {
        this.#nextFences[shard] = fence;
        void this.#begin(shard, fence);
      }
    }
  }

  async #begin(shard: number, fence: number): Promise<void> {
    await this.#shared!.sync([shard]);
    if (this.#nextFences[shard] !== fence) return; // another lease, or none
    this.#nextFences[shard] = undefined;
    if (this.#events.isFailing()) return this.#retryLater();
    this.#fences[shard] = fence;
    this.#events.onBegin(shard);
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#check();
    }, RETRY_INTERVAL_MS);
  }
}

/**
 * Decides which shards of a map this server publishes the deltas of.
 *
 * @module
 */
import type { SharedStore } from "../store/store.ts";
import { HeldLease } from "./held_lease.ts";

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
  /** By shard; empty before the start. */
  #held: HeldLease[] = [];
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
    return this.#shared === undefined || this.#held[shard]?.mayAct === true;
  }

  /** Begins to follow the leases. May be called more than once. */
  start(): void {
    const leases = this.#shared?.leases;
    if (leases === undefined || this.#endLeases !== undefined) return;
    this.#held = Array.from(
      { length: leases.shards },
      (_, shard) => this.#follow(shard),
    );
    const check = () => this.#held.forEach((held) => held.check());
    this.#endLeases = leases.observe(check);
    check();
  }

  /** Begins to publish nothing more. */
  stop(): void {
    this.#endLeases?.();
    this.#held.forEach((held) => held.stop());
  }

  #follow(shard: number): HeldLease {
    const shared = this.#shared!;
    return new HeldLease({
      leases: shared.leases,
      shard,
      prepare: async () => {
        await shared.sync([shard]);
        return !this.#events.isFailing();
      },
      onBegin: () => this.#events.onBegin(shard),
      onEnd: () => this.#events.onEnd(shard),
    });
  }
}

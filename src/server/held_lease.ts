/**
 * The lease of a shard, and whether this server may act for it.
 *
 * @module
 */
import type { Leases } from "../store/store.ts";

const RETRY_INTERVAL_MS = 250;

/** Options of {@linkcode HeldLease}. */
export interface HeldLeaseOptions {
  readonly leases: Pick<Leases, "fenceOf">;
  readonly shard: number;
  /**
   * Prepares this server: waits until it has applied all that the holder before
   * has committed, for example. Must not reject.
   *
   * @param fence the fencing number of the lease
   * @returns false while that is not possible: it is tried again
   */
  prepare(fence: number): Promise<boolean>;
  /** Called when this server may act. Must not throw. */
  onBegin(): void;
  /** Called when it may not act any more. Must not throw. */
  onEnd(): void;
}

/**
 * A holder of a lease acts after a preparation, and only under the fencing
 * number with which it was prepared.
 */
export class HeldLease {
  readonly #options: HeldLeaseOptions;
  /** The fencing number with which this server acts. */
  #fence: number | undefined;
  /** The one with which it prepares. */
  #nextFence: number | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
  }

  /**
   * True if this server may act. Check it right before each message: a lease
   * can end at any time, also while the process stands still.
   */
  get mayAct(): boolean {
    const { leases, shard } = this.#options;
    return this.#fence !== undefined && leases.fenceOf(shard) === this.#fence;
  }

  /** Call it at the start, and when the leases have changed. */
  check(): void {
    const { leases, shard, onEnd } = this.#options;
    const fence = leases.fenceOf(shard);
    if (this.#fence !== undefined && this.#fence !== fence) {
      this.#fence = undefined;
      onEnd();
    }
    if (fence === undefined) this.stop();
    else if (fence !== this.#fence && fence !== this.#nextFence) {
      this.#nextFence = fence;
      void this.#prepare(fence);
    }
  }

  /** Ends the preparation, if one runs. */
  stop(): void {
    this.#nextFence = undefined;
    clearTimeout(this.#retryTimer);
  }

  async #prepare(fence: number): Promise<void> {
    const isPrepared = await this.#options.prepare(fence);
    if (this.#nextFence !== fence) return; // another lease, or none
    if (!isPrepared) {
      this.#retryTimer = setTimeout(
        () => this.#retry(fence),
        RETRY_INTERVAL_MS,
      );
      return;
    }
    this.#fence = fence;
    this.#nextFence = undefined;
    this.#options.onBegin();
  }

  #retry(fence: number): void {
    if (this.#nextFence === fence) void this.#prepare(fence);
  }
}

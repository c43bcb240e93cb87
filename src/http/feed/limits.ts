/**
 * Limits of the live feed: how much it sends to a viewer ahead of its
 * acknowledgements, and how much a viewer may send.
 *
 * @module
 */

/** Limits and intervals of the live feed. */
export interface FeedLimits {
  /** Minimum time between two deltas of a viewer, in ms. Default 50. */
  readonly intervalMs: number;
  /** Maximum cells of a delta; for more, a snapshot is sent. Default 65,536. */
  readonly deltaCells: number;
  /** Maximum cells of a part of a snapshot, at least 1,024. Default 32,768. */
  readonly partCells: number;
  /** Maximum frames sent to a viewer and not acknowledged. Default 8. */
  readonly framesInFlight: number;
  /** Bytes of these frames at which no more are sent. Default 1 MiB. */
  readonly bytesInFlight: number;
  /** Maximum messages of a viewer per second. Default 200. */
  readonly messagesPerSecond: number;
}

/** The defaults of {@linkcode FeedLimits}. */
export const DEFAULT_FEED_LIMITS: FeedLimits = {
  intervalMs: 50,
  deltaCells: 65_536,
  partCells: 32_768,
  framesInFlight: 8,
  bytesInFlight: 1024 * 1024,
  messagesPerSecond: 200,
};

/**
 * The frames that were sent to a viewer and not acknowledged, including those
 * in the buffers of operating systems and network: a viewer is never further
 * behind than these.
 */
export class SendWindow {
  readonly #limits: Pick<FeedLimits, "framesInFlight" | "bytesInFlight">;
  /** Bytes of each frame, the oldest first. */
  readonly #frames: number[] = [];
  #bytes = 0;
  /** Frames acknowledged in total. */
  #acknowledged = 0;

  constructor(limits: Pick<FeedLimits, "framesInFlight" | "bytesInFlight">) {
    this.#limits = limits;
  }

  /** True if all frames are acknowledged. */
  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** True if another frame may be sent. */
  get hasRoom(): boolean {
    const { framesInFlight, bytesInFlight } = this.#limits;
    return this.#frames.length < framesInFlight && this.#bytes < bytesInFlight;
  }

  /** Adds a frame that was sent. */
  add(bytes: number): void {
    this.#frames.push(bytes);
    this.#bytes += bytes;
  }

  /**
   * Removes acknowledged frames.
   *
   * @param total frames acknowledged since the connection began
   * @returns false if fewer were sent, or more were acknowledged before
   */
  acknowledge(total: number): boolean {
    const count = total - this.#acknowledged;
    if (count < 0 || count > this.#frames.length) return false;
    for (const bytes of this.#frames.splice(0, count)) this.#bytes -= bytes;
    this.#acknowledged = total;
    return true;
  }
}

/** Limits the messages that a viewer sends: a token bucket of one second. */
export class MessageBudget {
  readonly #perSecond: number;
  #left: number;
  #refilledAt = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Counts a message; returns false if the budget is used up. */
  take(): boolean {
    const now = performance.now();
    const refill = (now - this.#refilledAt) / 1000 * this.#perSecond;
    this.#refilledAt = now;
    this.#left = Math.min(this.#left + refill, this.#perSecond);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

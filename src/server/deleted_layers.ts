/**
 * Remembers which layers were deleted, until that is announced.
 *
 * @module
 */

/** More are not announced when this server publishes their shard later. */
const MAX_ELSEWHERE = 1000;

/** Deleted layers: those that this server announces next, and others. */
export class DeletedLayers {
  readonly #maxLayers: number;
  readonly #publishes: (layer: string) => boolean;
  readonly #next = new Set<string>();
  /** The latest of those that another server announces, the oldest first. */
  readonly #elsewhere = new Set<string>();

  /**
   * @param maxLayers above it, receivers notice it at their next request
   * @param publishes returns true if this server publishes a layer
   */
  constructor(maxLayers: number, publishes: (layer: string) => boolean) {
    this.#maxLayers = maxLayers;
    this.#publishes = publishes;
  }

  /** Number of layers that this server announces next. */
  get size(): number {
    return this.#next.size;
  }

  /** Adds a layer. */
  add(layer: string): void {
    if (this.#publishes(layer)) {
      if (this.#next.size < this.#maxLayers) this.#next.add(layer);
      return;
    }
    this.#elsewhere.add(layer);
    if (this.#elsewhere.size <= MAX_ELSEWHERE) return;
    const [oldest] = this.#elsewhere;
    this.#elsewhere.delete(oldest!);
  }

  /**
   * Call when this server begins to publish layers: it announces those that the
   * server before may not have announced.
   */
  begin(): void {
    for (const layer of this.#elsewhere) {
      if (!this.#publishes(layer)) continue;
      this.#elsewhere.delete(layer);
      this.add(layer);
    }
  }

  /** Removes the next layer to announce and returns it. */
  take(): string | undefined {
    for (const layer of this.#next) {
      this.#next.delete(layer);
      if (this.#publishes(layer)) return layer;
      this.add(layer);
    }
    return undefined;
  }
}

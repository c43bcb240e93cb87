/**
 * An index of the chunks on disk: which chunk holds the current version of each
 * tile, and which chunks can be deleted.
 *
 * A chunk is a row of many tiles and is immutable. A changed tile is written to
 * a newer chunk; its version in the older chunk is garbage, as in a
 * log-structured file system (Rosenblum and Ousterhout, 1992).
 *
 * @module
 */

/** A chunk on disk. */
export interface Chunk {
  /** Increases: of two chunks with the same tile, the higher id is current. */
  readonly id: number;
  readonly layer: string;
  /** Size of the encoded tiles, in bytes. */
  readonly bytes: number;
  /** Number of tiles in the chunk. */
  readonly tiles: number;
}

/** A chunk with its number of current tiles. */
interface IndexedChunk extends Chunk {
  live: number;
}

/** The slot of tiles that are in no chunk. */
const NO_SLOT = 0;
const INITIAL_TILES = 64;

/** Maps each tile to the chunk that holds its current version. */
export class ChunkIndex {
  /** Chunks by slot, from 1. The slot of a deleted chunk is used again. */
  readonly #chunks: (IndexedChunk | undefined)[] = [undefined];
  readonly #freeSlots: number[] = [];
  /** For each layer: the slot of each tile's chunk, by tile number. */
  readonly #slots = new Map<string, Int32Array<ArrayBuffer>>();
  /** Ids of chunks without current tiles. */
  #deletable: number[] = [];
  #bytes = 0;
  #liveBytes = 0;

  /** Approximate size of the current versions of all tiles, in bytes. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** True if more than half of the bytes in chunks are garbage. */
  get isMostlyGarbage(): boolean {
    return this.#bytes > 2 * this.#liveBytes;
  }

  /** The ids of all chunks with current tiles. */
  *ids(): Generator<number, void, void> {
    for (const chunk of this.#chunks) if (chunk !== undefined) yield chunk.id;
  }

  /**
   * Adds a chunk.
   *
   * @param tiles numbers of the tiles whose current version is in the chunk
   */
  add(chunk: Chunk, tiles: readonly number[]): void {
    if (tiles.length === 0) {
      this.#deletable.push(chunk.id);
      return;
    }
    const slot = this.#freeSlots.pop() ?? this.#chunks.length;
    this.#chunks[slot] = { ...chunk, live: tiles.length };
    this.#bytes += chunk.bytes;
    this.#liveBytes += chunk.bytes * tiles.length / chunk.tiles;
    for (const tile of tiles) this.#move(chunk.layer, tile, slot);
  }

  /** Removes all chunks of some layers: they can be deleted. */
  drop(layers: ReadonlySet<string>): void {
    if (layers.size === 0) return;
    for (let slot = 1; slot < this.#chunks.length; slot++) {
      const chunk = this.#chunks[slot];
      if (chunk === undefined || !layers.has(chunk.layer)) continue;
      this.#liveBytes -= chunk.bytes * chunk.live / chunk.tiles;
      this.#free(slot, chunk);
    }
    for (const layer of layers) this.#slots.delete(layer);
  }

  /** Returns the ids of chunks that can be deleted, and removes them. */
  takeDeletable(): number[] {
    const dead = this.#deletable;
    this.#deletable = [];
    return dead;
  }

  /**
   * Returns the tiles of a layer whose chunks are more than half garbage. When
   * they are written again, these chunks can be deleted.
   */
  *tilesToMove(layer: string): Generator<number> {
    const slots = this.#slots.get(layer) ?? [];
    for (let tile = 0; tile < slots.length; tile++) {
      const chunk = this.#chunks[slots[tile]!];
      if (chunk !== undefined && 2 * chunk.live < chunk.tiles) yield tile;
    }
  }

  #move(layer: string, tile: number, slot: number): void {
    let slots = this.#slots.get(layer) ?? new Int32Array(INITIAL_TILES);
    if (tile >= slots.length) {
      const larger = new Int32Array(Math.max(tile + 1, 2 * slots.length));
      larger.set(slots);
      slots = larger;
    }
    this.#slots.set(layer, slots);
    const previous = slots[tile]!;
    slots[tile] = slot;
    if (previous !== NO_SLOT) this.#removeTile(previous);
  }

  /** Removes one current tile from a chunk; frees the slot after the last. */
  #removeTile(slot: number): void {
    const chunk = this.#chunks[slot]!;
    this.#liveBytes -= chunk.bytes / chunk.tiles;
    if (--chunk.live === 0) this.#free(slot, chunk);
  }

  #free(slot: number, chunk: IndexedChunk): void {
    this.#bytes -= chunk.bytes;
    this.#deletable.push(chunk.id);
    this.#chunks[slot] = undefined;
    this.#freeSlots.push(slot);
  }
}

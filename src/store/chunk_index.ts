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
const FIRST_PAGE_TILES = 64;
const PAGE_BITS = 12;
const PAGE_TILES = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_TILES - 1;
/** Slots that one piece of {@linkcode ChunkIndex.drop} looks at. */
const DROPPED_SLOTS = 1024;

/** Maps each tile to the chunk that holds its current version. */
export class ChunkIndex {
  /** Chunks by slot, from 1. The slot of a deleted chunk is used again. */
  readonly #chunks: (IndexedChunk | undefined)[] = [undefined];
  readonly #freeSlots: number[] = [];
  /** For each layer: the slot of each tile's chunk. */
  readonly #slots = new Map<string, TileSlots>();
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
    let slots = this.#slots.get(chunk.layer);
    if (slots === undefined) {
      this.#slots.set(chunk.layer, slots = new TileSlots());
    }
    for (const tile of tiles) {
      const previous = slots.replace(tile, slot);
      if (previous !== NO_SLOT) this.#removeTile(previous);
    }
  }

  /**
   * Removes all chunks of some layers: they can be deleted. Nothing else may
   * change the index until the end.
   *
   * @returns pieces of the work, each with the number of chunks it has checked
   */
  *drop(layers: ReadonlySet<string>): Generator<number, void, void> {
    if (layers.size === 0) return;
    for (let slot = 1; slot < this.#chunks.length; slot++) {
      if (slot % DROPPED_SLOTS === 0) yield DROPPED_SLOTS;
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

  /** Returns a number above those of all tiles of a layer. */
  tileCount(layer: string): number {
    return this.#slots.get(layer)?.length ?? 0;
  }

  /**
   * Returns the tiles of a layer whose chunks are more than half garbage. When
   * they are written again, these chunks can be deleted.
   *
   * @param from the first tile to check
   * @param to the tile after the last one to check
   */
  *tilesToMove(
    layer: string,
    from: number = 0,
    to: number = this.tileCount(layer),
  ): Generator<number> {
    const slots = this.#slots.get(layer);
    if (slots === undefined) return;
    for (let tile = from; tile < to; tile++) {
      const chunk = this.#chunks[slots.get(tile)];
      if (chunk !== undefined && 2 * chunk.live < chunk.tiles) yield tile;
    }
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

/** A slot for each tile of a layer, in pages: a larger copy would take long. */
class TileSlots {
  readonly #pages: (Int32Array<ArrayBuffer> | undefined)[] = [];

  /** A number above those of all tiles with a slot. */
  get length(): number {
    const { length } = this.#pages;
    return length === 1 ? this.#pages[0]!.length : length * PAGE_TILES;
  }

  /** Returns the slot of a tile; {@linkcode NO_SLOT} if it has none. */
  get(tile: number): number {
    return this.#pages[tile >>> PAGE_BITS]?.[tile & PAGE_MASK] ?? NO_SLOT;
  }

  /** Sets the slot of a tile, and returns the one before. */
  replace(tile: number, slot: number): number {
    const index = tile & PAGE_MASK;
    let page = this.#pages[tile >>> PAGE_BITS];
    if (page === undefined || index >= page.length) page = this.#extend(tile);
    const previous = page[index]!;
    page[index] = slot;
    return previous;
  }

  /** Returns a page with room for a tile. Only the first one can be small. */
  #extend(tile: number): Int32Array<ArrayBuffer> {
    const number = tile >>> PAGE_BITS;
    let length = number === 0 ? FIRST_PAGE_TILES : PAGE_TILES;
    while (length <= (tile & PAGE_MASK)) length *= 2;
    const page = new Int32Array(length);
    page.set(this.#pages[number] ?? []);
    return this.#pages[number] = page;
  }
}

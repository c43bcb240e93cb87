/**
 * What the chunks on disk still hold, so that those that hold nothing can go.
 *
 * Tiles are written many to a row, a chunk, and never over what is there: a tile
 * that is written again is in a newer chunk from then on, and what the older one
 * has of it is garbage, as in a log-structured file system (Rosenblum and
 * Ousterhout, 1992).
 *
 * @module
 */

/** A chunk that has been written. */
export interface Chunk {
  /** Rises: of two chunks that have a tile, the one with the higher id has it right. */
  readonly id: number;
  readonly layer: string;
  readonly bytes: number;
  /** How many tiles it was written with. */
  readonly tiles: number;
}

/** A chunk, and how many of its tiles no newer one has. */
interface Entry extends Chunk {
  live: number;
}

/** No chunk has the tile. */
const NOWHERE = 0;
const FIRST_CAPACITY = 64;

/** Knows which chunk has the present version of each tile. */
export class ChunkIndex {
  /** Chunks by a small number of their own, from 1, which is free again once they are gone. */
  readonly #chunks: (Entry | undefined)[] = [undefined];
  readonly #free: number[] = [];
  /** Of each layer, the chunk of each of its tiles by that number. */
  readonly #homes = new Map<string, Int32Array<ArrayBuffer>>();
  /** Ids of chunks that hold nothing any more. */
  #dead: number[] = [];
  #bytes = 0;
  #liveBytes = 0;

  /** Bytes of the present versions of all tiles, about. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** True if most of what is kept is garbage. */
  get wasteful(): boolean {
    return this.#bytes > 2 * this.#liveBytes;
  }

  /**
   * Adds a chunk that has been written.
   *
   * @param tiles the numbers of those of its tiles whose present version it has
   */
  add(chunk: Chunk, tiles: readonly number[]): void {
    if (tiles.length === 0) {
      this.#dead.push(chunk.id);
      return;
    }
    const number = this.#free.pop() ?? this.#chunks.length;
    this.#chunks[number] = { ...chunk, live: tiles.length };
    this.#bytes += chunk.bytes;
    this.#liveBytes += chunk.bytes * tiles.length / chunk.tiles;
    for (const tile of tiles) this.#move(chunk.layer, tile, number);
  }

  /** Ids of chunks that can be deleted; each is told once. */
  takeDead(): number[] {
    const dead = this.#dead;
    this.#dead = [];
    return dead;
  }

  /** The tiles of a layer whose chunks are more than half garbage: written again, they free those. */
  *tilesToMove(layer: string): Generator<number> {
    const homes = this.#homes.get(layer) ?? [];
    for (let tile = 0; tile < homes.length; tile++) {
      const chunk = this.#chunks[homes[tile]!];
      if (chunk !== undefined && 2 * chunk.live < chunk.tiles) yield tile;
    }
  }

  #move(layer: string, tile: number, number: number): void {
    let homes = this.#homes.get(layer) ?? new Int32Array(FIRST_CAPACITY);
    if (tile >= homes.length) {
      const larger = new Int32Array(Math.max(tile + 1, 2 * homes.length));
      larger.set(homes);
      homes = larger;
    }
    this.#homes.set(layer, homes);
    const before = homes[tile]!;
    homes[tile] = number;
    if (before !== NOWHERE) this.#leave(before);
  }

  /** A chunk has one tile less. */
  #leave(number: number): void {
    const chunk = this.#chunks[number]!;
    this.#liveBytes -= chunk.bytes / chunk.tiles;
    if (--chunk.live > 0) return;
    this.#bytes -= chunk.bytes;
    this.#dead.push(chunk.id);
    this.#chunks[number] = undefined;
    this.#free.push(number);
  }
}

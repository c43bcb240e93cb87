import { type Grid, MAX_TILE_BYTES, type OccupancyMap } from "../grid/mod.ts";

/** Bytes at which a chunk is full; the last tile may go beyond. */
const CHUNK_BYTES = 32 * 1024;

/** Tiles of one layer, to be written in one row. */
export interface TileGroup {
  readonly layer: string;
  /** Their numbers. */
  readonly tiles: readonly number[];
  /** One behind the other; valid until the next group. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The tiles of a map that changed, as they are at one moment, handed out bit by bit. */
export class Fold {
  /** How many tiles it has in all. */
  readonly tiles: number;
  readonly #buffer = new Uint8Array(CHUNK_BYTES + MAX_TILE_BYTES);
  readonly #layers: readonly (readonly [string, Grid])[];
  #taken = 0;
  #layer = 0;

  /**
   * Begins one.
   *
   * @throws {RangeError} when another one of that map is under way
   */
  constructor(map: OccupancyMap) {
    this.#layers = [...map.layers()];
    this.tiles = this.#layers.reduce(
      (sum, [, grid]) => sum + grid.beginSave(),
      0,
    );
  }

  /** How many tiles have been handed out. */
  get taken(): number {
    return this.#taken;
  }

  /** The next tiles, about as many as make a good row; undefined when all have been handed out. */
  next(): TileGroup | undefined {
    for (; this.#layer < this.#layers.length; this.#layer++) {
      const [layer, grid] = this.#layers[this.#layer]!;
      const tiles: number[] = [];
      let length = 0;
      while (length < CHUNK_BYTES) {
        const saved = grid.nextSaved(this.#buffer, length);
        if (saved === undefined) break;
        tiles.push(saved.tile);
        length = saved.end;
      }
      if (tiles.length === 0) continue;
      this.#taken += tiles.length;
      return { layer, tiles, bytes: this.#buffer.subarray(0, length) };
    }
    return undefined;
  }

  /** Ends it. @param stored false if its tiles must be saved again */
  end(stored: boolean): void {
    for (const [, grid] of this.#layers) grid.endSave(stored);
  }
}

/**
 * The changed tiles of a map, in groups that become chunks.
 *
 * @module
 */
import { type Grid, type MapShard, MAX_TILE_BYTES } from "../grid/mod.ts";

/** Size at which a chunk is full; the last tile may exceed this size. */
const CHUNK_BYTES = 32 * 1024;

/** Tiles of one layer, to be written as one chunk. */
export interface TileGroup {
  readonly layer: string;
  /** `Grid.began` of the layer. */
  readonly began: number | undefined;
  /** Numbers of the tiles; empty for a layer that was deleted. */
  readonly tiles: readonly number[];
  /** The encoded tiles, valid until the next group is read. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads the changed tiles of a map as they are at its construction. */
export class ChangedTiles {
  /** All layers of the map. */
  readonly layers: ReadonlyMap<string, Grid>;
  /** The number of tiles, and of deleted layers. */
  readonly count: number;
  readonly #buffer = new Uint8Array(CHUNK_BYTES + MAX_TILE_BYTES);
  readonly #layers: readonly (readonly [string, Grid])[];
  /** The deleted layers that were not created again. */
  readonly #deleted: readonly string[];
  #read = 0;
  #layer = 0;

  /**
   * @param deleted layers that were stored and then deleted
   * @throws {RangeError} if the tiles of the map are already being read
   */
  constructor(map: MapShard, deleted: ReadonlySet<string>) {
    this.layers = new Map(map.layers());
    this.#layers = [...this.layers];
    this.#deleted = [...deleted].filter((layer) => !this.layers.has(layer));
    this.count = this.#layers.reduce(
      (sum, [, grid]) => sum + grid.beginSave(),
      this.#deleted.length,
    );
  }

  /** How much of {@linkcode count} was read so far. */
  get read(): number {
    return this.#read;
  }

  /** Reads the tiles of the next chunk; undefined after the last one. */
  next(): TileGroup | undefined {
    const layer = this.#deleted[this.#read];
    if (layer !== undefined) {
      this.#read++;
      return { layer, began: undefined, tiles: [], bytes: new Uint8Array(0) };
    }
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
      this.#read += tiles.length;
      const bytes = this.#buffer.subarray(0, length);
      return { layer, began: grid.began, tiles, bytes };
    }
    return undefined;
  }

  /**
   * Ends reading.
   *
   * @param stored false if the tiles must be saved again
   */
  end(stored: boolean): void {
    for (const [, grid] of this.#layers) grid.endSave(stored);
  }
}

/**
 * Columns of cells that grow, up to a maximum.
 *
 * @module
 */
import {
  holdsTile,
  TILE_BITS,
  TILE_CELLS,
  TILE_SIDE,
  xOf,
  yOf,
} from "../../../grid/tiles.ts";
import type { PastCells } from "../../../history/answers.ts";
import { contains, type Region } from "../../../protocol/region.ts";
import type { ProtocolError } from "../../../protocol/mod.ts";
import type { TileMask } from "../../../zones/tile_zones.ts";

const FIRST_CAPACITY = 1024;

/** The columns of {@linkcode PastCells}, while they are filled in. */
export class PastCellsWriter {
  length = 0;
  #x = new Int32Array(FIRST_CAPACITY);
  #y = new Int32Array(FIRST_CAPACITY);
  #value = new Int32Array(FIRST_CAPACITY);
  #stale = new Uint8Array(FIRST_CAPACITY);
  #since = new Float64Array(FIRST_CAPACITY);
  readonly #max: number;
  readonly #tooMany: () => ProtocolError;

  /**
   * @param max number of rows
   * @param tooMany makes the error that is thrown if there are more
   */
  constructor(max: number, tooMany: () => ProtocolError) {
    this.#max = max;
    this.#tooMany = tooMany;
  }

  /** @param since ms since 1970, or NaN */
  push(
    x: number,
    y: number,
    value: number,
    stale: number,
    since: number,
  ): void {
    const at = this.length;
    if (at === this.#x.length) this.#grow();
    this.#x[at] = x;
    this.#y[at] = y;
    this.#value[at] = value;
    this.#stale[at] = stale;
    this.#since[at] = since;
    this.length = at + 1;
  }

  /** The rows; no more can be added. */
  finish(): PastCells {
    const { length } = this;
    return {
      length,
      x: this.#x.subarray(0, length),
      y: this.#y.subarray(0, length),
      value: this.#value.subarray(0, length),
      stale: this.#stale.subarray(0, length),
      since: this.#since.subarray(0, length),
    };
  }

  #grow(): void {
    const { length } = this;
    if (length >= this.#max) throw this.#tooMany();
    const capacity = Math.min(2 * length, this.#max);
    this.#x = grown(this.#x, new Int32Array(capacity));
    this.#y = grown(this.#y, new Int32Array(capacity));
    this.#value = grown(this.#value, new Int32Array(capacity));
    this.#stale = grown(this.#stale, new Uint8Array(capacity));
    this.#since = grown(this.#since, new Float64Array(capacity));
  }
}

/** Copies a column to a larger one, and returns that. */
export function grown<T extends { set(from: ArrayLike<number>): void }>(
  from: ArrayLike<number>,
  to: T,
): T {
  to.set(from);
  return to;
}

/**
 * Marks the cells of a tile that are in a region.
 *
 * @param into receives 1 for each of them, by key
 * @returns `into`; undefined if all are
 */
export function cellsOfRegion(
  region: Region | undefined,
  tx: number,
  ty: number,
  into: Uint8Array,
): Uint8Array | undefined {
  if (region === undefined || holdsTile(region, tx, ty)) return undefined;
  for (let key = 0; key < TILE_CELLS; key++) {
    into[key] = contains(region, xOf(tx, key), yOf(ty, key)) ? 1 : 0;
  }
  return into;
}

/** The same as a mask of the counts of zones. */
export function maskOfRegion(
  region: Region | undefined,
  tx: number,
  ty: number,
): TileMask {
  if (region === undefined || holdsTile(region, tx, ty)) return "all";
  const mask = new Uint32Array(TILE_SIDE);
  for (let key = 0; key < TILE_CELLS; key++) {
    if (!contains(region, xOf(tx, key), yOf(ty, key))) continue;
    mask[key >> TILE_BITS]! |= 1 << (key & 31);
  }
  return mask;
}

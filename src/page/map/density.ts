/**
 * Shades pixels that stand for several cells by how many of them have the
 * highest level: far out, 3% occupied must not look like a third.
 *
 * @module
 */

import { Level, LEVELS } from "../../grid/status.ts";
import { TEXTURE_PIXELS } from "./palette.ts";

/** Classes of levels: each one below Occupied, and occupied with any value. */
const CLASSES = Level.Occupied + 1;
/** Steps of a shade, from few cells to all. */
const STEPS = 32;
/**
 * Strength of the highest level where very few cells have it: enough to see a
 * single occupied cell.
 */
const MIN_STRENGTH = 0.15;
/** Below 1: small shares differ more than large ones. */
const SHARE_EXPONENT = 0.8;

/**
 * Returns how strong the highest level of a pixel is over the other cells.
 *
 * @param share of the cells that have it, above 0, at most 1
 * @returns 0 to 1
 */
export function strengthOf(share: number): number {
  return MIN_STRENGTH + (1 - MIN_STRENGTH) * share ** SHARE_EXPONENT;
}

/** The shades between the textures of two levels. */
export class Shades {
  readonly #textures: Uint32Array;
  /** For each level, base, step and pixel of the texture. */
  readonly #shades = new Uint32Array(
    LEVELS * CLASSES * STEPS * TEXTURE_PIXELS,
  );

  /** @param textures see `texturesOf` */
  constructor(textures: Uint32Array) {
    this.#textures = textures;
    const from = new Uint8Array(textures.buffer, textures.byteOffset);
    const to = new Uint8ClampedArray(this.#shades.buffer);
    for (let level: number = Level.StaleFree; level < LEVELS; level++) {
      for (let base: number = Level.Free; base < classOf(level); base++) {
        for (let step = 0; step < STEPS; step++) {
          const strength = strengthOf((step + 0.5) / STEPS);
          const top = fainter(level, strength);
          for (let pixel = 0; pixel < TEXTURE_PIXELS; pixel++) {
            const at = 4 * this.#index(level, base, step, pixel);
            const one = 4 * (base * TEXTURE_PIXELS + pixel);
            const other = 4 * (top * TEXTURE_PIXELS + pixel);
            for (let byte = 0; byte < 4; byte++) {
              to[at + byte] = from[one + byte]! +
                (from[other + byte]! - from[one + byte]!) * strength;
            }
          }
        }
      }
    }
  }

  /**
   * Returns the pixel of a level.
   *
   * @param diagonal x + y of the pixel
   */
  plain(level: number, diagonal: number): number {
    return this.#textures[level * TEXTURE_PIXELS + diagonal % TEXTURE_PIXELS]!;
  }

  /**
   * Returns the pixel of several cells.
   *
   * @param level the highest one of the cells
   * @param base the class of another cell; {@linkcode Level.None} if all cells
   * have the class of the highest level
   * @param share of the cells that have the highest level, 0 to 1
   * @param diagonal x + y of the pixel
   */
  shaded(
    level: number,
    base: number,
    share: number,
    diagonal: number,
  ): number {
    if (base === Level.None) return this.plain(level, diagonal);
    const step = Math.min(STEPS - 1, Math.floor(share * STEPS));
    return this
      .#shades[this.#index(level, base, step, diagonal % TEXTURE_PIXELS)]!;
  }

  #index(level: number, base: number, step: number, pixel: number): number {
    return ((level * CLASSES + base) * STEPS + step) * TEXTURE_PIXELS + pixel;
  }
}

/** Counts the cells of a block. */
export class BlockCounter {
  /** The class of the first cell below the highest; None without such cells. */
  base: number = Level.None;
  /** The share of the reported cells with the class of the highest level. */
  share = 1;

  /**
   * Counts the cells of a block.
   *
   * @param levels of the cells, row by row
   * @param width of a row of `levels`
   * @param first index of the first cell of the block
   * @param side width and height of the block, in cells
   * @param highest level of the block
   */
  count(
    levels: Uint8Array,
    width: number,
    first: number,
    side: number,
    highest: number,
  ): void {
    const top = classOf(highest);
    let base: number = Level.None;
    let known = 0, count = 0;
    for (let y = 0; y < side; y++) {
      const start = first + y * width;
      for (let at = start; at < start + side; at++) {
        const level = levels[at]!;
        if (level === Level.None) continue;
        known++;
        if (level >= top) count++;
        else if (base === Level.None) base = level;
      }
    }
    this.base = base;
    this.share = count / known;
  }
}

/** Counts the cells of many pixels, cell by cell in any order. */
export class PixelTally {
  /** The highest level of each pixel. */
  readonly levels: Uint8Array;
  /** A lower class of each pixel; None without other cells. */
  readonly bases: Uint8Array;
  readonly #known: Uint32Array;
  /** The cells with the class of the highest level. */
  readonly #highest: Uint32Array;

  /** @param pixels number of pixels */
  constructor(pixels: number) {
    this.levels = new Uint8Array(pixels);
    this.bases = new Uint8Array(pixels);
    this.#known = new Uint32Array(pixels);
    this.#highest = new Uint32Array(pixels);
  }

  clear(): void {
    this.levels.fill(Level.None);
    this.bases.fill(Level.None);
    this.#known.fill(0);
    this.#highest.fill(0);
  }

  /** Adds a cell to a pixel. */
  add(at: number, level: number): void {
    const before = this.levels[at]!;
    const oldClass = classOf(before), newClass = classOf(level);
    this.#known[at]!++;
    if (newClass > oldClass) {
      this.bases[at] = oldClass;
      this.#highest[at] = 1;
    } else if (newClass === oldClass) this.#highest[at]!++;
    else this.bases[at] = newClass;
    if (level > before) this.levels[at] = level;
  }

  /** The share of the cells with the class of the highest level. */
  share(at: number): number {
    return this.#highest[at]! / this.#known[at]!;
  }
}

/** The class of a level. */
function classOf(level: number): number {
  return level < Level.Occupied ? level : Level.Occupied;
}

/** Few cells with many people look like more cells with few. */
function fainter(level: number, strength: number): number {
  if (level < Level.Occupied) return level;
  return Level.Occupied + Math.round((level - Level.Occupied) * strength);
}

/**
 * The zones of one layer, found by the tiles of the map that they touch.
 *
 * @module
 */

import { BoxTree, spatialOrder } from "./box_tree.ts";
import { ZoneShape } from "./tile_mask.ts";
import type { TileZones, ZoneShare } from "./tile_zones.ts";
import type { Zone } from "./zone.ts";
import { TILE_BITS, tileKeyOf, tileSpan } from "../grid/tiles.ts";
import { contains, type Region } from "../protocol/region.ts";

/** Default of {@linkcode ZoneIndexOptions.maxCacheBytes}. */
const MAX_CACHE_BYTES = 32 * 1024 * 1024;

/** Memory of a cached tile without its zones: key, array and entry of a map. */
const TILE_BYTES = 200;
/** Memory of one zone in a tile. */
const SHARE_BYTES = 40;
/** Memory of a bit set: 128 bytes, and what V8 takes for a typed array. */
const BIT_SET_BYTES = 480;

/** Options of {@linkcode ZoneIndex}. */
export interface ZoneIndexOptions {
  /** Limits the memory of masks, in bytes. Default 32 MiB */
  readonly maxCacheBytes?: number;
}

/** A zone that has cells. */
interface Entry {
  /** Its place in the list of zones. */
  readonly zone: number;
  readonly shape: ZoneShape;
  /** The tiles that it may touch, in tile coordinates. */
  readonly span: Region;
}

const NO_ZONES: readonly ZoneShare[] = [];

/**
 * Finds the zones that have cells in a tile. The cost does not depend on the
 * number of other zones, nor on the size of a zone.
 *
 * @example
 * ```ts
 * import type { Zone } from "./zone.ts";
 * import { ZoneIndex } from "./zone_index.ts";
 *
 * function namesAt(zones: readonly Zone[], x: number, y: number): string[] {
 *   const index = new ZoneIndex(zones);
 *   return index.at(x >> 5, y >> 5).map(({ zone }) => zones[zone]!.name);
 * }
 * ```
 */
export class ZoneIndex implements TileZones {
  readonly #entries: readonly Entry[];
  readonly #tree: BoxTree;
  readonly #cache: TileCache;

  /**
   * @param zones the zones of one layer; may overlap, must not be changed
   * @param options see {@linkcode ZoneIndexOptions}
   * @throws {RangeError} if a coordinate is not within ±2^31
   */
  constructor(
    zones: readonly Zone[],
    { maxCacheBytes = MAX_CACHE_BYTES }: ZoneIndexOptions = {},
  ) {
    const entries = zones.flatMap(({ polygons }, zone): Entry[] => {
      const shape = new ZoneShape(polygons);
      const { bounds } = shape;
      return bounds ? [{ zone, shape, span: tileSpan(bounds) }] : [];
    });
    const order = spatialOrder(entries.map(({ span }) => span));
    this.#entries = order.map((i) => entries[i]!);
    this.#tree = new BoxTree(order.length, (i) => this.#entries[i]!.span);
    this.#cache = new TileCache(maxCacheBytes);
  }

  /** Memory of the cached masks, in bytes, estimated. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  /**
   * Returns the zones that have cells in a tile, in the order of the list.
   *
   * @param tx tile coordinate, -2^26 to 2^26-1
   * @param ty tile coordinate, -2^26 to 2^26-1
   */
  at(tx: number, ty: number): readonly ZoneShare[] {
    const key = tileKeyOf(tx << TILE_BITS, ty << TILE_BITS);
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const near = this.#near(tx, ty);
    // Without a zone nearby, the tree is as fast as the cache.
    if (near.length === 0) return NO_ZONES;
    const shares: ZoneShare[] = [];
    for (const { zone, shape } of near) {
      const mask = shape.tileMask(tx, ty);
      if (mask !== undefined) shares.push({ zone, mask });
    }
    this.#cache.set(key, shares);
    return shares;
  }

  /** Returns the zones whose rectangles touch a tile. */
  #near(tx: number, ty: number): Entry[] {
    const near: Entry[] = [];
    this.#tree.visit({
      enter: (x0, y0, x1, y1) => tx >= x0 && tx <= x1 && ty >= y0 && ty <= y1,
      item: (i) => {
        const entry = this.#entries[i]!;
        if (contains(entry.span, tx, ty)) near.push(entry);
      },
    });
    return near.sort((a, b) => a.zone - b.zone);
  }
}

/**
 * A cache of the tiles used last, within a limit of memory. It has two halves:
 * when the newer one is full, it becomes the older one, whose tiles are dropped
 * if they are not used before the newer is full again. So a hit moves a tile at
 * most once for each half, and not each time as in a list of the last use.
 */
class TileCache {
  readonly #maxHalfBytes: number;
  #newer = new Map<number, readonly ZoneShare[]>();
  #older = new Map<number, readonly ZoneShare[]>();
  #newerBytes = 0;
  #olderBytes = 0;

  constructor(maxBytes: number) {
    this.#maxHalfBytes = maxBytes / 2;
  }

  get bytes(): number {
    return this.#newerBytes + this.#olderBytes;
  }

  get(key: number): readonly ZoneShare[] | undefined {
    const zones = this.#newer.get(key);
    if (zones !== undefined) return zones;
    const older = this.#older.get(key);
    if (older !== undefined) {
      this.#older.delete(key);
      this.#olderBytes -= bytesOf(older);
      this.set(key, older);
    }
    return older;
  }

  set(key: number, zones: readonly ZoneShare[]): void {
    const bytes = bytesOf(zones);
    if (bytes > this.#maxHalfBytes) return;
    if (this.#newerBytes + bytes > this.#maxHalfBytes) {
      this.#older = this.#newer;
      this.#olderBytes = this.#newerBytes;
      this.#newer = new Map();
      this.#newerBytes = 0;
    }
    this.#newer.set(key, zones);
    this.#newerBytes += bytes;
  }
}

/** Memory of a cached tile, in bytes, estimated. */
function bytesOf(zones: readonly ZoneShare[]): number {
  let bytes = TILE_BYTES + SHARE_BYTES * zones.length;
  for (const { mask } of zones) if (mask !== "all") bytes += BIT_SET_BYTES;
  return bytes;
}

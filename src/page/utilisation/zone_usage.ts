/**
 * How much the zones of a layer were used: the sums of their cells.
 *
 * @module
 */

import { TILE_BITS, TILE_SIDE, tileKeyOf } from "../../grid/tiles.ts";
import type { Region } from "../../protocol/region.ts";
import { maskHolds, ZoneShape } from "../../zones/tile_mask.ts";
import type { ZoneDefinition } from "../zones/zone_definitions.ts";
import { type Usage, type Use, useOf } from "./usage.ts";

const CELL_MASK = TILE_SIDE - 1;

/** A zone, and how much its cells were used. */
export interface UsedZone {
  readonly definition: ZoneDefinition;
  /** Of the cells with readings. */
  readonly use: Use;
  /**
   * Number of its cells without any reading in the time: walls, or sensors that
   * were silent. They do not count in its use.
   */
  readonly unreported: number;
  /** The rows of all its cells in the answer. */
  readonly rows: readonly number[];
  /** The smallest region with all its cells; undefined without cells. */
  readonly bounds: Region | undefined;
}

/**
 * Adds up the cells of each zone. The cost is that of the cells and of the tiles
 * that zones touch.
 */
export function zoneUsage(
  usage: Usage,
  definitions: readonly ZoneDefinition[],
): UsedZone[] {
  const tiles = tilesOf(usage);
  return definitions.map((definition) => {
    const shape = new ZoneShape(definition.polygons);
    const rows: number[] = [];
    for (const [tx, ty, inTile] of tilesIn(tiles, shape.bounds)) {
      const mask = shape.tileMask(tx, ty);
      if (mask === undefined) continue;
      const { x, y } = usage.answer.cells;
      for (const row of inTile) {
        const key = (y[row]! & CELL_MASK) << TILE_BITS | x[row]! & CELL_MASK;
        if (maskHolds(mask, key)) rows.push(row);
      }
    }
    const use = sum(usage, rows);
    return {
      definition,
      rows,
      use,
      unreported: rows.length - use.cells,
      bounds: boundsOf(usage, rows),
    };
  });
}

interface Tile {
  readonly tx: number;
  readonly ty: number;
  readonly rows: number[];
}

function tilesOf({ answer: { cells: { x, y } } }: Usage): Map<number, Tile> {
  const tiles = new Map<number, Tile>();
  for (let row = 0; row < x.length; row++) {
    const key = tileKeyOf(x[row]!, y[row]!);
    const tile = tiles.get(key);
    if (tile) tile.rows.push(row);
    else {
      const [tx, ty] = [x[row]! >> TILE_BITS, y[row]! >> TILE_BITS];
      tiles.set(key, { tx, ty, rows: [row] });
    }
  }
  return tiles;
}

/** Returns the tiles in a region, by the cheaper of two ways. */
function* tilesIn(
  tiles: ReadonlyMap<number, Tile>,
  region: Region | undefined,
): Iterable<readonly [tx: number, ty: number, rows: readonly number[]]> {
  if (region === undefined) return;
  const [x0, y0] = [region.x0 >> TILE_BITS, region.y0 >> TILE_BITS];
  const [x1, y1] = [region.x1 >> TILE_BITS, region.y1 >> TILE_BITS];
  if ((x1 - x0 + 1) * (y1 - y0 + 1) > tiles.size) {
    for (const { tx, ty, rows } of tiles.values()) {
      if (tx < x0 || tx > x1 || ty < y0 || ty > y1) continue;
      yield [tx, ty, rows];
    }
    return;
  }
  for (let ty = y0; ty <= y1; ty++) {
    for (let tx = x0; tx <= x1; tx++) {
      const tile = tiles.get(tileKeyOf(tx << TILE_BITS, ty << TILE_BITS));
      if (tile) yield [tx, ty, tile.rows];
    }
  }
}

function sum(usage: Usage, rows: readonly number[]): Use {
  const { cells, seconds } = usage.answer;
  let [count, occupied, known, changes, last] = [0, 0, 0, 0, NaN];
  for (const row of rows) {
    if (usage.isReported(row)) count++;
    occupied += cells.occupied[row]!;
    known += cells.known[row]!;
    changes += cells.changes[row]!;
    const used = cells.last[row] ?? NaN;
    if (!(used <= last)) last = Number.isNaN(used) ? last : used;
  }
  return useOf(
    { cells: count, occupied, known, changes, last },
    seconds,
  );
}

function boundsOf(
  { answer: { cells: { x, y } } }: Usage,
  rows: readonly number[],
): Region | undefined {
  if (rows.length === 0) return undefined;
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const row of rows) {
    x0 = Math.min(x0, x[row]!);
    y0 = Math.min(y0, y[row]!);
    x1 = Math.max(x1, x[row]!);
    y1 = Math.max(y1, y[row]!);
  }
  return { x0, y0, x1, y1 };
}

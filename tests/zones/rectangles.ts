/**
 * Zones of rectangles and a simple index for them, for tests of counts, states
 * and events.
 *
 * @module
 */

import { xOf, yOf } from "../../src/grid/tiles.ts";
import type { TileZones, ZoneShare } from "../../src/zones/tile_zones.ts";
import type { Zone } from "../../src/zones/zone.ts";
import { rectangle, zoneOf as zoneOfPolygons } from "./shapes.ts";

/** The cells with x0 <= x < x1 and y0 <= y < y1. */
export type Rectangle = readonly [
  x0: number,
  y0: number,
  x1: number,
  y1: number,
];

/** Makes a zone of the union of rectangles. */
export function zoneOf(
  name: string,
  rectangles: readonly Rectangle[],
  options: Partial<Zone> = {},
): Zone {
  const polygons = rectangles.map((one) => [rectangle(...one)]);
  return { ...zoneOfPolygons(name, ...polygons), ...options };
}

/** Returns true if a zone of rectangles has a cell. */
export function hasCell(zone: Zone, x: number, y: number): boolean {
  return zone.polygons.some(([ring]) => {
    const [x0, y0] = ring![0]!;
    const [x1, y1] = ring![2]!;
    return x0 <= x && x < x1 && y0 <= y && y < y1;
  });
}

/** The index of zones of rectangles. Slow: it checks every cell. */
export function rectangleIndex(zones: readonly Zone[]): TileZones {
  return {
    at: (tx, ty) => {
      const shares: ZoneShare[] = [];
      zones.forEach((zone, number) => {
        const mask = new Uint32Array(32);
        let cells = 0;
        for (let key = 0; key < 1024; key++) {
          if (!hasCell(zone, xOf(tx, key), yOf(ty, key))) continue;
          mask[key >> 5]! |= 1 << (key & 31);
          cells++;
        }
        if (cells === 0) return;
        shares.push({ zone: number, mask: cells === 1024 ? "all" : mask });
      });
      return shares;
    },
  };
}

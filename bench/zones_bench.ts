/**
 * `deno bench bench/zones_bench.ts`: the geometry of zones.
 *
 * A look-up in the cache is so short that an iteration makes 1,000 of them.
 *
 * @module
 */
import { ZoneShape } from "../src/zones/tile_mask.ts";
import type { Polygon, Position, Zone } from "../src/zones/zone.ts";
import { ZoneIndex } from "../src/zones/zone_index.ts";
import { zoneOf } from "../tests/zones/shapes.ts";

/** Returns a polygon around a point. */
function round(
  x: number,
  y: number,
  radius: number,
  vertices: number,
): Polygon {
  const ring = Array.from({ length: vertices }, (_, i): Position => {
    const angle = 2 * Math.PI * i / vertices;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
  return [[...ring, ring[0]!]];
}

/** Cells from one zone to the next: 2 by 2 zones in a tile. */
const SPACING = 16;

/** Zones beside each other in a square; 10,000 are in 50 by 50 tiles. */
function rooms(count: number, vertices: number): Zone[] {
  const side = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, i) => {
    const x = SPACING * (i % side + 0.5);
    const y = SPACING * (Math.floor(i / side) + 0.5);
    return zoneOf(`room${i}`, round(x, y, 7.3, vertices));
  });
}

for (const vertices of [4, 10, 100]) {
  const zones = rooms(10_000, vertices);
  Deno.bench({
    name: `load 10,000 polygons of ${vertices} vertices`,
    group: "load",
    n: 20,
    warmup: 3,
    fn: () => void new ZoneIndex(zones),
  });
  Deno.bench({
    name: `load 10,000 polygons of ${vertices} vertices, all 2,500 tiles`,
    group: "load",
    n: 20,
    warmup: 3,
    fn: () => {
      const index = new ZoneIndex(zones);
      for (let tile = 0; tile < 2500; tile++) {
        index.at(tile % 50, Math.floor(tile / 50));
      }
    },
  });
}

/** A disc of ten million cells has this radius. */
const TEN_MILLION = Math.sqrt(1e7 / Math.PI);

const shapes: Record<string, [Polygon, tx: number, ty: number]> = {
  "small zone": [round(16, 16, 9, 10), 0, 0],
  "ten million cells, 10 vertices, edge": [
    round(0, 0, TEN_MILLION, 10),
    ...[Math.floor(TEN_MILLION / 32), 0] as const,
  ],
  "ten million cells, 100,000 vertices, edge": [
    round(0, 0, TEN_MILLION, 100_000),
    ...[Math.floor(TEN_MILLION / 32), 0] as const,
  ],
  "ten million cells, 100,000 vertices, inside": [
    round(0, 0, TEN_MILLION, 100_000),
    ...[3, -7] as const,
  ],
};

for (const [name, [polygon, tx, ty]] of Object.entries(shapes)) {
  const shape = new ZoneShape([polygon]);
  Deno.bench({
    name: `mask of a tile: ${name}`,
    group: "mask",
    fn: () => void shape.tileMask(tx, ty),
  });
}

for (const count of [10, 10_000]) {
  const zones = rooms(count, 10);
  const side = Math.floor(Math.sqrt(count) / 2);
  const cached = new ZoneIndex(zones);
  Deno.bench({
    name: `1,000 look-ups of tiles in turn among ${count} zones, cached`,
    group: "look-up, cached",
    fn: () => {
      for (let i = 0; i < 1000; i++) {
        cached.at(i % side, Math.floor(i / side) % side);
      }
    },
  });
  const cold = new ZoneIndex(zones, { maxCacheBytes: 0 });
  Deno.bench({
    name: `look-up of a tile with 4 zones among ${count} zones, computed`,
    group: "look-up, computed",
    fn: () => void cold.at(0, 0),
  });
  Deno.bench({
    name: `look-up of a tile without a zone among ${count} zones`,
    group: "look-up, no zone",
    fn: () => void cold.at(-1, 500),
  });
}

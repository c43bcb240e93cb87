/**
 * Which cells of a tile of the map belong to a zone.
 *
 * A cell belongs to a polygon (RFC 7946, 3.1.6) if its centre is inside by the
 * even-odd rule over all rings, and to a zone if it belongs to one of its
 * polygons. So holes, rings that touch or cross themselves, and polygons that
 * overlap are defined. For centres on an edge, and for the rounding of
 * coordinates, see `edge_crossing.ts`.
 *
 * @module
 */

import {
  type Box,
  BoxTree,
  type BoxVisitor,
  spatialOrder,
} from "./box_tree.ts";
import { firstCellFrom, roundCoordinate } from "./edge_crossing.ts";
import { RingEdges, TileParity } from "./ring_edges.ts";
import type { TileMask } from "./tile_zones.ts";
import type { Polygon } from "./zone.ts";
import { TILE_BITS } from "../grid/tiles.ts";
import type { Region } from "../protocol/region.ts";

/**
 * Returns true if a mask holds a cell.
 *
 * @param key the key of the cell in its tile, 0 to 1023
 */
export function maskHolds(mask: TileMask, key: number): boolean {
  return mask === "all" || (mask[key >> TILE_BITS]! >>> key & 1) === 1;
}

/** Shared by all shapes: one tile is finished before the next. */
const parity = new TileParity();

/** Coordinates are within ±this: from the first to after the last cell. */
const MAX_COORDINATE = 2 ** 31;

/** A ring, and which polygon of the zone it is part of. */
interface ShapeRing {
  readonly edges: RingEdges;
  readonly polygon: number;
}

/** The rings of a zone, found by place. */
interface ShapeRings {
  /** Those of a polygon follow each other. */
  readonly rings: readonly ShapeRing[];
  readonly tree: BoxTree;
}

/**
 * The cells of a zone, tile by tile. The rings are prepared with the first tile:
 * many zones are in places without a cell of the map.
 */
export class ZoneShape {
  /** The rectangle of cells outside of which is none; undefined: no cell. */
  readonly bounds: Region | undefined;
  readonly #polygons: readonly Polygon[];
  #prepared: ShapeRings | undefined;

  /**
   * @param polygons closed rings, coordinates within ±2^31; must not be changed
   * @throws {RangeError} if a coordinate is not within ±2^31
   */
  constructor(polygons: readonly Polygon[]) {
    this.#polygons = polygons;
    this.bounds = cellsIn(boxOf(polygons));
  }

  /**
   * Returns the cells of a tile that belong to the zone; undefined for none.
   * The cost depends on the number of edges near the tile.
   *
   * @param tx tile coordinate, -2^26 to 2^26-1
   * @param ty tile coordinate, -2^26 to 2^26-1
   */
  tileMask(tx: number, ty: number): TileMask | undefined {
    const { rings, tree } = this.#prepared ??= prepare(this.#polygons);
    const visitor = new RingVisitor(rings, tx, ty);
    tree.visit(visitor);
    return visitor.finish();
  }
}

function prepare(polygons: readonly Polygon[]): ShapeRings {
  const withEdges = polygons
    .map((polygon) => polygon.map((ring) => new RingEdges(ring)))
    .filter((rings) => rings.length > 0);
  // The order matters for the speed only.
  const rings = inSpace(withEdges, ([outer]) => outer!.bounds)
    .flatMap((rings, polygon) =>
      inSpace(rings, ({ bounds }) => bounds)
        .map((edges) => ({ edges, polygon }))
    );
  const tree = new BoxTree(rings.length, (i) => rings[i]!.edges.bounds);
  return { rings, tree };
}

/** Makes the mask of a tile from the rings near it. */
class RingVisitor implements BoxVisitor {
  readonly #rings: readonly ShapeRing[];
  readonly #tx: number;
  readonly #ty: number;
  #polygon = -1;
  #mask: TileMask | undefined;

  constructor(rings: readonly ShapeRing[], tx: number, ty: number) {
    this.#rings = rings;
    this.#tx = tx;
    this.#ty = ty;
    parity.begin(tx, ty);
  }

  enter(x0: number, y0: number, x1: number, y1: number): boolean {
    return this.#mask !== "all" && parity.isChangedBy({ x0, y0, x1, y1 });
  }

  item(ring: number): void {
    const { edges, polygon } = this.#rings[ring]!;
    if (polygon !== this.#polygon) {
      this.#endPolygon();
      this.#polygon = polygon;
    }
    if (this.#mask !== "all") parity.add(edges);
  }

  finish(): TileMask | undefined {
    this.#endPolygon();
    return this.#mask;
  }

  /** Adds the cells of the polygon to the mask, and begins the next. */
  #endPolygon(): void {
    this.#mask = parity.addTo(this.#mask);
    parity.begin(this.#tx, this.#ty);
  }
}

/** Returns items so that neighbours in space are near each other. */
function inSpace<T>(
  items: readonly T[],
  boxOf: (item: T) => Box,
): readonly T[] {
  if (items.length < 2) return items;
  return spatialOrder(items.map(boxOf)).map((i) => items[i]!);
}

/**
 * Returns the rectangle of all vertices, rounded.
 *
 * @throws {RangeError} if a coordinate is not within ±2^31
 */
function boxOf(polygons: readonly Polygon[]): Box {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (const ring of polygon) {
      for (const [x, y] of ring) {
        if (!(Math.abs(x) <= MAX_COORDINATE && Math.abs(y) <= MAX_COORDINATE)) {
          throw new RangeError(
            `Cannot use position [${x},${y}]: expected coordinates within ±2^31`,
          );
        }
        x0 = Math.min(x0, x);
        y0 = Math.min(y0, y);
        x1 = Math.max(x1, x);
        y1 = Math.max(y1, y);
      }
    }
  }
  return {
    x0: roundCoordinate(x0),
    y0: roundCoordinate(y0),
    x1: roundCoordinate(x1),
    y1: roundCoordinate(y1),
  };
}

/** Returns the cells that have their centres in a box; undefined for none. */
function cellsIn({ x0, y0, x1, y1 }: Box): Region | undefined {
  // True for no cell, and without a position.
  if (!(firstCellFrom(x0) < firstCellFrom(x1))) return undefined;
  if (!(firstCellFrom(y0) < firstCellFrom(y1))) return undefined;
  return {
    x0: firstCellFrom(x0),
    y0: firstCellFrom(y0),
    x1: firstCellFrom(x1) - 1,
    y1: firstCellFrom(y1) - 1,
  };
}

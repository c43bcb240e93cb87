/**
 * The edges of a ring, and which cells of a tile have an odd number of edges to
 * their left.
 *
 * @module
 */

import { type Box, BoxTree, type BoxVisitor } from "./box_tree.ts";
import {
  firstCellFrom,
  firstCellRightOf,
  roundCoordinate,
} from "./edge_crossing.ts";
import type { TileMask } from "./tile_zones.ts";
import type { Ring } from "./zone.ts";
import { TILE_BITS, TILE_SIDE } from "../grid/tiles.ts";

/** The edges of a ring, found by place. */
export class RingEdges {
  /** The rectangle of the vertices. */
  readonly bounds: Box;
  /** x and y of each vertex, rounded, the last the same as the first. */
  readonly positions: Float64Array;
  readonly #tree: BoxTree;

  /** @param ring closed, coordinates within ±2^31 */
  constructor(ring: Ring) {
    const positions = new Float64Array(2 * ring.length);
    for (let i = 0; i < ring.length; i++) {
      const [x, y] = ring[i]!;
      positions[2 * i] = roundCoordinate(x);
      positions[2 * i + 1] = roundCoordinate(y);
    }
    this.positions = positions;
    this.#tree = new BoxTree(Math.max(0, ring.length - 1), (edge) => {
      const i = 2 * edge;
      return {
        x0: Math.min(positions[i]!, positions[i + 2]!),
        y0: Math.min(positions[i + 1]!, positions[i + 3]!),
        x1: Math.max(positions[i]!, positions[i + 2]!),
        y1: Math.max(positions[i + 1]!, positions[i + 3]!),
      };
    });
    this.bounds = this.#tree.bounds;
  }

  /** Visits the edges in groups, see {@linkcode TileParity}. */
  visit(visitor: BoxVisitor): void {
    this.#tree.visit(visitor);
  }
}

/**
 * Counts the edges to the left of each cell of a tile, modulo 2. Reusable.
 *
 * An edge that is near the tile is looked at row by row. For the edges of a
 * group that is left of the tile, only the two ends matter: a chain of edges
 * crosses a row an odd number of times if its ends are on different sides of
 * it. So the cost is about the number of edges near the tile.
 */
export class TileParity implements BoxVisitor {
  /** The cell with the lowest coordinates. */
  #x = 0;
  #y = 0;
  #positions: Float64Array = new Float64Array();
  /** Bit i of word j is the parity of cell (i, j) of the tile. */
  readonly #rows = new Int32Array(TILE_SIDE);
  /** Bit j is the parity of the edges to the left of all cells of row j. */
  #wholeRows = 0;
  /** False if all words of `#rows` are 0. */
  #hasPartRows = false;

  /** Begins with a tile: no edges. */
  begin(tx: number, ty: number): void {
    this.#x = tx << TILE_BITS;
    this.#y = ty << TILE_BITS;
    this.#wholeRows = 0;
    if (this.#hasPartRows) this.#rows.fill(0);
    this.#hasPartRows = false;
  }

  /** Returns false if a closed ring in a box leaves all parities unchanged. */
  isChangedBy({ x0, y0, x1, y1 }: Box): boolean {
    return x0 <= this.#x + TILE_SIDE - 0.5 && x1 > this.#x + 0.5 &&
      y0 <= this.#y + TILE_SIDE - 0.5 && y1 > this.#y + 0.5;
  }

  /** Adds the edges of a ring. */
  add(ring: RingEdges): void {
    if (!this.isChangedBy(ring.bounds)) return;
    this.#positions = ring.positions;
    ring.visit(this);
  }

  /**
   * Adds the cells with odd parity to a mask.
   *
   * @param mask may be changed; undefined: no cell
   * @returns the mask with the cells
   */
  addTo(mask: TileMask | undefined): TileMask | undefined {
    if (mask === "all") return mask;
    if (!this.#hasPartRows && this.#wholeRows === 0) return mask;
    if (!this.#hasPartRows && this.#wholeRows === -1) return "all";
    const bits = mask ?? new Uint32Array(TILE_SIDE);
    let some = 0;
    let every = -1;
    for (let row = 0; row < TILE_SIDE; row++) {
      bits[row]! |= this.#rows[row]! ^ -(this.#wholeRows >>> row & 1);
      some |= bits[row]!;
      every &= bits[row]!;
    }
    return every === -1 ? "all" : some === 0 ? undefined : bits;
  }

  /** Enters the groups with edges near the tile. For {@linkcode BoxTree}. */
  enter(
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    first: number,
    end: number,
  ): boolean {
    if (
      x0 > this.#x + TILE_SIDE - 0.5 || y0 > this.#y + TILE_SIDE - 0.5 ||
      y1 <= this.#y + 0.5
    ) return false;
    if (x1 > this.#x + 0.5) return true;
    const positions = this.#positions;
    this.#wholeRows ^= this.#rowsBetween(
      positions[2 * first + 1]!,
      positions[2 * end + 1]!,
    );
    return false;
  }

  /** Adds an edge. For {@linkcode BoxTree}. */
  item(edge: number): void {
    const positions = this.#positions;
    const i = 2 * edge;
    const upward = positions[i + 1]! <= positions[i + 3]!;
    const low = upward ? i : i + 2;
    const high = upward ? i + 2 : i;
    const x1 = positions[low]!;
    const y1 = positions[low + 1]!;
    const x2 = positions[high]!;
    const y2 = positions[high + 1]!;
    if (Math.min(x1, x2) > this.#x + TILE_SIDE - 0.5) return;
    if (Math.max(x1, x2) <= this.#x + 0.5) {
      this.#wholeRows ^= this.#rowsBetween(y1, y2);
      return;
    }
    const from = Math.max(0, firstCellFrom(y1) - this.#y);
    const end = Math.min(TILE_SIDE, firstCellFrom(y2) - this.#y);
    if (from >= end) return;
    const cellOf = (row: number) =>
      firstCellRightOf(x1, y1, x2, y2, this.#y + row) - this.#x;
    // Long edges pass most tiles near them: the others lie between these two.
    const cells = [cellOf(from), cellOf(end - 1)] as const;
    if (Math.min(...cells) >= TILE_SIDE) return;
    if (Math.max(...cells) <= 0) {
      this.#wholeRows ^= this.#rowsBetween(y1, y2);
      return;
    }
    this.#hasPartRows = true;
    for (let row = from; row < end; row++) {
      const cell = cellOf(row);
      if (cell < TILE_SIDE) this.#rows[row]! ^= -1 << Math.max(0, cell);
    }
  }

  /** Returns the rows that a chain of edges crosses an odd number of times. */
  #rowsBetween(y1: number, y2: number): number {
    return this.#rowsFrom(y1) ^ this.#rowsFrom(y2);
  }

  /** Returns a bit for each row of the tile with its centre at or above y. */
  #rowsFrom(y: number): number {
    const row = firstCellFrom(y) - this.#y;
    return row >= TILE_SIDE ? 0 : -1 << Math.max(0, row);
  }
}

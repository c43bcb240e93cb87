/**
 * The page's copy of a layer: the cells, and their levels in chunks to draw.
 *
 * @module
 */

import { CellTable } from "../../grid/cell_table.ts";
import { Freshness } from "../../grid/freshness.ts";
import { Level, levelOf } from "../../grid/status.ts";
import { CellCounter, type CellCounts } from "../../grid/cell_counter.ts";
import type { Region } from "../../protocol/region.ts";
import { Chunk, CHUNK_BITS, CHUNK_CELLS, chunkKey } from "./chunk.ts";

/**
 * Maximum chunks, of 87 KB each. A layer that spans more is drawn without them.
 */
const MAX_CHUNKS = 1024;
const CHUNK_MASK = CHUNK_CELLS - 1;

/** The cells of one layer, or of the part of it that was requested. */
export class LayerCells {
  readonly table: CellTable = new CellTable();
  /** Increases with each visible change. */
  version = 0;
  readonly #chunks = new Map<number, Chunk>();
  #sparse = false;

  /** Whether the cells are too scattered for chunks. */
  get sparse(): boolean {
    return this.#sparse;
  }

  /** The smallest region with all cells; undefined without cells. */
  get bounds(): Region | undefined {
    return this.table.bounds;
  }

  /** All chunks; none if the layer is sparse. */
  chunks(): Iterable<Chunk> {
    return this.#chunks.values();
  }

  /**
   * Sets the state of a cell.
   *
   * @param value 0 free, above 0 occupied, below 0 unknown
   * @param time when it was observed, ms since 1970
   * @param stale whether the observation is too old to be trusted
   */
  set(
    x: number,
    y: number,
    value: number,
    time: number,
    stale: boolean,
  ): void {
    this.table.set(x, y, value, time, stale);
    if (this.#sparse) {
      this.version++;
      return;
    }
    const cx = x >> CHUNK_BITS;
    const cy = y >> CHUNK_BITS;
    let chunk = this.#chunk(cx, cy);
    if (chunk === undefined) {
      if (this.#chunks.size >= MAX_CHUNKS) {
        this.#sparse = true;
        this.#chunks.clear();
        this.version++;
        return;
      }
      chunk = new Chunk(cx, cy);
      this.#chunks.set(chunkKey(cx, cy), chunk);
    }
    const level = levelOf(value, stale);
    if (chunk.set(x & CHUNK_MASK, y & CHUNK_MASK, level)) this.version++;
  }

  /**
   * Returns the level of a coordinate; {@linkcode Level.None} if it was never
   * reported.
   */
  levelAt(x: number, y: number): number {
    if (!this.#sparse) {
      const chunk = this.#chunk(x >> CHUNK_BITS, y >> CHUNK_BITS);
      return chunk?.get(x & CHUNK_MASK, y & CHUNK_MASK) ?? Level.None;
    }
    const row = this.table.find(x, y);
    return row < 0 ? Level.None : this.levelOfRow(row);
  }

  /** Returns the level of a row of the table. */
  levelOfRow(row: number): number {
    const { value, stale } = this.table;
    return levelOf(value[row]!, stale[row] === 1);
  }

  /** Whether a cell of a region was reported, both corners included. */
  hasCellIn(region: Region): boolean {
    const { x0, y0, x1, y1 } = region;
    if (this.#sparse) {
      const { length, x, y } = this.table;
      for (let row = 0; row < length; row++) {
        if (x[row]! < x0 || x[row]! > x1) continue;
        if (y[row]! >= y0 && y[row]! <= y1) return true;
      }
      return false;
    }
    for (const chunk of this.#chunks.values()) {
      const left = chunk.cx * CHUNK_CELLS;
      const top = chunk.cy * CHUNK_CELLS;
      const part = {
        x0: Math.max(x0 - left, 0),
        y0: Math.max(y0 - top, 0),
        x1: Math.min(x1 - left, CHUNK_MASK),
        y1: Math.min(y1 - top, CHUNK_MASK),
      };
      if (chunk.hasCellIn(part)) return true;
    }
    return false;
  }

  /** Counts the cells of a region, both corners included. */
  countsIn({ x0, y0, x1, y1 }: Region): CellCounts {
    const { length, x, y, value, stale } = this.table;
    const counter = new CellCounter();
    for (let row = 0; row < length; row++) {
      const cellX = x[row]!;
      if (cellX < x0 || cellX > x1) continue;
      const cellY = y[row]!;
      if (cellY < y0 || cellY > y1) continue;
      const isStale = stale[row] === 1;
      counter.add(value[row]!, isStale ? Freshness.Stale : Freshness.Fresh);
    }
    return counter.counts();
  }

  #chunk(cx: number, cy: number): Chunk | undefined {
    return this.#chunks.get(chunkKey(cx, cy));
  }
}

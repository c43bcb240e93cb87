/**
 * All that the page knows of a layer: its cells, and their levels in chunks.
 *
 * @module
 */

import type { Region } from "../../grid/mod.ts";
import { CellTable } from "../../grid/cell_table.ts";
import { Freshness } from "../../grid/freshness.ts";
import { type CellCounts, Tally } from "../../grid/tally.ts";
import { CHUNK, Chunk, CHUNK_BITS, chunkKey } from "./chunk.ts";
import { Level, levelOf } from "../../grid/status.ts";

/** A chunk is 87 KB: beyond so many, cells lie too scattered for bitmaps. */
const MOST_CHUNKS = 1024;
const WITHIN = CHUNK - 1;

/** One layer as far as it was told. */
export class World {
  readonly table: CellTable = new CellTable();
  /** Rises when anything that can be seen changes. */
  version = 0;
  readonly #chunks = new Map<number, Chunk>();
  #scattered = false;

  /** Whether cells lie so scattered that there are no chunks. */
  get scattered(): boolean {
    return this.#scattered;
  }

  /** The least region that has all cells; undefined if there are none. */
  get bounds(): Region | undefined {
    return this.table.bounds;
  }

  /** All chunks. */
  chunks(): Iterable<Chunk> {
    return this.#chunks.values();
  }

  /** The chunk with these chunk coordinates, if any of its cells was reported. */
  chunk(cx: number, cy: number): Chunk | undefined {
    return this.#chunks.get(chunkKey(cx, cy));
  }

  /** Takes in what is known of a cell. */
  set(
    x: number,
    y: number,
    value: number,
    time: number,
    stale: boolean,
  ): void {
    this.table.set(x, y, value, time, stale);
    if (this.#scattered) {
      this.version++;
      return;
    }
    const cx = x >> CHUNK_BITS;
    const cy = y >> CHUNK_BITS;
    let chunk = this.chunk(cx, cy);
    if (chunk === undefined) {
      if (this.#chunks.size >= MOST_CHUNKS) {
        this.#scattered = true;
        this.#chunks.clear();
        this.version++;
        return;
      }
      chunk = new Chunk(cx, cy);
      this.#chunks.set(chunkKey(cx, cy), chunk);
    }
    const level = levelOf(value, stale);
    if (chunk.set(x & WITHIN, y & WITHIN, level)) this.version++;
  }

  /** The level of a coordinate, {@linkcode Level.None} if it was never reported. */
  levelAt(x: number, y: number): number {
    if (!this.#scattered) {
      const chunk = this.chunk(x >> CHUNK_BITS, y >> CHUNK_BITS);
      return chunk === undefined
        ? Level.None
        : chunk.get(x & WITHIN, y & WITHIN);
    }
    const row = this.table.find(x, y);
    return row < 0 ? Level.None : this.levelOfRow(row);
  }

  /** The level of a row of the table. */
  levelOfRow(row: number): number {
    const { value, stale } = this.table;
    return levelOf(value[row]!, stale[row] === 1);
  }

  /** Counts the cells of a region. */
  totals({ x0, y0, x1, y1 }: Region): CellCounts {
    const { length, x, y, value, stale } = this.table;
    const tally = new Tally();
    for (let row = 0; row < length; row++) {
      const column = x[row]!;
      if (column < x0 || column > x1) continue;
      const line = y[row]!;
      if (line < y0 || line > y1) continue;
      tally.add(
        value[row]!,
        stale[row] === 1 ? Freshness.Stale : Freshness.Fresh,
      );
    }
    return tally.counts();
  }
}

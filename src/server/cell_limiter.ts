/**
 * Refuses readings that would create more cells than the map may have.
 *
 * @module
 */
import {
  growthOf,
  LAYER_BYTES,
  LONE_CELL_BYTES,
  mapBytes,
  MAX_GROWTH_BYTES,
  type OccupancyMap,
} from "../grid/mod.ts";
import { CellTable } from "../grid/cell_table.ts";
import { tileKeyOf } from "../grid/tiles.ts";
import type { ReadingBatch } from "../protocol/mod.ts";

/** Number of readings between two pauses: about a millisecond. */
const SLICE_READINGS = 4096;

/** How many cells a map may have. */
export interface CellLimits {
  /** In all layers. Default: no limit. */
  readonly maxCells?: number | undefined;
  /** In one layer. Default: no limit. */
  readonly maxLayerCells?: number | undefined;
  /** Memory of the map, in bytes. Default: no limit. */
  readonly maxBytes?: number | undefined;
}

/** Readings of one layer that are about to be committed. */
export interface LimitedReadings {
  readonly layer: string;
  readonly batch: ReadingBatch;
  /** The index of the first reading of each payload; updated. */
  readonly starts: number[] | Uint32Array;
  /** Called before a reading is removed from the batch. */
  readonly onRefused: (index: number, reason: string) => void;
}

/** The new cells of a layer in a group. */
interface NewCells {
  readonly cells: CellTable;
  /** Their number by tile. */
  readonly tiles: Map<number, number>;
  /** How many more cells the layer may have. */
  room: number;
  isNewLayer: boolean;
}

/**
 * Decides which readings of a group may create a cell. Readings of existing
 * cells pass. It decides before the commit, so that the journal has no readings
 * that depend on the limits.
 */
export class CellLimiter {
  readonly limits: CellLimits;
  readonly #map: OccupancyMap;
  readonly #maxCells: number;
  readonly #maxLayerCells: number;
  readonly #maxBytes: number;
  /** The reasons for refusals, by limit. */
  readonly #reasons: Readonly<Record<"cells" | "layer" | "bytes", string>>;
  /**
   * This number of readings fits in any case. Counting is necessary only when
   * they are used up: far below the limits, the check of a group costs nothing.
   */
  #free = 0;

  constructor(map: OccupancyMap, limits: CellLimits) {
    const {
      maxCells = Infinity,
      maxLayerCells = Infinity,
      maxBytes = Infinity,
    } = limits;
    this.limits = limits;
    this.#map = map;
    this.#maxCells = maxCells;
    this.#maxLayerCells = maxLayerCells;
    this.#maxBytes = maxBytes;
    const mib = Math.floor(maxBytes / 2 ** 20);
    this.#reasons = {
      cells: `the map has its maximum of ${maxCells} cells`,
      layer: `the layer has its maximum of ${maxLayerCells} cells`,
      bytes: `the cells take their maximum of ${mib} MiB of memory`,
    };
  }

  /** Why the map gets no new cells, or only few; undefined while it does. */
  get problem(): string | undefined {
    if (this.#map.size >= this.#maxCells) return this.#reasons.cells;
    if (mapBytes(this.#map) + MAX_GROWTH_BYTES > this.#maxBytes) {
      return this.#reasons.bytes;
    }
    return undefined;
  }

  /**
   * Removes the readings of a group for whose cells there is no room. Pauses
   * after some thousand readings if it must look at each; the map must not
   * change in between.
   *
   * @param group all readings that are applied before the next call
   * @param latest readings with a later time create no cell, ms since 1970
   */
  *limit(
    group: readonly LimitedReadings[],
    latest: number,
  ): Generator<void, void, void> {
    const needed = group.reduce((sum, { batch }) => sum + needOf(batch), 0);
    if (needed > this.#free) this.#free = this.#count();
    this.#free -= needed;
    if (this.#free >= 0) return;
    this.#free = 0;
    yield* this.#limitExactly(group, latest);
  }

  /** Returns the number of readings that fit even if each doubles a block. */
  #count(): number {
    let largest = 0;
    for (const [, { size }] of this.#map.layers()) {
      largest = Math.max(largest, size);
    }
    return Math.max(
      0,
      Math.min(
        this.#maxCells - this.#map.size,
        this.#maxLayerCells - largest,
        this.#countByMemory(),
      ),
    );
  }

  /** The same, because of the memory. */
  #countByMemory(): number {
    const bytes = mapBytes(this.#map);
    const left = this.#maxBytes - bytes;
    // All blocks together can at most double, before cells need new ones.
    return Math.floor(
      Math.max(left / MAX_GROWTH_BYTES, (left - bytes) / LONE_CELL_BYTES),
    );
  }

  *#limitExactly(
    group: readonly LimitedReadings[],
    latest: number,
  ): Generator<void, void, void> {
    const map = this.#map;
    let cells = this.#maxCells - map.size;
    let bytes = this.#maxBytes - mapBytes(map);
    const newCells = new Map<string, NewCells>();
    for (const { layer, batch, starts, onRefused } of group) {
      const grid = map.layer(layer);
      const added = newCells.get(layer) ?? {
        cells: new CellTable(),
        tiles: new Map(),
        room: this.#maxLayerCells - (grid?.size ?? 0),
        isNewLayer: grid === undefined,
      };
      newCells.set(layer, added);
      const refused: number[] = [];
      const { x, y, time, length } = batch;
      for (let i = 0; i < length; i++) {
        if (i % SLICE_READINGS === SLICE_READINGS - 1) yield;
        if (
          !(time[i]! <= latest) || added.cells.find(x[i]!, y[i]!) >= 0 ||
          grid?.get(x[i]!, y[i]!) !== undefined
        ) continue;
        const tile = tileKeyOf(x[i]!, y[i]!);
        const more = added.tiles.get(tile) ?? 0;
        const need = growthOf((grid?.cellsInTile(x[i]!, y[i]!) ?? 0) + more) +
          (added.isNewLayer ? LAYER_BYTES : 0);
        const limit = cells <= 0
          ? "cells"
          : added.room <= 0
          ? "layer"
          : bytes < need
          ? "bytes"
          : undefined;
        if (limit !== undefined) {
          onRefused(i, this.#reasons[limit]);
          refused.push(i);
          continue;
        }
        cells--;
        bytes -= need;
        added.room--;
        added.isNewLayer = false;
        added.tiles.set(tile, more + 1);
        added.cells.insert(x[i]!, y[i]!);
      }
      if (refused.length > 0) batch.remove(refused, starts);
    }
  }
}

/** Each batch may create a layer. */
function needOf({ length }: ReadingBatch): number {
  return length + LAYER_BYTES / LONE_CELL_BYTES;
}

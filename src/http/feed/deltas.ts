/**
 * Deltas for viewers. Viewers with the same view and revision share one delta.
 *
 * @module
 */
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import { encodeFrame } from "../../feed/frames.ts";
import type { View } from "../../feed/messages.ts";
import { cellsWithin, copyAtMost } from "../cell_columns.ts";
import type { ReadableMap } from "../context.ts";
import { deflateFast, viewKey } from "./snapshots.ts";

/** The view of a viewer and the revision of its cells. */
export interface ViewerState {
  readonly view: View;
  /** The revision of the viewer's cells: the `from` of its next delta. */
  readonly revision: number;
  /** Between `revision` and this revision nothing in the view has changed. */
  readonly unchangedUntil: number;
}

/** The changes for a viewer. */
export interface Delta {
  readonly cells: CellColumns;
  /** The encoded frame, shared by all viewers with the same state. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** More cells changed than a delta may have. */
export const TOO_LARGE = Symbol("too large");
/** No cell of the view changed. */
export const UNCHANGED = Symbol("unchanged");

/** Options of {@linkcode TickDeltas}. */
export interface TickDeltasOptions {
  readonly map: ReadableMap;
  /** The time at which the map is correct, ms since 1970. */
  readonly time: number;
  /** Maximum cells of a delta. */
  readonly maxCells: number;
  /** Number of viewers. For one viewer only its view is read, not its layer. */
  readonly viewers: number;
}

/**
 * The deltas of one tick of the feed, each read from the map and encoded once.
 * An instance is valid until the map changes.
 */
export class TickDeltas {
  readonly #options: TickDeltasOptions;
  readonly #changed = new Map<string, CellColumns | typeof TOO_LARGE>();
  readonly #deltas = new Map<string, Delta>();

  constructor(options: TickDeltasOptions) {
    this.#options = options;
  }

  /** Returns the changes for a viewer, up to the revision of the layer. */
  deltaFor(
    { view, revision, unchangedUntil }: ViewerState,
  ): Delta | typeof TOO_LARGE | typeof UNCHANGED {
    const key = `${unchangedUntil} ${revision} ${viewKey(view)}`;
    const known = this.#deltas.get(key);
    if (known !== undefined) return known;
    const cells = this.#cellsOf(view, unchangedUntil);
    if (cells === TOO_LARGE) return TOO_LARGE;
    if (cells.length === 0) return UNCHANGED;
    const bytes = encodeFrame({
      kind: "delta",
      layer: view.layer,
      from: revision,
      to: this.#options.map.revisionOf(view.layer),
      time: this.#options.time,
      cells,
    }, deflateFast);
    const delta = { cells, bytes };
    this.#deltas.set(key, delta);
    return delta;
  }

  #cellsOf(view: View, since: number): CellColumns | typeof TOO_LARGE {
    if (this.#options.viewers > 1 && view.region !== null) {
      const all = this.#changedCells({ ...view, region: null }, since);
      // Too many in the layer may still be few in the view.
      if (all !== TOO_LARGE) return cellsWithin(all, view.region);
    }
    return this.#changedCells(view, since);
  }

  #changedCells(view: View, since: number): CellColumns | typeof TOO_LARGE {
    const key = `${since} ${viewKey(view)}`;
    let changed = this.#changed.get(key);
    if (changed === undefined) {
      changed = this.#read(view, since);
      this.#changed.set(key, changed);
    }
    return changed;
  }

  #read({ layer, region }: View, since: number) {
    const { map, maxCells } = this.#options;
    const grid = map.layer(layer);
    if (grid === undefined || grid.revision <= since) return newColumns(0);
    const options = { since, region: region ?? undefined };
    return copyAtMost(maxCells, grid, options) ?? TOO_LARGE;
  }
}

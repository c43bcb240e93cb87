import type { ReadableMap } from "../context.ts";
import { cellsWithin, copyAtMost } from "../cell_columns.ts";
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import { deflateFast } from "./deflate.ts";
import { encodeFrame } from "../../feed/frames.ts";
import type { View } from "../../feed/messages.ts";
import { keyOf } from "./snapshots.ts";

/** What one viewer is to be told. */
export interface Behind {
  readonly view: View;
  /** The revision that the viewer knows of: the `from` of its next delta. */
  readonly told: number;
  /** Nothing in the view has changed up to this revision, since `told`. */
  readonly seen: number;
}

/** What changed for a viewer. */
export interface Delta {
  readonly cells: CellColumns;
  /** The frame; the same object for all to whom it says the same. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** So much changed that a snapshot is better. */
export const TOO_MUCH = Symbol("too much changed");
/** Nothing in the view changed. */
export const NOTHING = Symbol("nothing changed");

/**
 * What changed, read from the map for one turn of the feed: each part of it once,
 * whoever wants it. It is valid until the map is next written to.
 */
export class TurnDeltas {
  readonly #map: ReadableMap;
  readonly #time: number;
  readonly #most: number;
  readonly #shared: boolean;
  readonly #changed = new Map<string, CellColumns | typeof TOO_MUCH>();
  readonly #frames = new Map<string, Delta>();

  /**
   * @param time the server's clock, at which the map is right
   * @param most cells of a delta
   * @param viewers how many there are: of one, only what it sees is read
   */
  constructor(map: ReadableMap, time: number, most: number, viewers: number) {
    this.#map = map;
    this.#time = time;
    this.#most = most;
    this.#shared = viewers > 1;
  }

  /** What changed for a viewer, up to the revision of the map. */
  of({ view, told, seen }: Behind): Delta | typeof TOO_MUCH | typeof NOTHING {
    const key = `${seen} ${told} ${keyOf(view)}`;
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const cells = this.#cellsOf(view, seen);
    if (cells === TOO_MUCH) return TOO_MUCH;
    if (cells.length === 0) return NOTHING;
    const bytes = encodeFrame({
      kind: "delta",
      layer: view.layer,
      from: told,
      to: this.#map.revision,
      time: this.#time,
      cells,
    }, deflateFast);
    const delta = { cells, bytes };
    this.#frames.set(key, delta);
    return delta;
  }

  #cellsOf(view: View, since: number): CellColumns | typeof TOO_MUCH {
    if (this.#shared && view.region !== null) {
      const all = this.#read({ layer: view.layer, region: null }, since);
      // Where there is much in the layer, there may be little in the view.
      if (all !== TOO_MUCH) return cellsWithin(all, view.region);
    }
    return this.#read(view, since);
  }

  #read(view: View, since: number): CellColumns | typeof TOO_MUCH {
    const key = `${since} ${keyOf(view)}`;
    let changed = this.#changed.get(key);
    if (changed === undefined) {
      changed = this.#scan(view, since);
      this.#changed.set(key, changed);
    }
    return changed;
  }

  #scan({ layer, region }: View, since: number) {
    const grid = this.#map.layer(layer);
    if (grid === undefined || grid.revision <= since) return newColumns(0);
    return copyAtMost(this.#most, grid, {
      since,
      region: region ?? undefined,
    }) ??
      TOO_MUCH;
  }
}

/**
 * Reads the history of one tile after the other.
 *
 * @module
 */
import { decodeChanges } from "../../history/changes_codec.ts";
import { hourOf, startOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import { decodeFrame, type TileFrame } from "../../history/tile_frame.ts";
import type { HistoryRow, HistoryTables } from "../../store/store.ts";

/** A tile of a layer. */
export interface TileAddress {
  readonly layer: string;
  readonly tx: number;
  readonly ty: number;
}

/** What a {@linkcode TileReader} needs of the tables. */
export type ReadTables = Pick<
  HistoryTables,
  "frameBefore" | "blocks" | "parts" | "openHours"
>;

/**
 * Reads the states and changes of tiles. One tile needs the rows since its last
 * frame.
 *
 * If a row is damaged, the hour of its tile has no changes: the cells are
 * unknown from its start, each until it changes, or until the next frame.
 */
export class TileReader {
  readonly #tables: ReadTables;
  readonly #changes = new TileChanges();
  #openHours: readonly number[];
  /**
   * Of the last state that was read: the hour of the frame that it was made of;
   * undefined if there was none.
   */
  frameHour: number | undefined;
  /** Of the last state that was read: the bytes of the blocks after its frame. */
  blockBytes = 0;

  /** @param tables read during each call */
  constructor(tables: ReadTables) {
    this.#tables = tables;
    this.#openHours = tables.openHours();
  }

  /** Reads again which hours are open: call it after a pause. */
  refresh(): void {
    this.#openHours = this.#tables.openHours();
  }

  /**
   * Reads the states of the cells of a tile at a time.
   *
   * @param second with the changes of this second
   * @param into becomes the state; `since` is NaN before the last frame
   * @returns the first hour since the last frame of which changes are missing,
   * because a row is damaged; undefined if there is none. If the frame itself is
   * missing, that is its hour
   */
  stateAt(
    tile: TileAddress,
    second: number,
    into: TileFrame,
  ): number | undefined {
    return this.#read(tile, hourOf(second), second, into);
  }

  /** @param frameHour the hour of the last frame that has no later state */
  #read(
    { layer, tx, ty }: TileAddress,
    frameHour: number,
    second: number,
    into: TileFrame,
  ): number | undefined {
    const hour = hourOf(second);
    const frame = this.#readFrame({ layer, tx, ty }, frameHour, into);
    const { hour: from } = frame;
    let { damaged } = frame;
    this.blockBytes = 0;
    const apply = (rows: readonly HistoryRow[], hour: number) => {
      if (decodeRows(rows, hour, this.#changes)) {
        into.apply(this.#changes, second);
        return;
      }
      into.forget(startOf(hour));
      damaged = Math.min(damaged ?? hour, hour);
    };
    for (const row of this.#tables.blocks(layer, tx, ty, from, hour)) {
      this.blockBytes += row.bytes?.length ?? 0;
      apply([row], row.hour);
    }
    for (const open of this.#openHours) {
      if (open < from || open > hour) continue;
      const parts = this.#tables.parts(layer, tx, ty, open);
      if (parts.length > 0) apply(parts, open);
    }
    return damaged;
  }

  /**
   * Reads the states at the start of an hour: before its first second.
   *
   * @returns as {@linkcode TileReader.stateAt}
   */
  stateBefore(
    tile: TileAddress,
    hour: number,
    into: TileFrame,
  ): number | undefined {
    return this.#read(tile, hour, startOf(hour) - 1, into);
  }

  /**
   * Reads the changes of an hour. Some may be to the state before.
   *
   * @param into receives them, sorted; what it had is removed
   * @returns false if changes are missing, because a row is damaged: then it
   * receives none, and the cells are unknown
   */
  changesOf(
    tile: TileAddress,
    hour: number,
    into: TileChanges,
  ): boolean {
    const reading = this.readChanges(tile, hour, into);
    for (;;) {
      const { done, value } = reading.next();
      if (done) return value;
    }
  }

  /** {@linkcode TileReader.changesOf} in steps: each decodes a row. */
  *readChanges(
    { layer, tx, ty }: TileAddress,
    hour: number,
    into: TileChanges,
  ): Generator<void, boolean, void> {
    const rows: HistoryRow[] = this.#tables.blocks(layer, tx, ty, hour, hour);
    if (this.#openHours.includes(hour)) {
      rows.push(...this.#tables.parts(layer, tx, ty, hour));
    }
    into.clear();
    let isWhole = true;
    for (const row of rows) {
      if (!decodeRow(row, hour, into)) isWhole = false;
      yield;
    }
    if (isWhole) into.sort();
    else into.clear();
    return isWhole;
  }

  /** Reads the last frame that can be read. Returns its hour; 0: no frame. */
  #readFrame(
    { layer, tx, ty }: TileAddress,
    hour: number,
    into: TileFrame,
  ): { readonly hour: number; readonly damaged?: number } {
    let damaged: number | undefined;
    for (let at = hour;; at--) {
      const frame = this.#tables.frameBefore(layer, tx, ty, at);
      if (frame === undefined) {
        into.clear();
        this.frameHour = undefined;
        return { hour: 0, ...(damaged !== undefined && { damaged }) };
      }
      damaged = frame.hour;
      try {
        if (frame.bytes !== undefined) {
          decodeFrame(frame.bytes, into);
          this.frameHour = frame.hour;
          return { hour: frame.hour };
        }
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
      at = frame.hour; // damaged: the one before has the same, with the blocks
    }
  }
}

/** Returns false if a row is damaged; the others are decoded. */
function decodeRows(
  rows: readonly HistoryRow[],
  hour: number,
  into: TileChanges,
): boolean {
  into.clear();
  let isWhole = true;
  for (const row of rows) {
    if (!decodeRow(row, hour, into)) isWhole = false;
  }
  into.sort();
  return isWhole;
}

/** Appends the changes of a row. Returns false if it is damaged. */
function decodeRow(
  { bytes }: HistoryRow,
  hour: number,
  into: TileChanges,
): boolean {
  if (bytes === undefined) return false;
  try {
    decodeChanges(bytes, hour, into);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

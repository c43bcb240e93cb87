/**
 * Reads the history of one tile after the other.
 *
 * @module
 */
import { settled, type WaitingWork } from "../../common/turns.ts";
import { decodeChanges } from "../../history/changes_codec.ts";
import { hourOf, startOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import { decodeFrame, type TileFrame } from "../../history/tile_frame.ts";
import type {
  HistoryRow,
  HistoryTables,
  HistoryTileRows,
} from "../../store/store.ts";

/** A tile of a layer. */
export interface TileAddress {
  readonly layer: string;
  readonly tx: number;
  readonly ty: number;
}

/** What a {@linkcode TileReader} needs of the tables. */
export type ReadTables = Pick<HistoryTables, "tileRows" | "hourRows">;

/**
 * Reads the states and changes of tiles, one after the other. One tile needs the
 * rows since its last frame.
 *
 * If a row is damaged, the hour of its tile has no changes: the cells are
 * unknown from its start, each until it changes, or until the next frame.
 */
export class TileReader {
  readonly #tables: ReadTables;
  readonly #changes = new TileChanges();
  /**
   * Of the last state that was read: the hour of the frame that it was made of;
   * undefined if there was none.
   */
  frameHour: number | undefined;
  /** Of the last state that was read: the bytes of the blocks after its frame. */
  blockBytes = 0;

  /** @param tables read once or more by each work */
  constructor(tables: ReadTables) {
    this.#tables = tables;
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
  ): WaitingWork<number | undefined> {
    return this.#read(tile, hourOf(second), second, into);
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
  ): WaitingWork<number | undefined> {
    return this.#read(tile, hour, startOf(hour) - 1, into);
  }

  /** @param frameHour the hour of the last frame that has no later state */
  *#read(
    { layer, tx, ty }: TileAddress,
    frameHour: number,
    second: number,
    into: TileFrame,
  ): WaitingWork<number | undefined> {
    const hour = hourOf(second);
    let lastFrameHour = frameHour;
    let damaged: number | undefined;
    for (;;) {
      const rows = yield* settled(
        this.#tables.tileRows(layer, tx, ty, lastFrameHour, hour),
      );
      const { frame } = rows;
      if (frame !== undefined && !decodeFrameRow(frame, into)) {
        // The one before has the same, with the blocks.
        damaged = frame.hour;
        lastFrameHour = frame.hour - 1;
        continue;
      }
      if (frame === undefined) into.clear();
      else damaged = undefined;
      this.frameHour = frame?.hour;
      return this.#applyRows(rows, second, into, damaged);
    }
  }

  /**
   * @param missing the hour from which changes are missing already
   * @returns the first hour of which changes are missing; undefined for none
   */
  #applyRows(
    { blocks, open }: HistoryTileRows,
    second: number,
    into: TileFrame,
    missing: number | undefined,
  ): number | undefined {
    let damaged = missing;
    const apply = (rows: readonly HistoryRow[], hour: number) => {
      if (decodeRows(rows, hour, this.#changes)) {
        into.apply(this.#changes, second);
        return;
      }
      into.forget(startOf(hour));
      damaged = Math.min(damaged ?? hour, hour);
    };
    this.blockBytes = 0;
    for (const row of blocks) {
      this.blockBytes += row.bytes?.length ?? 0;
      apply([row], row.hour);
    }
    for (const { hour, parts } of open) {
      if (parts.length > 0) apply(parts, hour);
    }
    return damaged;
  }

  /**
   * Reads the changes of an hour, and pauses after each row. Some changes may be
   * to the state before.
   *
   * @param into receives them, sorted at the end; what it had is removed
   * @returns false if changes are missing, because a row is damaged: then it
   * receives none, and the cells are unknown
   */
  *readChanges(
    { layer, tx, ty }: TileAddress,
    hour: number,
    into: TileChanges,
  ): WaitingWork<boolean> {
    const rows = yield* settled(this.#tables.hourRows(layer, tx, ty, hour));
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
}

/** Returns false if a frame is damaged. */
function decodeFrameRow({ bytes }: HistoryRow, into: TileFrame): boolean {
  if (bytes === undefined) return false;
  try {
    decodeFrame(bytes, into);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
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

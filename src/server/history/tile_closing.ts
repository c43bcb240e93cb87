/**
 * Closes an hour of a tile: its parts become one block.
 *
 * @module
 */
import { TILE_CELLS } from "../../grid/tiles.ts";
import { encodeChanges } from "../../history/changes_codec.ts";
import { startOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import { encodeFrame, TileFrame } from "../../history/tile_frame.ts";
import type { Care } from "./care.ts";
import type { Write } from "./flush.ts";
import type { TileAddress } from "./tile_reader.ts";

/**
 * A frame is written when the blocks since the last one have this multiple of
 * its bytes. So frames are about a fourth of the history, and a map is read from
 * few blocks.
 */
const BLOCK_BYTES_PER_FRAME_BYTE = 3;
/** Of a tile that changes, no state needs more blocks than that. */
const MAX_FRAME_HOURS = 24;

const UNKNOWN = -1;

/**
 * A tile with more changes in an hour is recorded coarser: a map is read within
 * some milliseconds. Usual ones have a tenth of that.
 */
const MAX_CHANGES = 1 << 18;
/** Of a cell, the last state within this time stays then, in seconds. */
const COARSE_SECONDS = [10, 60] as const;

/** What {@linkcode TileCloser.close} returns. */
export interface ClosedTile {
  /** Stores the block, perhaps with a frame, and deletes the parts. */
  readonly write: Write;
  /**
   * True if changes are missing, because a row is damaged: cells of the tile are
   * unknown until they are recorded again.
   */
  readonly isDamaged: boolean;
}

/** Closes hours of one tile after the other. */
export class TileCloser {
  readonly #care: Care;
  readonly #state = new TileFrame();
  readonly #changes = new TileChanges();

  constructor(care: Care) {
    this.#care = care;
  }

  /**
   * Makes the block of a tile, of an hour that gets no more changes. If the hour
   * has a block already, it gets the changes of that too.
   *
   * @param hour all hours before it are closed
   */
  async close(tile: TileAddress, hour: number): Promise<ClosedTile> {
    const { layer, tx, ty } = tile;
    const { reader } = this.#care;
    const state = this.#state;
    const changes = this.#changes;
    const damagedHour = await this.#care.run(
      reader.stateBefore(tile, hour, state),
    );
    const isUncertain = damagedHour !== undefined;
    const { frameHour, blockBytes } = reader;
    await this.#care.pause();
    const isWhole = await this.#readChanges(tile, hour);
    if (isWhole) removeRepeats(changes, state);
    else forgetAll(changes, state, hour);
    await this.#care.pause();
    const isDamaged = isUncertain || !isWhole;
    if (changes.length === 0) {
      const write: Write = (tables) => tables.dropParts(layer, tx, ty, hour);
      return { write, isDamaged };
    }
    // After a frame, what is read of the tile is certain again.
    const frame = isUncertain
      ? encodeFrame(state)
      : frameDue(state, hour, frameHour, blockBytes);
    const block = encodeChanges(changes, hour, { compress: true });
    const write: Write = (tables) => {
      if (frame !== undefined) tables.putFrame(layer, tx, ty, hour, frame);
      tables.putBlock(layer, tx, ty, hour, block);
    };
    return { write, isDamaged };
  }

  /** Returns false if a row is damaged. */
  async #readChanges(tile: TileAddress, hour: number): Promise<boolean> {
    const changes = this.#changes;
    const reading = this.#care.reader.readChanges(tile, hour, changes);
    for (;;) {
      const { done, value } = reading.next();
      if (done) return value;
      if (changes.length > MAX_CHANGES) makeCoarse(changes);
      await this.#care.step(value);
    }
  }
}

/** Returns the frame at the start of an hour, unless an earlier one is enough. */
function frameDue(
  state: TileFrame,
  hour: number,
  frameHour: number | undefined,
  blockBytes: number,
): Uint8Array | undefined {
  if (frameHour === hour) return undefined;
  const frame = encodeFrame(state);
  const isDue = frameHour === undefined ||
    hour - frameHour >= MAX_FRAME_HOURS ||
    blockBytes >= BLOCK_BYTES_PER_FRAME_BYTE * frame.length;
  return isDue ? frame : undefined;
}

/** Removes states that were soon replaced, until half of the limit is free. */
function makeCoarse(changes: TileChanges): void {
  changes.sortPart();
  for (const seconds of COARSE_SECONDS) {
    if (changes.length <= MAX_CHANGES / 2) return;
    keepLast(changes, seconds);
  }
}

/** Keeps the last state of each cell in each time of some seconds. */
function keepLast(changes: TileChanges, seconds: number): void {
  const { key, second, value, stale, length } = changes;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    const k = key[i]!;
    const s = second[i]!;
    if (
      i + 1 < length && key[i + 1] === k &&
      Math.floor(second[i + 1]! / seconds) === Math.floor(s / seconds)
    ) continue;
    key[kept] = k;
    second[kept] = s;
    value[kept] = value[i]!;
    stale[kept] = stale[i]!;
    kept++;
  }
  changes.length = kept;
}

/** The changes of an hour that cannot be read: all cells become unknown. */
function forgetAll(
  changes: TileChanges,
  { has, value }: TileFrame,
  hour: number,
): void {
  changes.clear();
  for (let key = 0; key < TILE_CELLS; key++) {
    if (has[key] === 1 && value[key]! >= 0) {
      changes.push(key, startOf(hour), UNKNOWN, 0);
    }
  }
}

/** Removes the first change of each cell if it is to the state before. */
function removeRepeats(changes: TileChanges, state: TileFrame): void {
  const { key, second, value, stale, length } = changes;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    const k = key[i]!;
    if (
      (i === 0 || key[i - 1] !== k) && state.has[k] === 1 &&
      state.value[k] === value[i] && state.stale[k] === stale[i]
    ) continue;
    key[kept] = k;
    second[kept] = second[i]!;
    value[kept] = value[i]!;
    stale[kept] = stale[i]!;
    kept++;
  }
  changes.length = kept;
}

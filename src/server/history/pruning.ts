/**
 * Deletes the oldest of a history, in steps, so that what remains is the same
 * as before.
 *
 * @module
 */
import { CellHours } from "../../history/cell_hours.ts";
import {
  decodeCellHours,
  encodeCellHours,
} from "../../history/cell_hours_codec.ts";
import type { Gap } from "../../history/gaps.ts";
import { DAY_HOURS, dayOf, hourOf, startOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import { encodeFrame, TileFrame } from "../../history/tile_frame.ts";
import type { HistoryRemoval, HistoryTables } from "../../store/store.ts";
import { allTiles, type Care } from "./care.ts";
import { rollUpDay } from "./cell_rollups.ts";
import type { Write } from "./flush.ts";
import { oldestHour } from "./oldest.ts";
import { BEGAN, CLOSED_TO, ROLLED_TO, ROLLUPS_FROM } from "./parts.ts";
import type { TileAddress } from "./tile_reader.ts";

/** Rows that one step deletes: some milliseconds. */
const ROWS_PER_STEP = 100;
/** Tiles that one step looks up in all tables. */
const UNUSED_TILES_PER_STEP = 200;
const TILES_PER_COMMIT = 16;
/** The changes are deleted when this part of the kept time more is there. */
const SLACK = 1 / 24;
const MAX_SLACK_HOURS = DAY_HOURS;
/** Above the limit of bytes, this part of it is left. */
const LEFT_OF_MAX_BYTES = 0.95;

/** Above this multiple of the limit nothing is recorded, until it is less. */
const FULL_OF_MAX_BYTES = 1.25;

/** How much is kept. */
export interface PruningOptions {
  /** How long changes of cells are kept, in seconds. */
  readonly keepSeconds: number;
  /** How long rollups are kept, in seconds. */
  readonly keepRollupsSeconds: number;
  /** Above this size the oldest hours are deleted, in bytes. */
  readonly maxBytes: number;
  /** False: changes of cells are kept until their day has its rollups. */
  readonly cells: boolean;
}

/** Deletes what is older than it is kept, or too much. */
export class Pruner {
  readonly #care: Care;
  readonly #options: PruningOptions;
  /** True if perhaps a removal was not completed before the last stop. */
  #isFirst = true;

  constructor(care: Care, options: PruningOptions) {
    this.#care = care;
    this.#options = options;
  }

  /** True if there is more than there should be, and some can be deleted. */
  get isTooLarge(): boolean {
    const { tables } = this.#care;
    if (tables.size().bytes <= this.#options.maxBytes) return false;
    return oldestHour(tables) < this.#closedTo ||
      (tables.oldestDay() ?? Infinity) < this.#rolledTo - 1;
  }

  /** True if nothing more may be recorded until hours are closed. */
  get isFull(): boolean {
    const { tables } = this.#care;
    if (tables.shared?.memoryFull) return true;
    const { bytes } = tables.size();
    const { maxBytes } = this.#options;
    return bytes > FULL_OF_MAX_BYTES * maxBytes ||
      bytes > maxBytes && !this.isTooLarge;
  }

  /**
   * Deletes what was recorded before a time: the closed hours that end before
   * it, and the days (UTC) of rollups, except the last one that has its rollups.
   *
   * @param second seconds since 1970
   * @throws {LayersDeletedError} begin again
   */
  async pruneBefore(second: number): Promise<void> {
    this.#care.begin();
    const { tables } = this.#care;
    const hour = Math.min(hourOf(second), this.#closedTo);
    if (hour > oldestHour(tables)) await this.#pruneTo(hour);
    const day = Math.min(dayOf(hour), this.#rolledTo - 1);
    if ((tables.oldestDay() ?? day) < day) await this.#deleteRollups(day);
    await this.#deleteUnusedTiles();
  }

  /**
   * Deletes what is not kept any more. All days that have ended with the closed
   * hours have their rollups.
   *
   * @param second the clock, seconds since 1970
   * @throws {LayersDeletedError} begin again
   */
  async prune(second: number): Promise<void> {
    this.#care.begin();
    await this.#deleteRest();
    const isFirst = this.#isFirst;
    const isPruned = await this.#pruneOld(second);
    await this.#pruneLarge();
    await this.#pruneRollups(second);
    if (isPruned || isFirst) await this.#deleteUnusedTiles();
    this.#isFirst = false;
  }

  get #closedTo(): number {
    return this.#care.tables.meta.get(CLOSED_TO) ?? 0;
  }

  /** Days before this one have their rollups. */
  get #rolledTo(): number {
    return this.#care.tables.meta.get(ROLLED_TO) ?? 0;
  }

  async #deleteRest(): Promise<void> {
    await this.#care.repeat((tables) => tables.deleteRest(ROWS_PER_STEP));
  }

  async #deleteUnusedTiles(): Promise<void> {
    await this.#care.repeat((tables) =>
      tables.deleteUnusedTiles(UNUSED_TILES_PER_STEP)
    );
  }

  async #pruneOld(second: number): Promise<boolean> {
    const { keepSeconds, cells } = this.#options;
    const rolled = this.#rolledTo * DAY_HOURS;
    const limit = Math.min(
      cells ? hourOf(second - keepSeconds) : rolled,
      rolled,
    );
    const slack = cells
      ? Math.min(MAX_SLACK_HOURS, hourOf(keepSeconds * SLACK))
      : 0;
    const oldest = oldestHour(this.#care.tables);
    const isDue = limit - oldest > slack || this.#isFirst;
    if (!isDue || limit <= 0) return false;
    await this.#deleteBefore(Math.max(limit, oldest));
    return true;
  }

  /** Deletes the oldest hours, then the oldest rollups, until it is less. */
  async #pruneLarge(): Promise<void> {
    const { tables } = this.#care;
    const { maxBytes } = this.#options;
    if (tables.size().bytes <= maxBytes) return;
    const target = LEFT_OF_MAX_BYTES * maxBytes;
    while (tables.size().bytes > target) {
      const { bytes, blocks, frames } = tables.size();
      const closedTo = this.#closedTo;
      const oldest = Math.max(oldestHour(tables), tables.oldestHour() ?? 0);
      if (oldest >= closedTo || blocks.rows === 0) break;
      const perHour = (blocks.bytes + frames.bytes) / (closedTo - oldest);
      const hours = Math.max(1, Math.floor((bytes - target) / perHour));
      const limit = Math.min(oldest + hours, closedTo);
      await this.#pruneTo(limit);
    }
    while (tables.size().bytes > target) {
      const oldest = tables.oldestDay();
      if (oldest === undefined || oldest >= this.#rolledTo - 1) break;
      await this.#deleteRollups(oldest + 1);
    }
  }

  /** The same, perhaps of hours whose day has not ended: it keeps its rollups. */
  async #pruneTo(hour: number): Promise<void> {
    if (hour > this.#rolledTo * DAY_HOURS) {
      await rollUpDay(this.#care, this.#rolledTo, hour);
    }
    await this.#deleteBefore(hour);
  }

  /** Deletes the changes of the hours before an hour. */
  async #deleteBefore(hour: number): Promise<void> {
    const care = this.#care;
    if (startOf(hour) > (care.tables.meta.get(BEGAN) ?? 0)) {
      await care.commit([(tables) => tables.putMeta(BEGAN, startOf(hour))]);
    }
    let removals: TileRemoval[] = [];
    for (const layer of care.tables.layers()) {
      for await (const tile of allTiles(care, layer)) {
        const frame = await frameAt(care, tile, hour);
        removals.push(new TileRemoval(tile, hour, frame));
        if (removals.length >= TILES_PER_COMMIT) {
          removals = await commitRemovals(care, removals);
        }
      }
    }
    while (removals.length > 0) removals = await commitRemovals(care, removals);
  }

  async #pruneRollups(second: number): Promise<void> {
    const day = Math.min(
      dayOf(hourOf(second - this.#options.keepRollupsSeconds)),
      this.#rolledTo - 1,
    );
    const oldest = this.#care.tables.oldestDay();
    if (oldest !== undefined && oldest < day) await this.#deleteRollups(day);
  }

  /** Deletes the rollups of the days before a day that has its rollups. */
  async #deleteRollups(day: number): Promise<void> {
    const care = this.#care;
    await this.#keepStates(day);
    await care.commit([(tables) => tables.putMeta(ROLLUPS_FROM, day)]);
    await care.repeat((tables) =>
      tables.deleteCellDaysBefore(day, ROWS_PER_STEP)
    );
    await care.repeat((tables) =>
      tables.deleteZoneDaysBefore(day, ROWS_PER_STEP)
    );
    const hour = Math.min(day * DAY_HOURS, oldestHour(care.tables));
    await care.commit([(tables) => tables.deleteGapsBefore(startOf(hour))]);
  }

  /**
   * A day without a rollup is like the end of the rollup before: the first day
   * that remains gets its own.
   */
  async #keepStates(day: number): Promise<void> {
    const care = this.#care;
    const start = day * DAY_HOURS;
    const span = { from: startOf(start), to: startOf(start + DAY_HOURS) };
    const gaps = care.tables.gaps(span);
    const hours = new CellHours();
    let writes: Write[] = [];
    for (const layer of care.tables.layers()) {
      for await (const { tx, ty } of allTiles(care, layer)) {
        const tile = { layer, tx, ty };
        const bytes = await quietDay(care, tile, day, gaps, hours);
        if (bytes === undefined) continue;
        writes.push((tables) => tables.putCellDay(layer, tx, ty, day, bytes));
        if (writes.length < TILES_PER_COMMIT) continue;
        await care.commit(writes);
        writes = [];
      }
    }
    if (writes.length > 0) await care.commit(writes);
  }
}

/** The deletion of the blocks of a tile. */
class TileRemoval {
  readonly #tile: TileAddress;
  readonly #hour: number;
  readonly #frame: Uint8Array | undefined;
  #removal: HistoryRemoval | undefined;

  /**
   * @param hour blocks before it are deleted
   * @param frame the state after what is deleted; undefined if an earlier frame
   * has it
   */
  constructor(
    tile: TileAddress,
    hour: number,
    frame: Uint8Array | undefined,
  ) {
    this.#tile = tile;
    this.#hour = hour;
    this.#frame = frame;
  }

  /** True if all is deleted. Known after the commit of the last `write`. */
  get isDone(): boolean {
    return this.#removal?.done ?? false;
  }

  readonly write = (tables: HistoryTables): void => {
    const { layer, tx, ty } = this.#tile;
    const hour = this.#hour;
    if (this.#frame !== undefined) {
      tables.putFrame(layer, tx, ty, hour, this.#frame);
    }
    this.#removal = tables.deleteBlocksBefore(
      ...[layer, tx, ty, hour, ROWS_PER_STEP] as const,
    );
  };
}

/** Returns the removals that are not done yet. */
async function commitRemovals(
  care: Care,
  removals: readonly TileRemoval[],
): Promise<TileRemoval[]> {
  await care.commit(removals.map(({ write }) => write));
  return removals.filter(({ isDone }) => !isDone);
}

/**
 * Returns the frame that a tile needs at the start of an hour, if all blocks
 * before are deleted; undefined if its newest one before has the same state.
 */
async function frameAt(
  care: Care,
  tile: TileAddress,
  hour: number,
): Promise<Uint8Array | undefined> {
  const { tables, reader } = care;
  const { layer, tx, ty } = tile;
  const newest = await care.read(tables.frameBefore(layer, tx, ty, hour));
  if (newest?.bytes !== undefined) {
    if (newest.hour === hour) return undefined;
    const blocks = await care.read(
      tables.blocks(layer, tx, ty, newest.hour, hour - 1),
    );
    if (blocks.length === 0) return undefined;
  }
  const state = new TileFrame();
  await care.run(reader.stateBefore(tile, hour, state));
  return newest === undefined && state.count === 0
    ? undefined
    : encodeFrame(state);
}

/** Returns the rollup of a day in which a tile has not changed. */
async function quietDay(
  care: Care,
  { layer, tx, ty }: TileAddress,
  day: number,
  gaps: readonly Gap[],
  hours: CellHours,
): Promise<Uint8Array | undefined> {
  const { tables } = care;
  const before = await care.read(tables.cellDayBefore(layer, tx, ty, day));
  if (before?.bytes === undefined) return undefined;
  const rows = await care.read(tables.cellDays(layer, tx, ty, day, day));
  if (rows.length > 0) return undefined;
  try {
    decodeCellHours(before.bytes, before.day, hours);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const state = new TileFrame();
  hours.copyEnd(state);
  hours.clear(day);
  const none = new TileChanges();
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    hours.addHour(hour, state, none, gaps);
  }
  return encodeCellHours(hours);
}

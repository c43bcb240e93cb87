/**
 * Makes the rollups of cells: how long each was occupied, by hour.
 *
 * @module
 */
import { CellHours } from "../../history/cell_hours.ts";
import {
  decodeCellHours,
  encodeCellHours,
} from "../../history/cell_hours_codec.ts";
import type { Gap } from "../../history/gaps.ts";
import { DAY_HOURS, startOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import { encodeFrame, TileFrame } from "../../history/tile_frame.ts";
import { allTiles, type Care } from "./care.ts";
import type { Write } from "./flush.ts";
import { oldestHour } from "./oldest.ts";
import type { TileAddress } from "./tile_reader.ts";

const ROWS_PER_COMMIT = 16;
/** A tile that does not change has a new frame after this time. */
const MAX_QUIET_HOURS = 7 * DAY_HOURS;

/**
 * Makes the rollups of a day (UTC), or of its begin, for the tiles that have
 * changed in it. A rollup that is there keeps the hours whose changes are
 * deleted.
 *
 * @param care has begun
 * @param toHour all hours of the day before this one are closed
 * @throws {LayersDeletedError} begin again
 */
export async function rollUpDay(
  care: Care,
  day: number,
  toHour: number,
): Promise<void> {
  const rollup = new DayRollup(care, day, toHour);
  const end = (day + 1) * DAY_HOURS;
  let writes: Write[] = [];
  for (const layer of care.tables.layers()) {
    for await (const tile of allTiles(care, layer)) {
      let write = await rollup.ofTile(tile);
      if (toHour >= end) write ??= await frameOfQuiet(care, tile, end);
      if (write !== undefined) writes.push(write);
      if (writes.length < ROWS_PER_COMMIT) continue;
      await care.commit(writes);
      writes = [];
    }
  }
  if (writes.length > 0) await care.commit(writes);
}

/** The rollups of one day, and memory for one of them. */
class DayRollup {
  readonly #care: Care;
  readonly #day: number;
  readonly #from: number;
  readonly #to: number;
  readonly #gaps: readonly Gap[];
  readonly #hours = new CellHours();
  readonly #state = new TileFrame();
  readonly #changes = new TileChanges();

  constructor(care: Care, day: number, toHour: number) {
    this.#care = care;
    this.#day = day;
    const start = day * DAY_HOURS;
    const from = this.#from = Math.max(start, oldestHour(care.tables));
    const to = this.#to = Math.min(toHour, start + DAY_HOURS);
    this.#gaps = care.tables.gaps({ from: startOf(from), to: startOf(to) });
  }

  /** Undefined if the tile has not changed. */
  async ofTile(tile: TileAddress): Promise<Write | undefined> {
    const { layer, tx, ty } = tile;
    const care = this.#care;
    const { tables, reader } = care;
    const day = this.#day;
    const [from, to] = [this.#from, this.#to];
    if (from >= to) return undefined;
    const blocks = await care.read(
      tables.blocks(layer, tx, ty, from, to - 1),
    );
    if (blocks.length === 0) return undefined;
    const changed = new Set(blocks.map(({ hour }) => hour));
    const hours = this.#hours;
    await this.#readHours(tile);
    await care.run(reader.stateBefore(tile, from, this.#state));
    for (let hour = from; hour < to; hour++) {
      this.#changes.clear();
      const isWhole = !changed.has(hour) ||
        await care.run(reader.readChanges(tile, hour, this.#changes));
      if (!isWhole) this.#state.forget(startOf(hour));
      const hourOfDay = hour - day * DAY_HOURS;
      hours.addHour(hourOfDay, this.#state, this.#changes, this.#gaps);
      this.#state.apply(this.#changes, Infinity);
      await care.pause();
    }
    const bytes = encodeCellHours(hours);
    return (tables) => tables.putCellDay(layer, tx, ty, day, bytes);
  }

  /** Reads the rollup that is there; none if it is damaged. */
  async #readHours({ layer, tx, ty }: TileAddress): Promise<void> {
    const day = this.#day;
    const { tables } = this.#care;
    const [row] = await this.#care.read(
      tables.cellDays(layer, tx, ty, day, day),
    );
    this.#hours.clear(day);
    if (row?.bytes === undefined) return;
    try {
      decodeCellHours(row.bytes, day, this.#hours);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

/** So that no state is looked up in the hours of a long time. */
async function frameOfQuiet(
  care: Care,
  tile: TileAddress,
  hour: number,
): Promise<Write | undefined> {
  const { layer, tx, ty } = tile;
  const frame = await care.read(
    care.tables.frameBefore(layer, tx, ty, hour),
  );
  if (frame === undefined || hour - frame.hour < MAX_QUIET_HOURS) {
    return undefined;
  }
  const state = new TileFrame();
  await care.run(care.reader.stateBefore(tile, hour, state));
  const bytes = encodeFrame(state);
  return (tables) => tables.putFrame(layer, tx, ty, hour, bytes);
}

/**
 * Closes the hours of a history, and makes its rollups.
 *
 * @module
 */
import { DAY_HOURS, dayOf, hourOf, startOf } from "../../history/hour.ts";
import { gapAt } from "../../history/gaps.ts";
import type { HistoryHourEnd } from "../../store/store.ts";
import type { Zones } from "../../zones/mod.ts";
import type { Care } from "./care.ts";
import { rollUpDay } from "./cell_rollups.ts";
import type { Write } from "./flush.ts";
import { BEGAN, CLOSED_TO, ROLLED_TO } from "./parts.ts";
import { TileCloser } from "./tile_closing.ts";
import { rollUpZones } from "./zone_rollups.ts";

/** Tiles that are closed in one or a few transactions. */
const TILES_PER_COMMIT = 32;

/** Options of {@linkcode Closer}. */
export interface CloserOptions {
  /** Returns the zones whose rollups are made. */
  readonly zones: () => Zones;
  /** Called when rows of a tile are damaged: their changes are missing. */
  readonly onDamaged: (hour: number) => void;
}

/**
 * Closes one hour after the other. All that it writes replaces the same rows if
 * it is written again, and what is done is noted after it is durable: after a
 * crash, the hour or the day is made again.
 */
export class Closer {
  readonly #care: Care;
  readonly #options: CloserOptions;
  readonly #tiles: TileCloser;

  constructor(care: Care, options: CloserOptions) {
    this.#care = care;
    this.#options = options;
    this.#tiles = new TileCloser(care);
  }

  /** Hours before this one are closed; undefined if nothing was recorded yet. */
  get closedTo(): number | undefined {
    const { tables } = this.#care;
    const closed = tables.meta.get(CLOSED_TO);
    if (closed !== undefined) return closed;
    const began = tables.meta.get(BEGAN);
    const hours = tables.openHours();
    if (began !== undefined) hours.push(hourOf(began));
    return hours.length === 0 ? undefined : Math.min(...hours);
  }

  /**
   * Closes hours, and makes the rollups of days that have ended with them.
   *
   * @param toHour closes the hours before this one; all their parts are in the
   * tables, and they get no more
   * @throws {LayersDeletedError} begin again
   */
  async close(toHour: number): Promise<void> {
    const { tables } = this.#care;
    for (;;) {
      const hour = this.closedTo;
      if (hour === undefined) return;
      const day = tables.meta.get(ROLLED_TO) ?? dayOf(hour);
      this.#care.begin();
      if (day < dayOf(hour)) {
        await rollUpDay(this.#care, day, (day + 1) * DAY_HOURS);
        await this.#care.commit([(tables) => {
          tables.putMeta(ROLLED_TO, day + 1);
        }]);
      } else if (hour < toHour) await this.#close(hour, toHour, day);
      else break;
      await this.#care.pause();
    }
    await this.#closeOld(toHour);
  }

  async #close(hour: number, toHour: number, day: number): Promise<void> {
    const isNew = !this.#care.tables.meta.has(ROLLED_TO);
    await this.#closeTiles(hour);
    let next = hour + 1;
    if (this.#isGap(hour)) next = this.#nextAfterGap(hour, toHour);
    else await rollUpZones(this.#care, hour, this.#options.zones());
    const writes: Write[] = [(tables) => tables.putMeta(CLOSED_TO, next)];
    if (isNew) writes.unshift((tables) => tables.putMeta(ROLLED_TO, day));
    await this.#care.commit(writes);
  }

  /** Makes blocks of the parts of an hour. */
  async #closeTiles(hour: number): Promise<void> {
    const care = this.#care;
    let end = undefined as HistoryHourEnd | undefined;
    while (end?.isEnded !== true) {
      end = undefined;
      const writes: Write[] = [];
      const tiles = await care.read(
        care.tables.openTiles(hour, TILES_PER_COMMIT),
      );
      for (const tile of tiles) {
        const { write, isDamaged } = await this.#tiles.close(tile, hour);
        if (isDamaged) this.#options.onDamaged(hour);
        writes.push(write);
        await care.pause();
      }
      if (writes.length === 0) {
        writes.push((tables) => {
          end = tables.endHour(hour);
        });
      }
      await care.commit(writes); // then `end` is known
    }
  }

  /** Closes hours again that got parts, such as after the clock was set back. */
  async #closeOld(toHour: number): Promise<void> {
    for (const hour of this.#care.tables.openHours()) {
      if (hour >= toHour) break;
      this.#care.begin();
      await this.#closeTiles(hour);
    }
  }

  /** True if nothing of an hour was recorded. */
  #isGap(hour: number): boolean {
    return this.#gapEnd(startOf(hour)) >= startOf(hour + 1);
  }

  /** Skips further hours of a gap: they have no parts. */
  #nextAfterGap(hour: number, toHour: number): number {
    const end = hourOf(this.#gapEnd(startOf(hour)));
    const open = this.#care.tables.openHours().find((open) => open > hour);
    return Math.max(hour + 1, Math.min(end, toHour, open ?? Infinity));
  }

  /** The end of the gap that has a second; -Infinity for none. */
  #gapEnd(second: number): number {
    const gaps = this.#care.tables.gaps({ from: second, to: second + 1 });
    return gapAt(gaps, second)?.to ?? -Infinity;
  }
}

/**
 * Counts the cells of a zone or a region, from the changes of its tiles: as the
 * rollups of zones are made.
 *
 * @module
 */
import type { WaitingWork } from "../../../common/turns.ts";
import { DAY_HOURS, dayOf, startOf } from "../../../history/hour.ts";
import { TileChanges } from "../../../history/tile_changes.ts";
import { TileFrame } from "../../../history/tile_frame.ts";
import { ZoneQuarters } from "../../../history/zone_quarters.ts";
import { KnownCells, ZoneSeries } from "../../../history/zone_series.ts";
import type { Region } from "../../../protocol/region.ts";
import type { TileMask } from "../../../zones/tile_zones.ts";
import type { Zone } from "../../../zones/mod.ts";
import type { TileAddress } from "../tile_reader.ts";
import type { Question } from "./question.ts";
import type { StepSums } from "./step_sums.ts";

/** What is counted. */
export interface Counted {
  /** Decides when it is occupied; and its layer. */
  readonly zone: Zone;
  /** All cells are in it; undefined: anywhere in the layer. */
  readonly region: Region | undefined;
  /** Returns the cells of a tile; undefined for none. */
  readonly maskOf: (tx: number, ty: number) => TileMask | undefined;
}

/**
 * Counts hours, one day (UTC) after the other, in steps of some hours of a tile.
 *
 * @param fromHour first hour
 * @param toHour the hour after the last
 * @param into receives the quarters
 * @param ofCells counts how long each cell was known
 */
export function* countHours(
  question: Question,
  counted: Counted,
  fromHour: number,
  toHour: number,
  into: StepSums,
  ofCells: boolean,
): WaitingWork<void> {
  const counter = new DayCounter(question, counted);
  for (let from = fromHour; from < toHour;) {
    const to = Math.min(toHour, (dayOf(from) + 1) * DAY_HOURS);
    yield* counter.count(from, to, into, ofCells);
    from = to;
  }
}

/** Reusable memory for the hours of a day: about 2 MB. */
class DayCounter {
  readonly #question: Question;
  readonly #counted: Counted;
  readonly #series: ZoneSeries[] = [];
  readonly #state = new TileFrame();
  readonly #changes = new TileChanges();
  readonly #quarters = new ZoneQuarters();
  readonly #cells = new KnownCells();

  constructor(question: Question, counted: Counted) {
    this.#question = question;
    this.#counted = counted;
  }

  /** Counts hours of one day. */
  *count(
    from: number,
    to: number,
    into: StepSums,
    ofCells: boolean,
  ): WaitingWork<void> {
    const { zone, region, maskOf } = this.#counted;
    const question = this.#question;
    const series = this.#series;
    while (series.length < to - from) series.push(new ZoneSeries());
    const tiles = question.tiles(zone.layer, region);
    for (let tile; (tile = yield* tiles.next()) !== undefined;) {
      const mask = maskOf(tile.tx, tile.ty);
      if (mask !== undefined) yield* this.#addTile(tile, mask, from, to);
      yield;
    }
    const gaps = question.gaps({ from: startOf(from), to: startOf(to) });
    this.#quarters.clear();
    this.#cells.clear();
    const cells = ofCells ? this.#cells : undefined;
    for (let hour = from; hour < to; hour++) {
      series[hour - from]!.finish(
        ...[zone, gaps, hour, this.#quarters, question.now, cells] as const,
      );
      yield;
    }
    const [start, end] = [startOf(from), startOf(to)];
    into.addDay(dayOf(from), this.#quarters, start, end, cells);
  }

  *#addTile(
    tile: TileAddress,
    mask: TileMask,
    from: number,
    to: number,
  ): WaitingWork<void> {
    const { reader } = this.#question;
    const state = this.#state;
    const changes = this.#changes;
    const damaged = yield* reader.stateBefore(tile, from, state);
    this.#question.noteDamagedHour(damaged);
    for (let hour = from; hour < to; hour++) {
      if (!(yield* reader.readChanges(tile, hour, changes))) {
        this.#question.noteDamagedHour(hour);
        state.forget(startOf(hour));
      }
      this.#series[hour - from]!.add(state, changes, mask, hour);
      state.apply(changes, Infinity);
      if (hour % 4 === 3) yield;
    }
  }
}

/**
 * What all questions about the history share: what they read from, and notes of
 * what they found damaged.
 *
 * @module
 */
import { settled, type WaitingWork } from "../../../common/turns.ts";
import type { GapMs } from "../../../history/answers.ts";
import { clipGaps, type Gap } from "../../../history/gaps.ts";
import {
  DAY_HOURS,
  HOUR_SECONDS,
  hourOf,
  startOf,
} from "../../../history/hour.ts";
import type { Region } from "../../../protocol/region.ts";
import type { HistoryTables } from "../../../store/store.ts";
import { deletionsOf } from "../care.ts";
import { BEGAN, CLOSED_TO, ROLLED_TO, ROLLUPS_FROM, SEEN } from "../parts.ts";
import { type TileAddress, TileReader } from "../tile_reader.ts";
import type { AskedTime, RecordedTime } from "./checks.ts";

/** Tiles that are listed at once. */
const TILES_PER_PAGE = 256;

/** One question while it is answered. */
export class Question {
  readonly tables: HistoryTables;
  readonly reader: TileReader;
  /** The present second, since 1970: later ones are not recorded. */
  readonly now: number;
  /** True if what has happened lately is not recorded. */
  readonly #isPaused: boolean;
  readonly #damaged: Gap[] = [];
  /** What was deleted and rolled up when the question was asked. */
  readonly #version: string;

  /**
   * @param now seconds since 1970
   * @param isPaused true if the history ends before the present
   */
  constructor(tables: HistoryTables, now: number, isPaused: boolean) {
    this.tables = tables;
    this.reader = new TileReader(tables);
    this.now = now;
    this.#isPaused = isPaused;
    this.#version = versionOf(tables);
  }

  /**
   * False if rows were deleted or rolled up meanwhile: perhaps some are in the
   * answer, and others are not.
   */
  get isCurrent(): boolean {
    return this.#version === versionOf(this.tables);
  }

  /** The time of which the states of cells are known. */
  get recorded(): RecordedTime {
    return { from: this.tables.meta.get(BEGAN), now: this.now };
  }

  /** Hours from this one on have changes, but perhaps no rollups of zones. */
  get openFrom(): number {
    const { tables } = this;
    // Hours before it that are open again keep their rollups of zones.
    const closed = tables.meta.get(CLOSED_TO);
    if (closed !== undefined) return closed;
    const began = hourOf(tables.meta.get(BEGAN) ?? this.now);
    return Math.min(began, ...tables.openHours());
  }

  /** Hours from this one on have changes, but perhaps no rollups of cells. */
  get changesFrom(): number {
    const { meta } = this.tables;
    const rolledTo = meta.get(ROLLED_TO);
    if (rolledTo !== undefined) return rolledTo * DAY_HOURS;
    return hourOf(meta.get(BEGAN) ?? this.now);
  }

  /** The gaps in a time, merged and cut to it. */
  gaps({ from, to }: AskedTime): Gap[] {
    const gaps = this.tables.gaps({ from, to });
    const seen = this.tables.meta.get(SEEN);
    if (this.#isPaused && seen !== undefined) {
      gaps.push({ from: seen + 1, to: Math.max(seen + 1, this.now + 1) });
    }
    return clipGaps(gaps, from, to);
  }

  /** The tiles of a layer. */
  tiles(layer: string, region: Region | undefined): TilePages {
    return new TilePages(this.tables, layer, region);
  }

  /**
   * Notes a time of which rows are damaged.
   *
   * @param from seconds since 1970
   */
  noteDamaged(from: number, to: number): void {
    if (this.#damaged.length < 10_000) this.#damaged.push({ from, to });
  }

  /** The same for an hour; undefined: nothing is damaged. */
  noteDamagedHour(hour: number | undefined): void {
    if (hour === undefined) return;
    this.noteDamaged(startOf(hour), startOf(hour) + HOUR_SECONDS);
  }

  /** The times that are damaged, merged; undefined for none. */
  get damaged(): GapMs[] | undefined {
    if (this.#damaged.length === 0) return undefined;
    return inMs(clipGaps(this.#damaged, 0, Infinity));
  }
}

/** Lists the tiles of a layer, in pages. A pause between two is harmless. */
class TilePages {
  readonly #tables: HistoryTables;
  readonly #layer: string;
  readonly #region: Region | undefined;
  #page: readonly Pick<TileAddress, "tx" | "ty">[] = [];
  /** The index of the next tile in the page. */
  #next = 0;

  constructor(
    tables: HistoryTables,
    layer: string,
    region: Region | undefined,
  ) {
    this.#tables = tables;
    this.#layer = layer;
    this.#region = region;
  }

  /** The next tile; undefined after the last one. */
  *next(): WaitingWork<TileAddress | undefined> {
    const layer = this.#layer;
    if (this.#next === this.#page.length) {
      const after = this.#page.at(-1);
      this.#page = yield* settled(
        this.#tables.tilesOf(layer, this.#region, TILES_PER_PAGE, after),
      );
      this.#next = 0;
    }
    const tile = this.#page[this.#next++];
    return tile && { layer, tx: tile.tx, ty: tile.ty };
  }
}

function versionOf(tables: HistoryTables): string {
  const { meta } = tables;
  const times = [BEGAN, ROLLED_TO, ROLLUPS_FROM].map((key) => meta.get(key));
  return `${times.join(" ")} ${deletionsOf(tables)}`;
}

/** Gaps as they are in answers. */
export function inMs(gaps: readonly Gap[]): GapMs[] {
  return gaps.map(({ from, to }) => [from * 1000, to * 1000] as const);
}

/**
 * How much each cell was used, as the server answered: shares of the known time.
 * Time without readings counts neither as occupied nor as free.
 *
 * @module
 */

import type { UtilisationAnswer } from "../../history/answers.ts";
import { CellTable } from "../../grid/cell_table.ts";
import type { Region } from "../../protocol/region.ts";
import type { Point } from "../map/regions.ts";
import type { Measure } from "./settings.ts";

/** A cell or zone that is known for a smaller share of the time is unknown. */
export const MIN_KNOWN = 0.5;

/** The use of one cell, or of the cells of a zone together. */
export interface Use {
  /** Number of cells. */
  readonly cells: number;
  /** Seconds in which they were occupied, of all cells. */
  readonly occupied: number;
  /** Seconds in which they were known, of all cells. */
  readonly known: number;
  /** Number of changes, of all cells. */
  readonly changes: number;
  /** When one was last occupied, ms since 1970; NaN if none was. */
  readonly last: number;
  /** The share of the time that is known, 0 to 1. */
  readonly knownShare: number;
  /** The share of the known time that is occupied, 0 to 1; NaN if unknown. */
  readonly share: number;
}

/** Sums up seconds. @param seconds the time that counts, of one cell */
export function useOf(
  sums: Omit<Use, "knownShare" | "share">,
  seconds: number,
): Use {
  const { cells, occupied, known } = sums;
  const all = cells * seconds;
  const knownShare = all > 0 ? Math.min(1, known / all) : 0;
  const share = known > 0 && knownShare >= MIN_KNOWN ? occupied / known : NaN;
  return { ...sums, knownShare, share };
}

/** The answer, with its cells by coordinate. */
export class Usage {
  readonly answer: UtilisationAnswer;
  readonly length: number;
  readonly #rows = new CellTable();

  constructor(answer: UtilisationAnswer) {
    this.answer = answer;
    const { x, y } = answer.cells;
    this.length = x.length;
    this.#rows.reserve(x.length);
    for (let row = 0; row < x.length; row++) {
      this.#rows.insert(x[row]!, y[row]!);
    }
  }

  /** The smallest region with all cells; undefined without cells. */
  get bounds(): Region | undefined {
    return this.#rows.bounds;
  }

  /** Returns the row of a cell; undefined if nothing is known of it. */
  find({ x, y }: Point): number | undefined {
    const row = this.#rows.find(x, y);
    return row < 0 ? undefined : row;
  }

  /** Returns the coordinate of a row. */
  cellAt(row: number): Point {
    const { x, y } = this.answer.cells;
    return { x: x[row]!, y: y[row]! };
  }

  /** Returns the use of a row's cell. */
  use(row: number): Use {
    const { occupied, known, changes, last } = this.answer.cells;
    return useOf({
      cells: 1,
      occupied: occupied[row]!,
      known: known[row]!,
      changes: changes[row]!,
      last: last[row] ?? NaN,
    }, this.answer.seconds);
  }

  /**
   * Whether anything is known of a row's cell. A cell without any reading, such
   * as a wall, does not count in the use of several cells.
   */
  isReported(row: number): boolean {
    return this.answer.cells.known[row]! > 0;
  }

  /** The share of the time that is known, of all cells with readings. */
  get knownShare(): number {
    const { seconds, cells: { known } } = this.answer;
    const all = reportedCells(this.answer) * seconds;
    return all === 0 ? 0 : known.reduce((sum, part) => sum + part, 0) / all;
  }
}

/** Counts the cells of which anything is known. */
export function reportedCells({ cells }: UtilisationAnswer): number {
  return cells.known.reduce((sum, known) => known > 0 ? sum + 1 : sum, 0);
}

/**
 * Returns the position on the scale, 0 to 1; NaN if it is unknown.
 *
 * @param maxChanges changes per known day at the end of the scale
 */
export function valueOf(
  use: Use,
  measure: Measure,
  maxChanges: number,
): number {
  switch (measure) {
    case "occupied":
      return use.share;
    case "known":
      return use.knownShare;
    case "changes":
      return Math.min(1, changesPerDay(use) / maxChanges);
  }
}

const DAY_SECONDS = 86_400;

/** Changes of a cell in a day of known time; NaN if it is unknown. */
export function changesPerDay({ changes, known, knownShare }: Use): number {
  return known > 0 && knownShare >= MIN_KNOWN
    ? changes / (known / DAY_SECONDS)
    : NaN;
}

/**
 * Returns a round number that is at least that of 99% of the cells, so that one
 * faulty sensor does not make all others look alike.
 */
export function changeScaleOf(usage: Usage): number {
  const rates: number[] = [];
  for (let row = 0; row < usage.length; row++) {
    const rate = changesPerDay(usage.use(row));
    if (rate > 0) rates.push(rate);
  }
  if (rates.length === 0) return 1;
  rates.sort((a, b) => a - b);
  return roundUp(rates[Math.floor(0.99 * (rates.length - 1))]!);
}

/** Returns 1, 2, 4 or 10 times a power of ten: a quarter of it is short. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 4, 10].find((one) => one * power >= value) ?? 10;
  return Number((factor * power).toPrecision(2));
}

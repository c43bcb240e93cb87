/**
 * Adds up quarters of hours to the steps of a series.
 *
 * @module
 */
import type { Series, Step } from "../../../history/answers.ts";
import { cutSteps, type TimeZone } from "../../../history/calendar.ts";
import { DAY_QUARTERS, QUARTER_SECONDS } from "../../../history/hour.ts";
import type { ZoneQuarters } from "../../../history/zone_quarters.ts";
import type { KnownCells } from "../../../history/zone_series.ts";
import type { AskedTime } from "./checks.ts";

/** The columns of a {@linkcode Series}. */
export type SeriesColumns = Pick<
  Series,
  "start" | "least" | "mean" | "most" | "occupied" | "known" | "entries"
>;

/** The numbers of the steps of a series, as far as they were added. */
export class StepSums {
  readonly #time: AskedTime;
  readonly #starts: number[];
  /** The place of the last added time. */
  #at = 0;
  /** Seconds. */
  readonly #known: Float64Array;
  /** Seconds. */
  readonly #occupied: Float64Array;
  /** Of steps of which it is known. */
  readonly #occupiedKnown: Float64Array;
  readonly #entries: Float64Array;
  /** Sum of count * seconds. */
  readonly #sum: Float64Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  /** The most cells of a region, and the seconds in which each was known. */
  readonly #cells: Float64Array;
  readonly #cellSeconds: Float64Array;

  constructor(zone: TimeZone, time: AskedTime, step: Step) {
    this.#time = time;
    this.#starts = cutSteps(zone, time.from, time.to, step);
    const { length } = this.#starts;
    this.#known = new Float64Array(length);
    this.#occupied = new Float64Array(length);
    this.#occupiedKnown = new Float64Array(length);
    this.#entries = new Float64Array(length);
    this.#sum = new Float64Array(length);
    this.#least = new Float64Array(length).fill(Infinity);
    this.#most = new Float64Array(length).fill(-Infinity);
    this.#cells = new Float64Array(length);
    this.#cellSeconds = new Float64Array(length);
  }

  /**
   * Adds the quarters of a day that are in the time.
   *
   * @param day days since 1970, UTC
   * @param from quarters from this second on
   * @param to quarters before this second
   * @param cells of a region
   */
  addDay(
    day: number,
    quarters: ZoneQuarters,
    from: number,
    to: number,
    cells?: KnownCells,
  ): void {
    const first = Math.max(from, this.#time.from);
    const last = Math.min(to, this.#time.to);
    for (let i = 0; i < DAY_QUARTERS; i++) {
      const second = (day * DAY_QUARTERS + i) * QUARTER_SECONDS;
      if (quarters.has[i] === 0 || second < first || second >= last) continue;
      const step = this.#stepOf(second);
      if (cells !== undefined) this.#addCells(step, cells, i);
      const known = quarters.knownSeconds[i]!;
      if (known === 0) continue;
      this.#known[step]! += known;
      this.#occupiedKnown[step]! += known;
      this.#occupied[step]! += quarters.occupiedSeconds[i]!;
      this.#entries[step]! += quarters.entries[i]!;
      this.#sum[step]! += quarters.mean[i]! * known;
      this.#least[step] = Math.min(this.#least[step]!, quarters.least[i]!);
      this.#most[step] = Math.max(this.#most[step]!, quarters.most[i]!);
    }
  }

  /**
   * Adds a quarter of an hour of which only the mean is known.
   *
   * @param second its first one, since 1970
   * @param known seconds
   * @param sum count * seconds
   * @param cells number of cells
   * @param cellSeconds sum of the seconds in which each was known
   */
  addMean(
    second: number,
    known: number,
    sum: number,
    cells: number,
    cellSeconds: number,
  ): void {
    const step = this.#stepOf(second);
    this.#known[step]! += known;
    this.#sum[step]! += sum;
    this.#cells[step] = Math.max(this.#cells[step]!, cells);
    this.#cellSeconds[step]! += cellSeconds;
  }

  /** @param ofCells true for a region: `known` is the mean of its cells */
  finish(ofCells: boolean): SeriesColumns {
    const { length } = this.#starts;
    const start: number[] = [];
    const least: (number | null)[] = [];
    const mean: (number | null)[] = [];
    const most: (number | null)[] = [];
    const occupied: (number | null)[] = [];
    const known: number[] = [];
    const entries: (number | null)[] = [];
    for (let i = 0; i < length; i++) {
      const end = this.#starts[i + 1] ?? this.#time.to;
      const seconds = end - this.#starts[i]!;
      start.push(this.#starts[i]! * 1000);
      // Without quarters, only the mean is known.
      const isCounted = this.#known[i]! > 0 &&
        this.#occupiedKnown[i] === this.#known[i];
      least.push(isCounted ? this.#least[i]! : null);
      mean.push(this.#known[i]! > 0 ? this.#sum[i]! / this.#known[i]! : null);
      most.push(isCounted ? this.#most[i]! : null);
      occupied.push(isCounted ? this.#occupied[i]! / this.#known[i]! : null);
      entries.push(isCounted ? this.#entries[i]! : null);
      const all = ofCells ? this.#cells[i]! * seconds : seconds;
      const some = ofCells ? this.#cellSeconds[i]! : this.#known[i]!;
      known.push(all === 0 ? 0 : Math.min(1, some / all));
    }
    return { start, least, mean, most, occupied, known, entries };
  }

  #addCells(step: number, cells: KnownCells, quarter: number): void {
    this.#cells[step] = Math.max(this.#cells[step]!, cells.most[quarter]!);
    this.#cellSeconds[step]! += cells.seconds[quarter]!;
  }

  /** The place of the step with a second; seconds come nearly in order. */
  #stepOf(second: number): number {
    const starts = this.#starts;
    while (this.#at > 0 && starts[this.#at]! > second) this.#at--;
    while (this.#at + 1 < starts.length && starts[this.#at + 1]! <= second) {
      this.#at++;
    }
    return this.#at;
  }
}

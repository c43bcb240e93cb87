/**
 * The clock of a server, and the dates of readings without a time.
 *
 * @module
 */
import type { OccupancyMap } from "../grid/mod.ts";

/** Smaller steps are drift; larger ones mean that the system clock was set. */
const CLOCK_STEP_THRESHOLD_MS = 5000;

/** Options of {@linkcode ReceiptClock}. */
export interface ReceiptClockOptions {
  /** The clock of the machine, ms since 1970. */
  readonly clock: () => number;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: () => number;
}

/**
 * The clock of a server. It also dates readings: it sets the time of those that
 * have none.
 *
 * Usually this is the time of receipt. In two cases it is the earliest possible
 * time, but not earlier than the time of the present cell, because the order of
 * arrival is certain:
 *
 * - The reading may have waited in the broker during a disconnection. Then it
 *   was
 *   observed after its start, and after the readings with a time that arrived
 *   before it.
 * - The system clock was set back. The present cell may have a later time than
 *   now, and would win over the reading.
 */
export class ReceiptClock {
  readonly #map: OccupancyMap;
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  /** The latest time that the clock or a cell has had. */
  #latest = -Infinity;
  /**
   * The earliest possible time of readings that waited in the broker; undefined
   * if none can have waited.
   */
  #earliest: number | undefined;
  /** `clock` minus `monotonic` at the last check, in ms. */
  #offset: number;

  /** @param map the map whose cells the readings replace */
  constructor(
    map: OccupancyMap,
    { clock, monotonic = () => performance.now() }: ReceiptClockOptions,
  ) {
    this.#map = map;
    this.#clock = clock;
    this.#monotonic = monotonic;
    this.#offset = clock() - monotonic();
  }

  /** Returns the time, ms since 1970. */
  now(): number {
    const now = this.#clock();
    if (now > this.#latest) this.#latest = now;
    return now;
  }

  /** True if the time of receipt may be wrong for readings without a time. */
  get isUncertain(): boolean {
    return this.#earliest !== undefined || this.now() < this.#latest;
  }

  /**
   * Call at a disconnection: later readings may have waited in the broker.
   *
   * @param time when the server was certainly connected, ms since 1970
   */
  markDisconnected(time: number): void {
    this.#earliest ??= time;
  }

  /** Call when all readings that waited have been received. */
  markCaughtUp(): void {
    this.#earliest = undefined;
  }

  /**
   * Call for each reading with a time: readings that arrive after it were
   * observed after it.
   */
  noteObserved(time: number, now: number): void {
    if (this.#earliest === undefined || time > now) return;
    if (time > this.#earliest) this.#earliest = time;
  }

  /**
   * Dates a reading that the broker delivered without a time.
   *
   * @param now when it was received, ms since 1970
   * @returns its time, ms since 1970
   */
  dateReading(layer: string, x: number, y: number, now: number): number {
    const earliest = Math.min(this.#earliest ?? now, now);
    return this.#notBefore(layer, x, y, now, earliest);
  }

  /** Like {@linkcode dateReading}, for a reading that cannot have waited. */
  dateSubmitted(layer: string, x: number, y: number, now: number): number {
    return now < this.#latest ? this.#notBefore(layer, x, y, now, now) : now;
  }

  /**
   * Limits the time of a reading to that of its receipt: nothing is observed
   * after it was received. A later time is of a clock that is fast, and would
   * refuse the readings of others for as long. Times beyond the skew stay as
   * they are: the map refuses them.
   *
   * @param time ms since 1970
   * @param received when the reading was received, ms since 1970
   * @param now the present time, ms since 1970
   */
  limitTime(
    layer: string,
    x: number,
    y: number,
    time: number,
    received: number,
    now: number,
  ): number {
    if (!(time > received && time <= now + this.#map.ageing.maxSkew)) {
      return time;
    }
    // If the clock was set back, the cell may be as far ahead as the reading.
    const latest = this.dateSubmitted(layer, x, y, received);
    return time < latest ? time : latest;
  }

  /** Returns the time of the cell if it is later, else `earliest`. */
  #notBefore(
    layer: string,
    x: number,
    y: number,
    now: number,
    earliest: number,
  ): number {
    const present = this.#map.layer(layer)?.get(x, y)?.time ?? earliest;
    // A time beyond the skew never wins, see Grid.write().
    const isValid = present <= now + this.#map.ageing.maxSkew;
    return present > earliest && isValid ? present : earliest;
  }

  /**
   * Call when the map is loaded: the clock may have been set back since it was
   * stored.
   */
  mapLoaded(): void {
    for (const [, grid] of this.#map.layers()) {
      for (const cell = grid.cells(); cell.next();) {
        if (cell.time > this.#latest) this.#latest = cell.time;
      }
    }
  }

  /**
   * Checks whether the system clock was set since the last check.
   *
   * @returns the step in ms, below 0 if set back; undefined if it was not set
   */
  checkStep(): number | undefined {
    const offset = this.#clock() - this.#monotonic();
    const step = offset - this.#offset;
    this.#offset = offset;
    return Math.abs(step) >= CLOCK_STEP_THRESHOLD_MS ? step : undefined;
  }
}

/**
 * Describes a step of the system clock for people.
 *
 * @param ms below 0 if the clock was set back
 */
export function describeStep(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  return ms > 0
    ? `The system clock was set forward by ${seconds} s: all cells look ${seconds} s older`
    : `The system clock was set back by ${seconds} s: cells count as just observed until it reaches their times`;
}

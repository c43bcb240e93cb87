import type { OccupancyMap } from "../grid/mod.ts";

/** Smaller differences between two checks are drift, not a clock that was set. */
const CLOCK_STEP_THRESHOLD_MS = 5000;

/** Options of {@linkcode ReceiptClock}. */
export interface ReceiptClockOptions {
  /** The clock of the machine, ms since 1970. */
  readonly clock: () => number;
  /** A clock that is never set, in ms. Default `performance.now()`. */
  readonly monotonic?: () => number;
}

/**
 * The clock of a server. It also dates readings without a time.
 *
 * Such a reading was usually observed when it was received. In two cases it gets
 * the earliest possible time instead, but never one before the reading that it
 * replaces, because the order of arrival is certain:
 *
 * - It may have waited in the broker while the server was disconnected: then it
 *   was observed after the disconnection, and after earlier dated readings.
 * - The system clock was set back: the present cell may have a later time than
 *   now, and the reading would be refused as late.
 */
export class ReceiptClock {
  readonly #map: OccupancyMap;
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  /** The latest time that the clock or a cell has had. */
  #latest = -Infinity;
  /** The earliest time of readings that may have waited; undefined if none may. */
  #earliest: number | undefined;
  /** The difference of the two clocks at the last check. */
  #offset: number;

  /** @param map with the cells that readings replace */
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

  /** True if readings may be older than their receipt. */
  get isUncertain(): boolean {
    return this.#earliest !== undefined || this.now() < this.#latest;
  }

  /**
   * From now on readings may have waited in the broker.
   *
   * @param time when the server was certainly connected, ms since 1970
   */
  markDisconnected(time: number): void {
    this.#earliest ??= time;
  }

  /** All readings that waited have been received. */
  markCaughtUp(): void {
    this.#earliest = undefined;
  }

  /** Notes the time of a dated reading: later ones were observed after it. */
  noteObserved(time: number, now: number): void {
    if (this.#earliest === undefined || time > now) return;
    if (time > this.#earliest) this.#earliest = time;
  }

  /**
   * Dates a reading without a time that the broker delivered.
   *
   * @param now when it was received, ms since 1970
   * @returns ms since 1970
   */
  dateReading(layer: string, x: number, y: number, now: number): number {
    const earliest = Math.min(this.#earliest ?? now, now);
    return this.#notBefore(layer, x, y, now, earliest);
  }

  /** Like {@linkcode dateReading}, for a reading that cannot have waited. */
  dateSubmitted(layer: string, x: number, y: number, now: number): number {
    return now < this.#latest ? this.#notBefore(layer, x, y, now, now) : now;
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

  /** Call after the map was loaded: the clock may have been set back since. */
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
   * @returns by how many ms, below 0 if it was set back; undefined if it was not
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
    ? `The system clock was set forward by ${seconds} s: all cells are older by that time`
    : `The system clock was set back by ${seconds} s: cells count as just observed until it reaches their times`;
}

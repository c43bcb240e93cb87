import type { OccupancyMap } from "../grid/mod.ts";

/** What a {@linkcode ReceiptClock} is given. */
export interface ReceiptClockOptions {
  /** The clock of the machine, ms since 1970. */
  readonly clock: () => number;
  /** A clock that nobody sets, ms since any moment. */
  readonly monotonic: () => number;
  /** What readings are dated for. */
  readonly map: OccupancyMap;
  /** Told when the clock was set, by how many ms; below 0 if it was set back. */
  readonly jumped: (ms: number) => void;
}

/** What drifts less than this between two looks was not set, ms. */
const UNNOTICED = 5000;

/**
 * The machine's clock, and what becomes of it when it is set back.
 *
 * Readings without a time are dated by it. After it was set back, what is known
 * of a cell may be dated later than what arrives now, which would be refused as
 * late. So until the clock has come as far again, a reading is taken to be no
 * older than what it replaces: the order of arrival is certain, the clock was
 * not.
 */
export class ReceiptClock {
  readonly #options: ReceiptClockOptions;
  #latest = -Infinity;
  /** How far the machine's clock is ahead of the monotonic one. */
  #lead: number;

  constructor(options: ReceiptClockOptions) {
    this.#options = options;
    this.#lead = this.#leadNow();
  }

  /** True until the clock has come as far as it was before it was set back. */
  get behind(): boolean {
    return this.now() < this.#latest;
  }

  /** ms since 1970. */
  now(): number {
    const now = this.#options.clock();
    if (now > this.#latest) this.#latest = now;
    return now;
  }

  /** The time of a reading without one that is received now, ms since 1970. */
  dateOf(layer: string, x: number, y: number, now: number): number {
    const { map } = this.#options;
    const known = map.layer(layer)?.get(x, y)?.time ?? now;
    // A time beyond the skew wins against nothing, see Grid.write().
    return known > now && known <= now + map.ageing.maxSkew ? known : now;
  }

  /** After the map was loaded: the clock may have been set back since it was kept. */
  resume(): void {
    for (const [, grid] of this.#options.map.layers()) {
      for (const cell = grid.cells(); cell.next();) {
        if (cell.time > this.#latest) this.#latest = cell.time;
      }
    }
  }

  /** Looks whether the clock was set since it was asked last. */
  check(): void {
    const lead = this.#leadNow();
    const jump = lead - this.#lead;
    this.#lead = lead;
    if (Math.abs(jump) >= UNNOTICED) this.#options.jumped(jump);
  }

  #leadNow(): number {
    return this.#options.clock() - this.#options.monotonic();
  }
}

/** What to say to people of a clock that was set. */
export function describeJump(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  return ms > 0
    ? `The system clock went ${seconds} s forward: all that is known is that much older`
    : `The system clock was set back by ${seconds} s: what is known from before counts as just observed for so long`;
}

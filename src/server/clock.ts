import type { OccupancyMap } from "../grid/mod.ts";
import type { Dating } from "./intake.ts";

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
 * The machine's clock, and what readings without a time are dated when it alone
 * does not tell. They are then as old as they may be, but no older than what
 * they replace: the order of arrival is certain.
 *
 * - What waited in the broker while the server was away was observed at any
 *   time since; or since the latest time that a reading before it has.
 * - After the clock was set back, what is known of a cell may be dated later
 *   than now. Without this, what comes would be refused as late.
 */
export class ReceiptClock implements Dating {
  readonly #options: ReceiptClockOptions;
  #latest = -Infinity;
  /** What comes was observed after this, but perhaps not now; undefined if now. */
  #since: number | undefined;
  /** How far the machine's clock is ahead of the monotonic one. */
  #lead: number;

  constructor(options: ReceiptClockOptions) {
    this.#options = options;
    this.#lead = this.#leadNow();
  }

  get uncertain(): boolean {
    return this.#since !== undefined || this.now() < this.#latest;
  }

  /** The server has been away since then, ms since 1970: what comes may have waited. */
  away(since: number): void {
    this.#since ??= since;
  }

  /** All that waited has come. */
  caughtUp(): void {
    this.#since = undefined;
  }

  /** ms since 1970. */
  now(): number {
    const now = this.#options.clock();
    if (now > this.#latest) this.#latest = now;
    return now;
  }

  observed(time: number, now: number): void {
    if (this.#since === undefined || time > now) return;
    if (time > this.#since) this.#since = time;
  }

  dateOf(layer: string, x: number, y: number, now: number): number {
    return this.#date(layer, x, y, now, Math.min(this.#since ?? now, now));
  }

  /** As {@linkcode dateOf}, for what has not waited in the broker: it is new. */
  dateNew(layer: string, x: number, y: number, now: number): number {
    return now < this.#latest ? this.#date(layer, x, y, now, now) : now;
  }

  #date(
    layer: string,
    x: number,
    y: number,
    now: number,
    earliest: number,
  ): number {
    const { map } = this.#options;
    const known = map.layer(layer)?.get(x, y)?.time ?? earliest;
    // A time beyond the skew wins against nothing, see Grid.write().
    const counts = known > earliest && known <= now + map.ageing.maxSkew;
    return counts ? known : earliest;
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

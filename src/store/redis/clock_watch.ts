/**
 * Compares the clock of this machine with that of Redis.
 *
 * @module
 */
import type { RedisNode } from "./deployment.ts";
import { list, text } from "./stream_entry.ts";

/** A larger difference of clocks is a warning, in ms. */
export const MAX_CLOCK_DIFFERENCE_MS = 1000;
/** After a warning, a clock is right again only below this, in ms. */
const RIGHT_DIFFERENCE_MS = 750;
/** A less exact measurement says nothing, in ms. */
const MAX_UNCERTAINTY_MS = 500;
/** Lines are at least this apart, in ms. */
const MIN_INTERVAL_MS = 60_000;
/** A difference that stays is said again after this time, in ms. */
const REPEAT_INTERVAL_MS = 3_600_000;

/** What one request says of two clocks. */
export interface ClockDifference {
  /** How far the clock of Redis is ahead of that of this machine, in ms. */
  readonly ahead: number;
  /** How wrong that may be, in ms. */
  readonly uncertainty: number;
}

/**
 * Measures with one request.
 *
 * @param node any node of Redis
 * @param now the clock of this machine, ms since 1970
 * @param timeout of the request, in ms
 * @throws {RedisError} the error of Redis
 */
export async function measureClock(
  node: Pick<RedisNode, "send">,
  now: () => number = Date.now,
  timeout?: number,
): Promise<ClockDifference> {
  const before = now();
  const reply = list(await node.send(["TIME"], timeout));
  const after = now();
  const [seconds, micros] = reply.map((part) => Number(text(part)));
  const time = seconds! * 1000 + micros! / 1000;
  return {
    ahead: time - (before + after) / 2,
    uncertainty: Math.max(1, Math.abs(after - before) / 2),
  };
}

/** What {@linkcode ClockWatch} needs. */
export interface ClockWatchOptions {
  /** Receives a line when the clocks differ. */
  readonly onWarning?: ((line: string) => void) | undefined;
  /** Receives a line when they agree again. */
  readonly onInfo?: ((line: string) => void) | undefined;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined;
}

/**
 * Warns when the clock of this server and that of Redis differ by more than a
 * second: once, again when the difference has changed by more than a second and
 * half of it, and each hour. Says when they agree again. At most one line a
 * minute after the first.
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  readonly #monotonic: () => number;
  /** The difference of the last warning, in ms; undefined: they agree. */
  #warned: number | undefined;
  #saidAt = -Infinity;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
  }

  /**
   * Notes a measurement.
   *
   * @param difference the result of {@linkcode measureClock}
   * @param address of the node, for people
   */
  note({ ahead, uncertainty }: ClockDifference, address: string): void {
    if (uncertainty > MAX_UNCERTAINTY_MS) return;
    const elapsed = this.#monotonic() - this.#saidAt;
    if (elapsed < MIN_INTERVAL_MS) return;
    const size = Math.abs(ahead);
    if (this.#warned !== undefined && size < RIGHT_DIFFERENCE_MS) {
      this.#warned = undefined;
      this.#saidAt = this.#monotonic();
      this.#options.onInfo?.(
        `The clock of this server agrees with that of Redis at ${address} again: they differ by ${
          Math.round(size)
        } ms (± ${Math.ceil(uncertainty)} ms)`,
      );
      return;
    }
    if (size - uncertainty <= MAX_CLOCK_DIFFERENCE_MS) return;
    if (this.#warned !== undefined && elapsed < REPEAT_INTERVAL_MS) {
      const change = Math.abs(ahead - this.#warned);
      const isMuch = change > MAX_CLOCK_DIFFERENCE_MS &&
        change > Math.abs(this.#warned) / 2;
      if (!isMuch) return;
    }
    this.#warned = ahead;
    this.#saidAt = this.#monotonic();
    this.#options.onWarning?.(describe(ahead, uncertainty, address));
  }
}

function describe(ahead: number, uncertainty: number, address: string): string {
  const seconds = (Math.abs(ahead) / 1000).toFixed(1);
  const [direction, effect] = ahead > 0
    ? ["behind", "older than they are, and refuses more of them as too new"]
    : ["ahead of", "newer than they are, so that they replace later ones"];
  return `The clock of this server is ${seconds} s ${direction} that of Redis at ${address} (± ${
    Math.ceil(uncertainty)
  } ms): this server dates readings without a time ${effect}. Synchronize the clocks of all servers and of Redis with NTP (chrony)`;
}

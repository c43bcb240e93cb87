import { Problem } from "./problem.ts";

/** The most that one request may carry, bytes: half a million readings or so. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** How long a body may take to arrive, ms. */
export const BODY_TIMEOUT = 30_000;
/** A reader of a stream that takes nothing for so long is cut off, ms. */
export const STALL_TIMEOUT = 60_000;

/** What a {@linkcode Limits} allows at one time. */
export interface LimitOptions {
  /** Requests being answered, streams included. Default 512. */
  readonly requests?: number;
  /** Streams of changes. Default 64. */
  readonly streams?: number;
  /** Answers of many cells being sent; each holds a copy. Default 8. */
  readonly copies?: number;
  /** Bytes of bodies being read. Default 64 MiB. */
  readonly bodyBytes?: number;
}

/** Answers of more cells than this count as copies: they hold one while they are sent. */
export const MANY_CELLS = 50_000;

/** Takes back what was given; safe to call twice. */
export type Release = () => void;

/** Says no in time: what is under way together has bounds. */
export class Limits {
  readonly #max: Required<LimitOptions>;
  readonly #used = { requests: 0, streams: 0, copies: 0, bodyBytes: 0 };

  constructor(
    {
      requests = 512,
      streams = 64,
      copies = 8,
      bodyBytes = 64 * 1024 * 1024,
    }: LimitOptions = {},
  ) {
    this.#max = { requests, streams, copies, bodyBytes };
  }

  /** How many streams of changes there are. */
  get streams(): number {
    return this.#used.streams;
  }

  /**
   * Takes some of what there is.
   *
   * @returns gives it back
   * @throws {Problem} 503 if there is not enough left
   */
  take(what: keyof LimitOptions, amount = 1): Release {
    const release = this.tryTake(what, amount);
    if (release !== undefined) return release;
    throw new Problem({
      status: 503,
      code: "overloaded",
      message: `Too many ${NAMES[what]} at one time`,
      hint: "Try again in a moment, with fewer at once.",
      headers: { "retry-after": "1" },
    });
  }

  /** As {@linkcode Limits.take}; undefined if there is not enough left. */
  tryTake(what: keyof LimitOptions, amount = 1): Release | undefined {
    const used = this.#used;
    if (used[what] + amount > this.#max[what]) return undefined;
    used[what] += amount;
    let held = true;
    return () => {
      if (held) used[what] -= amount;
      held = false;
    };
  }
}

const NAMES: Readonly<Record<keyof LimitOptions, string>> = {
  requests: "requests",
  streams: "streams of changes",
  copies: "large answers",
  bodyBytes: "bytes are sent",
};

/**
 * Limits on what the HTTP server does at the same time, so that clients cannot
 * exhaust its memory.
 *
 * @module
 */
import { LimitCounts } from "../common/limit_counts.ts";
import { Problem } from "./problem.ts";

/** Maximum size of a request body: about half a million readings. */
export const MAX_REQUEST_BODY_BYTES = 8 * 1024 * 1024;
/** Maximum time in which a request body must arrive. */
export const BODY_TIMEOUT_MS = 30_000;
/** A client that reads nothing from a stream for this time is disconnected. */
export const STALL_TIMEOUT_MS = 60_000;
/**
 * A response with more cells is large: it keeps a copy of its cells in memory.
 */
export const LARGE_RESPONSE_CELLS = 50_000;

/** Maximum amounts in use at the same time. */
export interface LimitOptions {
  /** Requests being handled, until their response begins. Default 512. */
  readonly requests?: number;
  /** Streams of changes. Default 64. */
  readonly streams?: number;
  /** Responses of more than {@linkcode LARGE_RESPONSE_CELLS}. Default 8. */
  readonly largeResponses?: number;
  /** Bytes of request bodies being read. Default 64 MiB. */
  readonly bodyBytes?: number;
}

/** Frees an amount taken from {@linkcode Limits}; safe to call twice. */
export type Release = () => void;

/** Counts what is in use and refuses what exceeds a limit. */
export class Limits {
  readonly #max: Required<LimitOptions>;
  /** How often each limit was reached. */
  readonly reached: LimitCounts = new LimitCounts();
  readonly #used = { requests: 0, streams: 0, largeResponses: 0, bodyBytes: 0 };

  constructor(
    {
      requests = 512,
      streams = 64,
      largeResponses = 8,
      bodyBytes = 64 * 1024 * 1024,
    }: LimitOptions = {},
  ) {
    this.#max = { requests, streams, largeResponses, bodyBytes };
  }

  /** The number of streams of changes in use. */
  get streams(): number {
    return this.#used.streams;
  }

  /**
   * Takes an amount of a resource.
   *
   * @returns a function that frees it
   * @throws {Problem} 503 if not enough is left
   */
  take(resource: keyof LimitOptions, amount = 1): Release {
    const release = this.tryTake(resource, amount);
    if (release !== undefined) return release;
    throw new Problem({
      status: 503,
      code: "overloaded",
      message: OVERLOADED[resource],
      hint: "Try again in a moment, with fewer requests at the same time.",
      headers: { "retry-after": "1" },
    });
  }

  /** As {@linkcode Limits.take}; returns undefined if not enough is left. */
  tryTake(resource: keyof LimitOptions, amount = 1): Release | undefined {
    const used = this.#used;
    if (used[resource] + amount > this.#max[resource]) {
      this.reached.add(LIMIT_NAMES[resource]);
      return undefined;
    }
    used[resource] += amount;
    let inUse = true;
    return () => {
      if (inUse) used[resource] -= amount;
      inUse = false;
    };
  }
}

/** In the metrics. */
const LIMIT_NAMES: Readonly<Record<keyof LimitOptions, string>> = {
  requests: "http-requests",
  streams: "http-streams",
  largeResponses: "http-large-responses",
  bodyBytes: "http-body-bytes",
};

const OVERLOADED: Readonly<Record<keyof LimitOptions, string>> = {
  requests: "Too many requests at the same time",
  streams: "Too many streams of changes at the same time",
  largeResponses: "Too many large responses at the same time",
  bodyBytes: "Too many large request bodies at the same time",
};

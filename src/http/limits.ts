/**
 * Limits on what the HTTP server does at the same time, so that clients cannot
 * exhaust its memory.
 *
 * @module
 */
import { LimitCounts, type LimitName } from "../common/limit_counts.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { Problem } from "./problem.ts";

/** Maximum size of a request body: about half a million readings. */
export const MAX_REQUEST_BODY_BYTES = 8 * 1024 * 1024;
/** Maximum time in which a request body must arrive. */
export const BODY_TIMEOUT_MS = 30_000;
/** A body up to this size needs no share of a limit. */
export const SMALL_BODY_BYTES = 64 * 1024;
/** A response up to this number of cells is made at once and has no limit. */
export const SMALL_RESPONSE_CELLS = 2048;
/**
 * After this time a stream or a large response may be ended for a client that
 * has none, if the limit is reached.
 */
const REPLACE_AFTER_MS = 60_000;

/** Maximum amounts in use at the same time. */
interface Amounts {
  /** Requests being handled, until their response begins. Default 512. */
  readonly requests?: number;
  /** Streams of changes. Default 64. */
  readonly streams?: number;
  /** Viewers of the live feed. Default 64. */
  readonly viewers?: number;
  /** Responses of more than {@linkcode SMALL_RESPONSE_CELLS}. Default 16. */
  readonly largeResponses?: number;
  /**
   * Bytes of request bodies being read; small bodies are not counted. Default
   * 32 MiB.
   */
  readonly bodyBytes?: number;
  /**
   * Edits of zones, from before their body is read. Default 2: they are done
   * one after the other, and the next body is read meanwhile.
   */
  readonly zoneEdits?: number;
}

/** What {@linkcode Limits} limits. */
export type Resource = keyof Amounts;

/** Options of {@linkcode Limits}. */
export interface LimitOptions extends Amounts, Pick<BudgetOptions, "waitMs"> {}

/** The budgets of the HTTP server. */
export class Limits implements Readonly<Record<Resource, Budget>> {
  /** How often each limit was reached. */
  readonly reached: LimitCounts = new LimitCounts();
  readonly requests: Budget;
  readonly streams: Budget;
  readonly viewers: Budget;
  readonly largeResponses: Budget;
  readonly bodyBytes: Budget;
  readonly zoneEdits: Budget;

  constructor(
    {
      requests = 512,
      streams = 64,
      viewers = 64,
      largeResponses = 16,
      bodyBytes = 32 * 1024 * 1024,
      zoneEdits = 2,
      waitMs,
    }: LimitOptions = {},
  ) {
    const { reached } = this;
    const budget = (
      name: LimitName,
      max: number,
      replacing: Pick<BudgetOptions, "replaceAfterMs" | "replacesOwn"> = {},
    ) => new Budget({ name, max, reached, waitMs, ...replacing });
    const replacing = { replaceAfterMs: REPLACE_AFTER_MS };
    this.requests = budget("http-requests", requests);
    this.streams = budget("http-streams", streams, replacing);
    // A dashboard connects again: dashboards of one network would take turns.
    this.viewers = budget("http-viewers", viewers, {
      ...replacing,
      replacesOwn: false,
    });
    this.largeResponses = budget(
      "http-large-responses",
      largeResponses,
      replacing,
    );
    this.bodyBytes = budget("http-body-bytes", bodyBytes);
    this.zoneEdits = budget("http-zone-edits", zoneEdits);
  }
}

/** Returns the error for a request that a limit refuses. */
export function overloaded(resource: Resource): Problem {
  return new Problem({
    status: 503,
    code: "overloaded",
    message: OVERLOADED[resource],
    hint: "Try again in a moment, with fewer requests at the same time.",
    headers: { "retry-after": "1" },
  });
}

const OVERLOADED: Readonly<Record<Resource, string>> = {
  requests: "Too many requests at the same time",
  viewers: "Too many viewers at the same time",
  streams: "Too many streams of changes at the same time",
  largeResponses: "Too many large responses at the same time",
  bodyBytes: "Too many large request bodies at the same time",
  zoneEdits: "Too many edits of zones at the same time",
};

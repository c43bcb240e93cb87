/**
 * Asks the history for requests, a few at a time.
 *
 * @module
 */
import type { HistoryService, PastMap } from "../history/answers.ts";
import { historyOff, QuestionTimes } from "../history/questions.ts";
import {
  type ParsedRequest,
  type PastMapRequest,
  ProtocolError,
  type Series,
  type SeriesRequest,
} from "../protocol/mod.ts";

/**
 * Answers of the history at the same time: each may have the cells of a whole
 * layer. Further requests wait.
 */
const MAX_ANSWERS = 2;

/** A request about the past. */
export type PastRequest = PastMapRequest | SeriesRequest;

/** An answer of the history. */
export type PastAnswer =
  | { readonly kind: "past"; readonly map: PastMap }
  | { readonly kind: "series"; readonly series: Series };

/** Returns true if a request is about the past. */
export function isPastRequest(request: ParsedRequest): request is PastRequest {
  return request.kind === "past" || request.kind === "series";
}

/** The questions of all connections of a server. */
export class PastQuestions {
  readonly #history: () => HistoryService | undefined;
  readonly #now: () => number;
  #answers = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param history returns the history; undefined if none is recorded
   * @param now returns the server's clock, ms since 1970
   */
  constructor(history: () => HistoryService | undefined, now: () => number) {
    this.#history = history;
    this.#now = now;
  }

  /**
   * Waits until an answer may be held in memory.
   *
   * @returns a function that releases it; safe to call twice
   */
  async begin(): Promise<() => void> {
    if (this.#answers < MAX_ANSWERS) this.#answers++;
    // The one that ends passes its place on.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#answers--;
      else next();
    };
  }

  /**
   * Asks the history.
   *
   * @returns rejects with a {@linkcode ProtocolError} if the history refuses
   */
  async ask(request: PastRequest): Promise<PastAnswer> {
    const history = this.#history();
    if (history === undefined) throw historyOff();
    const { timezone = history.info().timezone, layer, region } = request;
    const times = new QuestionTimes(this.#now(), timezone);
    if (request.kind === "past") {
      const at = times.resolve(request.at);
      const map = await history.mapAt({ layer, region, at });
      return { kind: "past", map };
    }
    const { zone, from, to, step } = request;
    const range = {
      ...{ from: times.resolve(from), to: times.resolve(to), step },
      timezone: times.timezone,
    };
    const series = zone === undefined
      ? await history.regionSeries({ layer, region, ...range })
      : await history.zoneSeries({ zone, ...range });
    return { kind: "series", series };
  }
}

/**
 * Returns an error of the history for an error reply, which has no hint: the
 * message says all.
 */
export function withHint(error: unknown): unknown {
  if (!(error instanceof ProtocolError) || error.hint === undefined) {
    return error;
  }
  const { code, message, hint } = error;
  return new ProtocolError(code, `${message}. ${hint.replace(/\.$/, "")}`);
}

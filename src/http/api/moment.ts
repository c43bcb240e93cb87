import type { HttpContext } from "../context.ts";
import { Problem } from "../problem.ts";

/** When the map was read and by which rules: as in replies over MQTT. */
export interface Moment {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** ms; left out if cells do not turn stale. */
  readonly staleAfter?: number;
  /** ms since 1970; left out if the map outlives the server. */
  readonly began?: number;
}

/**
 * Lets the map age to the present, and tells what its revision does not.
 *
 * @throws {Problem} 503 if the store fails: cells might look younger than they are
 */
export function momentOf(context: HttpContext): Moment {
  const time = context.refresh();
  if (time === undefined) throw storeFailing(context.store().problem);
  const { staleAfter } = context.map.ageing;
  const began = context.began();
  return {
    time,
    ...(Number.isFinite(staleAfter) && { staleAfter }),
    ...(began !== undefined && { began }),
  };
}

/** What is answered while nothing can be kept. */
export function storeFailing(problem = "the store fails"): Problem {
  return new Problem({
    status: 503,
    code: "store-failing",
    message: problem,
    hint: "The server tries again by itself: ask again in a moment.",
    headers: { "retry-after": "2" },
  });
}

/**
 * The ETag of what is read at this revision. Weak: when cells are reported again
 * as they were, their times move and the revision does not.
 */
export function etagOf(context: HttpContext): string {
  const began = context.began();
  return `W/"${context.map.revision}${began === undefined ? "" : `@${began}`}"`;
}

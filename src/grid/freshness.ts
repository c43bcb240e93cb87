/**
 * When a cell becomes stale and then forgotten, from its age.
 *
 * @module
 */

/**
 * How reliable the value of a cell is. Depends only on the cell's age. It makes
 * no difference for an unknown cell (value below 0), which is never shown as
 * stale.
 */
export const Freshness = {
  /** Observed recently enough. */
  Fresh: 0,
  /** Older than `staleAfter`: the value is shown, with a warning. */
  Stale: 1,
  /** Older than `forgetAfter`: unknown in every output, see `shownValue`. */
  Forgotten: 2,
} as const;

/**
 * One of the numbers of {@linkcode Freshness}: 0 fresh, 1 stale, 2 forgotten.
 */
export type Freshness = typeof Freshness[keyof typeof Freshness];

/**
 * Options of {@linkcode resolveAgeing}; all in milliseconds, 0 or more,
 * `Infinity` for never.
 */
export interface AgeingOptions {
  /** A cell observed longer ago than this is stale. Default `Infinity`. */
  staleAfter?: number;
  /** Cells observed longer ago are forgotten. Default `Infinity`. */
  forgetAfter?: number;
  /** Readings further ahead of the clock are refused. Default 60,000. */
  maxSkew?: number;
}

/** {@linkcode AgeingOptions} with all values set. */
export type Ageing = Readonly<Required<AgeingOptions>>;

/** The defaults: cells never age, clocks may be a minute ahead. */
export const DEFAULT_AGEING: Ageing = {
  staleAfter: Infinity,
  forgetAfter: Infinity,
  maxSkew: 60_000,
};

/**
 * Checks thresholds and fills in those that are missing.
 *
 * @param options the thresholds to set
 * @param base values for missing thresholds
 * @returns every threshold
 * @throws {RangeError} if one is negative or not a number
 */
export function resolveAgeing(
  options: AgeingOptions,
  base: Ageing = DEFAULT_AGEING,
): Ageing {
  return {
    staleAfter: duration("staleAfter", options.staleAfter ?? base.staleAfter),
    forgetAfter: duration(
      "forgetAfter",
      options.forgetAfter ?? base.forgetAfter,
    ),
    maxSkew: duration("maxSkew", options.maxSkew ?? base.maxSkew),
  };
}

/**
 * Returns the freshness of a cell.
 *
 * @param time when it was observed, ms since 1970
 * @param now the clock, ms since 1970
 * @param ageing the thresholds
 * @returns fresh up to `time + staleAfter`, then stale up to
 * `time + forgetAfter`, then forgotten; all bounds included
 */
export function freshnessAt(
  time: number,
  now: number,
  ageing: Ageing,
): Freshness {
  // Sums, not differences, so that rounding is the same as in dueAt().
  if (now > time + ageing.forgetAfter) return Freshness.Forgotten;
  return now > time + ageing.staleAfter ? Freshness.Stale : Freshness.Fresh;
}

/** The value that is shown of a forgotten cell that was not unknown before. */
const UNKNOWN = -1;

/**
 * Returns the value of a cell in every output.
 *
 * @param value as it was reported
 * @param freshness the present one
 */
export function shownValue(value: number, freshness: Freshness): number {
  return freshness === Freshness.Forgotten && value >= 0 ? UNKNOWN : value;
}

/**
 * Returns true if a cell is shown with the same unknown value before and after
 * a reading: then the freshness makes no difference.
 *
 * @param value the one before, as it was reported
 * @param freshness the one before
 * @param next the value of the reading
 */
export function staysUnknown(
  value: number,
  freshness: Freshness,
  next: number,
): boolean {
  return next < 0 && next === shownValue(value, freshness);
}

/**
 * Returns the last time at which a cell has its present freshness: after this
 * time it must be checked again.
 *
 * @param time when the cell was observed, ms since 1970
 * @param freshness the present one
 * @param ageing the thresholds
 * @returns ms since 1970; `Infinity` if only setting the clock back changes it
 */
export function dueAt(
  time: number,
  freshness: Freshness,
  ageing: Ageing,
): number {
  if (freshness === Freshness.Forgotten) return Infinity;
  const forgotten = time + ageing.forgetAfter;
  return freshness === Freshness.Stale
    ? forgotten
    : Math.min(time + ageing.staleAfter, forgotten);
}

function duration(name: string, value: number): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: expected milliseconds, 0 or more`,
  );
}

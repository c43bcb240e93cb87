/**
 * Metrics whose values are read when they are scraped.
 *
 * @module
 */

/** A metric that is computed when it is scraped. */
export interface ComputedMetric {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Returns the values, each with its labels. */
  read(): Iterable<readonly [value: number, labels: Record<string, string>]>;
}

/** Returns the values of a metric without labels. */
export function single(
  value: number,
): readonly [readonly [value: number, labels: Record<string, string>]] {
  return [[value, {}]];
}

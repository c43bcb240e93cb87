/**
 * Median and extremes of measurements.
 *
 * @module
 */

/** A figure over all rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Computes median, minimum and maximum.
 *
 * @throws {RangeError} if there are no samples
 */
export function spreadOf(samples: readonly number[]): Spread {
  return {
    median: quantile(samples, 0.5),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}

/**
 * Computes a quantile by linear interpolation between the nearest two samples
 * (Hyndman and Fan 1996, definition 7).
 *
 * @param samples in any order
 * @param share share of the samples below the result, 0 to 1
 * @throws {RangeError} if there are no samples, or the share is out of range
 */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0 || !(share >= 0 && share <= 1)) {
    throw new RangeError(
      `Cannot take quantile ${share} of ${samples.length} samples`,
    );
  }
  const sorted = samples.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

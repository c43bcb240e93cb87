/** A figure over all rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The middle of some numbers, and how far they lie apart.
 *
 * @throws {RangeError} if there are none
 */
export function spreadOf(samples: readonly number[]): Spread {
  return {
    median: quantile(samples, 0.5),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}

/**
 * The number below which a share of the samples lies, by linear interpolation
 * between the nearest two (Hyndman and Fan 1996, definition 7).
 *
 * @param samples In any order
 * @param share 0 to 1
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

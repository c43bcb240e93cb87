/**
 * The axes of the chart: their range, and the steps between ticks.
 *
 * @module
 */

/** Steps between two ticks of the counts: whole numbers only. */
export const COUNT_STEPS: readonly number[] = Array.from(
  { length: 13 },
  (_, power) => [1, 2, 5].map((step) => step * 10 ** power),
).flat();

/**
 * Steps between two ticks of the time, in seconds. Labels have minutes, so that
 * smaller steps would repeat them.
 */
export const TIME_STEPS_S: readonly number[] = [60, 120, 300, 600, 900, 1800];

/**
 * Returns the range of the counts: from 0, because an area is filled, which
 * would otherwise exaggerate changes.
 *
 * @param max the largest count
 */
export function rangeOf(max: number): [number, number] {
  return [0, max + Math.max(1, 0.1 * max)];
}

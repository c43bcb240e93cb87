/**
 * Gaps: times at which nothing was recorded, such as when the server did not
 * run. All cells are unknown in them.
 *
 * @module
 */

/** A time without records: from `from` to before `to`, seconds since 1970. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/**
 * Returns the same gaps in order of time, none empty, no two that overlap or
 * touch.
 *
 * @param gaps in any order; not changed
 */
export function mergeGaps(gaps: readonly Gap[]): Gap[] {
  if (areMerged(gaps)) return [...gaps];
  const sorted = gaps.filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from);
  const merged: Gap[] = [];
  for (const gap of sorted) {
    const last = merged.at(-1);
    if (last === undefined || gap.from > last.to) merged.push(gap);
    else if (gap.to > last.to) {
      merged[merged.length - 1] = { from: last.from, to: gap.to };
    }
  }
  return merged;
}

/** Returns true if {@linkcode mergeGaps} has nothing to do. */
function areMerged(gaps: readonly Gap[]): boolean {
  return gaps.every(({ from, to }, i) =>
    from < to && (i === 0 || gaps[i - 1]!.to < from)
  );
}

/**
 * Returns the parts of gaps that are in a span, merged.
 *
 * @param gaps in any order; not changed
 * @param from first second of the span
 * @param to the second after the span
 */
export function clipGaps(
  gaps: readonly Gap[],
  from: number,
  to: number,
): Gap[] {
  const clipped: Gap[] = [];
  for (const gap of gaps) {
    const start = Math.max(gap.from, from);
    const end = Math.min(gap.to, to);
    if (start < end) clipped.push({ from: start, to: end });
  }
  return mergeGaps(clipped);
}

/**
 * Returns how many seconds of a span are in gaps.
 *
 * @param gaps merged, see {@linkcode mergeGaps}
 * @param from first second of the span
 * @param to the second after the span
 */
export function gapSeconds(
  gaps: readonly Gap[],
  from: number,
  to: number,
): number {
  let seconds = 0;
  for (const gap of gaps) {
    if (gap.from >= to) break;
    seconds += Math.max(0, Math.min(gap.to, to) - Math.max(gap.from, from));
  }
  return seconds;
}

/**
 * Returns the gap with a second; undefined for none.
 *
 * @param gaps in any order
 * @param second seconds since 1970
 */
export function gapAt(
  gaps: readonly Gap[],
  second: number,
): Gap | undefined {
  return gaps.find(({ from, to }) => from <= second && second < to);
}

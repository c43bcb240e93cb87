/**
 * The curve of a day, in parts of what is known. Pure.
 *
 * @module
 */

import type { GapMs, Series } from "../../history/answers.ts";

/** A place of a curve: ms since 1970, and a count. */
export type CurvePoint = readonly [time: number, count: number];

/** The curve of a day. */
export interface DayCurve {
  /** Each part without a gap in it. */
  readonly parts: readonly (readonly CurvePoint[])[];
  /** The largest count, and the step in which it was; undefined: none. */
  readonly most:
    | { readonly count: number; readonly from: number; readonly to: number }
    | undefined;
  /** Where nothing was recorded or the history is damaged. */
  readonly gaps: readonly GapMs[];
}

/** No curve. */
export const NO_CURVE: DayCurve = { parts: [], most: undefined, gaps: [] };

/**
 * Makes the curve of a day.
 *
 * @param to the end of what can be known, ms since 1970
 */
export function curveOf(series: Series, to: number): DayCurve {
  const { start, mean, most } = series;
  const gaps = [...series.gaps, ...series.damaged ?? []];
  const parts: CurvePoint[][] = [];
  let part: CurvePoint[] = [];
  let highest: DayCurve["most"];
  let end = -Infinity;
  const close = () => {
    if (part.length > 0) parts.push(part);
    part = [];
  };
  start.forEach((from, index) => {
    const count = mean[index] ?? null;
    if (count === null) return close();
    const until = Math.min(start[index + 1] ?? series.to, to);
    // The mean of a step is shown in its known part.
    const [knownFrom, knownTo] = knownPart(from, until, gaps);
    if (knownFrom > end) close();
    if (part.length === 0) part.push([knownFrom, count]);
    part.push([(knownFrom + knownTo) / 2, count]);
    if (knownTo < until) {
      part.push([knownTo, count]);
      close();
    }
    end = until;
    if (index === start.length - 1) part.push([knownTo, count]);
    const step = most[index] ?? count;
    if (highest === undefined || step > highest.count) {
      highest = { count: step, from, to: until };
    }
  });
  close();
  return { parts, most: highest, gaps };
}

/** Returns a step without the gaps at its begin and its end. */
function knownPart(
  from: number,
  to: number,
  gaps: readonly GapMs[],
): [from: number, to: number] {
  let [first, last] = [from, to];
  for (const [gapFrom, gapTo] of gaps) {
    if (gapFrom <= first && gapTo > first) first = Math.min(gapTo, to);
    if (gapTo >= last && gapFrom < last) last = Math.max(gapFrom, first);
  }
  return [first, last];
}

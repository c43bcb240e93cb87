/**
 * What the counts of a layer were in the last 30 minutes.
 *
 * @module
 */

/** How far back it goes, ms. */
export const WINDOW: number = 30 * 60_000;
/** Points closer than this to the one before replace it, ms. */
const STEP = 4500;

/** What the counts were at one time. */
export interface Point {
  /** ms since 1970, of the server's clock. */
  readonly time: number;
  readonly people: number;
  readonly occupied: number;
}

/** Points in the order of time; those that are too old are dropped. */
export class History {
  #points: Point[] = [];
  /** The last point may still be replaced by a later one of the same step. */
  #provisional = false;

  /** How many points. */
  get length(): number {
    return this.#points.length;
  }

  /** A point by its index, from the oldest. */
  at(index: number): Point | undefined {
    return this.#points[index];
  }

  /** Starts again with what the server remembers. */
  fill(
    points: readonly (readonly [
      time: number,
      people: number,
      occupied: number,
    ])[],
  ): void {
    this.#points = points.map(([time, people, occupied]) => ({
      time,
      people,
      occupied,
    }));
    this.#provisional = false;
  }

  /** Adds what the counts are now. */
  add(point: Point): void {
    const points = this.#points;
    if (this.#provisional) points.pop();
    const last = points.at(-1);
    // A clock that was set back starts a new history: lines do not run backwards.
    if (last && point.time < last.time) points.length = 0;
    this.#provisional = last !== undefined && point.time - last.time < STEP;
    points.push(point);
    const from = point.time - WINDOW;
    const old = points.findIndex(({ time }) => time >= from);
    // One that is older is kept, so that the line begins at the edge.
    if (old > 1) points.splice(0, old - 1);
  }

  /** How people have changed since about five minutes ago, or since it began. */
  trend(): { readonly by: number; readonly minutes: number } | undefined {
    const last = this.#points.at(-1);
    if (last === undefined) return undefined;
    const then =
      this.#points.findLast(({ time }) => time <= last.time - 5 * 60_000) ??
        this.#points[0]!;
    const minutes = Math.floor((last.time - then.time) / 60_000);
    return minutes < 1
      ? undefined
      : { by: last.people - then.people, minutes: Math.min(minutes, 5) };
  }

  /** For the chart: seconds since 1970, people, occupied cells. */
  columns(): [number[], number[], number[]] {
    return [
      this.#points.map(({ time }) => time / 1000),
      this.#points.map(({ people }) => people),
      this.#points.map(({ occupied }) => occupied),
    ];
  }
}

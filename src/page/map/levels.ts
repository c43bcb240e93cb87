/**
 * What is known of a cell as one small number, in the order in which one hides
 * another where a pixel stands for several cells: nothing hides an occupied
 * cell, and free hides nothing that is not known for sure. The same order as
 * that of the map in the terminal.
 *
 * @module
 */

/** A value counts up to this; what is more looks the same. */
export const MOST = 10;

/** The levels that have a name. */
export const Level = {
  /** No cell was ever reported. */
  None: 0,
  Free: 1,
  /** Was free when it was last observed, too long ago. */
  StaleFree: 2,
  Unknown: 3,
  /** Was occupied when it was last observed, too long ago. */
  StaleOccupied: 4,
  /** Occupied with value 1; each number above is one more. */
  Occupied: 5,
  /** Occupied with value 10 or more. */
  OccupiedMost: 5 + MOST - 1,
} as const;

/** How many levels there are. */
export const LEVELS: number = Level.OccupiedMost + 1;

/**
 * The level of a cell that was reported.
 *
 * @param value 0 free, above 0 occupied (or how many people), below 0 unknown
 * @param stale Whether it was observed too long ago
 * @returns 1 to 14, see {@linkcode Level}
 */
export function levelOf(value: number, stale: boolean): number {
  if (value < 0) return Level.Unknown;
  if (value === 0) return stale ? Level.StaleFree : Level.Free;
  if (stale) return Level.StaleOccupied;
  return Level.Occupied + Math.min(value, MOST) - 1;
}

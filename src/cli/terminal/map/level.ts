/** A value counts up to this; what is more looks the same. */
const MOST = 10;

/**
 * What is known of a cell as one small number. Where one point of the picture
 * stands for several cells it shows the greatest, so the order says what may
 * hide what: nothing hides an occupied cell, and free hides nothing that is not
 * known for sure.
 */
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
export const LEVELS = Level.OccupiedMost + 1;

/** A word for what is known of a cell. */
export type CellStatus = "free" | "occupied" | "stale" | "unknown";

/**
 * The level of a cell.
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

/** The word for a level; what was never reported is unknown. */
export function statusOfLevel(level: number): CellStatus {
  if (level >= Level.Occupied) return "occupied";
  if (level === Level.Free) return "free";
  return level === Level.StaleFree || level === Level.StaleOccupied
    ? "stale"
    : "unknown";
}

/**
 * Whether a cell was stale when it was told. Never asked later: what is told
 * stays true until the server tells otherwise.
 *
 * @param told When the server read the map, and its threshold, ms; undefined for
 * servers that know no time
 * @param observed When the cell was observed, ms since 1970; NaN if not known
 */
export function wasStale(
  told: { readonly time?: number; readonly staleAfter?: number },
  observed: number,
): boolean {
  const { time, staleAfter } = told;
  return time !== undefined && staleAfter !== undefined &&
    time - observed > staleAfter;
}

/**
 * The status of a cell, from its value and its age: as a word for people and
 * programs, and as a level for maps.
 *
 * @module
 */

/** The status of a cell; see {@linkcode statusOf}. */
export type CellStatus = "free" | "occupied" | "stale" | "unknown";

/**
 * Returns the status of a cell.
 *
 * @param value 0 free, above 0 occupied, below 0 unknown
 * @param stale whether the observation is too old to be trusted; an unknown
 * cell stays unknown
 */
export function statusOf(value: number, stale: boolean): CellStatus {
  if (value < 0) return "unknown";
  if (stale) return "stale";
  return value === 0 ? "free" : "occupied";
}

/**
 * Returns true if a cell was stale when the server read its map. A client
 * decides this once, when it receives the cell, and never by its own clock: the
 * server publishes when a cell becomes stale.
 *
 * @param observed when the cell was observed, ms since 1970; NaN if not known
 * @param moment when the server read the map (ms since 1970), and the age above
 * which cells are stale (ms); no cell is stale if one of them is missing
 */
export function wasStale(
  observed: number,
  { time = NaN, staleAfter = Infinity }: {
    readonly time?: number;
    readonly staleAfter?: number;
  },
): boolean {
  return time > observed + staleAfter;
}

/** Maps draw this and all larger values in the same way. */
export const MAX_DRAWN_VALUE = 10;

/**
 * The status of a cell as a small number, for drawing. If one pixel or
 * character represents several cells, it shows the highest level: every other
 * status covers free, and occupied covers every other status.
 */
export const Level = {
  /** Never reported. */
  None: 0,
  Free: 1,
  /** Stale, last observed free. */
  StaleFree: 2,
  Unknown: 3,
  /** Stale, last observed occupied. */
  StaleOccupied: 4,
  /** Occupied with value 1; each higher level is one more. */
  Occupied: 5,
  /** Occupied with {@linkcode MAX_DRAWN_VALUE} or more. */
  OccupiedMax: 5 + MAX_DRAWN_VALUE - 1,
} as const;

/** The number of levels, 0 included. */
export const LEVELS: number = Level.OccupiedMax + 1;

/**
 * Returns the level of a cell that was reported.
 *
 * @param value 0 free, above 0 occupied, below 0 unknown
 * @param stale whether the observation is too old to be trusted
 * @returns 1 to 14, see {@linkcode Level}
 */
export function levelOf(value: number, stale: boolean): number {
  if (value < 0) return Level.Unknown;
  if (value === 0) return stale ? Level.StaleFree : Level.Free;
  if (stale) return Level.StaleOccupied;
  return Level.Occupied + Math.min(value, MAX_DRAWN_VALUE) - 1;
}

/// <reference lib="dom" />
/**
 * All that is known of a cell, asked of the server: who reported it last, and
 * when. The live feed tells neither of a reading that repeats what is known.
 *
 * @module
 */

/** A coordinate of a layer. */
export interface CellPlace {
  readonly layer: string;
  readonly x: number;
  readonly y: number;
}

/** What the server says of a cell. */
export interface FoundCell {
  /** Who reported it last; null if nobody said. */
  readonly source: string | null;
  /** What was reported last, and when; undefined if nothing was. */
  readonly report: CellReport | undefined;
}

/** A report of a cell. */
export interface CellReport {
  readonly value: number;
  /** When it was observed, ms since 1970. */
  readonly time: number;
  /** Whether that is too long ago. */
  readonly stale: boolean;
}

/** Finds out what is known of a cell. @throws {Error} if there is no answer that can be used */
export type CellFinder = (
  place: CellPlace,
  signal: AbortSignal,
) => Promise<FoundCell>;

/** Asks `GET /api/v1/cell`. */
export const findCell: CellFinder = async ({ layer, x, y }, signal) => {
  const query = new URLSearchParams({ layer, x: String(x), y: String(y) });
  const response = await fetch(`/api/v1/cell?${query}`, { signal });
  if (!response.ok) throw new Error(`Cannot find out: ${response.status}`);
  const { source, value, time, status } = await response.json() as Told;
  return {
    source: source === "" ? null : source,
    report: value === null || time === null
      ? undefined
      : { value, time, stale: status === "stale" },
  };
};

/** What `GET /api/v1/cell` tells; our own server's word is trusted. */
interface Told {
  readonly value: number | null;
  readonly time: number | null;
  readonly status: string;
  readonly source: string | null;
}

/**
 * Questions about the history of a map, and their answers: what the server, the
 * HTTP API, the command line and the page share.
 *
 * @module
 */
import type { Region } from "../protocol/region.ts";
import type { GapMs, Series, Step } from "../protocol/series.ts";

export type { GapMs, Series, Step } from "../protocol/series.ts";

/** What is recorded, and how much there is. */
export interface HistoryInfo {
  /** False while the history is paused. */
  readonly recording: boolean;
  /** Why it is paused; undefined while it is recorded. */
  readonly problem?: string | undefined;
  /** Changes of a cell within this time count as one, in seconds. */
  readonly resolution: number;
  /** False if only rollups are kept: then there is no map at a time. */
  readonly cells: boolean;
  /** How long changes of cells are kept, in seconds. */
  readonly keep: number;
  /** How long rollups are kept, in seconds. */
  readonly keepRollups: number;
  /** The first time of which the map is known, ms since 1970. */
  readonly oldest?: number | undefined;
  /** The first time of which there are rollups, ms since 1970. */
  readonly oldestRollup?: number | undefined;
  /** The last time that is recorded, ms since 1970. */
  readonly newest?: number | undefined;
  /** Size in the store, in bytes. */
  readonly bytes: number;
  /** At this size the oldest changes are deleted, in bytes. */
  readonly maxBytes: number;
  /** How far the recording is behind the map, in ms. */
  readonly lag: number;
  /** Readings that were too late to change the history, since the start. */
  readonly tooLate: number;
  /** Changes that were not recorded because of overload, since the start. */
  readonly dropped: number;
  /** Number of rows in the store, by kind. */
  readonly rows: Readonly<Record<string, number>>;
  /** The latest gaps, at most 100. */
  readonly gaps: readonly GapMs[];
  /** The time zone of days and weeks, an IANA name. */
  readonly timezone: string;
}

/** Columns of cells; each with `length` elements. */
export interface PastCells {
  readonly length: number;
  readonly x: Int32Array;
  readonly y: Int32Array;
  /** 0 free, above 0 occupied, below 0 unknown. */
  readonly value: Int32Array;
  /** 1 if the value was too old to be trusted. */
  readonly stale: Uint8Array;
  /**
   * Since when the cell had this state, ms since 1970; NaN if that was before
   * the last key frame, which is at most some days before.
   */
  readonly since: Float64Array;
}

/** The question {@linkcode HistoryService.mapAt}. */
export interface MapAtQuery {
  readonly layer: string;
  readonly region?: Region | undefined;
  /** ms since 1970 */
  readonly at: number;
}

/** A map as it was. */
export interface PastMap {
  readonly layer: string;
  /** ms since 1970 */
  readonly at: number;
  /**
   * True if nothing was recorded at that time: the cells are as they were last
   * known before.
   */
  readonly gap: boolean;
  /**
   * True if a part of the history is damaged: the cells whose state is not known
   * for that reason are unknown.
   */
  readonly damaged?: boolean | undefined;
  readonly cells: PastCells;
}

/** The question {@linkcode HistoryService.changes}. */
export interface ChangesQuery {
  readonly layer: string;
  readonly region?: Region | undefined;
  /** ms since 1970, from inclusive, to exclusive; at most an hour. */
  readonly from: number;
  readonly to: number;
}

/** The map at a time, and what changed in the time after it, for a replay. */
export interface PastChanges {
  readonly layer: string;
  readonly from: number;
  readonly to: number;
  /** The map at `from`. */
  readonly start: PastMap;
  /** In order of time; `since` is when the state began. */
  readonly changes: PastCells;
  readonly gaps: readonly GapMs[];
  /** See {@linkcode Series.damaged}. */
  readonly damaged?: readonly GapMs[] | undefined;
}

/**
 * A time that is cut into steps. What is before the first record is unknown;
 * what is after the present is cut off.
 */
export interface SeriesRange {
  /**
   * ms since 1970, from inclusive, to exclusive; widened to whole quarters of
   * hours.
   */
  readonly from: number;
  readonly to: number;
  readonly step: Step;
  /** An IANA name. Default: the server's. */
  readonly timezone?: string | undefined;
}

/** The question {@linkcode HistoryService.zoneSeries}. */
export interface ZoneSeriesQuery extends SeriesRange {
  readonly zone: string;
}

/** The question {@linkcode HistoryService.regionSeries}. */
export interface RegionSeriesQuery extends SeriesRange {
  readonly layer: string;
  /** Default: the whole layer. */
  readonly region?: Region | undefined;
}

/** The question {@linkcode HistoryService.utilisation}. */
export interface UtilisationQuery {
  readonly layer: string;
  readonly region?: Region | undefined;
  /**
   * ms since 1970, from inclusive, to exclusive; widened to whole hours (UTC).
   * What is before the first record is unknown; what is after the present is cut
   * off.
   */
  readonly from: number;
  readonly to: number;
  /** Days of the week that count, 1 Monday to 7 Sunday. Default: all. */
  readonly days?: readonly number[] | undefined;
  /** Hours of the day that count: from inclusive, to exclusive. Default: all. */
  readonly hours?: readonly [from: number, to: number] | undefined;
  readonly timezone?: string | undefined;
  /** True to get {@linkcode Utilisation.byDay}. */
  readonly byDay?: boolean | undefined;
}

/** How much each cell was used. */
export interface Utilisation {
  readonly layer: string;
  readonly region?: Region | undefined;
  readonly from: number;
  readonly to: number;
  readonly days: readonly number[];
  readonly hours: readonly [from: number, to: number];
  readonly timezone: string;
  /** The time that counts, in seconds. */
  readonly seconds: number;
  /** Number of days with such a time. */
  readonly dayCount: number;
  readonly cells: {
    readonly length: number;
    readonly x: Int32Array;
    readonly y: Int32Array;
    /** Seconds in which the cell was known to be occupied. */
    readonly occupied: Float64Array;
    /** Seconds in which it was known: fresh, and free or occupied. */
    readonly known: Float64Array;
    /** Number of changes. */
    readonly changes: Uint32Array;
    /**
     * When it was last occupied, of all days and hours, ms since 1970; NaN if it
     * was not.
     */
    readonly last: Float64Array;
  };
  /**
   * Sums over all cells by day of the week (0 Monday) and hour of the day, in
   * seconds.
   */
  readonly week: {
    readonly occupied: readonly (readonly number[])[];
    readonly known: readonly (readonly number[])[];
  };
  /** By cell and day, in seconds; only for at most 1000 cells. */
  readonly byDay?: {
    /** The start of each day, ms since 1970. */
    readonly start: readonly number[];
    readonly occupied: readonly (readonly number[])[];
    readonly known: readonly (readonly number[])[];
  } | undefined;
  readonly gaps: readonly GapMs[];
  /** See {@linkcode Series.damaged}. */
  readonly damaged?: readonly GapMs[] | undefined;
}

/** The JSON of {@linkcode Utilisation}; all columns are of equal length. */
export type UtilisationAnswer = Omit<Utilisation, "region" | "cells"> & {
  /** The corners. */
  readonly region?: readonly number[];
  readonly cells:
    & Readonly<
      Record<"x" | "y" | "occupied" | "known" | "changes", readonly number[]>
    >
    /** null for a cell that was not occupied. */
    & { readonly last: readonly (number | null)[] };
};

/**
 * Answers questions about the history. All throw a `ProtocolError`: `bad-time`,
 * `bad-range`, `bad-step`, `bad-timezone`, `bad-days`, `bad-hours`,
 * `history-off`, `unknown-zone`, `too-many-cells`, `too-many-changes`,
 * `overloaded`.
 */
export interface HistoryService {
  info(): HistoryInfo;
  /** Returns the map as it was at a time. */
  mapAt(query: MapAtQuery): Promise<PastMap>;
  /** Returns the changes of at most an hour, with the map before. */
  changes(query: ChangesQuery): Promise<PastChanges>;
  /** Returns the counts of a zone. */
  zoneSeries(query: ZoneSeriesQuery): Promise<Series>;
  /** Returns the counts of the cells of a region, or of a layer. */
  regionSeries(query: RegionSeriesQuery): Promise<Series>;
  /** Returns how much each cell was used. */
  utilisation(query: UtilisationQuery): Promise<Utilisation>;
}

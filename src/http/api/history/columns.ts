/**
 * Answers about the past as tables, for CSV, NDJSON and Parquet; for the server
 * and the command line.
 *
 * @module
 */
import type { PastCells, Series } from "../../../history/answers.ts";
import { statusOf } from "../../../grid/status.ts";

/** What a column has. */
export type ColumnKind = "integer" | "number" | "time" | "text" | "flag";

/** A value of a column; null is unknown. */
export type ColumnValue = number | string | boolean | null;

/** A column. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Returns the value of a row; of times, ms since 1970. */
  readonly at: (row: number) => ColumnValue;
}

/** Columns of the same length. */
export interface Table {
  /** Number of rows. */
  readonly length: number;
  readonly columns: readonly Column[];
}

/** Numbers; null and NaN are unknown. */
type Numbers = ArrayLike<number | null>;

/**
 * Returns one row for each step. `known` is the part of the step that is known;
 * 0 in a gap.
 */
export function seriesTable(
  { start, least, mean, most, occupied, known, entries }: Pick<
    Series,
    "start" | "least" | "mean" | "most" | "occupied" | "known" | "entries"
  >,
): Table {
  return {
    length: start.length,
    columns: [
      numbers("start", "time", start),
      numbers("least", "number", least),
      numbers("mean", "number", mean),
      numbers("most", "number", most),
      numbers("occupied", "number", occupied),
      numbers("known", "number", known),
      numbers("entries", "integer", entries),
    ],
  };
}

/** The columns of a utilisation. */
export interface UsedCells {
  readonly x: Numbers;
  readonly y: Numbers;
  readonly occupied: Numbers;
  readonly known: Numbers;
  readonly changes: Numbers;
  readonly last: Numbers;
}

/** Returns one row for each cell, with seconds. */
export function utilisationTable(
  { x, y, occupied, known, changes, last }: UsedCells,
): Table {
  return {
    length: x.length,
    columns: [
      numbers("x", "integer", x),
      numbers("y", "integer", y),
      numbers("occupied", "number", occupied),
      numbers("known", "number", known),
      numbers("changes", "number", changes),
      numbers("last", "time", last),
    ],
  };
}

/**
 * Returns one row for each cell. `known` is false if the value cannot be
 * trusted: unknown, stale, or in a gap.
 */
export function mapTable(
  { cells, layer, gap }: {
    readonly cells: PastCells;
    readonly layer: string;
    readonly gap: boolean;
  },
): Table {
  const { length, x, y, value, stale, since } = cells;
  const statusAt = (row: number) => statusOf(value[row]!, stale[row] === 1);
  const isKnown = (row: number) => {
    const status = statusAt(row);
    return !gap && (status === "free" || status === "occupied");
  };
  return {
    length,
    columns: [
      numbers("x", "integer", x),
      numbers("y", "integer", y),
      numbers("value", "integer", value),
      { name: "status", kind: "text", at: statusAt },
      numbers("time", "time", since),
      { name: "known", kind: "flag", at: isKnown },
      { name: "layer", kind: "text", at: () => layer },
    ],
  };
}

function numbers(name: string, kind: ColumnKind, values: Numbers): Column {
  const at = (row: number) => {
    const value = values[row]!;
    return Number.isNaN(value) ? null : value;
  };
  return { name, kind, at };
}

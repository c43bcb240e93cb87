/**
 * Answers about the past as columns, for CSV, NDJSON and Parquet.
 *
 * @module
 */
import type { UtilisationAnswer } from "../../../history/answers.ts";
import { printableJson } from "../../../common/printable.ts";
import { statusOf } from "../../../grid/status.ts";
import { csvField } from "../../../http/api/cell_rows.ts";
import { type TimeForm, timeText } from "../../terminal/render.ts";
import type { MapAnswer, SeriesAnswer } from "./history_client.ts";

/** What a column has. */
export type ColumnKind = "integer" | "number" | "time" | "text" | "flag";

/** A column; null is unknown. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly values: readonly (number | string | boolean | null)[];
}

/**
 * Returns one row for each step. `known` is the part of the step that is known;
 * 0 in a gap.
 */
export function seriesColumns(series: SeriesAnswer): Column[] {
  const { start, least, mean, most, occupied, known, entries } = series;
  return [
    { name: "start", kind: "time", values: start },
    { name: "least", kind: "number", values: least },
    { name: "mean", kind: "number", values: mean },
    { name: "most", kind: "number", values: most },
    { name: "occupied", kind: "number", values: occupied },
    { name: "known", kind: "number", values: known },
    { name: "entries", kind: "integer", values: entries },
  ];
}

/** Returns one row for each cell, with seconds. */
export function utilisationColumns({ cells }: UtilisationAnswer): Column[] {
  const { x, y, occupied, known, changes, last } = cells;
  return [
    { name: "x", kind: "integer", values: x },
    { name: "y", kind: "integer", values: y },
    { name: "occupied", kind: "number", values: occupied },
    { name: "known", kind: "number", values: known },
    { name: "changes", kind: "number", values: changes },
    { name: "last", kind: "time", values: last },
  ];
}

/**
 * Returns one row for each cell. `known` is false if the value cannot be
 * trusted: unknown, stale, or in a gap.
 */
export function mapColumns({ cells, layer, gap }: MapAnswer): Column[] {
  const statuses = cells.map(([, , value, , stale]) =>
    statusOf(value, stale === 1)
  );
  return [
    { name: "x", kind: "integer", values: cells.map(([x]) => x) },
    { name: "y", kind: "integer", values: cells.map(([, y]) => y) },
    { name: "value", kind: "integer", values: cells.map(([, , v]) => v) },
    { name: "status", kind: "text", values: statuses },
    { name: "time", kind: "time", values: cells.map(([, , , time]) => time) },
    {
      name: "known",
      kind: "flag",
      values: statuses.map((status) =>
        !gap && (status === "free" || status === "occupied")
      ),
    },
    { name: "layer", kind: "text", values: cells.map(() => layer) },
  ];
}

/** Writes columns as CSV (RFC 4180); unknown values are empty. */
export function writeCsv(columns: readonly Column[], times: TimeForm): string {
  const lines = [columns.map(({ name }) => name).join()];
  for (let row = 0; row < rowsOf(columns); row++) {
    const fields = columns.map(({ kind, values }) => {
      const value = values[row]!;
      if (value === null) return "";
      if (kind === "time") return timeText(Number(value), times);
      return csvField(String(value));
    });
    lines.push(fields.join());
  }
  return lines.join("\n") + "\n";
}

/** Writes columns as one JSON object a line; unknown values are null. */
export function writeNdjson(
  columns: readonly Column[],
  times: TimeForm,
): string {
  const lines: string[] = [];
  for (let row = 0; row < rowsOf(columns); row++) {
    const fields = columns.map(({ name, kind, values }) => {
      const value = values[row]!;
      const isText = kind === "time" && value !== null && times === "rfc3339";
      return [name, isText ? timeText(Number(value), times) : value];
    });
    lines.push(printableJson(Object.fromEntries(fields)) + "\n");
  }
  return lines.join("");
}

function rowsOf(columns: readonly Column[]): number {
  return columns[0]?.values.length ?? 0;
}

/**
 * Writes columns as a Parquet file. Loads a package: import it when needed.
 *
 * @module
 */
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { Column, ColumnKind } from "./columns.ts";

const TYPES: Readonly<Record<ColumnKind, NonNullable<ColumnSource["type"]>>> = {
  integer: "INT32",
  number: "DOUBLE",
  time: "TIMESTAMP",
  text: "STRING",
  flag: "BOOLEAN",
};

/**
 * Returns a Parquet file. Unknown values are null; times are in UTC.
 *
 * @param columns of equal length
 * @param question what was asked, as JSON, for the metadata
 */
export function writeParquet(
  columns: readonly Column[],
  question: string,
): Uint8Array {
  const columnData = columns.map(({ name, kind, values }): ColumnSource => ({
    name,
    type: TYPES[kind],
    nullable: true,
    data: kind === "time"
      ? values.map((ms) => ms === null ? null : new Date(Number(ms)))
      : [...values],
  }));
  const kvMetadata = [{ key: "occupancy", value: question }];
  return new Uint8Array(parquetWriteBuffer({ columnData, kvMetadata }));
}

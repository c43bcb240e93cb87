/**
 * Writes tables as Parquet files. Loads a package: import it when needed.
 *
 * @module
 */
import {
  ByteWriter,
  type ColumnSource,
  ParquetWriter,
  schemaFromColumnData,
} from "hyparquet-writer";
import type { Column, ColumnKind, Table } from "./columns.ts";

/**
 * Rows of a group, which the package writes in one step: about 5 ms. A file of a
 * million rows has 245 groups; its end, which describes them, takes about 10 ms.
 */
const GROUP_ROWS = 4096;

const TYPES: Readonly<Record<ColumnKind, NonNullable<ColumnSource["type"]>>> = {
  integer: "INT32",
  number: "DOUBLE",
  time: "TIMESTAMP",
  text: "STRING",
  flag: "BOOLEAN",
};

/**
 * Writes a Parquet file, in parts. Unknown values are null; times are in UTC.
 *
 * @param question what was asked, as JSON, for the metadata
 */
export function* writeParquet(
  { columns, length }: Table,
  question: string,
): Generator<Uint8Array<ArrayBuffer>, void, void> {
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: schemaFromColumnData({
      columnData: columns.map(({ name, kind }): ColumnSource => ({
        ...{ name, type: TYPES[kind], nullable: true, data: [] },
      })),
    }),
    // They take half of the time, and more than half of the end of the file.
    statistics: false,
    kvMetadata: [{ key: "occupancy", value: question }],
  });
  for (let from = 0; from < length; from += GROUP_ROWS) {
    const to = Math.min(from + GROUP_ROWS, length);
    const columnData = columns.map((column) => ({
      name: column.name,
      data: valuesOf(column, from, to),
    }));
    void file.write({ columnData, rowGroupSize: GROUP_ROWS });
    yield taken(writer);
  }
  void file.finish();
  yield taken(writer);
}

function valuesOf({ kind, at }: Column, from: number, to: number): unknown[] {
  const values: unknown[] = [];
  for (let row = from; row < to; row++) {
    const value = at(row);
    values.push(
      kind === "time" && value !== null ? new Date(Number(value)) : value,
    );
  }
  return values;
}

/** Removes what was written, and returns it. */
function taken(writer: ByteWriter): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(writer.getBuffer()); // a copy
  writer.index = 0;
  return bytes;
}

/**
 * Writes cells as rows of JSON or CSV, as bytes.
 *
 * @module
 */
import type { CellColumns } from "../../feed/columns.ts";
import { type CellStatus, statusOf } from "../../grid/status.ts";
import { MAX_CELL_BYTES } from "../../protocol/cells.ts";
import { TimeWriter, writeField, writeInt } from "../../protocol/digits.ts";

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const LF = 0x0a;

const encoder = new TextEncoder();
const STATUS_BYTES: Readonly<Record<CellStatus, Uint8Array>> = {
  free: encoder.encode(",free,"),
  occupied: encoder.encode(",occupied,"),
  stale: encoder.encode(",stale,"),
  unknown: encoder.encode(",unknown,"),
};
/** Maximum bytes of a status, rounded up. */
const MAX_STATUS_BYTES = 16;

/** The first line of the CSV format. */
export const CSV_HEADER = "x,y,value,status,time\n";

/**
 * Writes cells as JSON without the outer brackets:
 * `[x,y,value,time],[x,y,value,time]`.
 *
 * @param from the first row
 * @param to the row after the last
 */
export function writeJsonRows(
  cells: CellColumns,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const view = viewFor((to - from) * MAX_CELL_BYTES);
  const times = new TimeWriter();
  let at = 0;
  for (let i = from; i < to; i++) {
    if (i > from) view.setUint8(at++, COMMA);
    view.setUint8(at++, OPEN_BRACKET);
    at = writeField(view, at, cells.x[i]!);
    at = writeField(view, at, cells.y[i]!);
    at = writeField(view, at, cells.value[i]!);
    at = times.write(view, at, cells.time[i]!);
    view.setUint8(at++, CLOSE_BRACKET);
  }
  return new Uint8Array(view.buffer, 0, at);
}

/**
 * Writes cells as CSV, one line `x,y,value,status,time` per cell.
 *
 * @param from the first row
 * @param to the row after the last
 */
export function writeCsvRows(
  cells: CellColumns,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const view = viewFor((to - from) * (MAX_CELL_BYTES + MAX_STATUS_BYTES));
  const bytes = new Uint8Array(view.buffer);
  const times = new TimeWriter();
  let at = 0;
  for (let i = from; i < to; i++) {
    at = writeField(view, at, cells.x[i]!);
    at = writeField(view, at, cells.y[i]!);
    const value = cells.value[i]!;
    at = writeInt(view, at, value);
    const status = STATUS_BYTES[statusOf(value, cells.stale[i] === 1)];
    bytes.set(status, at);
    at = times.write(view, at + status.length, cells.time[i]!);
    view.setUint8(at++, LF);
  }
  return new Uint8Array(view.buffer, 0, at);
}

function viewFor(bytes: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(bytes + MAX_CELL_BYTES));
}

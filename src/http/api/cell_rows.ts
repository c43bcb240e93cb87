/**
 * Writes cells as rows of JSON or CSV, as bytes.
 *
 * @module
 */
import type { CellColumns } from "../../feed/columns.ts";
import { type CellStatus, statusOf } from "../../grid/status.ts";
import { MAX_CELL_BYTES } from "../../protocol/cells.ts";
import { DEFAULT_LAYER } from "../../protocol/topics.ts";
import { TimeWriter, writeField, writeInt } from "../../protocol/digits.ts";

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

const encoder = new TextEncoder();
const STATUS_BYTES: Readonly<Record<CellStatus, Uint8Array>> = {
  free: encoder.encode(",free,"),
  occupied: encoder.encode(",occupied,"),
  stale: encoder.encode(",stale,"),
  unknown: encoder.encode(",unknown,"),
};
/** Maximum bytes of a time as RFC 3339, in quotes. */
const MAX_RFC3339_BYTES = 32;
/** Maximum bytes of a status, rounded up. */
const MAX_STATUS_BYTES = 16;

/** The first line of the CSV format, for the layer `default`. */
export const CSV_HEADER = "x,y,value,status,time";

/** The form of times: ms since 1970, or RFC 3339 in UTC. */
export type TimeForm = "ms" | "rfc3339";

/** Returns the first line of the CSV format. */
export function csvHeader(layer: string): string {
  return CSV_HEADER + (layer === DEFAULT_LAYER ? "" : ",layer") + "\n";
}

/**
 * Writes cells as JSON without the outer brackets:
 * `[x,y,value,time],[x,y,value,time]`.
 *
 * @param from the first row
 * @param to the row after the last
 * @param form the form of the times
 */
export function writeJsonRows(
  cells: CellColumns,
  from: number,
  to: number,
  form: TimeForm = "ms",
): Uint8Array<ArrayBuffer> {
  const view = viewFor((to - from) * (MAX_CELL_BYTES + extraBytes(form)));
  const times = form === "ms" ? new TimeWriter() : new Rfc3339Writer('"');
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
 * Writes cells as CSV, one line `x,y,value,status,time` per cell, with the name
 * of the layer at the end unless it is `default`.
 *
 * @param layer the layer of the cells
 * @param from the first row
 * @param to the row after the last
 * @param form the form of the times
 */
export function writeCsvRows(
  cells: CellColumns,
  layer: string,
  from: number,
  to: number,
  form: TimeForm = "ms",
): Uint8Array<ArrayBuffer> {
  const end = encoder.encode(
    layer === DEFAULT_LAYER ? "\n" : `,${csvField(layer)}\n`,
  );
  const rowBytes = MAX_CELL_BYTES + MAX_STATUS_BYTES + extraBytes(form) +
    end.length;
  const view = viewFor((to - from) * rowBytes);
  const bytes = new Uint8Array(view.buffer);
  const times = form === "ms" ? new TimeWriter() : new Rfc3339Writer("");
  let at = 0;
  for (let i = from; i < to; i++) {
    at = writeField(view, at, cells.x[i]!);
    at = writeField(view, at, cells.y[i]!);
    const value = cells.value[i]!;
    at = writeInt(view, at, value);
    const status = STATUS_BYTES[statusOf(value, cells.stale[i] === 1)];
    bytes.set(status, at);
    at = times.write(view, at + status.length, cells.time[i]!);
    bytes.set(end, at);
    at += end.length;
  }
  return new Uint8Array(view.buffer, 0, at);
}

/** Returns a field of CSV, in quotes where it needs them (RFC 4180, 2). */
export function csvField(text: string): string {
  return /^\s|[",]|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function extraBytes(form: TimeForm): number {
  return form === "ms" ? 0 : MAX_RFC3339_BYTES;
}

/** Writes times as RFC 3339 in UTC, as {@linkcode TimeWriter} writes ms. */
class Rfc3339Writer {
  readonly #quote: string;

  constructor(quote: string) {
    this.#quote = quote;
  }

  write(view: DataView<ArrayBuffer>, at: number, ms: number): number {
    const text = this.#quote + new Date(ms).toISOString() + this.#quote;
    return at +
      encoder.encodeInto(text, new Uint8Array(view.buffer, at)).written;
  }
}

function viewFor(bytes: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(bytes + MAX_CELL_BYTES));
}

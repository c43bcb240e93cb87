/** Helpers for the tests of the protocol. */

import assert from "node:assert/strict";
import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  type Refusals,
} from "../../src/protocol/mod.ts";

/** Defines a test without permissions, which proves that it is pure. */
export function pure(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8 bytes. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** The value of JSON bytes. */
// deno-lint-ignore no-explicit-any
export function jsonOf(bytes: Uint8Array): any {
  return JSON.parse(textOf(bytes));
}

/** The bytes as a view into a larger buffer. */
export function embedded(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 16).fill(0x31);
  larger.set(bytes, 8);
  return larger.subarray(8, 8 + bytes.length);
}

/** One reading; time and source are optional. */
export type Row = [
  x: number,
  y: number,
  value: number,
  time?: number | undefined,
  source?: string,
];

/** The readings of a batch as rows. */
export function rowsOf(batch: ReadingBatch): Row[] {
  return Array.from({ length: batch.length }, (_, i) => {
    const row: Row = [batch.x[i]!, batch.y[i]!, batch.value[i]!];
    const time = batch.time[i]!;
    const source = batch.sources[batch.sourceIndex[i]!];
    if (!Number.isNaN(time) || source) {
      row.push(Number.isNaN(time) ? undefined : time);
    }
    if (source) row.push(source);
    return row;
  });
}

/** A batch of rows. */
export function batchOf(rows: readonly Row[]): ReadingBatch {
  const batch = new ReadingBatch();
  for (const [x, y, value, time, source] of rows) {
    batch.push(x, y, value, time ?? NaN, batch.source(source ?? ""));
  }
  return batch;
}

/** Parses a payload. */
export function parse(
  payload: string | Uint8Array,
  contentType?: string,
): { rows: Row[]; refusals: Refusals; refused: string[] } {
  const batch = new ReadingBatch();
  const bytes = typeof payload === "string" ? utf8(payload) : payload;
  const refusals = parseReadings(bytes, batch, { contentType });
  const refused = refusals.kept.map(({ code, line }) => `${line}:${code}`);
  return { rows: rowsOf(batch), refusals, refused };
}

/** The ProtocolError that a function throws. */
export function errorOf(fn: () => unknown): ProtocolError {
  try {
    fn();
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `threw ${error}`);
    assert.match(error.code, /^[a-z]+(-[a-z0-9]+)*$/);
    assert.notEqual(error.message, "");
    assert.ok(!error.message.endsWith("."), error.message);
    return error;
  }
  assert.fail("did not throw");
}

/** Runs a function; returns undefined if it throws a ProtocolError. */
export function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

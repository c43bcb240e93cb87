/**
 * The columns of CSV and TSV: their order in a header, or without one.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { quote } from "./text.ts";

/** The byte between the fields of CSV. */
export const COMMA = 0x2c;
/** The byte between the fields of TSV. */
export const TAB = 0x09;

/** Which field of a line is which. Indexes are -1 for columns without a use. */
export interface CsvLayout {
  /** The byte between fields. */
  readonly separator: number;
  /** Index of the x coordinate. */
  readonly x: number;
  /** Index of the y coordinate. */
  readonly y: number;
  /** Index of the value. */
  readonly value: number;
  /** Index of the time. */
  readonly time: number;
  /** Index of the name of the layer. */
  readonly layer: number;
  /** The fewest fields of a line: those up to the last required one. */
  readonly required: number;
  /** The most fields of a line. */
  readonly columns: number;
  /** True if the columns are named by a header. */
  readonly hasHeader: boolean;
  /** True if the name of the layer may be quoted. */
  readonly mayQuote: boolean;
  /** True for `x,y,value` and `x,y,value,time`, which are parsed faster. */
  readonly isPlain: boolean;
  /** The form of a line, for messages. */
  readonly form: string;
}

/** CSV without a header: `x,y,value` or `x,y,value,time`. */
export const PLAIN_LAYOUT: CsvLayout = {
  separator: COMMA,
  x: 0,
  y: 1,
  value: 2,
  time: 3,
  layer: -1,
  required: 3,
  columns: 4,
  hasHeader: false,
  mayQuote: false,
  isPlain: true,
  form: "x,y,value or x,y,value,time",
};

/** TSV without a header, by its number of fields, as the command prints it. */
const TSV_COLUMNS: Record<number, readonly string[]> = {
  3: ["x", "y", "value"],
  4: ["x", "y", "value", "time"],
  5: ["x", "y", "value", "status", "time"],
  6: ["x", "y", "value", "status", "time", "layer"],
};
const REQUIRED = ["x", "y", "value"];
/** `status` follows from value and time: it is read over. */
const KNOWN = [...REQUIRED, "time", "status", "layer"];
const NAMES = "x, y and value, and optionally time, status and layer";

/** A name of a column starts like this; no number and no quoted number does. */
const COLUMN_NAME = /^[\p{L}_]/u;
/** Words that stand for a missing value: a line with one is not a header. */
const NO_VALUE = /^(?:nan|inf|infinity|null|none|nil|true|false|na)$/i;
/** A header in another dialect than CSV has one of these instead of commas. */
const OTHER_SEPARATOR = /[;\t|]/;

/**
 * Returns the layout that a first line defines: a header, or a line of TSV.
 *
 * @param line the first line that is not blank, without its end
 * @param tabs true if tabs may separate fields
 * @returns undefined if the line is a row of CSV without a header
 * @throws {ProtocolError} "bad-header" for a header with other columns
 */
export function layoutOf(line: string, tabs: boolean): CsvLayout | undefined {
  const isTsv = tabs && line.includes("\t") && !line.includes(",");
  const names = line.split(isTsv ? "\t" : ",").map(nameOf);
  const separator = isTsv ? TAB : COMMA;
  if (isHeader(names)) return headerLayout(names, separator);
  if (!isTsv) {
    const others = line.split(OTHER_SEPARATOR).map(nameOf);
    if (isHeader(others)) throw wrongSeparator(line);
    return undefined;
  }
  const columns = TSV_COLUMNS[names.length];
  return columns && layoutFor(columns, separator, false);
}

/**
 * Returns what to change in a refused line, as the end of a message; empty if
 * the reason is not known.
 *
 * @param line the line
 * @param fields the number of its fields
 */
export function lineHint(line: string, fields: number): string {
  if (/^\s*[{[]/.test(line)) return "; this is JSON, sent as CSV";
  if (line.includes('"')) return "; remove the quotes";
  if (line.includes(";")) {
    return "; separate fields with commas, not semicolons";
  }
  if (line.includes("\t")) return "; separate fields with commas, not tabs";
  // "1,5,2,0,1,0" are three numbers.
  return fields > 4 && /^[\s\d,+-]+$/.test(line)
    ? "; a decimal comma separates fields: send integers"
    : "";
}

function nameOf(field: string): string {
  return field.trim().replace(/^"(.*)"$/, "$1").trim();
}

/** A header has at least three columns, all with a name. */
function isHeader(names: readonly string[]): boolean {
  return names.length >= 3 &&
    names.every((name) => name === "" || COLUMN_NAME.test(name)) &&
    names.some((name) => name !== "") &&
    !names.some((name) => NO_VALUE.test(name));
}

function headerLayout(names: readonly string[], separator: number): CsvLayout {
  const columns = names.map((name) => name.toLowerCase());
  for (const [i, column] of columns.entries()) {
    if (!KNOWN.includes(column)) {
      throw badHeader(`has an unknown column ${quote(names[i]!)}`);
    }
    if (columns.indexOf(column) < i) {
      throw badHeader(`names the column ${column} twice`);
    }
  }
  for (const name of REQUIRED) {
    if (!columns.includes(name)) throw badHeader(`has no column ${name}`);
  }
  return layoutFor(columns, separator, true);
}

function layoutFor(
  columns: readonly string[],
  separator: number,
  hasHeader: boolean,
): CsvLayout {
  const at = (name: string) => columns.indexOf(name);
  const form = columns.join(separator === COMMA ? "," : " ");
  return {
    separator,
    x: at("x"),
    y: at("y"),
    value: at("value"),
    time: at("time"),
    layer: at("layer"),
    required: 1 + Math.max(...REQUIRED.map(at)),
    columns: columns.length,
    hasHeader,
    mayQuote: separator === COMMA && columns.includes("layer"),
    isPlain: /^x,y,value(?:,time)?$/.test(form),
    form: separator === COMMA ? form : `${form} with tabs between them`,
  };
}

function badHeader(problem: string): ProtocolError {
  return new ProtocolError("bad-header", `the header ${problem}`, {
    hint: `The columns are ${NAMES}, in any order.`,
  });
}

function wrongSeparator(line: string): ProtocolError {
  return new ProtocolError(
    "bad-header",
    `the header ${quote(line)} does not separate its columns with commas`,
    { hint: "Separate fields with commas, and write integers." },
  );
}

/**
 * Tables of text for people.
 *
 * @module
 */
import { columnsOfText } from "./columns.ts";

/** A table. */
export interface Table {
  readonly head: readonly string[];
  /** Printable text, one for each column. */
  readonly rows: readonly (readonly string[])[];
  /** Columns that a narrow terminal omits, the first ones first. */
  readonly optional?: readonly string[];
  /** Columns with numbers or times. */
  readonly alignedRight?: readonly string[];
}

const GAP = "  ";

/**
 * Returns a table as lines, with its head in the first one.
 *
 * @param table the head and rows
 * @param maxWidth of the terminal, in columns
 * @param color whether to use colors
 */
export function renderTable(
  { head, rows, optional = [], alignedRight = [] }: Table,
  maxWidth: number,
  color: boolean,
): string {
  const widths = head.map((title, column) =>
    rows.reduce(
      (width, row) => Math.max(width, columnsOfText(row[column]!)),
      title.length,
    )
  );
  let width = widths.reduce((sum, one) => sum + one + GAP.length, -GAP.length);
  const omitted = new Set<number>();
  for (const column of optional.map((title) => head.indexOf(title))) {
    if (width <= maxWidth) break;
    width -= widths[column]! + GAP.length;
    omitted.add(column);
  }
  if (width > maxWidth) omitted.clear(); // a long name: the lines wrap anyway
  const lines = [head, ...rows].map((row) =>
    row.map((text, column) => {
      const space = " ".repeat(widths[column]! - columnsOfText(text));
      const isRight = alignedRight.includes(head[column]!);
      return isRight ? space + text : text + space;
    }).filter((_, column) => !omitted.has(column)).join(GAP).trimEnd()
  );
  if (color) lines[0] = `\x1b[2m${lines[0]}\x1b[0m`;
  return lines.join("\n") + "\n";
}

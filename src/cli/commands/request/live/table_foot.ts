/**
 * The last lines of a live table.
 *
 * @module
 */
import {
  BOLD,
  DIM,
  formatCount,
  type Span,
  wrapItems,
} from "../../../terminal/map/mod.ts";
import { fittingText } from "./key_help.ts";

const GAP_COLUMNS = 2;

/** What the last lines of a table say. */
export interface TableFootOptions {
  /** Number of rows of the table. */
  readonly rows: number;
  /** Shown if there are no rows. */
  readonly empty: string;
  /** The present order of the rows. */
  readonly orderName: string;
  /** Shown in place of the keys. */
  readonly notice: string | undefined;
  /** Columns of the terminal. */
  readonly width: number;
}

/**
 * Returns the last lines of a live table: which rows are visible, and the keys.
 *
 * @param from the number of the first visible row, from 1
 * @param to the number of the last one
 */
export function tableFoot(
  from: number,
  to: number,
  { rows, empty, orderName, notice, width }: TableFootOptions,
): Span[][] {
  const position = rows === 0 ? empty : `${from}–${to} of ${formatCount(rows)}`;
  const keys = fittingText([
    `q quit · ? keys · s sort: ${orderName} · ↑↓ scroll`,
    `q quit · ? keys · s sort: ${orderName}`,
  ], width);
  const items: Span[][] = notice === undefined
    ? [[[position, DIM]], [[keys, DIM]]]
    : [[[notice, BOLD]], [[position, DIM]]];
  return wrapItems(items, width, GAP_COLUMNS);
}

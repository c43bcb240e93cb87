/**
 * The keys of a live view, for people.
 *
 * @module
 */
import { BOLD, Canvas, DIM, type Span } from "../../../terminal/map/mod.ts";

/** A key, or several, and what it does. */
export type KeyMeaning = readonly [keys: string, meaning: string];

/** The keys of every live view. */
const COMMON_KEYS: readonly KeyMeaning[] = [
  ["?", "show or hide this list"],
  ["q  Ctrl-C", "quit"],
];
const GAP = 3;

/**
 * Draws the list of keys.
 *
 * @param keys those of the pane
 * @param options width and height in characters; an urgent notice to the user
 */
export function drawKeys(
  keys: readonly KeyMeaning[],
  { width, height, notice }: {
    readonly width: number;
    readonly height: number;
    readonly notice: string | undefined;
  },
): Canvas {
  const all = [...keys, ...COMMON_KEYS];
  const column = Math.max(...all.map(([key]) => key.length)) + GAP;
  const lines: Span[][] = [
    [["Keys", BOLD]],
    [],
    ...all.map(([key, meaning]): Span[] => [[key.padEnd(column)], [meaning]]),
    [],
    [notice === undefined ? ["Press ? to go back", DIM] : [notice, BOLD]],
  ];
  const canvas = new Canvas(width, height);
  lines.forEach((line, row) => canvas.write(0, row, line));
  return canvas;
}

/** Returns the first text that fits a width, else the last one. */
export function fittingText(texts: readonly string[], width: number): string {
  return texts.find((text) => text.length <= width) ?? texts.at(-1)!;
}

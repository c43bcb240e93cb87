/**
 * A rectangle of styled characters, and lines of text on it.
 *
 * @module
 */
import { columnsOf, columnsOfText, drawable } from "../columns.ts";
import { PLAIN, type Style } from "./palette.ts";

/** The value of the second column of a wide character. */
export const WIDE_TAIL = 0;
const SPACE = 0x20;

/** Text of one style. */
export type Span = readonly [text: string, style?: Style];

/** A rectangle of characters, each with its style. */
export class Canvas {
  /** In columns. */
  readonly width: number;
  /** In lines. */
  readonly height: number;
  /** Code points, row by row; 0 is the second column of a wide character. */
  readonly characters: Uint32Array;
  /** Row by row. */
  readonly styles: Uint32Array;

  /** Creates a blank canvas. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.characters = new Uint32Array(width * height).fill(SPACE);
    this.styles = new Uint32Array(width * height).fill(PLAIN);
  }

  /** Returns the canvas with another size, cut off or with blanks added. */
  resized(width: number, height: number): Canvas {
    if (width === this.width && height === this.height) return this;
    const to = new Canvas(width, height);
    const columns = Math.min(width, this.width);
    for (let row = 0; row < Math.min(height, this.height); row++) {
      const start = row * this.width;
      to.characters.set(
        this.characters.subarray(start, start + columns),
        row * width,
      );
      to.styles.set(this.styles.subarray(start, start + columns), row * width);
      // Half of a wide character cannot be drawn.
      if (
        this.characters[start + columns] === WIDE_TAIL && columns < this.width
      ) {
        to.characters[row * width + columns - 1] = SPACE;
      }
    }
    return to;
  }

  /** Sets a character of one column. The place must be on the canvas. */
  put(column: number, row: number, codePoint: number, style: Style): void {
    const at = row * this.width + column;
    this.characters[at] = codePoint;
    this.styles[at] = style;
  }

  /**
   * Writes text; what is beyond the right or the lower edge is cut off.
   *
   * @returns the column after the text
   */
  write(column: number, row: number, spans: readonly Span[]): number {
    if (row >= this.height) return column;
    for (const [text, style = PLAIN] of spans) {
      for (const character of drawable(text)) {
        const width = columnsOf(character);
        if (column + width > this.width) return column;
        this.put(column, row, character.codePointAt(0)!, style);
        if (width === 2) this.put(column + 1, row, WIDE_TAIL, style);
        column += width;
      }
    }
    return column;
  }
}

/** Returns the number of columns that a text takes. */
export function textWidth(spans: readonly Span[]): number {
  let columns = 0;
  for (const [text] of spans) {
    columns += columnsOfText(text);
  }
  return columns;
}

/**
 * Wraps items into lines. No item is split.
 *
 * @param width maximum width of a line, in columns
 * @param gap columns between two items of a line
 */
export function wrapItems(
  items: readonly (readonly Span[])[],
  width: number,
  gap: number,
): Span[][] {
  const lines: Span[][] = [];
  let used = 0;
  for (const item of items) {
    const columns = textWidth(item);
    const line = lines.at(-1);
    if (line && used + gap + columns <= width) {
      line.push([" ".repeat(gap)], ...item);
      used += gap + columns;
    } else {
      lines.push([...item]);
      used = columns;
    }
  }
  return lines;
}

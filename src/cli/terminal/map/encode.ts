/**
 * Encodes a canvas for a terminal: as lines, or as changes of the screen
 * (ECMA-48).
 *
 * @module
 */
import { type Canvas, WIDE_TAIL } from "./canvas.ts";
import {
  backgroundOf,
  BOLD,
  Color,
  type ColorDepth,
  foregroundOf,
  isBold,
  PLAIN,
  sgrParameters,
  type Style,
  styleOf,
} from "./palette.ts";

const RESET = "\x1b[0m";
const SPACE = 0x20;
/**
 * Unchanged characters that are drawn again, which is shorter than a cursor
 * move.
 */
const MAX_REDRAWN = 4;

/**
 * Returns the lines of a canvas. Each ends without blanks, in the plain style.
 */
export function encodeLines(canvas: Canvas, depth: ColorDepth): string {
  const { width, height } = canvas;
  let text = "";
  for (let row = 0; row < height; row++) {
    const pen = new Pen(canvas, depth);
    let end = width;
    while (end > 0 && isBlank(canvas, row * width + end - 1)) end--;
    for (let column = 0; column < end; column++) pen.draw(row * width + column);
    text += pen.finish() + "\n";
  }
  return text;
}

/**
 * Returns what changes the screen of a terminal from one canvas to another:
 * cursor moves and the characters that differ (ECMA-48: CUP, ED and SGR).
 *
 * @param shown what the screen shows; undefined if that is not known. Then, and
 * if the size differs, everything is drawn
 */
export function encodeChanges(
  shown: Canvas | undefined,
  canvas: Canvas,
  depth: ColorDepth,
): string {
  const { width, height, characters, styles } = canvas;
  const base = shown?.width === width && shown.height === height
    ? shown
    : undefined;
  let text = base ? "" : RESET + "\x1b[2J";
  const pen = new Pen(canvas, depth);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      // The second column of a wide character is drawn with the first one.
      if (characters[at] === WIDE_TAIL) continue;
      if (
        base
          ? base.characters[at] === characters[at] &&
            base.styles[at] === styles[at]
          : isBlank(canvas, at)
      ) continue;
      pen.moveTo(column, row);
      pen.draw(at);
    }
  }
  return text += pen.finish();
}

function isBlank({ characters, styles }: Canvas, at: number): boolean {
  return characters[at] === SPACE &&
    backgroundOf(styles[at]!) === Color.Default;
}

/** Writes characters, and the style only where it changes. */
class Pen {
  readonly #canvas: Canvas;
  readonly #depth: ColorDepth;
  #text = "";
  #style: Style = PLAIN;
  /** Index on the canvas at which the terminal writes next; -1 if not known. */
  #next = -1;

  constructor(canvas: Canvas, depth: ColorDepth) {
    this.#canvas = canvas;
    this.#depth = depth;
  }

  moveTo(column: number, row: number): void {
    const { width } = this.#canvas;
    const at = row * width + column;
    const ahead = at - this.#next;
    // After the last column, the cursor may still be on the line before.
    if (
      this.#next >= 0 && ahead >= 0 &&
      ahead <= Math.min(MAX_REDRAWN, column - 1)
    ) {
      for (let near = this.#next; near < at; near++) this.draw(near);
      return;
    }
    this.#text += `\x1b[${row + 1};${column + 1}H`;
    this.#next = at;
  }

  draw(at: number): void {
    const { characters, styles } = this.#canvas;
    const character = characters[at]!;
    if (character === WIDE_TAIL) return;
    this.#change(styles[at]!, character === SPACE);
    this.#text += String.fromCodePoint(character);
    this.#next = characters[at + 1] === WIDE_TAIL ? at + 2 : at + 1;
  }

  /** Returns what was written, followed by a reset of the style. */
  finish(): string {
    if (this.#style !== PLAIN) this.#text += RESET;
    return this.#text;
  }

  #change(to: Style, isSpace: boolean): void {
    const from = this.#style;
    if (from === to || this.#depth === "none") return;
    const foreground = isSpace ? foregroundOf(from) : foregroundOf(to);
    const bold = isSpace ? isBold(from) : isBold(to);
    const codes: string[] = [];
    if (isBold(from) !== bold) codes.push(bold ? "1" : "22");
    if (foregroundOf(from) !== foreground) {
      codes.push(sgrParameters(foreground, "foreground", this.#depth));
    }
    if (backgroundOf(from) !== backgroundOf(to)) {
      codes.push(sgrParameters(backgroundOf(to), "background", this.#depth));
    }
    if (codes.length > 0) this.#text += `\x1b[${codes.join(";")}m`;
    const style = styleOf(foreground, backgroundOf(to));
    this.#style = bold ? style | BOLD : style;
  }
}

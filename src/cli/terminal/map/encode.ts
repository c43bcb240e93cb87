import type { Canvas } from "./canvas.ts";
import {
  BOLD,
  Color,
  type ColorDepth,
  inkOf,
  isBold,
  paperOf,
  PLAIN,
  sgrColor,
  type Style,
  styleOf,
} from "./palette.ts";

const RESET = "\x1b[0m";
const SPACE = 0x20;
/** So many characters are drawn again sooner than passed over by a move. */
const NEAR = 4;

/**
 * A canvas as lines of text, each with its colours reset at its end and without
 * blanks there.
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
 * What makes a terminal that shows one canvas show another: moves and the
 * characters that differ, no more (ECMA-48: CUP, ED and SGR).
 *
 * @param shown What it shows; undefined if that is not known. Then, and if the
 * size is another, all is drawn anew
 */
export function encodeChanges(
  shown: Canvas | undefined,
  canvas: Canvas,
  depth: ColorDepth,
): string {
  const { width, height, characters, styles } = canvas;
  const known = shown?.width === width && shown.height === height
    ? shown
    : undefined;
  let text = known ? "" : RESET + "\x1b[2J";
  const pen = new Pen(canvas, depth);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      if (
        known
          ? known.characters[at] === characters[at] &&
            known.styles[at] === styles[at]
          : isBlank(canvas, at)
      ) continue;
      pen.moveTo(column, row);
      pen.draw(at);
    }
  }
  return text += pen.finish();
}

function isBlank({ characters, styles }: Canvas, at: number): boolean {
  return characters[at] === SPACE && paperOf(styles[at]!) === Color.Default;
}

/** Writes characters one after the other, and changes colours only where they do. */
class Pen {
  readonly #canvas: Canvas;
  readonly #depth: ColorDepth;
  #text = "";
  #style: Style = PLAIN;
  /** Where the terminal will write next, as an index into the canvas. */
  #next = -1;

  constructor(canvas: Canvas, depth: ColorDepth) {
    this.#canvas = canvas;
    this.#depth = depth;
  }

  moveTo(column: number, row: number): void {
    const { width } = this.#canvas;
    const at = row * width + column;
    const ahead = at - this.#next;
    // At the start of a line it may have stayed at the end of the one before.
    if (this.#next >= 0 && ahead >= 0 && ahead <= Math.min(NEAR, column - 1)) {
      for (let near = this.#next; near < at; near++) this.draw(near);
      return;
    }
    this.#text += `\x1b[${row + 1};${column + 1}H`;
    this.#next = at;
  }

  draw(at: number): void {
    const { characters, styles } = this.#canvas;
    const character = characters[at]!;
    if (character === 0) return; // drawn with the one before
    this.#change(styles[at]!, character === SPACE);
    this.#text += String.fromCodePoint(character);
    this.#next = characters[at + 1] === 0 ? at + 2 : at + 1;
  }

  /** What was written, back at plain. */
  finish(): string {
    if (this.#style !== PLAIN) this.#text += RESET;
    return this.#text;
  }

  #change(to: Style, inkless: boolean): void {
    const from = this.#style;
    if (from === to || this.#depth === "none") return;
    const ink = inkless ? inkOf(from) : inkOf(to);
    const bold = inkless ? isBold(from) : isBold(to);
    const codes: string[] = [];
    if (isBold(from) !== bold) codes.push(bold ? "1" : "22");
    if (inkOf(from) !== ink) codes.push(sgrColor(ink, "ink", this.#depth));
    if (paperOf(from) !== paperOf(to)) {
      codes.push(sgrColor(paperOf(to), "paper", this.#depth));
    }
    if (codes.length > 0) this.#text += `\x1b[${codes.join(";")}m`;
    this.#style = bold
      ? styleOf(ink, paperOf(to)) | BOLD
      : styleOf(ink, paperOf(to));
  }
}

/**
 * How many columns of a terminal text takes.
 *
 * @module
 */
import { printableUnits } from "../../common/printable.ts";

/**
 * Characters of two columns: East Asian wide ones (Unicode Standard Annex #11)
 * and emoji. The two letters of a flag take one column each.
 */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|(?!\p{Regional_Indicator})\p{Emoji_Presentation}/u;
/** Characters that are drawn over the one before, or join others. */
const ATTACHED = /[\p{M}\u200d]|\p{Emoji_Modifier}/u;

/** Text of printable characters of one column. */
const ASCII = /^[ -~]*$/;

/** Returns the columns of one character that {@linkcode drawable} returns. */
export function columnsOf(character: string): 1 | 2 {
  return WIDE.test(character) ? 2 : 1;
}

/**
 * Returns the characters of a text that take columns of their own: composed
 * where Unicode allows it, with escapes in place of unprintable ones.
 */
export function drawable(text: string): string[] {
  if (ASCII.test(text)) return text.split(""); // usual, and far faster
  const characters: string[] = [];
  for (const unit of printableUnits(text.normalize("NFC"))) {
    const [first, ...rest] = unit;
    if (!/\p{M}/u.test(first!)) characters.push(first!);
    characters.push(...rest.filter((one) => !ATTACHED.test(one)));
  }
  return characters;
}

/** Returns the number of columns that a text takes. */
export function columnsOfText(text: string): number {
  if (ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of drawable(text)) columns += columnsOf(character);
  return columns;
}

/**
 * Splits a text into lines that each take fewer columns than a terminal has:
 * some terminals wrap a line that fills the last column. What does not fit the
 * last line is cut off with an ellipsis.
 *
 * @param text text of one line
 * @param columns the width of the terminal, at least 3
 * @param maxLines maximum number of lines
 */
export function splitIntoLines(
  text: string,
  columns: number,
  maxLines: number,
): string[] {
  const lines = [""];
  let used = 0;
  const characters = drawable(text);
  for (const [i, character] of characters.entries()) {
    const width = columnsOf(character);
    const isLast = lines.length === maxLines;
    const mustCut = isLast && i < characters.length - 1; // leave an ellipsis
    if (used + width + (mustCut ? 1 : 0) < columns) {
      lines[lines.length - 1] += character;
      used += width;
    } else if (!isLast) {
      lines.push(character);
      used = width;
    } else {
      const rest = characters.slice(i);
      const columnsLeft = columns - 1 - used;
      const fits = rest.reduce((sum, one) => sum + columnsOf(one), 0) <=
        columnsLeft;
      lines[lines.length - 1] += fits ? rest.join("") : "…";
      break;
    }
  }
  return lines;
}

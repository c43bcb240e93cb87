/**
 * Makes foreign text safe to print: characters that control a terminal, reorder
 * text or are invisible become escapes that people can see; long text is cut.
 *
 * @module
 */

/**
 * Control and format characters (with the bidi controls), lone surrogates,
 * unassigned characters, line separators, and characters without a glyph.
 */
const UNPRINTABLE =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE.source, "gu");

/**
 * An emoji, with the invisible characters that join its parts (UTS #51), or any
 * other code point.
 */
const UNIT =
  /\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?(?:\u200d\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?)*|[\d#*]\ufe0f\u20e3|[^]/gu;

/** Maximum length of a quotation in a message, in UTF-16 code units. */
export const MAX_EXCERPT_LENGTH = 40;
/** Long enough for every valid name of a layer or client that people choose. */
const MAX_SHOWN_NAME_LENGTH = 200;

const SHORT_ESCAPES: Record<string, string> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/**
 * Returns a text with escapes such as `\n`, `\x1b` or `\u{202e}` in place of
 * its unprintable characters.
 *
 * @param text any text
 *
 * @example
 * ```ts
 * import { printable } from "./printable.ts";
 *
 * printable("red \x1b[31m"); // "red \\x1b[31m"
 * ```
 */
export function printable(text: string): string {
  return isPrintable(text) ? text : [...printableUnits(text)].join("");
}

/** Returns true if a text has no unprintable character. */
export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

/**
 * Yields the parts of {@linkcode printable} that must not be split: a code
 * point, an escape or an emoji.
 */
export function* printableUnits(text: string): Generator<string> {
  for (const [unit] of text.matchAll(UNIT)) {
    const isEmoji =
      unit.length > String.fromCodePoint(unit.codePointAt(0)!).length;
    yield !isEmoji && UNPRINTABLE.test(unit) ? escapeUnit(unit) : unit;
  }
}

/**
 * Returns the start of a text, safe for logs and terminals: escapes unprintable
 * characters, and ends with "…" if the text is longer.
 *
 * @param text any text
 * @param max maximum length of the result in UTF-16 code units
 */
export function excerpt(text: string, max = MAX_EXCERPT_LENGTH): string {
  const start = text.slice(0, max + 1);
  if (isPrintable(start)) { // usual, and faster
    if (text.length <= max) return text;
    const cut = text.slice(0, max - 1);
    return (cut.isWellFormed() ? cut : cut.slice(0, -1)) + "…";
  }
  let shown = "";
  let room = 0; // the part of `shown` that leaves room for the ellipsis
  for (const next of printableUnits(start)) {
    if (shown.length + next.length > max) return shown.slice(0, room) + "…";
    shown += next;
    if (shown.length < max) room = shown.length;
  }
  return shown;
}

/**
 * Quotes a name that any client can choose, such as a client id or the name of
 * a server. MQTT allows 65,535 bytes.
 */
export function quoteName(name: string): string {
  return `"${excerpt(name, MAX_SHOWN_NAME_LENGTH)}"`;
}

function escapeUnit(unit: string): string {
  const short = SHORT_ESCAPES[unit];
  if (short !== undefined) return short;
  const code = unit.codePointAt(0)!;
  return code <= 0xff
    ? "\\x" + code.toString(16).padStart(2, "0")
    : `\\u{${code.toString(16)}}`;
}

/**
 * Returns a value as JSON that is safe to print: invisible characters, which
 * JSON allows in strings, are escaped. Its meaning is that of JSON.stringify.
 */
export function printableJson(value: unknown): string {
  return printableJsonText(JSON.stringify(value));
}

/**
 * Returns the text of a JSON value that is safe to print, as
 * {@linkcode printableJson} does.
 *
 * @param json valid JSON, on one line
 */
export function printableJsonText(json: string): string {
  if (isPrintable(json)) return json;
  return json.replace(
    ALL_UNPRINTABLE,
    (found) =>
      found.split("").map((unit) =>
        `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
      ).join(""),
  );
}

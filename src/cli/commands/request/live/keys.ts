/** What a person pressed: a name for a special key, else the character. */
export type Key = string;

/** Final characters of cursor keys (ECMA-48 8.3.16 ff., xterm), by mode CSI and SS3 alike. */
const NAMED: Record<string, Key> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
};
/** Numbers of the keys that end in a tilde (DEC VT220). */
const NUMBERED: Record<string, Key> = {
  1: "home",
  4: "end",
  5: "page up",
  6: "page down",
  7: "home",
  8: "end",
};
/** A sequence with its parameters and final character, or any one character. */
// deno-lint-ignore no-control-regex
const KEY = /\x1b[[O]([0-9;?]*)([A-Za-z~])|[^]/g;

/**
 * Reads what a terminal in raw mode sends.
 *
 * @param text One chunk, as it was read
 * @returns The keys that it has, those that mean nothing left out
 */
export function readKeys(text: string): Key[] {
  const keys: Key[] = [];
  for (const [character, parameters, final] of text.matchAll(KEY)) {
    if (final === undefined) {
      if (character === "\x03") keys.push("interrupt");
      else if (character! >= " " && character !== "\x7f") keys.push(character!);
      continue;
    }
    const key = final === "~"
      ? NUMBERED[parameters!.split(";")[0]!]
      : NAMED[final];
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

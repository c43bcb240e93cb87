/**
 * Reads keys from a terminal.
 *
 * @module
 */
import { TerminalGone } from "./screen.ts";

/** A pressed key: the name of a special key, else the character. */
export type Key = string;

/** By the final character of CSI and SS3 sequences (ECMA-48 8.3.16 ff., xterm). */
const NAMED_KEYS: Record<string, Key> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
};
/** By the number of sequences that end with a tilde (DEC VT220). */
const NUMBERED_KEYS: Record<string, Key> = {
  1: "home",
  4: "end",
  5: "page up",
  6: "page down",
  7: "home",
  8: "end",
};
/** A sequence with its parameters and final character, or one character. */
// deno-lint-ignore no-control-regex
const KEY = /\x1b[[O]([0-9;?]*)([A-Za-z~])|[^]/g;

/**
 * Yields the keys that the user presses; none if stdin is not a terminal.
 *
 * @throws {TerminalGone}
 */
export async function* pressedKeys(): AsyncGenerator<Key> {
  if (!Deno.stdin.isTerminal()) return;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(256);
  for (;;) {
    const length = await Deno.stdin.read(buffer).catch((error) => {
      throw new TerminalGone(error);
    });
    // In raw mode no key ends the input: only a hang-up does.
    if (length === null) throw new TerminalGone();
    const bytes = buffer.subarray(0, length);
    yield* parseKeys(decoder.decode(bytes, { stream: true }));
  }
}

/**
 * Returns the keys in the input of a terminal in raw mode. Unknown keys are
 * left out.
 *
 * @param text one chunk, as it was read
 */
export function parseKeys(text: string): Key[] {
  const keys: Key[] = [];
  for (const [character, parameters, final] of text.matchAll(KEY)) {
    if (final === undefined) {
      if (character === "\x03") keys.push("interrupt");
      else if (character! >= " " && character !== "\x7f") keys.push(character!);
      continue;
    }
    const key = final === "~"
      ? NUMBERED_KEYS[parameters!.split(";")[0]!]
      : NAMED_KEYS[final];
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

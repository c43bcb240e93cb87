import { type Canvas, type ColorDepth, encodeChanges } from "../map/mod.ts";
import { writeOut } from "../output.ts";

/** Alternate screen (xterm 1049), no cursor (DECTCEM), no wrapping (DECAWM). */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/** The same undone, in the reverse order. */
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Synchronized output: a terminal that knows it shows all of a frame at once. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

/** Faults of a program that nobody catches. */
const FAULTS = ["error", "unhandledrejection"] as const;

/**
 * The terminal as a canvas that is drawn again and again: only what differs is
 * written. It gets back what it showed before when this is disposed of, and
 * also if the program fails.
 */
export class Screen implements Disposable {
  readonly #depth: ColorDepth;
  readonly #keyboard: boolean;
  readonly #dispose = () => this[Symbol.dispose]();
  #shown: Canvas | undefined;
  #left = false;

  /** Takes the terminal. */
  constructor(depth: ColorDepth) {
    this.#depth = depth;
    this.#keyboard = Deno.stdin.isTerminal();
    for (const fault of FAULTS) addEventListener(fault, this.#dispose);
    if (this.#keyboard) Deno.stdin.setRaw(true);
    writeOut(ENTER);
  }

  /** In characters. */
  get size(): { width: number; height: number } {
    const { columns, rows } = Deno.consoleSize();
    return { width: Math.max(1, columns), height: Math.max(1, rows) };
  }

  /** Shows a canvas from the upper left; the rest is blank. */
  draw(canvas: Canvas): void {
    const { width, height } = this.size;
    const full = canvas.resized(width, height);
    const changes = encodeChanges(this.#shown, full, this.#depth);
    if (changes !== "") writeOut(BEGIN + changes + END);
    this.#shown = full;
  }

  /** Draws all anew the next time: what is shown is not known any more. */
  forget(): void {
    this.#shown = undefined;
  }

  /** Gives the terminal back. Safe to call twice. */
  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    for (const fault of FAULTS) removeEventListener(fault, this.#dispose);
    try {
      writeOut(LEAVE);
    } finally {
      if (this.#keyboard) Deno.stdin.setRaw(false);
    }
  }
}

/** What a person types, as it is read; nothing where there is no keyboard. */
export async function* typed(): AsyncGenerator<string> {
  if (!Deno.stdin.isTerminal()) return;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(256);
  for (;;) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) return;
    yield decoder.decode(buffer.subarray(0, length), { stream: true });
  }
}

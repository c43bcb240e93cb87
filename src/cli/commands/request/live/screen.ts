import {
  type Canvas,
  type ColorDepth,
  encodeChanges,
} from "../../../terminal/map/mod.ts";
import { drainOut, writeOut } from "../../../terminal/output.ts";

/** Alternate screen (xterm 1049), no cursor (DECTCEM), no wrapping (DECAWM). */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/** The same undone, in the reverse order. */
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Synchronized output: a terminal that knows it shows all of a frame at once. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

/** How long a terminal that takes nothing is waited for at the end, ms. */
const FAREWELL = 250;

/** Faults of a program that nobody catches. */
const FAULTS = ["error", "unhandledrejection"] as const;

/** The terminal is not there any more: its window was closed, or its line is cut. */
export class TerminalGone extends Error {
  override readonly name = "TerminalGone";

  constructor(cause?: unknown) {
    super("The terminal is gone", { cause });
  }
}

/**
 * The terminal as a canvas that is drawn again and again: only what differs is
 * written. It gets back what it showed before when this is disposed of, and
 * also if the program fails. A terminal that takes nothing holds up no more than
 * the picture: it is written to while other things go on.
 */
export class Screen implements AsyncDisposable {
  readonly #depth: ColorDepth;
  readonly #keyboard: boolean;
  readonly #abandon = () => this.#giveBackNow();
  #shown: Canvas | undefined;
  #entered = false;
  /** What is on its way to the terminal. */
  #writing: Promise<void> = Promise.resolve();
  #left = false;

  /** Takes the terminal. */
  constructor(depth: ColorDepth) {
    this.#depth = depth;
    this.#keyboard = Deno.stdin.isTerminal();
    for (const fault of FAULTS) addEventListener(fault, this.#abandon);
    if (this.#keyboard) this.#setRaw(true);
  }

  /** In characters. @throws {TerminalGone} */
  get size(): { width: number; height: number } {
    const { columns, rows } = consoleSize();
    return { width: Math.max(1, columns), height: Math.max(1, rows) };
  }

  /**
   * Shows a canvas from the upper left; the rest is blank. One at a time.
   *
   * @returns resolves when the terminal has taken it
   * @throws {TerminalGone}
   */
  async draw(canvas: Canvas): Promise<void> {
    const { width, height } = this.size;
    const full = canvas.resized(width, height);
    const changes = encodeChanges(this.#shown, full, this.#depth);
    this.#shown = full;
    if (changes === "" && this.#entered) return;
    const enter = this.#entered ? "" : ENTER;
    this.#entered = true;
    try {
      this.#writing = drainOut(enter + BEGIN + changes + END);
      await this.#writing;
    } catch (error) {
      throw new TerminalGone(error);
    }
  }

  /** Draws all anew the next time: what is shown is not known any more. */
  forget(): void {
    this.#shown = undefined;
  }

  /**
   * Gives the terminal back, if it is there to be given. Safe to call twice.
   *
   * @returns resolves soon, even if the terminal takes nothing
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#leave()) return;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), FAREWELL);
    const written = this.#writing.then(() => drainOut(LEAVE))
      .then(() => true, () => true); // else nobody is there to see it
    const taken = await Promise.race([written, promise]);
    clearTimeout(timer);
    // It waits for what is being written (tcsetattr(3), TCSADRAIN), maybe for ever.
    if (this.#keyboard && taken) this.#setRaw(false);
  }

  /** The same for a program that fails and has no time. */
  #giveBackNow(): void {
    if (!this.#leave()) return;
    try {
      writeOut(LEAVE);
    } catch {
      // It is gone, or takes nothing: what failed is told all the same.
    }
    if (this.#keyboard) this.#setRaw(false);
  }

  /** False if that was done before. */
  #leave(): boolean {
    const first = !this.#left;
    this.#left = true;
    for (const fault of FAULTS) removeEventListener(fault, this.#abandon);
    return first;
  }

  #setRaw(raw: boolean): void {
    try {
      Deno.stdin.setRaw(raw);
    } catch {
      // It is gone: whoever reads or writes next is told.
    }
  }
}

function consoleSize(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch (error) {
    throw new TerminalGone(error);
  }
}

/**
 * What a person types, as it is read; nothing where there is no keyboard.
 *
 * @throws {TerminalGone}
 */
export async function* typed(): AsyncGenerator<string> {
  if (!Deno.stdin.isTerminal()) return;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(256);
  for (;;) {
    const length = await Deno.stdin.read(buffer).catch((error) => {
      throw new TerminalGone(error);
    });
    // In raw mode no key is the end of input: only a hang-up is.
    if (length === null) throw new TerminalGone();
    yield decoder.decode(buffer.subarray(0, length), { stream: true });
  }
}

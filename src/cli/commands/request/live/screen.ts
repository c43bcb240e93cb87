/**
 * Switches the terminal to the alternate screen, draws canvases, and restores
 * it.
 *
 * @module
 */
import { doneWithin } from "../../../../common/async.ts";
import {
  type Canvas,
  type ColorDepth,
  encodeChanges,
} from "../../../terminal/map/mod.ts";
import { drainOut, writeOut } from "../../../terminal/output.ts";

/** Alternate screen (xterm 1049), no cursor (DECTCEM), no wrapping (DECAWM). */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/** Undoes {@linkcode ENTER}, in the reverse order. */
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Synchronized output: terminals that support it show a frame at once. */
const BEGIN_FRAME = "\x1b[?2026h";
const END_FRAME = "\x1b[?2026l";

/** Maximum time to restore a terminal that does not read, ms. */
const CLOSE_TIMEOUT_MS = 250;

/** Events of uncaught errors. */
const FATAL_EVENTS = ["error", "unhandledrejection"] as const;

/** The terminal was closed, or its connection was lost. */
export class TerminalGone extends Error {
  override readonly name = "TerminalGone";

  constructor(cause?: unknown) {
    super("The terminal is gone", { cause });
  }
}

/**
 * The terminal while it shows live canvases. Writes only what differs from the
 * last canvas, without blocking: a terminal that does not read only delays the
 * frames. Disposing restores the terminal; so does a fatal error.
 */
export class Screen implements AsyncDisposable {
  readonly #depth: ColorDepth;
  readonly #hasKeyboard: boolean;
  readonly #onFatalEvent = () => this.#restoreNow();
  /** What the screen shows; undefined if unknown. */
  #shown: Canvas | undefined;
  #isEntered = false;
  /** The write in progress. */
  #writing: Promise<void> = Promise.resolve();
  #isLeft = false;
  #disposed: Promise<void> | undefined;

  /** Prepares the screen; the terminal switches to it at the first frame. */
  constructor(depth: ColorDepth) {
    this.#depth = depth;
    this.#hasKeyboard = Deno.stdin.isTerminal();
    for (const event of FATAL_EVENTS) {
      addEventListener(event, this.#onFatalEvent);
    }
    if (this.#hasKeyboard) this.#setRaw(true);
  }

  /** In characters. @throws {TerminalGone} */
  get size(): { width: number; height: number } {
    const { columns, rows } = consoleSize();
    return { width: Math.max(1, columns), height: Math.max(1, rows) };
  }

  /**
   * Shows a canvas in the upper left corner; the rest is blank. Do not call it
   * again before the promise resolves.
   *
   * @returns resolves when the terminal has read the frame
   * @throws {TerminalGone}
   */
  async draw(canvas: Canvas): Promise<void> {
    const { width, height } = this.size;
    const full = canvas.resized(width, height);
    const changes = encodeChanges(this.#shown, full, this.#depth);
    this.#shown = full;
    if (changes === "" && this.#isEntered) return;
    const enter = this.#isEntered ? "" : ENTER;
    this.#isEntered = true;
    try {
      this.#writing = drainOut(enter + BEGIN_FRAME + changes + END_FRAME);
      await this.#writing;
    } catch (error) {
      throw new TerminalGone(error);
    }
  }

  /** Draws everything in the next frame, for example after a resize. */
  invalidate(): void {
    this.#shown = undefined;
  }

  /**
   * Restores the terminal. Another call waits for the first one.
   *
   * @returns resolves within {@linkcode CLOSE_TIMEOUT_MS}
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposed ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    if (!this.#leave()) return;
    const written = this.#writing.then(() => drainOut(LEAVE))
      .catch(() => {}); // the terminal is gone
    const isRead = await doneWithin(written, CLOSE_TIMEOUT_MS);
    // Setting the mode waits for all output (tcsetattr(3), TCSADRAIN), which
    // never ends on a terminal that does not read.
    if (this.#hasKeyboard && isRead) this.#setRaw(false);
  }

  /** Restores the terminal, blocking. */
  #restoreNow(): void {
    if (!this.#leave()) return;
    try {
      writeOut(LEAVE);
    } catch {
      // The terminal is gone. The fatal error is reported anyway.
    }
    if (this.#hasKeyboard) this.#setRaw(false);
  }

  /** Removes the listeners. Returns false if it was called before. */
  #leave(): boolean {
    const isFirst = !this.#isLeft;
    this.#isLeft = true;
    for (const event of FATAL_EVENTS) {
      removeEventListener(event, this.#onFatalEvent);
    }
    return isFirst;
  }

  #setRaw(raw: boolean): void {
    try {
      Deno.stdin.setRaw(raw);
    } catch {
      // The terminal is gone: the next read or write throws.
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

/**
 * Reads a password from the keyboard, without showing it, or from a pipe.
 *
 * @module
 */
import { Exit } from "../exit_codes.ts";
import { usageError } from "../errors.ts";
import { CommandEnded, type Ending } from "./ending.ts";
import { writeError } from "./output.ts";

/** Maximum bytes of a password; MQTT allows 65,535. */
const MAX_PASSWORD_BYTES = 1024;

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const CTRL_U = 0x15;
const DELETE = 0x7f;

/**
 * Reads a new password: in a terminal it asks twice, else the password is the
 * first line of stdin.
 *
 * @param what whose password, for the question
 * @param ending ends the question, and restores the terminal
 * @throws {AppError} (usage) if the password is empty or too long, or the two
 * differ
 * @throws {CommandEnded} at Ctrl-C or a signal
 */
export async function readNewPassword(
  what: string,
  ending: Ending,
): Promise<Uint8Array> {
  if (!Deno.stdin.isTerminal()) return checked(await readLine(ending));
  using keyboard = new Keyboard(ending);
  const first = checked(await keyboard.ask(`New password of ${what}: `));
  const second = await keyboard.ask("The same again: ");
  if (isEqual(first, second)) return first;
  throw usageError("The two passwords differ", "Run the command again.");
}

/** @throws {AppError} (usage) if the password cannot be used */
function checked(password: Uint8Array): Uint8Array {
  if (password.length === 0) {
    throw usageError(
      "The password is empty",
      "Type it, or pass it as a line on stdin.",
    );
  }
  if (password.length > MAX_PASSWORD_BYTES) {
    throw usageError(
      `The password is over ${MAX_PASSWORD_BYTES} bytes`,
      "Use a shorter one.",
    );
  }
  return password;
}

async function readLine(ending: Ending): Promise<Uint8Array> {
  const line = new Line();
  const chunk = new Uint8Array(MAX_PASSWORD_BYTES);
  for (;;) {
    const length = await ending.until(Deno.stdin.read(chunk));
    for (const byte of chunk.subarray(0, length ?? 0)) {
      if (byte === LINE_FEED) return line.withoutReturn();
      line.add(byte);
    }
    if (length === null) return line.withoutReturn();
  }
}

/** The terminal while it shows nothing of what is typed. */
class Keyboard implements Disposable {
  readonly #ending: Ending;
  readonly #chunk = new Uint8Array(256);
  /** Typed ahead: what a chunk has after the end of a line. */
  #typed = new Uint8Array(0);

  constructor(ending: Ending) {
    this.#ending = ending;
    Deno.stdin.setRaw(true);
    ending.beforeExit(() => Promise.resolve(this[Symbol.dispose]()));
  }

  [Symbol.dispose](): void {
    Deno.stdin.setRaw(false);
  }

  /** Reads a line, with the keys that a terminal has for changing it. */
  async ask(question: string): Promise<Uint8Array> {
    writeError(question);
    const line = new Line();
    try {
      for (;;) {
        const byte = await this.#next();
        switch (byte) {
          case undefined:
          case CTRL_D:
          case LINE_FEED:
          case RETURN:
            return line.bytes();
          case CTRL_C:
            throw new CommandEnded(Exit.interrupted);
          case BACKSPACE:
          case DELETE:
            line.removeLast();
            break;
          case CTRL_U:
            line.clear();
            break;
          default:
            line.add(byte);
        }
      }
    } finally {
      writeError("\r\n"); // raw: the terminal adds no carriage return
    }
  }

  async #next(): Promise<number | undefined> {
    if (this.#typed.length === 0) {
      const reading = Deno.stdin.read(this.#chunk);
      const length = await this.#ending.until(reading);
      if (length === null) return undefined;
      this.#typed = this.#chunk.slice(0, length);
    }
    const [byte] = this.#typed;
    this.#typed = this.#typed.subarray(1);
    return byte;
  }
}

/** A line that is being typed, up to one byte above the limit. */
class Line {
  readonly #bytes: number[] = [];

  add(byte: number): void {
    if (this.#bytes.length <= MAX_PASSWORD_BYTES) this.#bytes.push(byte);
  }

  /** Removes the last character, which has one to four bytes in UTF-8. */
  removeLast(): void {
    while (((this.#bytes.pop() ?? 0) & 0xc0) === 0x80);
  }

  clear(): void {
    this.#bytes.length = 0;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** Files of Windows end their lines with two characters. */
  withoutReturn(): Uint8Array {
    if (this.#bytes.at(-1) === RETURN) this.#bytes.pop();
    return this.bytes();
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

/**
 * Starts, reads and ends the processes of a benchmark.
 *
 * @module
 */
import { deadline } from "../../src/common/async.ts";

/** Options of {@linkcode Child}. */
export interface ChildOptions {
  /** The output that is read line by line. Default: none. */
  readonly lines?: "stdout" | "stderr";
  /** True if it reads commands from stdin, one line of JSON each. */
  readonly commands?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** The top of the checkout. */
export const ROOT: string = decodeURIComponent(
  new URL("../../", import.meta.url).pathname,
);

const DEADLINE_MS = 120_000;
/** Last lines kept for the message of an error. */
const KEPT_LINES = 20;

/** A process of a benchmark. It is killed when disposed. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #name: string;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #unread: string[] = [];
  readonly #recent: string[] = [];
  readonly #done: Promise<void>;
  #ended = false;

  /**
   * @param command the program
   * @param args its arguments
   * @param options its output, its input and its environment
   */
  constructor(command: string, args: readonly string[], options: ChildOptions) {
    const { lines, commands = false, env = {} } = options;
    this.#name = [command, ...args].join(" ").slice(0, 200);
    this.#process = new Deno.Command(command, {
      args: [...args],
      cwd: ROOT,
      env: { NO_COLOR: "1", ...env },
      stdin: commands ? "piped" : "null",
      stdout: lines === "stdout" ? "piped" : "null",
      stderr: lines === "stderr"
        ? "piped"
        : lines === "stdout"
        ? "inherit"
        : "null",
    }).spawn();
    if (commands) this.#stdin = this.#process.stdin.getWriter();
    this.#done = this.#read(lines);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Writes a command to its stdin, as a line of JSON. */
  async send(command: unknown): Promise<void> {
    const line = `${JSON.stringify(command)}\n`;
    await this.#stdin!.write(new TextEncoder().encode(line));
  }

  /**
   * Reads its next line as JSON.
   *
   * @throws {Error} if it ends first, or prints none in time
   */
  async nextReport<T>(): Promise<T> {
    return JSON.parse(await this.#nextLine());
  }

  /**
   * Reads its lines until one matches.
   *
   * @throws {Error} if it ends first, or prints none in time
   */
  async waitForLine(pattern: RegExp): Promise<void> {
    while (!pattern.test(await this.#nextLine()));
  }

  /**
   * Waits until it has ended with exit code 0.
   *
   * @throws {Error} if it fails, or does not end in time
   */
  async ended(): Promise<void> {
    const { code } = await deadline(
      this.#process.status,
      DEADLINE_MS,
      () => this.#error("did not end"),
    );
    if (code !== 0) throw this.#error(`ended with ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#stdin?.close().catch(() => {});
    await this.#process.status;
    await this.#done;
  }

  #nextLine(): Promise<string> {
    const line = this.#unread.shift();
    if (line !== undefined) return Promise.resolve(line);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const onLine = (line: string | undefined) => {
      if (line === undefined) reject(this.#error("ended before its next line"));
      else resolve(line);
    };
    if (this.#ended) onLine(undefined);
    else this.#waiting.push(onLine);
    return deadline(
      promise,
      DEADLINE_MS,
      () => this.#error("printed nothing"),
    );
  }

  async #read(lines: "stdout" | "stderr" | undefined): Promise<void> {
    if (lines !== undefined) {
      let rest = "";
      const text = this.#process[lines].pipeThrough(new TextDecoderStream());
      for await (const chunk of text) {
        const parts = (rest + chunk).split("\n");
        rest = parts.pop()!;
        for (const part of parts) this.#onLine(part);
      }
    }
    this.#ended = true;
    for (const onLine of this.#waiting.splice(0)) onLine(undefined);
  }

  #onLine(line: string): void {
    this.#recent.push(line);
    if (this.#recent.length > KEPT_LINES) this.#recent.shift();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#unread.push(line);
    else waiting(line);
  }

  #error(problem: string): Error {
    return new Error(
      [`${this.#name}: ${problem}`, ...this.#recent].join("\n  "),
    );
  }
}

/**
 * The arguments of Deno that run a program of a checkout.
 *
 * @param file path of the program from the top
 * @param args arguments of the program
 * @param root the top of the checkout; default: this one
 */
export function denoArgs(
  file: string,
  args: readonly string[],
  root: string = ROOT,
): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-all",
    "--frozen",
    `--config=${root}deno.json`,
    `--lock=${root}deno.lock`,
    `${root}${file}`,
    ...args,
  ];
}

/**
 * The program under test, started with only the given environment.
 *
 * @module
 */
import { deadline } from "../../src/common/async.ts";
import { AppError } from "../../src/common/errors.ts";

/** How the program is started. */
export interface Launch {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** The current folder. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** The exit code and output of a run. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Long enough for a first start on a slow machine. */
const DEADLINE_MS = 30_000;

/**
 * Runs the program to its end.
 *
 * @throws {AppError} if it does not end in time
 */
export async function runToEnd(
  launch: Launch,
  args: readonly string[],
): Promise<Ended> {
  await using program = new Program(launch, args);
  return await program.ended();
}

/** The running program. It is killed when disposed. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #name: string;
  readonly #done: Promise<Ended>;
  #stderr = "";
  #written = Promise.withResolvers<void>();

  /**
   * @param launch how the program is started
   * @param args further arguments
   */
  constructor(
    { command: [program, ...first], cwd, env }: Launch,
    args: readonly string[],
  ) {
    this.#name = ["occupancy", ...args].join(" ");
    this.#child = new Deno.Command(program!, {
      args: [...first, ...args],
      cwd,
      clearEnv: true,
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#done = this.#collect();
    this.#done.catch(() => {});
  }

  /**
   * Waits until its stderr matches.
   *
   * @throws {AppError} if it ends first, or does not match in time
   */
  async waitForOutput(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false;
    const end = this.#done.then(() => void (ended = true));
    for (;;) {
      const match = pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (ended) throw this.#error(`ended before it printed ${pattern}`);
      await this.#inTime(
        Promise.race([this.#written.promise, end]),
        `did not print ${pattern}`,
      );
    }
  }

  /**
   * Waits until it has ended.
   *
   * @throws {AppError} if it does not end in time
   */
  ended(): Promise<Ended> {
    return this.#inTime(this.#done, "did not end");
  }

  /**
   * Ends it with SIGTERM. Windows has no such signal: there it is killed.
   *
   * @throws {AppError} if it ends with an exit code other than 0
   */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const { code } = await this.ended();
    if (code !== 0 && Deno.build.os !== "windows") {
      throw this.#error(`ended with ${code} after SIGTERM`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#done;
  }

  async #collect(): Promise<Ended> {
    let stdout = "";
    const [{ code }] = await Promise.all([
      this.#child.status,
      forEachText(this.#child.stdout, (text) => stdout += text),
      forEachText(this.#child.stderr, (text) => {
        this.#stderr += text;
        this.#written.resolve();
        this.#written = Promise.withResolvers();
      }),
    ]);
    return { code, stdout, stderr: this.#stderr };
  }

  #inTime<T>(work: Promise<T>, problem: string): Promise<T> {
    return deadline(
      work,
      DEADLINE_MS,
      () => this.#error(`${problem} within ${DEADLINE_MS / 1000} s`),
    );
  }

  #error(problem: string): AppError {
    const message = `${this.#name} ${problem}\n${this.#stderr}`;
    return new AppError("smoke-failed", message.trimEnd());
  }
}

async function forEachText(
  stream: ReadableStream<Uint8Array>,
  onText: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    onText(decoder.decode(bytes, { stream: true }));
  }
}

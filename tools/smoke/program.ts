import { ToolError } from "../tool_error.ts";

/** How the program is started, and in which surroundings. */
export interface Surroundings {
  /** The program and the arguments that come before ours. */
  readonly command: readonly string[];
  /** The folder that it is started in. */
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a run ended, and all that it wrote. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE = 30_000; // ms; a first start on a slow machine included

/** Runs the program to its end. */
export async function runToEnd(
  surroundings: Surroundings,
  args: readonly string[],
): Promise<Ended> {
  await using program = new Program(surroundings, args);
  return await program.ended();
}

/** The program, started; killed if it still runs when disposed. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #what: string;
  readonly #done: Promise<Ended>;
  #stderr = "";
  #heard = Promise.withResolvers<void>();

  constructor(
    { command: [program, ...first], cwd, env }: Surroundings,
    args: readonly string[],
  ) {
    this.#what = ["occupancy", ...args].join(" ");
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

  /** Waits until what it has said on stderr matches. @throws {ToolError} */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false;
    const end = this.#done.then(() => void (ended = true));
    for (;;) {
      const match = pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (ended) throw this.#fault(`ended before it said ${pattern}`);
      await this.#within(
        Promise.race([this.#heard.promise, end]),
        `did not say ${pattern}`,
      );
    }
  }

  /** Waits until it has ended by itself. @throws {ToolError} */
  ended(): Promise<Ended> {
    return this.#within(this.#done, "did not end");
  }

  /**
   * Asks it to end; on Windows, where it cannot be asked, ends it.
   *
   * @throws {ToolError} if it does not end well
   */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const { code } = await this.ended();
    if (code !== 0 && Deno.build.os !== "windows") {
      throw this.#fault(`ended with ${code} when it was stopped`);
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
      each(this.#child.stdout, (text) => stdout += text),
      each(this.#child.stderr, (text) => {
        this.#stderr += text;
        this.#heard.resolve();
        this.#heard = Promise.withResolvers();
      }),
    ]);
    return { code, stdout, stderr: this.#stderr };
  }

  async #within<T>(promise: Promise<T>, fault: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(this.#fault(`${fault} within ${DEADLINE / 1000} s`)),
      DEADLINE,
    );
    try {
      return await Promise.race([promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #fault(what: string): ToolError {
    return new ToolError(`${this.#what} ${what}\n${this.#stderr}`.trimEnd());
  }
}

async function each(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    take(decoder.decode(bytes, { stream: true }));
  }
}

/** How a program is started. */
export interface ChildOptions {
  /** Where its lines are: what it says of itself, for the harness to read. */
  readonly lines?: "stdout" | "stderr";
  /** True if it is told things, a line of JSON each. */
  readonly told?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** The top of the checkout. */
export const ROOT: string = decodeURIComponent(
  new URL("../../", import.meta.url).pathname,
);

const DEADLINE = 120_000;
/** Lines kept to explain an end that came too soon. */
const KEPT_LINES = 20;

/** A program that takes part in a benchmark. It is killed when it is disposed of. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #what: string;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #unread: string[] = [];
  readonly #recent: string[] = [];
  readonly #done: Promise<void>;
  #ended = false;

  constructor(command: string, args: readonly string[], options: ChildOptions) {
    const { lines, told = false, env = {} } = options;
    this.#what = [command, ...args].join(" ").slice(0, 200);
    this.#process = new Deno.Command(command, {
      args: [...args],
      cwd: ROOT,
      env: { NO_COLOR: "1", ...env },
      stdin: told ? "piped" : "null",
      stdout: lines === "stdout" ? "piped" : "null",
      stderr: lines === "stderr"
        ? "piped"
        : lines === "stdout"
        ? "inherit"
        : "null",
    }).spawn();
    if (told) this.#stdin = this.#process.stdin.getWriter();
    this.#done = this.#read(lines);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Tells it something. */
  async tell(message: unknown): Promise<void> {
    const line = `${JSON.stringify(message)}\n`;
    await this.#stdin!.write(new TextEncoder().encode(line));
  }

  /** What it says next, from JSON. @throws {Error} if it ends or is late */
  async hear<T>(deadline?: number): Promise<T> {
    return JSON.parse(await this.#next(deadline));
  }

  /** Waits for a line. @throws {Error} if it ends before, or is late */
  async says(pattern: RegExp, deadline?: number): Promise<void> {
    while (!pattern.test(await this.#next(deadline)));
  }

  /** Waits until it has ended by itself. @throws {Error} if it fails or is late */
  async ends(deadline = DEADLINE): Promise<void> {
    const { code } = await withDeadline(
      this.#process.status,
      deadline,
      () => this.#fault("did not end"),
    );
    if (code !== 0) throw this.#fault(`ended with ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#stdin?.close().catch(() => {});
    await this.#process.status;
    await this.#done;
  }

  #next(deadline = DEADLINE): Promise<string> {
    const line = this.#unread.shift();
    if (line !== undefined) return Promise.resolve(line);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const take = (line: string | undefined) => {
      if (line === undefined) reject(this.#fault("ended too soon"));
      else resolve(line);
    };
    if (this.#ended) take(undefined);
    else this.#waiting.push(take);
    return withDeadline(promise, deadline, () => this.#fault("said nothing"));
  }

  async #read(lines: "stdout" | "stderr" | undefined): Promise<void> {
    if (lines !== undefined) {
      let rest = "";
      const text = this.#process[lines].pipeThrough(new TextDecoderStream());
      for await (const chunk of text) {
        const parts = (rest + chunk).split("\n");
        rest = parts.pop()!;
        for (const part of parts) this.#take(part);
      }
    }
    this.#ended = true;
    for (const take of this.#waiting.splice(0)) take(undefined);
  }

  #take(line: string): void {
    this.#recent.push(line);
    if (this.#recent.length > KEPT_LINES) this.#recent.shift();
    const take = this.#waiting.shift();
    if (take === undefined) this.#unread.push(line);
    else take(line);
  }

  #fault(what: string): Error {
    return new Error(
      [`${this.#what}: ${what}`, ...this.#recent].join("\n  "),
    );
  }
}

/** Runs a TypeScript program of this checkout, or of another one. */
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

/** Waits, but not for ever. */
export async function withDeadline<T>(
  promise: Promise<T>,
  deadline: number,
  fault: () => Error,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(fault()), deadline);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

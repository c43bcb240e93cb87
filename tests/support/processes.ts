/**
 * Runs this program or another one as a child process, and collects its output.
 *
 * @module
 */
import { dirname } from "node:path";
import { until, within } from "./until.ts";

/** The top of the checkout. */
export const ROOT: string = decodeURIComponent(
  new URL("../../", import.meta.url).pathname,
);

/** Options of {@linkcode Running}. */
export interface SpawnOptions {
  /** Standard input. Default: none. */
  readonly input?: string | Uint8Array;
  /** The working directory. Default: the top of the checkout. */
  readonly cwd?: string;
  /** Additional environment variables. */
  readonly env?: Record<string, string>;
}

/** The result of a process. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process. It is killed at the end of its scope. */
export class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #what: string;
  readonly #done: Promise<Ended>;
  #stdout = "";
  #stderr = "";
  #ended = false;

  constructor(command: string, args: string[], options: SpawnOptions = {}) {
    const { input, cwd = ROOT, env = {} } = options;
    this.#what = [command, ...args].join(" ");
    this.#child = new Deno.Command(command, {
      args,
      cwd,
      // By default a server would use the user's map and port 8080.
      env: {
        NO_COLOR: "1",
        OCCUPANCY_STORE: "memory:",
        OCCUPANCY_HTTP: "off",
        ...env,
      },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#done = this.#run(input);
    this.#done.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /**
   * Waits until standard error matches.
   *
   * @throws {Error} if the process ends first, or at the deadline, in ms
   */
  async waitFor(pattern: RegExp, deadline = 15_000): Promise<RegExpExecArray> {
    return await until(() => {
      const match = pattern.exec(this.#stderr);
      if (match === null && this.#ended) {
        throw new Error(`Ended before ${pattern}: ${this.#trace()}`);
      }
      return match ?? undefined;
    }, { deadline, what: () => `${pattern} from ${this.#trace()}` });
  }

  kill(signal: Deno.Signal = "SIGTERM"): void {
    if (!this.#ended) sendSignal(this.#child, signal);
  }

  /** Waits until the process ends. The deadline is in ms. */
  ended(deadline = 20_000): Promise<Ended> {
    return within(this.#done, () => `the end of ${this.#trace()}`, deadline);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#done;
  }

  async #run(input: string | Uint8Array | undefined): Promise<Ended> {
    const child = this.#child;
    const [status] = await Promise.all([
      child.status,
      collect(child.stdout, (text) => this.#stdout += text),
      collect(child.stderr, (text) => this.#stderr += text),
      input === undefined ? undefined : feed(child.stdin, input),
    ]);
    this.#ended = true;
    const { code, signal } = status;
    return { code, signal, stdout: this.#stdout, stderr: this.#stderr };
  }

  #trace(): string {
    return `${this.#what}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`;
  }
}

/** Arguments of Deno that run a file of this checkout, as in the launcher. */
export const DENO_RUN: readonly string[] = [
  ...["run", "--quiet", "--no-prompt", "--frozen"],
  ...["--config", `${ROOT}deno.json`, `--lock=${ROOT}deno.lock`],
];

/**
 * Starts this program from source with the launcher, so with the permissions
 * that its users have. A server keeps its map in memory, unless the arguments
 * set --store.
 */
export function occupancy(
  args: string[],
  { env, ...options }: SpawnOptions = {},
): Running {
  // The launcher uses the first Deno on the PATH.
  const path = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  return new Running("/bin/sh", [`${ROOT}occupancy`, ...args], {
    ...options,
    env: { PATH: path, ...env },
  });
}

/** Runs this program and waits until it ends. */
export async function runOccupancy(
  args: string[],
  options?: SpawnOptions,
): Promise<Ended> {
  await using running = occupancy(args, options);
  return await running.ended();
}

/** Runs a check for all cases in parallel, and waits until all have ended. */
export async function forEachAtOnce<Case>(
  cases: readonly Case[],
  check: (one: Case) => Promise<void>,
): Promise<void> {
  for (const run of await Promise.allSettled(cases.map(check))) {
    if (run.status === "rejected") throw run.reason;
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    take(decoder.decode(chunk, { stream: true }));
  }
}

/** Writes to standard input. The process may end before it has read all. */
async function feed(
  stdin: WritableStream<Uint8Array>,
  input: string | Uint8Array,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(
      typeof input === "string" ? new TextEncoder().encode(input) : input,
    );
    await writer.close();
  } catch {
    await writer.abort().catch(() => {});
  }
}

/** Sends a signal to a process. Does nothing if the process has just ended. */
export function sendSignal(
  child: Deno.ChildProcess,
  signal: Deno.Signal,
): void {
  try {
    child.kill(signal);
  } catch (error) {
    // Deno throws a TypeError once it has the exit status.
    if (!(error instanceof TypeError)) throw error;
  }
}

import { requireTool } from "../support/needs.ts";
import { DENO_RUN, ROOT, sendSignal } from "../support/processes.ts";
import { until, within } from "../support/until.ts";

/** Options of {@linkcode TerminalSession}. */
export interface SessionOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Record<string, string>;
  /** Default: the top of the checkout. */
  readonly cwd?: string;
  /** Further permissions of the program; not for a shell command. */
  readonly permissions?: readonly string[];
}

/**
 * Runs the program in a terminal, which `script` of util-linux creates. Instead
 * of arguments of the program it also accepts a shell command. Disposing kills
 * it.
 */
export class TerminalSession implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<number>;
  #output = "";
  #ended = false;

  constructor(
    args: string[] | string,
    { columns, rows, env = {}, cwd = ROOT, permissions = [] }: SessionOptions,
  ) {
    // Without exec some shells stay, and Ctrl-C ends them.
    const program = typeof args === "string"
      ? args
      : `exec ${ours(args, ...permissions)}`;
    const command = `stty cols ${columns} rows ${rows}; ${program}`;
    this.#child = new Deno.Command(requireTool("script"), {
      args: [
        "--quiet",
        "--return",
        "--flush",
        "--command",
        command,
        "/dev/null",
      ],
      env: {
        TERM: "xterm-256color",
        COLORTERM: "",
        NO_COLOR: "",
        SHELL: "/bin/sh", // `script` uses it, not the one of the user
        PAGER: "cat", // no pager, unless a test sets it
        OCCUPANCY_HTTP: "off", // a test that needs HTTP sets it
        ...env,
      },
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.#done = this.#run();
    this.#done.catch(() => {});
  }

  /** The output so far. */
  get output(): string {
    return this.#output;
  }

  /** Waits until the output matches. */
  async shows(pattern: RegExp): Promise<void> {
    await until(() => {
      if (this.#ended && !pattern.test(this.#output)) {
        throw new Error(`Ended before it showed ${pattern}: ${this.#output}`);
      }
      return pattern.test(this.#output);
    }, { what: () => `${pattern} in ${JSON.stringify(this.#output)}` });
  }

  /** Sends keys. */
  async type(keys: string): Promise<void> {
    await this.#keyboard.write(new TextEncoder().encode(keys));
  }

  /** The process in the terminal: the last descendant of `script`. */
  get pid(): number {
    let pid = this.#child.pid;
    for (;;) {
      const path = `/proc/${pid}/task/${pid}/children`;
      const [child] = Deno.readTextFileSync(path).trim().split(" ");
      if (!child) return pid;
      pid = Number(child);
    }
  }

  /** Stops reading the output, as a terminal that hangs. */
  hang(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Closes the terminal without a message to the program. */
  vanish(): void {
    this.#child.kill("SIGKILL");
  }

  /** Waits for the end. @returns the exit code */
  ended(): Promise<number> {
    return within(this.#done, () => `the end after ${this.#output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) sendSignal(this.#child, "SIGKILL");
    await this.#done;
  }

  async #run(): Promise<number> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      this.#output += decoder.decode(chunk, { stream: true });
    }
    const { code } = await this.#child.status;
    this.#ended = true;
    await this.#keyboard.close().catch(() => {});
    return code;
  }
}

/** The shell command that runs the program, with further permissions. */
export function ours(args: string[], ...permissions: string[]): string {
  return [
    Deno.execPath(),
    ...DENO_RUN,
    ...["--allow-net", "--allow-read", "--allow-env", ...permissions],
    `${ROOT}main.ts`,
    ...args,
  ].map((word) => `'${word}'`).join(" ");
}

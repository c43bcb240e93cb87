/**
 * The processes of a cluster on this machine, in a temporary folder. All of them
 * end, and the folder is removed, when the group is disposed; also after the
 * program that started them was killed.
 *
 * @module
 */
import { deadline, doneWithin } from "../../src/common/async.ts";

/** Time that a process has to end after SIGTERM, in ms. */
const END_TIMEOUT_MS = 5000;
/** The bounds of {@linkcode freePort}: Linux gives ports from 32,768. */
const MIN_PORT = 10_240;
const MAX_PORT = 32_767;
/** Characters of output that are kept of each process. */
const KEPT_OUTPUT = 200_000;

/**
 * Reads until its input ends: when this program closes it, or has ended for any
 * reason. Then it kills what still runs and removes the folder. The process ids
 * are names of files, which are removed when a process has ended.
 */
const WATCHDOG = `
trap "" INT HUP TERM QUIT
while read -r _; do :; done
for file in "$1"/pids/*; do
  case $file in *\\*) ;; *) kill -9 "\${file##*/}" 2>/dev/null ;; esac
done
rm -rf "$1"
`;

/** Options of {@linkcode ProcessGroup.spawn}. */
export interface SpawnOptions {
  readonly args: readonly string[];
  /** Additional environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment variables are only those of `env`. Default false. */
  readonly clearEnv?: boolean;
}

/** A process of a group. */
export class GroupProcess {
  /** For people. */
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended and its output was read. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #waiting = new Set<() => void>();
  #output = "";
  #hasEnded = false;
  #isFrozen = false;

  constructor(name: string, child: Deno.ChildProcess) {
    this.name = name;
    this.pid = child.pid;
    this.#child = child;
    this.ended = this.#run();
  }

  /** The last part of what it has written to stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** True between {@linkcode freeze} and {@linkcode resume}. */
  get isFrozen(): boolean {
    return this.#isFrozen && !this.#hasEnded;
  }

  /** Sends a signal; does nothing if the process has ended. */
  kill(signal: Deno.Signal = "SIGTERM"): void {
    if (this.#hasEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // Deno throws a TypeError once it has the exit status.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Suspends it (SIGSTOP): connections stay open without answers. */
  freeze(): void {
    this.#isFrozen = true;
    this.kill("SIGSTOP");
  }

  /** Lets it go on (SIGCONT). */
  resume(): void {
    this.#isFrozen = false;
    this.kill("SIGCONT");
  }

  /** Ends it: SIGTERM, and SIGKILL if that takes longer than 5 s. */
  async end(): Promise<void> {
    if (this.isFrozen) this.resume();
    this.kill("SIGTERM");
    if (!await doneWithin(this.ended, END_TIMEOUT_MS)) this.kill("SIGKILL");
    await this.ended;
  }

  /** Kills it (SIGKILL), and waits until it has ended. */
  async crash(): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }

  /**
   * Waits until its output matches.
   *
   * @param ms deadline, in ms
   * @throws {Error} with its output, if it ends first or at the deadline
   */
  async waitFor(pattern: RegExp, ms = 30_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (pattern.test(this.#output)) resolve();
      else if (this.#hasEnded) reject(this.#error(`ended before ${pattern}`));
    };
    this.#waiting.add(check);
    check();
    try {
      await deadline(
        promise,
        ms,
        () => this.#error(`did not print ${pattern} within ${ms} ms`),
      );
    } finally {
      this.#waiting.delete(check);
    }
  }

  async #run(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#child.status,
      this.#collect(this.#child.stdout),
      this.#collect(this.#child.stderr),
    ]);
    this.#hasEnded = true;
    this.#notify();
    return status;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const text = this.#output + decoder.decode(chunk, { stream: true });
      this.#output = text.length > 2 * KEPT_OUTPUT
        ? text.slice(-KEPT_OUTPUT)
        : text;
      this.#notify();
    }
  }

  #notify(): void {
    for (const check of this.#waiting) check();
  }

  #error(problem: string): Error {
    const last = this.#output.trimEnd().split("\n").slice(-20);
    return new Error([`${this.name} ${problem}`, ...last].join("\n  "));
  }
}

/** Processes with a temporary folder. */
export class ProcessGroup implements AsyncDisposable {
  /** The temporary folder, without a slash at the end. */
  readonly folder: string;
  readonly #processes = new Set<GroupProcess>();
  readonly #watchdog: Deno.ChildProcess;
  #isDisposed = false;

  private constructor(folder: string) {
    this.folder = folder;
    this.#watchdog = new Deno.Command("/bin/sh", {
      args: ["-c", WATCHDOG, "occupancy-watchdog", folder],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Makes a group without processes. */
  static async create(): Promise<ProcessGroup> {
    const folder = await Deno.makeTempDir({ prefix: "occupancy-cluster-" });
    await Deno.mkdir(`${folder}/pids`);
    return new ProcessGroup(folder);
  }

  /**
   * Starts a process.
   *
   * @param name for people
   * @param program path of the program
   */
  spawn(
    name: string,
    program: string,
    { args, env = {}, clearEnv = false }: SpawnOptions,
  ): GroupProcess {
    if (this.#isDisposed) throw new Error(`${name}: the group has ended`);
    const child = new Deno.Command(program, {
      args: [...args],
      cwd: this.folder,
      env: { ...env },
      clearEnv,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const file = `${this.folder}/pids/${child.pid}`;
    Deno.writeTextFileSync(file, name);
    const started = new GroupProcess(name, child);
    this.#processes.add(started);
    // The id may belong to another process from now on.
    child.status.then(() => {
      this.#processes.delete(started);
      Deno.removeSync(file);
    }).catch(() => {}); // the folder is gone
    return started;
  }

  /** Makes a folder in the temporary folder, and returns its path. */
  async makeFolder(name: string): Promise<string> {
    if (this.#isDisposed) throw new Error(`${name}: the group has ended`);
    const path = `${this.folder}/${name}`;
    // Not recursive: the watchdog may have removed the temporary folder.
    await Deno.mkdir(path);
    return path;
  }

  /**
   * Ends all processes, those that were started last first, and removes the
   * folder. May be called more than once.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      const running = [...this.#processes].reverse();
      await Promise.all(running.map((process) => process.end()));
      await this.#watchdog.stdin.close();
    }
    // It removes the folder.
    await this.#watchdog.status;
  }
}

/**
 * Returns a free TCP port of the loopback. It is not one that systems give to
 * outgoing connections or for port 0, so that few programs can take it before it
 * is used, or while its program restarts.
 *
 * @throws {Error} if no port is free
 */
export function freePort(): number {
  for (let tries = 0; tries < 1000; tries++) {
    const port = MIN_PORT + Math.floor(Math.random() * (MAX_PORT - MIN_PORT));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // In use, or reserved by the system: the next one.
    }
  }
  throw new Error(`No TCP port from ${MIN_PORT} to ${MAX_PORT} is free`);
}

/**
 * A server process with a limit of memory and of file descriptors.
 *
 * @module
 */
import { type Ended, Running } from "../../support/processes.ts";
import { until } from "../../support/until.ts";
import { TURN, turnsIn, watchedArgs } from "../../support/turns.ts";

/** Where the memory controller of cgroups v1 is, if there is one. */
const CGROUP_V1 = "/sys/fs/cgroup/memory";
const CGROUP_V2 = "/sys/fs/cgroup";
/** Maximum number of file descriptors of a server, by default. */
export const MAX_FILES = 1024;

/** For the kernel to let a cgroup go. */
const REMOVE_TIMEOUT_MS = 5_000;

/** How a {@linkcode CappedServer} is limited. */
export type Cap = "cgroup" | "watched";

/**
 * Runs servers below one limit of memory.
 *
 * A cgroup, where the machine allows it: then the kernel ends the server at the
 * limit. Elsewhere only the peak is read. `prlimit` does not help: an empty
 * Deno has 500 MB of writable mappings (RLIMIT_DATA) and more address space.
 */
export class MemoryCap implements AsyncDisposable {
  readonly maxBytes: number;
  readonly #folder: string | undefined;

  private constructor(maxBytes: number, folder: string | undefined) {
    this.maxBytes = maxBytes;
    this.#folder = folder;
  }

  static async create(maxBytes: number): Promise<MemoryCap> {
    for (
      const [root, file] of [
        [CGROUP_V1, "memory.limit_in_bytes"],
        [CGROUP_V2, "memory.max"],
      ] as const
    ) {
      const folder = `${root}/occupancy-attacks-${Deno.pid}`;
      try {
        await Deno.mkdir(folder);
      } catch {
        continue; // no such controller, or no right to use it
      }
      try {
        // The file exists only if the controller is on.
        await Deno.writeTextFile(`${folder}/${file}`, String(maxBytes), {
          create: false,
        });
        // A container may allow the folder, but no process in it.
        const { success } = await new Deno.Command("sh", {
          args: ["-c", enter(folder)],
          stderr: "null",
        }).output();
        if (success) return new MemoryCap(maxBytes, folder);
      } catch {
        // not this version of cgroups
      }
      await Deno.remove(folder).catch(() => {});
    }
    return new MemoryCap(maxBytes, undefined);
  }

  get kind(): Cap {
    return this.#folder === undefined ? "watched" : "cgroup";
  }

  /** Starts a server below the limit, with a number of file descriptors. */
  start(args: readonly string[], maxFiles: number = MAX_FILES): CappedServer {
    const folder = this.#folder;
    const limit = folder === undefined ? "" : `${enter(folder)} &&`;
    return new CappedServer(
      new Running("sh", [
        "-c",
        `ulimit -n ${maxFiles} && ${limit} exec "$@"`,
        "sh",
        Deno.execPath(),
        ...watchedArgs(args),
      ]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const folder = this.#folder;
    if (folder === undefined) return;
    // The kernel removes the processes that have ended a moment later.
    const remove = () => Deno.remove(folder).then(() => true, () => false);
    await until(remove, { deadline: REMOVE_TIMEOUT_MS }).catch(() => {});
  }
}

/** Returns the command with which a shell moves itself into a cgroup. */
function enter(folder: string): string {
  return `echo $$ > ${folder}/cgroup.procs`;
}

/** A server process. */
export class CappedServer implements AsyncDisposable {
  readonly #process: Running;
  #turnsEnd = 0;

  constructor(process: Running) {
    this.#process = process;
  }

  /** The log of the server. */
  get log(): string {
    return this.#process.stderr.replaceAll(TURN, "");
  }

  /** Returns the turns of the event loop since the last call. */
  takeTurns(): number[] {
    const { stderr } = this.#process;
    const turns = turnsIn(stderr.slice(this.#turnsEnd));
    this.#turnsEnd = stderr.length;
    return turns;
  }

  /** Waits until the server is ready, and returns its addresses. */
  async ready(): Promise<{ httpUrl: string; mqttPort: number }> {
    await this.#process.waitFor(/Ready:/, 60_000);
    const [, httpUrl = ""] = /Dashboard at (\S+)\/ /.exec(this.log)!;
    const [, mqttPort] = /broker on 127\.0\.0\.1:(\d+)/.exec(this.log)!;
    return { httpUrl, mqttPort: Number(mqttPort) };
  }

  /**
   * Returns the peak of the resident memory since the last call or, where the
   * peak cannot be reset, since the start, in bytes; 0 after the end.
   */
  async takePeak(): Promise<number> {
    const proc = `/proc/${this.#process.pid}`;
    try {
      const status = await Deno.readTextFile(`${proc}/status`);
      await Deno.writeTextFile(`${proc}/clear_refs`, "5").catch(() => {});
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  /** Sends SIGTERM and waits for the end; returns how long it took, in ms. */
  async stop(deadlineMs: number): Promise<Ended & { readonly ms: number }> {
    const start = performance.now();
    this.#process.kill("SIGTERM");
    const ended = await this.#process.ended(deadlineMs);
    return { ...ended, ms: performance.now() - start };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

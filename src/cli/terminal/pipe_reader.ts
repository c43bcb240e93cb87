/**
 * Detects when the reader of standard output closes the pipe, as in
 * `occupancy request --watch | head -1`. Without this, a command learns it only
 * at its next line, which may be hours later.
 *
 * @module
 */
import { fstatSync } from "node:fs";

const STDOUT = 1;
/** How often `tail` checks, in s. */
const CHECK_INTERVAL_S = "0.2";

/**
 * Calls a function when the reader of the pipe on standard output closes it.
 *
 * Deno cannot poll a pipe, so GNU `tail` does it: it ends with SIGPIPE when the
 * reader of its output is gone (coreutils 8.28). Where that cannot run, the
 * function is never called, and the next write fails.
 *
 * @param onClosed called once
 * @returns ends the detection when disposed
 */
export function watchPipeReader(onClosed: () => void): Disposable {
  const tail = isPipe() && mayRun("tail") ? spawnTail() : undefined;
  let isDisposed = false;
  tail?.status.then(({ signal }) => {
    if (signal === "SIGPIPE" && !isDisposed) onClosed();
  });
  return {
    [Symbol.dispose]: () => {
      isDisposed = true;
      try {
        tail?.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

/** Returns true if the program may run a command without a question. */
export function mayRun(command: string): boolean {
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted";
}

function isPipe(): boolean {
  try {
    return Deno.build.os === "linux" && fstatSync(STDOUT).isFIFO();
  } catch {
    return false; // closed
  }
}

function spawnTail(): Deno.ChildProcess | undefined {
  try {
    const child = new Deno.Command("tail", {
      // Ends with this process, even if that is killed.
      args: ["-f", "-s", CHECK_INTERVAL_S, `--pid=${Deno.pid}`, "/dev/null"],
      stdin: "null",
      stdout: "inherit",
      stderr: "null",
    }).spawn();
    child.unref();
    return child;
  } catch {
    return undefined; // not installed
  }
}

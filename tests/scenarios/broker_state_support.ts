/** A server with the embedded broker and a store, that is killed and restarted. */
import { occupancy, type Running } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";
import { serverArgs } from "./support.ts";

/** A server process. It is killed at the end of its scope. */
export interface BrokerProcess extends AsyncDisposable {
  readonly port: number;
  /** Standard error of the present process. */
  readonly log: string;
  readonly running: Running;
  /** Ends the process as a crash does, and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends the process in order. */
  stop(): Promise<void>;
  /** Starts a process on the same port and store. */
  start(): Promise<void>;
}

/**
 * Starts a server with an embedded broker and a store.
 *
 * @param folder where its store is
 * @param options further options of `occupancy server`
 */
export async function startBroker(
  folder: string,
  options: readonly string[] = [],
): Promise<BrokerProcess> {
  const port = freePort();
  const args = [...serverArgs(port, folder), ...options, "--no-http"];
  let running = occupancy(args);
  const end = async (signal: Deno.Signal) => {
    running.kill(signal);
    await running.ended();
  };
  await running.waitFor(/Ready/);
  return {
    port,
    get log() {
      return running.stderr;
    },
    get running() {
      return running;
    },
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    start: async () => {
      running = occupancy(args);
      await running.waitFor(/Ready/);
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/**
 * The systems that our server is compared with. Each receives the same
 * messages.
 *
 * @module
 */
import { freePort } from "../../tests/support/temp.ts";
import { Child, denoArgs } from "../harness/child.ts";
import type { MeteredProcess } from "../harness/meter.ts";
import { epoch } from "../harness/program_io.ts";
import { startMosquitto } from "./mosquitto.ts";
import {
  DATA_TOPIC,
  disposeAll,
  type StartSystem,
  type System,
  type TrialOptions,
} from "./system.ts";

/** Options of a program in `bench/programs`, passed as JSON. */
export interface ProgramOptions {
  /** Port of the broker; if the program is a broker, the port to listen on. */
  readonly port: number;
  readonly topic: string;
  readonly qos: 0 | 1;
  /** Counts of processed messages at which it prints a report. */
  readonly marks: readonly number[];
  /** An empty folder for its files. */
  readonly folder: string;
  /** Port of the Redis server, if there is one. */
  readonly redisPort?: number;
}

/** A report of a program: one when it is ready, one at each mark. */
export interface ProgramReport {
  /** ms since 1970 */
  readonly at: number;
}

/** `mosquitto_sub`, whose output goes to /dev/null. */
export const mosquittoSub: StartSystem = async (options) => {
  const broker = await startMosquitto(options.folder);
  const total = options.marks.at(-1);
  const child = new Child("mosquitto_sub", [
    ...["-h", "127.0.0.1", "-p", `${broker.port}`, "-t", DATA_TOPIC],
    ...["-q", `${options.qos}`, "-C", `${total}`],
  ], {});
  await broker.waitForSubscription(DATA_TOPIC);
  return {
    port: broker.port,
    processes: [
      { role: "broker", pid: broker.pid },
      { role: "server", pid: child.pid },
    ],
    waitUntilProcessed: async (messages) => {
      // It reports nothing before its end, and needs no warm-up.
      if (messages === total) await child.ended();
      return epoch();
    },
    [Symbol.asyncDispose]: () => disposeAll([broker, child]),
  };
};

/** A program of `bench/programs` that subscribes to Mosquitto. */
export function subscriber(
  file: string,
  { redis = false }: { readonly redis?: boolean } = {},
): StartSystem {
  return async (options) => {
    const broker = await startMosquitto(options.folder);
    const started: AsyncDisposable[] = [broker];
    const processes: MeteredProcess[] = [{ role: "broker", pid: broker.pid }];
    let redisPort: number | undefined;
    if (redis) {
      redisPort = freePort();
      const server = await startRedis(redisPort, options.folder);
      started.push(server);
      processes.push({ role: "Redis", pid: server.pid });
    }
    const { port } = broker;
    const program = startProgram(file, options, port, redisPort);
    started.push(program);
    processes.push({ role: "server", pid: program.pid });
    await program.nextReport<ProgramReport>();
    return system(port, processes, program, started);
  };
}

/** A program of `bench/programs` that is a broker. */
export function broker(file: string): StartSystem {
  return async (options) => {
    const port = freePort();
    const program = startProgram(file, options, port);
    await program.nextReport<ProgramReport>();
    const processes = [{ role: "server", pid: program.pid }];
    return system(port, processes, program, [program]);
  };
}

function system(
  port: number,
  processes: readonly MeteredProcess[],
  program: Child,
  started: readonly AsyncDisposable[],
): System {
  return {
    port,
    processes,
    waitUntilProcessed: async () =>
      (await program.nextReport<ProgramReport>()).at,
    [Symbol.asyncDispose]: () => disposeAll(started),
  };
}

function startProgram(
  file: string,
  { qos, marks, folder }: TrialOptions,
  port: number,
  redisPort?: number,
): Child {
  const options: ProgramOptions = {
    port,
    topic: DATA_TOPIC,
    qos,
    marks,
    folder,
    ...(redisPort !== undefined && { redisPort }),
  };
  const path = `bench/programs/${file}`;
  const args = [JSON.stringify(options)];
  return file.endsWith(".py")
    ? new Child("/usr/bin/python3", [path, ...args], { lines: "stderr" })
    : new Child(Deno.execPath(), denoArgs(path, args), { lines: "stdout" });
}

/** Starts Redis without persistence, its fastest mode. */
async function startRedis(port: number, folder: string): Promise<Child> {
  const child = new Child("redis-server", [
    ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "no"],
  ], { lines: "stdout" });
  await child.waitForLine(/Ready to accept connections/);
  return child;
}

/**
 * What our server is compared with: other programs that take the same messages.
 *
 * @module
 */
import { Child, denoArgs } from "../harness/child.ts";
import { epoch } from "../harness/clock.ts";
import type { Member } from "../harness/cpu.ts";
import { startMosquitto } from "./mosquitto.ts";
import {
  DATA_TOPIC,
  disposeAll,
  freePort,
  type Start,
  type System,
  type Work,
} from "./system.ts";

/** What the programs of this benchmark are given, as JSON. */
export interface ProgramOptions {
  /** Of the broker; where to listen for one that is a broker. */
  readonly port: number;
  readonly topic: string;
  readonly qos: 0 | 1;
  /** It says when it has dealt with so many messages. */
  readonly marks: readonly number[];
  /** For its files. */
  readonly folder: string;
  /** Of the Redis server, if there is one. */
  readonly redisPort?: number;
}

/** What they say: that they are ready, then one line for each mark. */
export interface ProgramReport {
  /** ms since 1970. */
  readonly at: number;
}

/** `mosquitto_sub`, which writes what it gets to /dev/null. */
export const mosquittoSub: Start = async (work) => {
  const broker = await startMosquitto(work.folder);
  const child = new Child("mosquitto_sub", [
    ...["-h", "127.0.0.1", "-p", `${broker.port}`, "-t", DATA_TOPIC],
    ...["-q", `${work.qos}`, "-C", `${work.marks.at(-1)}`],
  ], {});
  await broker.subscribed(DATA_TOPIC);
  return {
    port: broker.port,
    members: [
      { role: "broker", pid: broker.pid },
      { role: "server", pid: child.pid },
    ],
    settled: async (messages) => {
      // It says nothing until its last message, and is not made faster by a warm-up.
      if (messages === work.marks.at(-1)) await child.ends();
      return epoch();
    },
    [Symbol.asyncDispose]: () => disposeAll([broker, child]),
  };
};

/** A program of `bench/programs` that subscribes to Mosquitto. */
export function subscriber(
  file: string,
  { redis = false }: { readonly redis?: boolean } = {},
): Start {
  return async (work) => {
    const broker = await startMosquitto(work.folder);
    const started: AsyncDisposable[] = [broker];
    const members: Member[] = [{ role: "broker", pid: broker.pid }];
    let redisPort: number | undefined;
    if (redis) {
      redisPort = freePort();
      const server = await startRedis(redisPort, work.folder);
      started.push(server);
      members.push({ role: "Redis", pid: server.pid });
    }
    const { port } = broker;
    const program = startProgram(file, work, port, redisPort);
    started.push(program);
    members.push({ role: "server", pid: program.pid });
    await program.hear<ProgramReport>();
    return system(port, members, program, started);
  };
}

/** A program of `bench/programs` that is the broker itself. */
export function broker(file: string): Start {
  return async (work) => {
    const port = freePort();
    const program = startProgram(file, work, port);
    await program.hear<ProgramReport>();
    const members = [{ role: "server", pid: program.pid }];
    return system(port, members, program, [program]);
  };
}

function system(
  port: number,
  members: readonly Member[],
  program: Child,
  started: readonly AsyncDisposable[],
): System {
  return {
    port,
    members,
    settled: async () => (await program.hear<ProgramReport>()).at,
    [Symbol.asyncDispose]: () => disposeAll(started),
  };
}

function startProgram(
  file: string,
  { qos, marks, folder }: Work,
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

/** Redis that keeps nothing on disk: as fast as it goes. */
async function startRedis(port: number, folder: string): Promise<Child> {
  const child = new Child("redis-server", [
    ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "no"],
  ], { lines: "stdout" });
  await child.says(/Ready to accept connections/);
  return child;
}

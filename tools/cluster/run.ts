/**
 * Runs a cluster and shows it, until it is ended.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import type { LiveModel } from "../../src/cli/commands/request/live/live_view.ts";
import { LiveView } from "../../src/cli/commands/request/live/live_view.ts";
import { env } from "../../src/cli/env.ts";
import { Exit } from "../../src/cli/exit_codes.ts";
import { colorDepth } from "../../src/cli/terminal/capabilities.ts";
import { CommandEnded, Ending } from "../../src/cli/terminal/ending.ts";
import { printError, writeOut } from "../../src/cli/terminal/output.ts";
import { watchPipeReader } from "../../src/cli/terminal/pipe_reader.ts";
import { Lab } from "./lab.ts";
import { startLoad } from "./members.ts";
import { Observer } from "./observer.ts";
import { ProcessGroup } from "./processes.ts";
import { findPrograms } from "./programs.ts";
import { type ClusterStatus, drawStatus, statusLine } from "./status.ts";

/** Time between two looks at the cluster, in ms. */
const VIEW_INTERVAL_MS = 1000;
const LINE_INTERVAL_MS = 5000;
/** All processes have 5 s to end in order; then they are killed. */
const END_TIMEOUT_MS = 12_000;

/** The exit codes of the view, by what ended it. */
const EXIT_BY_REASON = {
  quit: Exit.ok,
  interrupt: Exit.interrupted,
  terminalGone: Exit.hungUp,
} as const;

/** Options of the cluster. */
export interface ClusterFlags {
  /** Of each of the three masters of Redis. */
  readonly replicas: number;
  readonly servers: number;
  /** Readings per second of all simulated sensors; 0: none. */
  readonly rate: number;
  /** Undefined: until the user ends it. */
  readonly seconds: number | undefined;
}

/**
 * Starts a cluster with its load, and shows what it does.
 *
 * @returns the exit code
 * @throws {AppError} if a program is missing
 */
export async function runCluster(flags: ClusterFlags): Promise<number> {
  findPrograms(); // before anything is started
  using ending = new Ending({ timeoutMs: END_TIMEOUT_MS });
  using _reader = watchPipeReader(() => ending.end(Exit.ok));
  await using group = await ProcessGroup.create();
  try {
    const lab = await ending.until(Lab.start({
      ...{ replicas: flags.replicas, members: flags.servers },
      onStep: (step) => printError(`Starting: ${step}`),
    }, group));
    for (const [i, broker] of lab.brokers.entries()) {
      const rate = Math.ceil(flags.rate / lab.brokers.length);
      const layer = `campus-${i + 1}`;
      if (rate > 0) startLoad(group, { broker, layer, rate, seed: i + 1 });
    }
    if (flags.seconds !== undefined) ending.endIn(1000 * flags.seconds);
    await using observer = await Observer.start(lab);
    await show(lab, observer, ending);
  } catch (error) {
    if (!(error instanceof CommandEnded)) throw error;
  }
  return ending.exitCode;
}

async function show(lab: Lab, observer: Observer, ending: Ending) {
  const isLive = Deno.stdout.isTerminal() && env("TERM") !== "dumb";
  if (!isLive) {
    for await (const status of statuses(observer, ending, LINE_INTERVAL_MS)) {
      writeOut(`${statusLine(status)}\n`);
    }
    return;
  }
  const model = new ClusterModel(lab);
  const view = new LiveView<ClusterStatus>({
    model,
    depth: colorDepth("auto", env, true),
    onEnd: (reason) => ending.end(EXIT_BY_REASON[reason]),
    beforeExit: (step) => ending.beforeExit(step),
  });
  await view.show(statuses(observer, ending, VIEW_INTERVAL_MS));
}

/** Yields the status again and again, until the command is ended. */
async function* statuses(
  observer: Observer,
  { signal }: Ending,
  intervalMs: number,
): AsyncGenerator<ClusterStatus> {
  while (!signal.aborted) {
    const start = performance.now();
    yield await observer.observe();
    await delay(Math.max(0, start + intervalMs - performance.now()), signal);
  }
}

/** Shows the cluster, and kills and starts parts of it. */
class ClusterModel implements LiveModel<ClusterStatus> {
  readonly hasAges = false;
  readonly keys = [
    ["1 to 9", "kill a server (kill -9), or start it again"],
    ["a to i", "the same with a node of Redis"],
  ] as const;
  readonly #lab: Lab;
  #status: ClusterStatus | undefined;
  #notice: string | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  apply(status: ClusterStatus): void {
    this.#status = status;
  }

  draw(frame: Parameters<LiveModel<ClusterStatus>["draw"]>[0]) {
    return drawStatus({ ...this.#status!, notice: this.#notice }, frame);
  }

  press(key: string): boolean {
    const part = /^[1-9]$/.test(key)
      ? this.#lab.members[Number(key) - 1]
      : /^[a-i]$/.test(key)
      ? this.#lab.redis.nodes[key.charCodeAt(0) - 97]
      : undefined;
    if (part === undefined) return false;
    const isRunning = part.process !== undefined;
    this.#notice = `${isRunning ? "Killed" : "Started"} ${part.name}`;
    const done = isRunning ? part.crash() : part.start();
    done.catch((error) => {
      this.#notice = (error as Error).message.split("\n")[0];
    });
    return true;
  }
}

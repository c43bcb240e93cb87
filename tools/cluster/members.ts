/**
 * Starts this program: the servers of a group, and the simulation that sends
 * them readings.
 *
 * @module
 */
import { dirname } from "node:path";
import { ROOT } from "../tool.ts";
import type { Broker } from "./brokers.ts";
import { freePort, type GroupProcess, type ProcessGroup } from "./processes.ts";

/** A server may wait for Redis. */
const READY_TIMEOUT_MS = 60_000;

/** Options of {@linkcode Member}. */
export interface MemberOptions {
  /** The value of `--store`; the same for all. */
  readonly store: string;
  readonly brokers: readonly Broker[];
  /** Further options of `occupancy server`. */
  readonly args?: readonly string[];
}

/** One `occupancy server` of a group. */
export class Member {
  /** The value of `--name`. */
  readonly name: string;
  /** The top of its HTTP interface, with a slash at the end. */
  readonly url: string;
  readonly #group: ProcessGroup;
  readonly #args: readonly string[];
  #process: GroupProcess | undefined;

  constructor(
    group: ProcessGroup,
    name: string,
    { store, brokers, args = [] }: MemberOptions,
  ) {
    const address = `127.0.0.1:${freePort()}`;
    this.name = name;
    this.url = `http://${address}/`;
    this.#group = group;
    this.#args = [
      ...["server", "--name", name, "--http", address, "--store", store],
      ...brokers.flatMap(({ url }) => ["--broker", url]),
      ...args,
    ];
  }

  /** Undefined if it does not run. */
  get process(): GroupProcess | undefined {
    return this.#process?.hasEnded ? undefined : this.#process;
  }

  /** Starts it, and waits until it is ready. */
  async start(): Promise<void> {
    this.#process = runProgram(this.#group, this.name, this.#args);
    await this.#process.waitFor(/ Ready: /, READY_TIMEOUT_MS);
  }

  /** Kills it (SIGKILL). */
  async crash(): Promise<void> {
    await this.process?.crash();
  }
}

/** Options of {@linkcode startLoad}. */
export interface LoadOptions {
  readonly broker: Broker;
  readonly layer: string;
  /** Readings per second. */
  readonly rate: number;
  readonly seed: number;
}

/** Starts `occupancy simulate`, which sends readings until it is ended. */
export function startLoad(
  group: ProcessGroup,
  { broker, layer, rate, seed }: LoadOptions,
): GroupProcess {
  return runProgram(group, `load of ${broker.name}`, [
    ...["simulate", "--broker", broker.url, "--layer", layer, "--quiet"],
    ...["--scene", "campus", "--rate", String(rate), "--seed", String(seed)],
  ]);
}

/** Runs the launcher of this checkout, with no settings of the user. */
function runProgram(
  group: ProcessGroup,
  name: string,
  args: readonly string[],
): GroupProcess {
  const kept = ["HOME", "XDG_CACHE_HOME", "DENO_DIR", "TMPDIR"];
  return group.spawn(name, "/bin/sh", {
    args: [`${ROOT}occupancy`, ...args],
    clearEnv: true,
    env: {
      NO_COLOR: "1",
      // The launcher uses the first Deno on the PATH.
      PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH") ?? ""}`,
      ...Object.fromEntries(kept.flatMap((name) => {
        const value = Deno.env.get(name);
        return value === undefined ? [] : [[name, value]];
      })),
    },
  });
}

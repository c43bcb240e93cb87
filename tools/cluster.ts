/**
 * `deno task cluster`: a Redis Cluster, two Mosquittos and a group of three
 * servers on this machine, with simulated sensors. Shows who does what, until
 * the user ends it; nothing is left behind.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { announceDownload } from "../src/cli/download_notice.ts";
import { describeError, usageError } from "../src/cli/errors.ts";
import { printError } from "../src/cli/terminal/output.ts";
import type { ClusterFlags } from "./cluster/run.ts";

const USAGE =
  "deno task cluster [--replicas 1] [--servers 3] [--rate 20000] [--seconds N]";
const MAX_REPLICAS = 4;
const MAX_SERVERS = 9;
const MAX_RATE = 10_000_000;
const MAX_SECONDS = 1_000_000;

/** @throws {AppError} if an option is unknown or has a wrong value */
function readFlags(args: readonly string[]): ClusterFlags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        replicas: { type: "string", default: "1" },
        servers: { type: "string", default: "3" },
        rate: { type: "string", default: "20000" },
        seconds: { type: "string" },
      },
    });
    return {
      replicas: integer("replicas", values.replicas, 1, MAX_REPLICAS),
      servers: integer("servers", values.servers, 1, MAX_SERVERS),
      rate: integer("rate", values.rate, 0, MAX_RATE),
      seconds: values.seconds === undefined
        ? undefined
        : integer("seconds", values.seconds, 1, MAX_SECONDS),
    };
  } catch (error) {
    throw usageError((error as Error).message, USAGE, error);
  }
}

function integer(
  name: string,
  text: string,
  from: number,
  to: number,
): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= from && value <= to) return value;
  throw new RangeError(
    `Invalid --${name} ${
      JSON.stringify(text)
    }: a whole number from ${from} to ${to}`,
  );
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  try {
    const flags = readFlags(args);
    announceDownload(["mqtt", "prom-client", "ws"]);
    const { runCluster } = await import("./cluster/run.ts");
    return await runCluster(flags);
  } catch (error) {
    const { message, hint, exitCode } = describeError(error);
    printError(`cluster: ${message}`);
    if (hint !== undefined) printError(`  hint: ${hint}`);
    return exitCode;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

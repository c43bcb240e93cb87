/**
 * `deno task demo`: the whole system on one machine. A server with the embedded
 * broker on a free port, the two sample clients one after the other, and the
 * map that comes back. With `--live` a simulated campus instead, and its map in
 * the terminal as it changes. The same code runs as from the command line.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { OccupancyMap } from "../src/grid/mod.ts";
import { createBroker } from "../src/broker/broker.ts";
import { Topics } from "../src/protocol/mod.ts";
import { Server, serverSubscriptions } from "../src/server/mod.ts";
import { MemoryStore } from "../src/store/memory.ts";
import { client } from "../src/cli/commands/client/run.ts";
import { CliError, Exit } from "../src/cli/exit.ts";
import { describeError } from "../src/cli/failure.ts";
import { printError } from "../src/cli/terminal/output.ts";
import { parseWait } from "../src/cli/arguments/values.ts";
import { VERSION } from "../src/cli/version.ts";

const NAME = "occupancy-server";
const SAMPLES = ["client1.json", "client2.json"];
const USAGE = "deno task demo [--live [--for 30s]]";

/** What the demo was asked for. */
interface DemoFlags {
  readonly live: boolean;
  /** ms */
  readonly for?: number;
}

/** A server, and the address of its broker. */
interface DemoServer {
  readonly address: string;
  stop(): Promise<void>;
}

/** @throws {CliError} if there is no such option */
function readFlags(args: readonly string[]): DemoFlags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { live: { type: "boolean" }, for: { type: "string" } },
    });
    const live = values.live ?? false;
    if (values.for === undefined) return { live };
    if (!live) throw new RangeError("--for goes with --live.");
    return { live, for: parseWait(values.for) };
  } catch (error) {
    throw new CliError((error as Error).message, {
      exitCode: Exit.usage,
      hint: USAGE,
      cause: error,
    });
  }
}

async function startServer(log: (line: string) => void): Promise<DemoServer> {
  const topics = new Topics();
  const broker = createBroker({
    host: "127.0.0.1",
    port: 0,
    subscriptions: serverSubscriptions(topics, NAME),
  });
  const server = new Server({
    link: broker,
    store: new MemoryStore(),
    map: new OccupancyMap(),
    topics,
    name: NAME,
    version: VERSION,
    log: { info: log, warn: log },
  });
  await server.start();
  const { host, port } = broker.address;
  return { address: `${host}:${port}`, stop: () => server.stop() };
}

/** The two sample clients; it ends by itself. */
async function samples(): Promise<number> {
  const { address, stop } = await startServer(printError);
  try {
    printError(`$ occupancy server --listen ${address}`);
    for (const sample of SAMPLES) {
      printError(`\n$ occupancy client --file ${sample}`);
      await client({
        broker: `mqtt://${address}`,
        prefix: new Topics().prefix,
        file: new URL(`../${sample}`, import.meta.url).pathname,
        layer: "default",
        request: true,
        wire: "current",
        timeout: 5000,
        format: "table",
        color: "auto",
      });
    }
    printError(
      "\nThe clients disagree about (1,2), (2,2) and (3,3): the map shows who spoke last.",
    );
    return Exit.ok;
  } finally {
    await stop();
  }
}

/** A campus that lives, until `q`, Ctrl-C or --for. */
async function live(flags: DemoFlags): Promise<number> {
  if (!Deno.stdout.isTerminal() || Deno.env.get("TERM") === "dumb") {
    throw new CliError("A live map needs a terminal", {
      exitCode: Exit.usage,
      hint: "Without --live the demo prints two maps and ends.",
    });
  }
  const { demoLive } = await import("./demo_live.ts");
  const said: string[] = [];
  // The screen belongs to the map: what the server says comes behind it.
  const { address, stop } = await startServer((line) => said.push(line));
  try {
    return await demoLive(`mqtt://${address}`, flags.for);
  } finally {
    await stop();
    for (const line of said) printError(line);
  }
}

try {
  const flags = readFlags(Deno.args);
  Deno.exit(flags.live ? await live(flags) : await samples());
} catch (error) {
  const { message, hint, exitCode } = describeError(error);
  printError(`demo: ${message}`);
  if (hint !== undefined) printError(`  hint: ${hint}`);
  Deno.exit(exitCode);
}

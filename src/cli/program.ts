import { Command, CommanderError, Option } from "commander";
import { isBrokenPipe, tell } from "./failure.ts";
import { CliError, Exit } from "./exit.ts";
import { withHttp } from "./http_options.ts";
import { parsing } from "./parsing.ts";
import {
  parseAt,
  parseCount,
  parseDuration,
  parseListen,
  parseRegion,
  parseWait,
} from "./values.ts";
import { say, writeOut } from "./output.ts";
import { VERSION } from "./version.ts";
import type { ClientFlags, RequestFlags, ServerFlags } from "./flags.ts";

const WEEK = 7 * 24 * 3_600_000;

/** A command's work: it is given its options and returns an exit code. */
export type Action<Flags> = (flags: Flags) => Promise<number>;

/** Where each command is found; loaded only when it is chosen. */
export interface CommandTable {
  readonly server: () => Promise<Action<ServerFlags>>;
  readonly client: () => Promise<Action<ClientFlags>>;
  readonly request: () => Promise<Action<RequestFlags>>;
}

/**
 * Runs one command line.
 *
 * @param args what came after the program's name
 * @returns the exit code; every failure has been told on stderr
 */
export async function run(
  args: readonly string[],
  table: CommandTable,
): Promise<number> {
  let exitCode: number = Exit.ok;
  const perform =
    <Flags>(load: () => Promise<Action<Flags>>) => async (flags: Flags) => {
      exitCode = await (await load())(flags);
    };
  try {
    const program = occupancy();
    program.addCommand(serverCommand(perform(table.server)));
    program.addCommand(clientCommand(perform(table.client)));
    program.addCommand(requestCommand(perform(table.request)));
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? Exit.ok : Exit.usage;
    }
    if (isBrokenPipe(error)) return Exit.ok;
    const told = tell(error);
    say(`occupancy: ${told.message}`);
    if (told.hint !== undefined) say(`  hint: ${told.hint}`);
    if (Deno.env.get("OCCUPANCY_DEBUG")) console.error(error);
    return told.exitCode;
  }
}

function occupancy(): Command {
  const program = new Command("occupancy")
    .description(
      "A live occupancy map over MQTT: clients report x,y,value; the server keeps the latest of every coordinate and hands out the map.",
    )
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print help for a command")
    .addHelpText(
      "after",
      `
Examples:
  occupancy server
  occupancy client --file client1.json
  occupancy request --region 0,0,9,9`,
    );
  return settled(program);
}

/** Errors end in our exit codes, and commander's messages in our form. */
function settled(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut,
      writeErr: (text) => say(text.replace(/\n$/, "")),
      outputError: (text, write) =>
        write(text.replace(/^error: /, "occupancy: ")),
    })
    .showHelpAfterError(
      `  hint: see occupancy ${
        command.name() === "occupancy" ? "" : command.name() + " "
      }--help`,
    );
}

function subcommand(name: string, summary: string): Command {
  return settled(new Command(name).description(summary))
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(false);
}

/** The options that say which broker, and as whom. */
function withBroker(command: Command): Command {
  return command
    .addOption(
      new Option(
        "-b, --broker <url>",
        "broker to join: mqtt, mqtts, ws or wss, with user:password@ if it asks for them",
      ).env("OCCUPANCY_BROKER"),
    )
    .addOption(
      new Option("--ca <file>", "PEM certificate authority to trust for TLS")
        .env("OCCUPANCY_CA"),
    )
    .addOption(
      new Option("--prefix <topic>", "what all topics begin with")
        .default("occupancy").env("OCCUPANCY_PREFIX"),
    );
}

function serverCommand(action: (flags: ServerFlags) => Promise<void>): Command {
  const command = withBroker(
    subcommand(
      "server",
      "Keep the map. Joins the broker on localhost:1883 if there is one, else starts the embedded one there.",
    ),
  )
    .addOption(
      new Option(
        "-l, --listen <host:port>",
        "start the embedded broker there (port 0: any free one)",
      ).argParser(parsing(parseListen)).env("OCCUPANCY_LISTEN"),
    )
    .addOption(
      new Option("--name <id>", "MQTT client id, unique on the broker")
        .default("occupancy-server").env("OCCUPANCY_NAME"),
    )
    .addOption(
      new Option(
        "--store <address>",
        "where the map is kept: sqlite:PATH or memory: (default: a file in the platform's data folder, named after --name)",
      ).env("OCCUPANCY_STORE"),
    )
    .addOption(
      new Option(
        "--durability <level>",
        "what acknowledged readings survive: fsync, a power loss; commit, the end of the process",
      ).choices(["fsync", "commit"]).default("fsync").env(
        "OCCUPANCY_DURABILITY",
      ),
    )
    .addOption(
      new Option(
        "--stale-after <duration>",
        "a cell not observed for so long is stale (default: never)",
      ).argParser(parsing(parseDuration)).env("OCCUPANCY_STALE_AFTER"),
    )
    .addOption(
      new Option(
        "--forget-after <duration>",
        "a cell not observed for so long is unknown (default: never)",
      ).argParser(parsing(parseDuration)).env("OCCUPANCY_FORGET_AFTER"),
    )
    .addOption(
      new Option(
        "--max-skew <duration>",
        "refuse readings from further in the future",
      ).default(60_000, "60s").argParser(parsing(parseDuration)).env(
        "OCCUPANCY_MAX_SKEW",
      ),
    )
    .addOption(
      new Option(
        "--session-expiry <duration>",
        "how long the broker is asked to keep what arrives while the server is away",
      ).default(WEEK, "7d").argParser(parsing(parseDuration)).env(
        "OCCUPANCY_SESSION_EXPIRY",
      ),
    )
    .addOption(
      new Option(
        "--changes-interval <duration>",
        "changes of a layer are published at most once in so long; 0 for not at all",
      ).default(100, "100ms").argParser(parsing(parseWait))
        .env("OCCUPANCY_CHANGES_INTERVAL"),
    );
  return withHttp(command)
    .addHelpText(
      "after",
      `
Examples:
  occupancy server
  occupancy server --listen 0.0.0.0:1883
  occupancy server --broker mqtts://user:secret@broker.example`,
    )
    .action((flags, command) => action(oneBroker(flags, command)));
}

/** Of --broker and --listen one at most counts: a flag before the environment. */
function oneBroker(flags: ServerFlags, command: Command): ServerFlags {
  if (flags.broker === undefined || flags.listen === undefined) return flags;
  const { broker, listen, ...rest } = flags;
  const given = (name: string) => command.getOptionValueSource(name) === "cli";
  if (given("broker") === given("listen")) {
    throw new CliError("--listen cannot be used with --broker", {
      exitCode: Exit.usage,
      hint: "--listen starts a broker, --broker joins one: leave one out.",
    });
  }
  return given("broker") ? { ...rest, broker } : { ...rest, listen };
}

function clientCommand(action: (flags: ClientFlags) => Promise<void>): Command {
  return withBroker(
    subcommand(
      "client",
      "Send the readings of a file, wait until each is acknowledged, then ask for the map and print it.",
    ),
  )
    .requiredOption(
      "-f, --file <path>",
      "readings to send: .json, .ndjson or .csv; - reads standard input",
    )
    .addOption(layerOption("layer that the readings belong to"))
    .option("--source <name>", "who reports, sent with the readings")
    .option(
      "--batch <n>",
      "readings a message (default: 100, or 1 with --interval)",
      parsing(parseCount),
    )
    .option(
      "--interval <duration>",
      "pause between messages, such as 1s",
      parsing(parseWait),
    )
    .option("--no-request", "do not ask for the map afterwards")
    .option("--strict", "stop at the first bad row instead of skipping it")
    .addOption(wireOption())
    .addOption(timeoutOption())
    .addOption(formatOption())
    .option("--json", "the same as --format json")
    .addHelpText(
      "after",
      `
Examples:
  occupancy client --file client2.json
  occupancy client --file floor.csv --layer campus2/l2 --no-request
  sensors | occupancy client --file - --interval 1s`,
    )
    .action(action);
}

function requestCommand(
  action: (flags: RequestFlags) => Promise<void>,
): Command {
  const command = withBroker(
    subcommand(
      "request",
      "Ask for the map, or a part of it, and print it; or watch it change.",
    ),
  )
    .addOption(layerOption("layer to ask for"))
    .option(
      "-r, --region <x0,y0,x1,y1>",
      "only this rectangle, both corners included",
      parsing(parseRegion),
    )
    .addOption(
      new Option("--at <x,y>", "only this cell").argParser(parsing(parseAt))
        .conflicts("region"),
    );
  return withWatch(withForms(command))
    .addOption(wireOption())
    .addOption(timeoutOption())
    .addHelpText(
      "after",
      `
Examples:
  occupancy request
  occupancy request --region -10,-10,10,10
  occupancy request --at=-1,4 --json
  occupancy request --map --watch
  occupancy request --at 3,4 --test --quiet && echo occupied`,
    )
    .action(action);
}

/** The options that say how the answer is shown. */
function withForms(command: Command): Command {
  return command
    .addOption(formatOption())
    .option("--json", "the same as --format json")
    .option("-m, --map", "draw a map that fits the terminal")
    .addOption(
      new Option("--color <when>", "colours; auto heeds NO_COLOR")
        .choices(["auto", "always", "never"]).default("auto"),
    )
    .option(
      "--test",
      "print occupied, free, stale or unknown, and exit with 0, 10, 11, 11",
    )
    .option("-q, --quiet", "with --test: print nothing");
}

/** The options that follow the map. */
function withWatch(command: Command): Command {
  return command
    .option(
      "-w, --watch",
      "then what changes: a live table or --map in a terminal, else a line a change",
    )
    .option(
      "--count <n>",
      "with --watch: end after so many changes",
      parsing(parseCount),
    )
    .option(
      "--for <duration>",
      "with --watch: end after so long, such as 10s",
      parsing(parseWait),
    );
}

function layerOption(description: string): Option {
  return new Option("--layer <name>", description).default("default")
    .env("OCCUPANCY_LAYER");
}

function wireOption(): Option {
  return new Option(
    "--wire <form>",
    "original: speak to a server of the original Python kind",
  ).choices(["current", "original"]).default("current");
}

function formatOption(): Option {
  return new Option(
    "--format <form>",
    "table for people, tsv (x, y, value, status, time), json (default: table in a terminal, tsv in a pipe)",
  ).choices(["table", "tsv", "json"]);
}

function timeoutOption(): Option {
  return new Option("--timeout <duration>", "how long to wait for the answer")
    .default(5000, "5s").argParser(parsing(parseWait));
}

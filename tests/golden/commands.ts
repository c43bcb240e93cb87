/** The output of commands, in terminals of several widths and in a pipe. */
import { forEachAtOnce, runOccupancy } from "../support/processes.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { TerminalSession } from "../cli/terminal_session.ts";

/** Widths of the terminals, in columns. */
const WIDTHS = [40, 80, 200];
/** Processes that run at once. */
const CONCURRENCY = 4;
/** The time of the server, in ms since 1970. */
const NOW = 1_760_000_000_000;
const READINGS = [
  `1,2,1,${NOW - 1000}`,
  `2,2,0,${NOW - 65_000}`,
  `1,3,12,${NOW - 3_700_000}`,
  `-3,7,-1,${NOW}`,
];

/** The command lines. `URL` is replaced by the broker's address. */
export const COMMAND_LINES: readonly string[] = [
  "--help",
  ...[
    "server",
    "client",
    "request",
    "layers",
    "zones",
    "history",
    "users",
    "store",
    "simulate",
    "doctor",
    "config",
    "completions",
    "man",
  ].map((name) => `${name} --help`),
  "config request --broker mqtt://ann:secret@broker.example --timeout 9s",
  "request --broker URL",
  "request --broker URL --map",
  "request --broker URL --at 9,9",
  "request --broker URL --at 1,2 --test",
  "client --broker URL --file client1.json --layer hall --format tsv",
  "simulate --dry-run --scene desks --count 3",
  "request --timout 5s",
  "sever",
];

/** The output of one command, in one terminal or in a pipe. */
export interface CommandOutput {
  /** `80 columns: request --broker URL`, or `pipe: …`. */
  readonly name: string;
  readonly text: string;
  /** The same with NO_COLOR set. */
  readonly plain: string;
}

/** Runs all command lines in terminals of all widths and in a pipe. */
export async function runAll(): Promise<CommandOutput[]> {
  await using system = await startSystem("embedded", { clock: () => NOW });
  await fill(system);
  const jobs: (() => Promise<CommandOutput>)[] = COMMAND_LINES.flatMap((
    line,
  ) => [
    ...WIDTHS.map((columns) => () => inTerminal(line, columns, system.url)),
    () => inPipe(line, system.url),
  ]);
  const outputs: CommandOutput[] = [];
  const next = async () => {
    for (let job; (job = jobs.shift()) !== undefined;) {
      outputs.push(await job());
    }
  };
  await forEachAtOnce(Array.from({ length: CONCURRENCY }, () => 0), next);
  return outputs.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function fill(system: System): Promise<void> {
  await using client = await RawConnection.open(system.port, "filler");
  const options = { qos: 1, id: 1 } as const;
  await client.write(
    encodePublish("occupancy/data", READINGS.join("\n"), options),
  );
  await until(() => system.map.size === READINGS.length);
}

async function inTerminal(
  line: string,
  columns: number,
  url: string,
): Promise<CommandOutput> {
  const run = async (env: Record<string, string>) => {
    await using session = new TerminalSession(wordsOf(line, url), {
      columns,
      rows: 24,
      env,
    });
    const code = await session.ended();
    return normalized(session.output, url) + `exit ${code}`;
  };
  return {
    name: `${columns} columns: ${line}`,
    text: await run({}),
    plain: await run({ NO_COLOR: "1" }),
  };
}

async function inPipe(line: string, url: string): Promise<CommandOutput> {
  const run = async (env: Record<string, string>) => {
    const { code, stdout, stderr } = await runOccupancy(wordsOf(line, url), {
      env,
    });
    const errors = stderr && `--- stderr\n${stderr}`;
    return normalized(stdout + errors, url) + `exit ${code}`;
  };
  return {
    name: `pipe: ${line}`,
    text: await run({ NO_COLOR: "" }),
    plain: await run({ NO_COLOR: "1" }),
  };
}

function wordsOf(line: string, url: string): string[] {
  return line.split(" ").map((word) => word === "URL" ? url : word);
}

/** Replaces the parts of the output that differ between runs. */
function normalized(text: string, url: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(url, "URL")
    .replaceAll("\x1b[K", "")
    .replace(/\r(?:[\d,]+ readings sent(?:, \d+%)?)?/g, "")
    // The server dates the readings of the client with the present.
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");
}

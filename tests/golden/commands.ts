/** What commands print, in terminals of several widths and in a pipe. */
import { forEachAtOnce, runOccupancy } from "../support/processes.ts";
import { encodePublish, RawConnection } from "../support/raw_mqtt.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { TerminalSession } from "../cli/terminal_session.ts";

/** Columns of the terminals. */
const WIDTHS = [40, 80, 200];
/** Processes at a time. */
const AT_ONCE = 4;
const TIME = 1_760_000_000_000;
const READINGS = [
  `1,2,1,${TIME - 1000}`,
  `2,2,0,${TIME - 65_000}`,
  `1,3,12,${TIME - 3_700_000}`,
  `-3,7,-1,${TIME}`,
];

/** The command lines; `URL` stands for the broker's address. */
export const COMMAND_LINES: readonly string[] = [
  "--help",
  ...[
    "server",
    "client",
    "request",
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

/** Where a command runs, and what it printed there. */
export interface Printed {
  /** `80 columns: request --broker URL`, or `pipe: …`. */
  readonly name: string;
  readonly text: string;
  /** The same with NO_COLOR set. */
  readonly plain: string;
}

/** Runs every command everywhere. */
export async function printAll(): Promise<Printed[]> {
  await using system = await startSystem("embedded", { clock: () => TIME });
  await fill(system);
  const jobs: (() => Promise<Printed>)[] = COMMAND_LINES.flatMap((line) => [
    ...WIDTHS.map((columns) => () => inTerminal(line, columns, system.url)),
    () => inPipe(line, system.url),
  ]);
  const printed: Printed[] = [];
  const next = async () => {
    for (let job; (job = jobs.shift()) !== undefined;) {
      printed.push(await job());
    }
  };
  await forEachAtOnce(Array.from({ length: AT_ONCE }, () => 0), next);
  return printed.sort((a, b) => a.name < b.name ? -1 : 1);
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
): Promise<Printed> {
  const run = async (env: Record<string, string>) => {
    await using session = new TerminalSession(wordsOf(line, url), {
      columns,
      rows: 24,
      env,
    });
    const code = await session.ended();
    return settled(session.output, url) + `exit ${code}`;
  };
  return {
    name: `${columns} columns: ${line}`,
    text: await run({}),
    plain: await run({ NO_COLOR: "1" }),
  };
}

async function inPipe(line: string, url: string): Promise<Printed> {
  const run = async (env: Record<string, string>) => {
    const { code, stdout, stderr } = await runOccupancy(wordsOf(line, url), {
      env,
    });
    const said = stderr && `--- stderr\n${stderr}`;
    return settled(stdout + said, url) + `exit ${code}`;
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

/** Without what differs from run to run. */
function settled(text: string, url: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(url, "URL")
    .replace(/\r[\d,]+ readings sent/g, "").replaceAll("\r\x1b[K", "")
    // What the client has just sent is dated when it came.
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");
}

import manifest from "../../deno.json" with { type: "json" };
import { ToolError } from "../tool_error.ts";
import { type Ended, Program, runToEnd, type Surroundings } from "./program.ts";

/** Readings, and the map that must come of them. */
const READINGS = "x,y,value\n1,2,1\n-3,4,0\n5,6,12\n";
const CELLS = [[-3, 4, 0], [1, 2, 1], [5, 6, 12]];

/** Commands that print something without a broker. */
const ALONE: readonly string[][] = [
  ["config"],
  ["man"],
  ["completions", "bash"],
  ["simulate", "--dry-run", "--count", "3"],
];

/** What is checked, and where. */
export interface SmokeOptions {
  /** The program and the arguments that come before ours. */
  readonly command: readonly string[];
  /** An empty folder, to which nothing else writes. */
  readonly folder: string;
  /** Added to the environment, which is otherwise empty. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told what has been checked. */
  readonly passed?: (what: string) => void;
}

/**
 * Runs what a new user would run, in an empty folder with an empty home and an
 * empty environment: does the program work with nothing beside it?
 *
 * @throws {ToolError} at the first thing that is not as it should be
 */
export async function smoke(options: SmokeOptions): Promise<void> {
  const { folder, passed = () => {} } = options;
  const surroundings = await layOut(options);

  const { stdout: version } = await succeed(surroundings, ["--version"]);
  expect(version.trim().split(" (")[0], `occupancy ${manifest.version}`);
  passed(version.trim());

  const { stdout: help } = await succeed(surroundings, ["--help"]);
  for (const command of ["server", "client", "request"]) {
    if (!help.includes(command)) throw new ToolError(`No ${command} in --help`);
  }
  passed("--help");

  for (const args of ALONE) {
    const { stdout } = await succeed(surroundings, args);
    if (stdout === "") throw new ToolError(`Nothing from ${args.join(" ")}`);
  }
  passed("what needs no broker");

  await roundTrip(surroundings, "memory:");
  passed("server, client and request; the map in memory");

  const store = `sqlite:${folder}/empty/map.sqlite`;
  await roundTrip(surroundings, store);
  await using again = await serve(surroundings, store);
  await expectMap(surroundings, again);
  passed("the same with a SQLite store, and after a restart");

  await succeed(surroundings, [
    ...["doctor", "--broker", again.address],
    ...["--store", `sqlite:${folder}/empty/other.sqlite`],
  ]);
  passed("the doctor finds nothing wrong");

  await checkDashboard(again.map);
  await again.program.stop();
  passed("the dashboard and HTTP");
}

/** The page, what it loads, and the map that it would show. */
async function checkDashboard(address: string): Promise<void> {
  const page = await get(address);
  const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)];
  if (assets.length < 2) throw new ToolError(`No page at ${address}:\n${page}`);
  for (const [, path] of assets) await get(new URL(path!, address));
  await get(new URL("readyz", address));
  const summary = JSON.parse(await get(new URL("api/v1/summary", address)));
  expect(String(summary.cells), String(CELLS.length));
}

async function get(url: string | URL): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  if (response.ok && text !== "") return text;
  throw new ToolError(`GET ${url} answers ${response.status}\n${text}`);
}

/** Folders and an environment with nothing in them. */
async function layOut(
  { command, folder, env }: SmokeOptions,
): Promise<Surroundings> {
  for (const name of ["empty", "home", "temp", "path"]) {
    await Deno.mkdir(`${folder}/${name}`);
  }
  const home = `${folder}/home`;
  const temp = `${folder}/temp`;
  const windows = Deno.build.os === "windows"
    ? {
      USERPROFILE: home,
      LOCALAPPDATA: home,
      TEMP: temp,
      TMP: temp,
      // Sockets and random numbers need it.
      SystemRoot: Deno.env.get("SystemRoot") ?? "C:\\Windows",
    }
    : { TMPDIR: temp };
  return {
    command,
    cwd: `${folder}/empty`,
    env: {
      HOME: home,
      PATH: `${folder}/path`,
      NO_COLOR: "1",
      ...windows,
      ...env,
    },
  };
}

interface Server extends AsyncDisposable {
  readonly program: Program;
  /** Of its embedded broker. */
  readonly address: string;
  /** Where the map is shown. */
  readonly map: string;
}

async function serve(
  surroundings: Surroundings,
  store: string,
): Promise<Server> {
  const at = "127.0.0.1:0";
  const args = ["server", "--listen", at, "--http", at, "--store", store];
  const program = new Program(surroundings, args);
  try {
    const [, port] = await program.said(/\b127\.0\.0\.1:(\d+)/);
    const [, map] = await program.said(/Map at (http:\S+)/);
    await program.said(/Ready/);
    return {
      program,
      map: map!,
      address: `mqtt://127.0.0.1:${port}`,
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** Server, client, request; and the server ends when it is asked to. */
async function roundTrip(
  surroundings: Surroundings,
  store: string,
): Promise<void> {
  await using server = await serve(surroundings, store);
  const file = `${surroundings.cwd}/readings.csv`;
  await Deno.writeTextFile(file, READINGS);
  await succeed(surroundings, [
    ...["client", "--file", "readings.csv"],
    ...["--broker", server.address, "--no-request"],
  ]);
  await expectMap(surroundings, server);
  await server.program.stop();
}

async function expectMap(
  surroundings: Surroundings,
  { address }: Server,
): Promise<void> {
  const args = ["request", "--json", "--broker", address];
  const { stdout } = await succeed(surroundings, args);
  const { cells } = JSON.parse(stdout) as { cells: number[][] };
  const sorted = cells.map((cell) => cell.slice(0, 3))
    .sort(([a = 0], [b = 0]) => a - b);
  expect(JSON.stringify(sorted), JSON.stringify(CELLS));
}

async function succeed(
  surroundings: Surroundings,
  args: readonly string[],
): Promise<Ended> {
  const ended = await runToEnd(surroundings, args);
  if (ended.code === 0) return ended;
  throw new ToolError(
    `occupancy ${args.join(" ")} ended with ${ended.code}\n${ended.stderr}`
      .trimEnd(),
  );
}

function expect(found: string | undefined, wanted: string): void {
  if (found === wanted) return;
  throw new ToolError(`Expected ${wanted}, found ${found}`);
}

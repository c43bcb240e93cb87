/**
 * The smoke test: runs the first commands of a new user and checks the results.
 *
 * @module
 */
import manifest from "../../deno.json" with { type: "json" };
import { AppError } from "../../src/common/errors.ts";
import { type Ended, type Launch, Program, runToEnd } from "./program.ts";

/** Readings and the expected map. */
const READINGS = "x,y,value\n1,2,1\n-3,4,0\n5,6,12\n";
const CELLS = [[-3, 4, 0], [1, 2, 1], [5, 6, 12]];

/** Commands that need no broker. Each prints something. */
const OFFLINE_COMMANDS: readonly string[][] = [
  ["config"],
  ["man"],
  ["completions", "bash"],
  ["simulate", "--dry-run", "--count", "3"],
];

/** Options of {@linkcode smoke}. */
export interface SmokeOptions {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** An empty folder, for this test only. */
  readonly folder: string;
  /** Added to the environment, which is otherwise empty. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called after each check that passed. */
  readonly onPassed?: (what: string) => void;
}

/**
 * Checks that the program needs no other files: it runs in an empty folder,
 * with an empty home and an empty environment.
 *
 * @throws {AppError} at the first check that fails
 */
export async function smoke(options: SmokeOptions): Promise<void> {
  const { folder, onPassed = () => {} } = options;
  const launch = await prepare(options);

  const { stdout: version } = await succeed(launch, ["--version"]);
  expect(version.trim().split(" (")[0], `occupancy ${manifest.version}`);
  onPassed(version.trim());

  const { stdout: help } = await succeed(launch, ["--help"]);
  for (const command of ["server", "client", "request"]) {
    if (!help.includes(command)) {
      throw failure(`--help does not list ${command}`);
    }
  }
  onPassed("--help");

  for (const args of OFFLINE_COMMANDS) {
    const { stdout } = await succeed(launch, args);
    if (stdout === "") {
      throw failure(`occupancy ${args.join(" ")} prints nothing`);
    }
  }
  onPassed("commands that need no broker");

  await roundTrip(launch, "memory:");
  onPassed("server, client and request, with the map in memory");

  const store = `sqlite:${folder}/empty/map.sqlite`;
  await roundTrip(launch, store);
  await using again = await serve(launch, store);
  await expectMap(launch, again);
  onPassed("the same with SQLite, and after a restart");

  await succeed(launch, [
    ...["doctor", "--broker", again.broker],
    ...["--store", `sqlite:${folder}/empty/other.sqlite`],
  ]);
  onPassed("doctor finds no error");

  await checkHistory(launch, again.dashboard);
  onPassed("history, also as a Parquet file");

  await checkDashboard(again.dashboard);
  await again.program.stop();
  onPassed("dashboard and HTTP API");
}

/** Asks for the map as it was recorded, before and after the restart. */
async function checkHistory(launch: Launch, url: string): Promise<void> {
  const history = async (...args: string[]) =>
    (await succeed(launch, ["history", ...args, "--url", url])).stdout;
  const { recording } = JSON.parse(await history("info", "--json"));
  expect(String(recording), "true");
  const { cells } = JSON.parse(await history("--at", "now", "--json"));
  expectCells(cells);
  await history("--from", "-1h", "--step", "15m", "--format", "csv");
  const file = "history.parquet";
  await history("--at", "now", "--format", "parquet", "--output", file);
  expectParquet(await Deno.readFile(`${launch.cwd}/${file}`));
  const path = "api/v1/history/map?at=now&format=parquet";
  const response = await fetch(new URL(path, url));
  expectParquet(await response.bytes());
}

function expectParquet(bytes: Uint8Array): void {
  const marks = [bytes.subarray(0, 4), bytes.subarray(-4)];
  for (const mark of marks) expect(new TextDecoder().decode(mark), "PAR1");
}

/** Loads the page, its files, and the totals of the map. */
async function checkDashboard(address: string): Promise<void> {
  const page = await get(address);
  // Addresses are relative: a proxy may serve the page below a path.
  const assets = [...page.matchAll(/(?:src|href)="([^"#:]+)"/g)];
  if (assets.length < 2) throw failure(`No page at ${address}:\n${page}`);
  for (const [, path] of assets) await get(new URL(path!, address));
  await get(new URL("readyz", address));
  const summary = JSON.parse(await get(new URL("api/v1/summary", address)));
  expect(String(summary.cells), String(CELLS.length));
}

async function get(url: string | URL): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  if (response.ok && text !== "") return text;
  throw failure(`GET ${url} returns ${response.status}\n${text}`);
}

/** Makes empty folders and an environment that names only these. */
async function prepare(
  { command, folder, env }: SmokeOptions,
): Promise<Launch> {
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
      // Needed by sockets and random numbers.
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
  /** URL of its embedded broker. */
  readonly broker: string;
  /** URL of the dashboard. */
  readonly dashboard: string;
}

async function serve(
  launch: Launch,
  store: string,
): Promise<Server> {
  const at = "127.0.0.1:0";
  const args = ["server", "--listen", at, "--http", at, "--store", store];
  const program = new Program(launch, args);
  try {
    const [, port] = await program.waitForOutput(/\b127\.0\.0\.1:(\d+)/);
    const [, dashboard] = await program.waitForOutput(
      /Dashboard at (http:\S+)/,
    );
    await program.waitForOutput(/Ready/);
    return {
      program,
      dashboard: dashboard!,
      broker: `mqtt://127.0.0.1:${port}`,
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** Sends readings to a server, requests its map, and ends it. */
async function roundTrip(
  launch: Launch,
  store: string,
): Promise<void> {
  await using server = await serve(launch, store);
  const file = `${launch.cwd}/readings.csv`;
  await Deno.writeTextFile(file, READINGS);
  await succeed(launch, [
    ...["client", "--file", "readings.csv"],
    ...["--broker", server.broker, "--no-request"],
  ]);
  await expectMap(launch, server);
  await server.program.stop();
}

async function expectMap(
  launch: Launch,
  { broker }: Server,
): Promise<void> {
  const args = ["request", "--json", "--broker", broker];
  const { stdout } = await succeed(launch, args);
  expectCells(JSON.parse(stdout).cells);
}

function expectCells(cells: readonly number[][]): void {
  const sorted = cells.map((cell) => cell.slice(0, 3))
    .sort(([a = 0], [b = 0]) => a - b);
  expect(JSON.stringify(sorted), JSON.stringify(CELLS));
}

async function succeed(
  launch: Launch,
  args: readonly string[],
): Promise<Ended> {
  const ended = await runToEnd(launch, args);
  if (ended.code === 0) return ended;
  throw failure(
    `occupancy ${args.join(" ")} ended with ${ended.code}\n${ended.stderr}`,
  );
}

function expect(found: string | undefined, expected: string): void {
  if (found === expected) return;
  throw failure(`Expected ${expected}, found ${found}`);
}

function failure(message: string): AppError {
  return new AppError("smoke-failed", message.trimEnd());
}

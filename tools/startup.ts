/**
 * `deno task startup [EXECUTABLE]`: measures the start of the program, from the
 * checkout, the bundle and an executable, and of an empty Deno program. The
 * programs run in turn, so that other load on the machine affects all equally.
 *
 * @module
 */
import { PERMISSIONS } from "./compile/executable.ts";
import { Program } from "./smoke/program.ts";
import { BUNDLE, ROOT, runTool } from "./tool.ts";

const ROUNDS = 21;
/** Uncounted rounds, which fill the caches. */
const WARM_UP_ROUNDS = 3;

interface Row {
  readonly name: string;
  readonly command: readonly string[];
  /** Duration in each round, ms. */
  readonly times: number[];
}

if (import.meta.main) await runTool(() => main(Deno.args));

async function main([executable]: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "occupancy-startup-" });
  try {
    const empty = `${folder}/empty.js`;
    await Deno.writeTextFile(empty, "");
    const run = [Deno.execPath(), "run", "--quiet"];
    const launches: Record<string, string[]> = {
      checkout: [
        ...[...run, "--frozen", `--config=${ROOT}deno.json`],
        `--lock=${ROOT}deno.lock`,
        ...[...PERMISSIONS, `${ROOT}main.ts`],
      ],
      bundle: [...run, "--no-config", ...PERMISSIONS, BUNDLE],
      ...(executable && { executable: [await Deno.realPath(executable)] }),
    };
    await using server = new Program({
      command: launches.bundle!,
      cwd: folder,
      env: Deno.env.toObject(),
    }, ["server", "--listen", "127.0.0.1:0", "--store", "memory:"]);
    const [, port] = await server.waitForOutput(/\b127\.0\.0\.1:(\d+)/);
    const request = ["request", "--broker", `mqtt://127.0.0.1:${port}`];
    const rows: Row[] = [
      row("empty program", [...run, "--no-config", empty]),
      ...[["--help"], ["--version"], request].flatMap((args) =>
        Object.entries(launches).map(([name, command]) =>
          row(`${name} ${args[0]}`, [...command, ...args])
        )
      ),
    ];
    await measure(rows);
    report(rows);
    await server.stop();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function row(name: string, command: string[]): Row {
  return { name, command, times: [] };
}

async function measure(rows: readonly Row[]): Promise<void> {
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const { name, command: [program, ...args], times } of rows) {
      const start = performance.now();
      const { success } = await new Deno.Command(program!, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      const time = performance.now() - start;
      if (!success) throw new Error(`Cannot measure ${name}: it failed`);
      if (round >= 0) times.push(time);
    }
  }
}

function report(rows: readonly Row[]): void {
  const base = median(rows[0]!.times);
  console.log(`Median of ${ROUNDS} runs, fastest run, ratio`);
  for (const { name, times } of rows) {
    const middle = median(times);
    const fastest = Math.min(...times);
    console.log(
      `${name.padEnd(22)}${middle.toFixed(1).padStart(7)} ms${
        fastest.toFixed(1).padStart(8)
      } ms${(middle / base).toFixed(2).padStart(7)} × an empty program`,
    );
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}

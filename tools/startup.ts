/**
 * `deno task startup [EXECUTABLE]`: how long the program takes to start, from
 * the checkout, from the bundle, and as an executable if one is named, beside an
 * empty Deno program. Whole processes, interleaved, so that what else the
 * machine does is the same for all of them.
 *
 * @module
 */
import { Program } from "./smoke/program.ts";
import { PERMISSIONS } from "./compile/permissions.ts";
import { BUNDLE, ROOT } from "./places.ts";
import { runTool } from "./tool_error.ts";

const ROUNDS = 21;
/** The first runs fill the caches; they are not counted. */
const WARM_UP = 3;

interface Row {
  readonly what: string;
  readonly command: readonly string[];
  /** ms, one of each round. */
  readonly times: number[];
}

if (import.meta.main) await runTool(() => main(Deno.args));

async function main([executable]: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "occupancy-startup-" });
  try {
    const empty = `${folder}/empty.js`;
    await Deno.writeTextFile(empty, "");
    const run = [Deno.execPath(), "run", "--quiet"];
    const ways: Record<string, string[]> = {
      checkout: [
        ...[...run, "--frozen", `--config=${ROOT}deno.json`],
        `--lock=${ROOT}deno.lock`,
        ...[...PERMISSIONS, `${ROOT}main.ts`],
      ],
      bundle: [...run, "--no-config", ...PERMISSIONS, BUNDLE],
      ...(executable && { executable: [await Deno.realPath(executable)] }),
    };
    await using server = new Program({
      command: ways.bundle!,
      cwd: folder,
      env: Deno.env.toObject(),
    }, ["server", "--listen", "127.0.0.1:0", "--store", "memory:"]);
    const [, port] = await server.said(/\b127\.0\.0\.1:(\d+)/);
    const request = ["request", "--broker", `mqtt://127.0.0.1:${port}`];
    const rows: Row[] = [
      row("empty program", [...run, "--no-config", empty]),
      ...[["--help"], ["--version"], request].flatMap((args) =>
        Object.entries(ways).map(([way, command]) =>
          row(`${way} ${args[0]}`, [...command, ...args])
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

function row(what: string, command: string[]): Row {
  return { what, command, times: [] };
}

async function measure(rows: readonly Row[]): Promise<void> {
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const { what, command: [program, ...args], times } of rows) {
      const start = performance.now();
      const { success } = await new Deno.Command(program!, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      const time = performance.now() - start;
      if (!success) throw new Error(`Cannot measure ${what}: it fails`);
      if (round >= 0) times.push(time);
    }
  }
}

function report(rows: readonly Row[]): void {
  const base = median(rows[0]!.times);
  console.log(`median of ${ROUNDS} runs, and the fastest`);
  for (const { what, times } of rows) {
    const [middle, best] = [median(times), Math.min(...times)];
    console.log(
      `${what.padEnd(22)}${middle.toFixed(1).padStart(7)} ms${
        best.toFixed(1).padStart(8)
      } ms${(middle / base).toFixed(2).padStart(7)} × an empty program`,
    );
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}

/**
 * `deno task attacks`: all attacks against one server process, and how a good
 * client fares beside them. `deno task attacks idle-connections` runs one.
 */
import { parseArgs } from "node:util";
import { problemsOf, reportLine, runAttacks } from "./run_attacks.ts";

/** The aims; the measurement of turns has steps of 10 ms. */
const AIMS = { maxP99Ms: 100, maxTurnMs: 60 };

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "5" },
    cells: { type: "string", default: "1000000" },
    log: { type: "boolean", default: false },
  },
});
console.log(
  "A good client, in ms: median/99th percentile/maximum; the longest turns of the server's event loop, in ms",
);
console.log(reportLine());
const result = await runAttacks({
  ...(positionals.length > 0 && { names: positionals }),
  attackMs: Number(values.seconds) * 1000,
  answerTimeoutMs: 10_000,
  cells: Number(values.cells),
  onReport: (report) => console.log(reportLine(report)),
});
const { stopped, log, cap } = result;
console.log(`The server's memory: ${cap}`);
if (stopped !== undefined) {
  console.log(`SIGTERM ended it after ${stopped.ms.toFixed(0)} ms`);
}
if (values.log) console.log(log);
const problems = problemsOf(result, AIMS);
for (const problem of problems) console.log(`Problem: ${problem}`);
Deno.exit(problems.length > 0 ? 1 : 0);

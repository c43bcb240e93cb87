/**
 * `deno task attacks`: all attacks against one server process, and how a good
 * client fares beside them. `deno task attacks idle-connections` runs one;
 * `deno task attacks --connections 1000 --seconds 600 broker` runs all attacks
 * on the broker at once, beside 800 clients that behave well.
 */
import { parseArgs } from "node:util";
import { problemsOf, reportLine } from "./problems.ts";
import { runAttacks } from "./run_attacks.ts";

/** The aims; the measurement of turns has steps of 10 ms. */
const AIMS = { maxP99Ms: 100, maxTurnMs: 60 };
/** The aim for requests beside hostile connections. */
const MAX_P99_RATIO = 3;

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "5" },
    cells: { type: "string", default: "1000000" },
    connections: { type: "string" },
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
  ...(values.connections !== undefined && {
    connections: Number(values.connections),
  }),
  onReport: (report) => console.log(reportLine(report)),
});
const { stopped, log, cap } = result;
console.log(`The server's memory: ${cap}`);
if (stopped !== undefined) {
  console.log(`SIGTERM ended it after ${stopped.ms.toFixed(0)} ms`);
}
if (values.log) console.log(log);
const problems = problemsOf(result, {
  ...AIMS,
  ...(values.connections !== undefined && { maxP99Ratio: MAX_P99_RATIO }),
});
for (const problem of problems) console.log(`Problem: ${problem}`);
Deno.exit(problems.length > 0 ? 1 : 0);

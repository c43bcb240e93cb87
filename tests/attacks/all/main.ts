/** `deno task attacks`: all attacks, and how a good client fares beside them. */
import { parseArgs } from "node:util";
import { ATTACKS } from "./attacks.ts";
import { type AttackReport, runAttacks } from "./run_attacks.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "5" },
    cells: { type: "string", default: "1000000" },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(ATTACKS);
console.log(
  "Times of a good client in ms, 50th and 99th percentile and maximum",
);
console.log(
  line(["attack", "request", "GET", "QoS 1", "MB", "log", "counted"]),
);
const { cap, alive, stopped, lost, log } = await runAttacks({
  names,
  attackMs: Number(values.seconds) * 1000,
  cells: Number(values.cells),
  onReport: print,
});
console.log(`Memory: ${cap}. Alive at the end: ${alive}`);
console.log(
  stopped
    ? `SIGTERM ended it with ${stopped.code} after ${stopped.ms.toFixed(0)} ms`
    : "SIGTERM did not end it",
);
console.log(`Lost acknowledged readings: ${lost.length}`, lost.slice(0, 5));
console.log(log.split("\n").slice(-12).join("\n").slice(-3000));

function print(report: AttackReport): void {
  const { p50, p99, max, counted, peakBytes, logLines, failures } = report;
  const times = (of: "request" | "get" | "reading") =>
    [p50, p99, max].map((ms) => ms[of].toFixed(0)).join("/");
  console.log(line([
    report.name,
    ...[times("request"), times("get"), times("reading")],
    (peakBytes / 2 ** 20).toFixed(0),
    String(logLines),
    [...counted].map(([name, count]) => `${name} ${count}`).join(", "),
  ]));
  for (const failure of failures.slice(0, 3)) {
    console.log(`    ${failure.slice(0, 200)} (of ${failures.length})`);
  }
}

function line(columns: readonly string[]): string {
  const widths = [26, 15, 15, 15, 5, 5, 0];
  return columns.map((text, i) => text.padEnd(widths[i]!)).join(" ");
}

/** `deno task chaos`: the full size, with both brokers. */
import { parseArgs } from "node:util";
import { BROKERS } from "../support/system.ts";
import { type ChaosReport, runChaos } from "./chaos.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seed: { type: "string" },
    readings: { type: "string", default: "60000" },
    kills: { type: "string", default: "5" },
  },
});
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1)));
const readings = Number(values.readings);
const kills = Number(values.kills);

let failed = false;
console.log(`seed ${seed}: the same again with deno task chaos --seed ${seed}`);
for (const broker of BROKERS) {
  for (const durability of ["fsync", "commit"] as const) {
    const report = await runChaos({
      broker,
      readings,
      kills,
      seed,
      durability,
    });
    console.log(`${broker}, ${durability}: ${summary(report)}`);
    failed ||= report.lost.length + report.invented.length > 0;
  }
}
Deno.exit(failed ? 1 : 0);

function summary(report: ChaosReport): string {
  const { acknowledged, messages, resent, lost, invented, cells } = report;
  const { recoveries, duration } = report;
  return [
    `${acknowledged} readings acknowledged (${messages} messages, ${resent} sent again)`,
    `${recoveries.length} kills`,
    `${lost.length} cells that lost a reading`,
    `${invented.length} that nobody sent`,
    `${cells} cells compared with the model's`,
    `back in ${Math.round(Math.max(0, ...recoveries))} ms at most`,
    `${(duration / 1000).toFixed(1)} s`,
    ...lost.slice(0, 5).map((cell) => `\n  lost ${cell}`),
    ...invented.slice(0, 5).map((cell) => `\n  invented ${cell}`),
  ].join(", ");
}

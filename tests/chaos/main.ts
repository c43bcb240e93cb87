/** `deno task chaos`: full chaos runs with each broker and durability. */
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
console.log(`Seed ${seed}. Repeat with: deno task chaos --seed ${seed}`);
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
    `${invented.length} cells with a value that was never sent`,
    `${cells} cells compared`,
    `ready again within ${Math.round(Math.max(0, ...recoveries))} ms`,
    `${(duration / 1000).toFixed(1)} s`,
    ...lost.slice(0, 5).map((cell) => `\n  lost ${cell}`),
    ...invented.slice(0, 5).map((cell) => `\n  invented ${cell}`),
  ].join(", ");
}

/**
 * `deno task chaos`: full chaos runs with each broker and durability, then
 * servers that stand still and networks that are cut for a minute. With
 * `--cluster` instead a group of servers on a Redis Cluster.
 */
import { parseArgs } from "node:util";
import { BROKERS } from "../support/system.ts";
import { type ChaosReport, runChaos } from "./chaos.ts";
import { cutNetwork } from "./cut_network.ts";
import { runHistoryChaos } from "./history.ts";
import { standStill } from "./stand_still.ts";

/** A broker with a keep-alive of 30 s closes the connection after 45 s. */
const STAND_STILL_MS = 60_000;
/** Shorter than those 45 s: the connection survives. */
const SHORT_CUT_MS = 43_000;
const LONG_CUT_MS = 60_000;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seed: { type: "string" },
    readings: { type: "string", default: "60000" },
    kills: { type: "string", default: "5" },
    cluster: { type: "boolean", default: false },
    replicas: { type: "string", default: "1" },
    seconds: { type: "string", default: "60" },
  },
});
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1)));
const readings = Number(values.readings);
const kills = Number(values.kills);

let failed = false;
const command = `deno task chaos${values.cluster ? " --cluster" : ""}`;
console.log(`Seed ${seed}. Repeat with: ${command} --seed ${seed}`);
if (values.cluster) {
  const { checkCluster } = await import("./cluster/main.ts");
  const [seconds, replicas] = [Number(values.seconds), Number(values.replicas)];
  const sizes = { readings, kills, seconds, replicas, seed };
  Deno.exit(await checkCluster(sizes) ? 0 : 1);
}
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
    const { lost, invented, undelivered } = report;
    failed ||= lost.length + invented.length + undelivered.length > 0;
  }
}
await checkHistory();
for (const broker of BROKERS) {
  const name = `${broker}, stands still for ${STAND_STILL_MS / 1000} s`;
  await check(name, () => standStill(broker, STAND_STILL_MS));
}
for (
  const [swallowed, ms] of [
    ["delayed", SHORT_CUT_MS],
    ["lost", SHORT_CUT_MS],
    ["lost", LONG_CUT_MS],
  ] as const
) {
  const name = `network cut for ${ms / 1000} s, what was sent is ${swallowed}`;
  await check(name, () => cutNetwork(swallowed, ms));
}
Deno.exit(failed ? 1 : 0);

async function checkHistory(): Promise<void> {
  const { compared, wrong } = await runHistoryChaos({ readings, kills, seed });
  console.log(`history: ${compared} states compared, wrong: ${wrong.join()}`);
  failed ||= wrong.length > 0;
}

async function check(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    console.log(`${name}: nothing lost, nothing shown as new`);
  } catch (error) {
    failed = true;
    console.log(`${name}: FAILED`);
    console.log(error);
  }
}

function summary(report: ChaosReport): string {
  const { acknowledged, messages, resent, lost, invented, cells } = report;
  const { undelivered, recoveries, duration } = report;
  return [
    `${acknowledged} readings acknowledged (${messages} messages, ${resent} sent again)`,
    `${recoveries.length} kills`,
    `${lost.length} cells that lost a reading`,
    `${invented.length} cells with a value that was never sent`,
    `${undelivered.length} messages not delivered in order`,
    `${cells} cells compared`,
    `ready again within ${Math.round(Math.max(0, ...recoveries))} ms`,
    `${(duration / 1000).toFixed(1)} s`,
    ...lost.slice(0, 5).map((cell) => `\n  lost ${cell}`),
    ...invented.slice(0, 5).map((cell) => `\n  invented ${cell}`),
    ...undelivered.slice(0, 5).map((one) => `\n  not delivered ${one}`),
  ].join(", ");
}

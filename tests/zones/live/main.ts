/**
 * `deno task zones`: a long random run of the zones of a server, with each
 * broker. See `live_run.ts`.
 */
import { parseArgs } from "node:util";
import { BROKERS } from "../../support/system.ts";
import { runLive } from "./live_run.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seed: { type: "string" },
    minutes: { type: "string", default: "10" },
  },
});
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1)));
const minutes = Number(values.minutes);
console.log(
  `Seed ${seed}. Repeat with: deno task zones --seed ${seed} --minutes ${minutes}`,
);
const runs = BROKERS.flatMap((broker) =>
  (["store", "file"] as const).map((source) => ({ broker, source }))
);
let failed = false;
for (const run of runs) {
  const name = `${run.broker}, zones of a ${run.source}`;
  const ms = minutes * 60_000 / runs.length;
  try {
    const report = await runLive({ ...run, seed, ms });
    const text = Object.entries(report).map(([what, n]) => `${n} ${what}`);
    console.log(`${name}: ${text.join(", ")}`);
  } catch (error) {
    failed = true;
    console.log(`${name}: FAILED`);
    console.log(error);
  }
}
Deno.exit(failed ? 1 : 0);

/**
 * After any sequence of readings, expiry, edits, restarts and kills of a server,
 * every zone equals a recount from the cells, the events of a zone alternate and
 * none is lost, and acknowledged edits are in force. `deno task zones` runs
 * longer.
 */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BROKERS } from "../support/system.ts";
import { runLive } from "./live/live_run.ts";

const RUN_MS = 12_000;
/** A busy machine needs longer for them. */
const MIN_COMPARED = 21;

for (const broker of BROKERS) {
  for (const source of ["store", "file"] as const) {
    Deno.test({
      name: `zones of a ${source} over ${broker}: right states and events`,
      ...needs(...(broker === "mosquitto" ? ["mosquitto" as const] : [])),
      fn: async () => {
        const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
        try {
          const report = await runLive({
            ...{ broker, source, seed, ms: RUN_MS, compared: MIN_COMPARED },
          });
          assert.ok(report.events > 0, JSON.stringify(report));
        } catch (cause) {
          const what = `Repeat with: deno task zones --seed ${seed}`;
          throw new Error(what, { cause });
        }
      },
    });
  }
}

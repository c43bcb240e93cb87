/**
 * `deno task fuzz`: random HTTP requests, WebSocket frames and MQTT sessions
 * against a server, and random MQTT packets through the decoder. `--kind http
 * --case N` runs one case; `--kind codec --packets 10000000` only the decoder.
 */
import { parseArgs } from "node:util";
import { fuzzCodec } from "./codec_fuzz.ts";
import { type Kind, KINDS, runFuzz } from "./fuzz.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seed: { type: "string" },
    requests: { type: "string", default: "100000" },
    sessions: { type: "string", default: "20000" },
    packets: { type: "string", default: "2000000" },
    kind: { type: "string" },
    case: { type: "string" },
  },
});
const seed = values.seed === undefined
  ? crypto.getRandomValues(new Uint32Array(1))[0]!
  : Number(values.seed);

const counts: Record<Kind, number> = {
  http: Number(values.requests),
  token: Math.ceil(Number(values.requests) / 10),
  websocket: Number(values.sessions),
  mqtt: Number(values.requests),
};
const one = values.case === undefined ? undefined : Number(values.case);

let failed = false;
console.log(`Seed ${seed}. Repeat with: deno task fuzz --seed ${seed}`);
for (const kind of KINDS) {
  if (values.kind !== undefined && values.kind !== kind) continue;
  const start = performance.now();
  const { failures, answered, peakBytes, turns, goodClient, grown } =
    await runFuzz({
      ...{ seed, kind, cases: one === undefined ? counts[kind] : 1 },
      first: one ?? 0,
      onProgress: (done) => {
        if (done % 10_000 === 0) console.log(`${kind}: ${done} cases`);
      },
    });
  const { median, max } = goodClient;
  console.log([
    `${kind}: ${answered} answered`,
    `${failures.length} failures`,
    `a good client waited ${median.toFixed(1)} ms, at most ${
      max.toFixed(0)
    } ms`,
    `longest turns ${turns.slice(0, 3)} ms`,
    `peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
    `memory grown to ${grown.toFixed(2)} times`,
    `${((performance.now() - start) / 1000).toFixed(0)} s`,
  ].join(", "));
  for (const failure of failures) console.log(failure);
  failed ||= failures.length > 0;
}
if (one === undefined && [undefined, "codec"].includes(values.kind)) {
  const start = performance.now();
  const { failures, packets, refused, maxMs } = fuzzCodec({
    ...{ seed, packets: Number(values.packets) },
    onProgress: (done) => console.log(`codec: ${done} packets`),
  });
  console.log([
    `codec: ${packets} packets`,
    `${refused} streams refused`,
    `${failures.length} failures`,
    `at most ${maxMs.toFixed(0)} ms for a stream`,
    `${((performance.now() - start) / 1000).toFixed(0)} s`,
  ].join(", "));
  for (const failure of failures) console.log(failure);
  failed ||= failures.length > 0;
}
Deno.exit(failed ? 1 : 0);

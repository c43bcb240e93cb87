/** A short run of `deno task fuzz`. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { fuzzCodec } from "./codec_fuzz.ts";
import { runFuzz } from "./fuzz.ts";

const CASES = [["http", 800], ["token", 200], ["websocket", 300], [
  "mqtt",
  500,
]] as const;

for (const [kind, cases] of CASES) {
  Deno.test({
    name:
      `${cases} random cases (${kind}): each is answered or closed, no fault, a good client is served`,
    ...needs(),
    fn: async () => {
      const { failures, answered } = await runFuzz({ seed: 7, kind, cases });
      assert.deepEqual(failures, []);
      assert.ok(answered > cases / 4, `${answered} answered`);
    },
  });
}

Deno.test({
  name:
    "100,000 mutated MQTT packets are decoded or refused, in pieces and in runs as at once",
  ...needs(),
  fn: () => {
    const { failures, refused } = fuzzCodec({ seed: 7, packets: 100_000 });
    assert.deepEqual(failures, []);
    assert.ok(refused > 10_000, `${refused} refused`);
  },
});

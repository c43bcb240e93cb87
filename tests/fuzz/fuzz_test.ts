/** A short run of `deno task fuzz`. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { runFuzz } from "./fuzz.ts";

const CASES = [["http", 800], ["token", 200], ["websocket", 300]] as const;

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

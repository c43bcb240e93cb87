/** The option --group of `occupancy server`. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { runOccupancy } from "../../../support/processes.ts";

Deno.test({
  name: "--group needs a shared store, and names that are one topic level",
  ...needs(),
  fn: async () => {
    const cases: [args: string[], message: RegExp, hint: RegExp][] = [
      [
        ["--group", "hall"],
        /without a store that the servers share/,
        /--store redis:/,
      ],
      [
        ["--group", "a/b"],
        /Invalid --group "a\/b"/,
        /one topic level/,
      ],
      [
        ["--group", "hall", "--name", "a/b", "--store", "redis://127.0.0.1:1"],
        /--group with the --name "a\/b": it has a slash/,
        /such as server-1/,
      ],
    ];
    for (const [args, message, hint] of cases) {
      const { code, stderr } = await runOccupancy(["server", ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.match(stderr, hint);
    }
  },
});

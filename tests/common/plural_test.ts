import assert from "node:assert/strict";
import { plural } from "../../src/common/plural.ts";

Deno.test({
  name: "plural() adds an s, except for one",
  permissions: "none",
  fn: () => {
    assert.deepEqual([0, 1, 2].map((n) => plural(n, "cell")), [
      "0 cells",
      "1 cell",
      "2 cells",
    ]);
  },
});

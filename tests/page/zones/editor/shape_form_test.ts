/// <reference lib="dom" />
import assert from "node:assert/strict";
import { parseCorners } from "../../../../src/page/zones/editor/shape_form.ts";

Deno.test("corners are typed with spaces or semicolons between them", () => {
  const corners = [[0, 0], [10, -0.5], [3, 4]];
  for (
    const text of [
      "0,0 10,-0.5 3,4",
      " (0, 0); (10,−0.5);\n(3,4) ",
      "0,0\t10 ,-0.5  3,4",
    ]
  ) assert.deepEqual(parseCorners(text), corners, text);
});

Deno.test("what is not at least three corners is refused", () => {
  for (
    const text of ["", "0,0 1,1", "0,0 1,1 2", "0,0 1,1 a,b", "0 0 1 1 2 2"]
  ) assert.equal(parseCorners(text), undefined, text);
});

import assert from "node:assert/strict";
import { scaleBar } from "../../../src/page/panels/legend.ts";

Deno.test({
  name: "scaleBar() returns 1, 2 or 5 times a power of ten, of at least 60 px",
  permissions: "none",
  fn: () => {
    for (const pxPerUnit of [1e-7, 0.003, 0.5, 1, 3.3, 17, 96, 4000]) {
      for (const whole of [true, false]) {
        const { length, px } = scaleBar(pxPerUnit, whole);
        assert.match(length.toExponential(), /^[125]e/);
        assert.equal(px, length * pxPerUnit);
        assert.ok(px >= 60, `${length} at ${pxPerUnit} is ${px} px`);
        if (whole) assert.ok(Number.isInteger(length));
        else assert.ok(px < 200, `${length} at ${pxPerUnit} is ${px} px`);
      }
    }
  },
});

/** Reason codes. */
import assert from "node:assert/strict";
import { ReasonCode } from "../../../src/broker/codec/reason_codes.ts";

Deno.test({
  name: "every reason code is a byte, used once",
  permissions: "none",
  fn: () => {
    const codes = Object.values(ReasonCode);
    assert.equal(new Set(codes).size, codes.length);
    assert.ok(codes.every((code) => code >= 0 && code <= 0xff));
  },
});

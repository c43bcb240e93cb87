/** Names of reason codes. */
import assert from "node:assert/strict";
import {
  describeReason,
  ReasonCode,
} from "../../../src/broker/codec/reason_codes.ts";

Deno.test({
  name: "a reason code is described by its name and its number",
  permissions: "none",
  fn: () => {
    assert.equal(describeReason(0x95), "packet too large (0x95)");
    assert.equal(describeReason(0x9b), "QoS not supported (0x9b)");
    assert.equal(describeReason(0x02), "granted QoS 2 (0x02)");
    assert.equal(describeReason(0xff), "0xff");
  },
});

Deno.test({
  name: "every reason code is a byte, used once",
  permissions: "none",
  fn: () => {
    const codes = Object.values(ReasonCode);
    assert.equal(new Set(codes).size, codes.length);
    assert.ok(codes.every((code) => code >= 0 && code <= 0xff));
  },
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeReport,
  encodeState,
  parseState,
  type ServerState,
} from "../../src/protocol/mod.ts";
import { attempt, errorOf, jsonOf, pure, textOf, utf8 } from "./support.ts";

pure(
  "encodeReport() omits undefined fields",
  () => {
    const report = {
      topic: "occupancy/data/l2",
      code: "bad-x",
      message: 'x is not an integer: "\\x00"',
      count: 3,
      suppressed: 0,
      time: 5,
    };
    assert.deepEqual(jsonOf(encodeReport(report)), report);
    const more = { ...report, line: 2, source: 'cam "1"' };
    assert.deepEqual(jsonOf(encodeReport(more)), more);
    assert.deepEqual(
      jsonOf(encodeReport({ ...report, line: undefined, source: undefined })),
      report,
    );
  },
);

pure("encodeState() is the inverse of parseState()", () => {
  const states: ServerState[] = [
    { state: "online" },
    { state: "offline" },
    { state: "online", name: "o", version: "0.1.0", since: 5 },
  ];
  for (const state of states) {
    assert.deepEqual(parseState(encodeState(state)), state);
  }
  assert.equal(
    textOf(encodeState({ state: "offline" })),
    '{"state":"offline"}',
  );
  assert.deepEqual(parseState(utf8('{"state":"online","more":[]}')), {
    state: "online",
  });
});

pure("parseState() refuses other input", () => {
  const table: [string, string][] = [
    ["", "bad-json"],
    ["online", "bad-json"],
    ["[]", "bad-state"],
    ["{}", "bad-state"],
    ['{"state":"up"}', "bad-state"],
    ['{"state":"online","name":1}', "bad-state"],
    ['{"state":"online","version":null}', "bad-state"],
    ['{"state":"online","since":"now"}', "bad-state"],
  ];
  for (const [payload, code] of table) {
    assert.equal(errorOf(() => parseState(utf8(payload))).code, code, payload);
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    attempt(() => parseState(bytes));
  }));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { findJsonFault } from "../../src/zones/json_fault.ts";
import { pure } from "./support.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

pure("findJsonFault() finds a fault exactly if JSON.parse does", () => {
  const edit = fc.tuple(
    fc.nat(),
    fc.nat(3),
    fc.constantFrom(...'{}[],:"\\0123456789.-+eE truefalsn\n\u0001é\u0085'),
  );
  fc.assert(
    fc.property(
      fc.json(),
      fc.array(edit, { maxLength: 3 }),
      (json, edits) => {
        let text = json;
        for (const [at, cut, insert] of edits) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + insert + text.slice(from + cut);
        }
        const fault = findJsonFault(text);
        assert.equal(fault === undefined, parses(text), text);
        if (fault === undefined) return;
        // A text that is right up to the fault can be completed.
        assert.ok(fault.at >= 0 && fault.at <= text.length);
        if (fault.isCutOff) assert.equal(fault.at, text.length);
        const before = findJsonFault(text.slice(0, fault.at));
        assert.ok(
          before === undefined || before.isCutOff || isInWord(text, fault.at),
          text,
        );
      },
    ),
    { numRuns: 5000 },
  );
});

/** Numbers and words are refused as a whole. */
function isInWord(text: string, at: number): boolean {
  return /[\w.+-]/.test(text[at - 1] ?? "");
}

pure("findJsonFault() knows a text that was cut off, at any place", () => {
  const cut = fc.tuple(fc.json(), fc.nat());
  fc.assert(
    fc.property(cut, ([json, at]) => {
      const text = json.slice(0, at % json.length);
      const fault = findJsonFault(text);
      assert.ok(fault === undefined || fault.isCutOff, text);
    }),
    { numRuns: 2000 },
  );
});

pure("findJsonFault() says where and what", () => {
  const cases: [text: string, at: number, problem: RegExp][] = [
    ["", 0, /too early/],
    ['{"a":1,}', 7, /"}" where a name was expected/],
    ["[1 2]", 3, /"2" where a comma or ] was expected/],
    ["[1,]", 3, /"]" where a value was expected/],
    ["{'a':1}", 1, /"'" where a name/],
    ['{"a" 1}', 5, /where a colon/],
    ["[NaN]", 1, /"NaN" where a value/],
    ["[01]", 1, /"01" where a value/],
    ['["a\nb"]', 3, /control character/],
    ['["\\x"]', 2, /backslash/],
    ['["abc', 5, /too early/],
    ["1]", 1, /"]" where the end/],
  ];
  for (const [text, at, problem] of cases) {
    const fault = findJsonFault(text);
    assert.equal(fault?.at, at, text);
    assert.match(fault!.problem, problem);
  }
});

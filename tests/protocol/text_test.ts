import assert from "node:assert/strict";
import fc from "fast-check";
import { excerpt, Refusals } from "../../src/protocol/mod.ts";
import { pure } from "./support.ts";

pure("excerpt() escapes what could harm a log or a terminal", () => {
  assert.equal(excerpt("a b"), "a b");
  assert.equal(excerpt("é漢😀"), "é漢😀");
  assert.equal(excerpt("a\nb\r\tc"), "a\\nb\\r\\tc");
  assert.equal(excerpt("\x1b[2J\0\x9b"), "\\x1b[2J\\x00\\x9b");
  assert.equal(excerpt("\u202eabc\u2028"), "\\u{202e}abc\\u{2028}");
  assert.equal(excerpt("\ud800"), "\\u{d800}");
});

pure("excerpt() is 40 characters at most, and shows when it is cut", () => {
  assert.equal(excerpt("a".repeat(40)), "a".repeat(40));
  assert.equal(excerpt("a".repeat(41)), "a".repeat(39) + "…");
  assert.equal(excerpt("\n".repeat(41)), "\\n".repeat(19) + "…");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      const shown = excerpt(text);
      assert.ok(shown.length <= 40);
      assert.ok(shown.isWellFormed());
      assert.doesNotMatch(shown, /\p{C}/u);
    }),
  );
});

pure("Refusals asks for a message only while it keeps it", () => {
  const refusals = new Refusals();
  let asked = 0;
  for (let line = 1; line <= 100; line++) {
    refusals.add("bad-x", () => `message ${++asked}`, line);
  }
  refusals.add("late", () => assert.fail("asked"));
  assert.equal(asked, 8);
  assert.equal(refusals.total, 101);
  assert.deepEqual([...refusals.byCode], [["bad-x", 100], ["late", 1]]);
  assert.deepEqual(refusals.kept[7], {
    code: "bad-x",
    message: "message 8",
    line: 8,
  });
});

pure("Refusals that are empty share nothing that could be changed", () => {
  const one = new Refusals();
  const two = new Refusals();
  one.add("bad-x", () => "x");
  assert.equal(two.total, 0);
  assert.equal(two.byCode.size, 0);
  assert.deepEqual(two.kept, []);
  assert.deepEqual(one.kept, [{ code: "bad-x", message: "x" }]);
});

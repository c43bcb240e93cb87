import assert from "node:assert/strict";
import fc from "fast-check";
import { excerpt } from "../../src/protocol/mod.ts";
import { pure } from "./support.ts";

pure("excerpt() escapes control and format characters", () => {
  assert.equal(excerpt("a b"), "a b");
  assert.equal(excerpt("é漢😀"), "é漢😀");
  assert.equal(excerpt("a\nb\r\tc"), "a\\nb\\r\\tc");
  assert.equal(excerpt("\x1b[2J\0\x9b"), "\\x1b[2J\\x00\\x9b");
  assert.equal(excerpt("\u202eabc\u2028"), "\\u{202e}abc\\u{2028}");
  assert.equal(excerpt("\ud800"), "\\u{d800}");
});

pure("excerpt() has at most 40 characters and marks a cut", () => {
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

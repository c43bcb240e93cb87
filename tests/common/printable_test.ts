import assert from "node:assert/strict";
import fc from "fast-check";
import {
  excerpt,
  printable,
  printableJson,
  quoteName,
} from "../../src/common/printable.ts";

Deno.test({
  name:
    "printable() escapes control, bidi, zero-width and invisible characters",
  permissions: "none",
  fn: () => {
    const cases: [text: string, printed: string][] = [
      ["\x1b[31mred\x07", "\\x1b[31mred\\x07"],
      ["a\tb\r\nc", "a\\tb\\r\\nc"],
      ["\u009b2J", "\\x9b2J"],
      ["\u202egnp.exe", "\\u{202e}gnp.exe"],
      ["\u2066a\u2069\u061c", "\\u{2066}a\\u{2069}\\u{61c}"],
      [
        "a\u200bb\u200c\u200d\u2060\ufeff",
        "a\\u{200b}b\\u{200c}\\u{200d}\\u{2060}\\u{feff}",
      ],
      [
        "\u00ad\u034f\u115f\u3164\ufe0f\u2800",
        "\\xad\\u{34f}\\u{115f}\\u{3164}\\u{fe0f}\\u{2800}",
      ],
      ["\u2028\u2029", "\\u{2028}\\u{2029}"],
      ["\ud800", "\\u{d800}"],
      ["\u{e0041}", "\\u{e0041}"],
    ];
    for (const [text, printed] of cases) assert.equal(printable(text), printed);
  },
});

Deno.test({
  name: "printable() keeps letters, marks and emoji with their joiners",
  permissions: "none",
  fn: () => {
    const text =
      "Bu\u0308ro 会議室 🏢🏬 hq ❤\ufe0f 👩\u200d💻 👍🏽 🇩🇪 1\ufe0f\u20e3 سلام";
    assert.equal(printable(text), text);
  },
});

Deno.test({
  name: "printable() returns well-formed text without controls for every text",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const printed = printable(text);
      assert.doesNotMatch(
        printed,
        /\p{Cc}|[\u202a-\u202e\u2066-\u2069\u200b]/u,
      );
      assert.ok(printed.isWellFormed());
    }));
  },
});

Deno.test({
  name: "printableJson() is JSON.stringify() with invisible characters escaped",
  permissions: "none",
  fn: () => {
    assert.equal(
      printableJson({ layer: "a\u202eb", x: [1, "会議室"] }),
      '{"layer":"a\\u202eb","x":[1,"会議室"]}',
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const json = printableJson({ text });
      assert.deepEqual(JSON.parse(json), { text });
      assert.equal(printable(json), json);
    }));
  },
});

Deno.test({
  name: "excerpt() escapes control and format characters",
  permissions: "none",
  fn: () => {
    assert.equal(excerpt("a b"), "a b");
    assert.equal(excerpt("é漢😀"), "é漢😀");
    assert.equal(excerpt("a\nb\r\tc"), "a\\nb\\r\\tc");
    assert.equal(excerpt("\x1b[2J\0\x9b"), "\\x1b[2J\\x00\\x9b");
    assert.equal(excerpt("\u202eabc\u2028"), "\\u{202e}abc\\u{2028}");
    assert.equal(excerpt("\ud800"), "\\u{d800}");
  },
});

Deno.test({
  name: "excerpt() has at most 40 characters and marks a cut",
  permissions: "none",
  fn: () => {
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
  },
});

Deno.test({
  name: "quoteName() shows long and hostile names as one short line",
  permissions: "none",
  fn: () => {
    assert.equal(quoteName("sensor 1"), '"sensor 1"');
    const hostile = "\n2026-01-01 Ready\x1b[2J\x9b1m\u2028\u202e";
    const shown = quoteName(hostile + "\x1b".repeat(65_000));
    assert.ok(
      shown.startsWith(
        '"\\n2026-01-01 Ready\\x1b[2J\\x9b1m\\u{2028}\\u{202e}\\x1b',
      ),
      shown,
    );
    assert.ok(shown.length <= 202 && shown.endsWith('…"'));
  },
});

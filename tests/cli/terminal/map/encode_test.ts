import assert from "node:assert/strict";
import fc from "fast-check";
import {
  BOLD,
  Canvas,
  type ColorDepth,
  encodeChanges,
  encodeLines,
  styleOf,
} from "../../../../src/cli/terminal/map/mod.ts";
import { FakeTerminal } from "../../fake_terminal.ts";

const canvas = (width: number, height: number) =>
  fc.array(
    fc.record({
      character: fc.constantFrom(" ", " ", "a", "▀", "░"),
      foreground: fc.integer({ min: 0, max: 3 }),
      background: fc.integer({ min: 0, max: 3 }),
      bold: fc.boolean(),
    }),
    { minLength: width * height, maxLength: width * height },
  ).map((cells) => {
    const drawn = new Canvas(width, height);
    cells.forEach(({ character, foreground, background, bold }, i) => {
      const style = styleOf(foreground, background) | (bold ? BOLD : 0);
      const row = Math.floor(i / width);
      drawn.put(i % width, row, character.codePointAt(0)!, style);
    });
    return drawn;
  });

Deno.test({
  name: "encodeChanges() leads to the same screen as drawing everything",
  permissions: "none",
  fn: () => {
    const size = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 5 }),
    );
    const screens = size.chain(([width, height]) =>
      fc.tuple(canvas(width, height), canvas(width, height))
    );
    const depth = fc.constantFrom<ColorDepth>("none", "256", "truecolor");
    fc.assert(fc.property(screens, depth, ([before, after], depth) => {
      const { width, height } = before;
      const terminal = new FakeTerminal(width, height);
      terminal.write(encodeChanges(undefined, before, depth));
      terminal.write(encodeChanges(before, after, depth));
      const anew = new FakeTerminal(width, height);
      anew.write(encodeChanges(undefined, after, depth));
      const printed = new FakeTerminal(width, height + 1);
      printed.write(encodeLines(after, depth));
      assert.deepEqual(terminal.styles, anew.styles);
      assert.deepEqual(terminal.styles, printed.styles.slice(0, -1));
      assert.ok(terminal.isPlain && anew.isPlain);
      assert.equal(encodeChanges(after, after, depth), "");
    }));
  },
});

Deno.test({
  name: "encodeChanges() writes only what differs",
  permissions: "none",
  fn: () => {
    const before = new Canvas(20, 3);
    before.write(0, 0, [["12 cells", BOLD], [" of them"]]);
    const after = before.resized(20, 3).resized(21, 3).resized(20, 3);
    after.write(0, 0, [["13 cells", BOLD]]);
    after.write(18, 2, [["ab"]]);
    assert.equal(
      encodeChanges(before, after, "256"),
      "\x1b[1;2H\x1b[1m3\x1b[3;19H\x1b[22mab",
    );
  },
});

Deno.test({
  name:
    "Canvas.write() uses two columns for wide characters, and cuts off the rest",
  permissions: "none",
  fn: () => {
    const drawn = new Canvas(6, 1);
    assert.equal(drawn.write(0, 0, [["a楼b\u0301c层"]]), 5);
    assert.equal(encodeLines(drawn, "none"), "a楼bc\n");
    assert.equal(drawn.write(2, 7, [["below"]]), 2);
  },
});

Deno.test({
  name: "encodeChanges() keeps wide characters, as in 会議室 and 🏢🏬 hq",
  permissions: "none",
  fn: () => {
    const text = fc.string({
      unit: fc.constantFrom("会", "議", "室", "🏢", "🏬", "a", " "),
      maxLength: 12,
    });
    const places = fc.integer({ min: 0, max: 5 });
    const drawn = fc.tuple(text, places).map(([text, column]) => {
      const canvas = new Canvas(13, 1);
      canvas.write(column, 0, [[text]]);
      return canvas;
    });
    fc.assert(fc.property(drawn, drawn, (before, after) => {
      const terminal = new FakeTerminal(13, 1);
      terminal.write(encodeChanges(undefined, before, "256"));
      terminal.write(encodeChanges(before, after, "256"));
      const [shown] = terminal.text;
      assert.equal(shown!.trimEnd(), encodeLines(after, "none").trimEnd());
    }));
    const canvas = new Canvas(20, 1);
    canvas.write(0, 0, [["会議室", BOLD], ["   12 cells"]]);
    const terminal = new FakeTerminal(20, 1);
    terminal.write(encodeChanges(undefined, canvas, "256"));
    assert.match(terminal.text[0]!, /^会議室 {3}12 cells/);
  },
});

Deno.test({
  name: "Canvas.resized() leaves out half of a wide character",
  permissions: "none",
  fn: () => {
    const canvas = new Canvas(6, 1);
    canvas.write(0, 0, [["会議室"]]);
    assert.equal(encodeLines(canvas.resized(5, 1), "none"), "会議\n");
  },
});

Deno.test({
  name: "Canvas.write() makes control, bidi and zero-width characters visible",
  permissions: "none",
  fn: () => {
    const canvas = new Canvas(60, 1);
    canvas.write(0, 0, [["a\u202eb\u200bc\x1b[2J👩\u200d💻"]]);
    assert.equal(
      encodeLines(canvas, "none"),
      "a\\u{202e}b\\u{200b}c\\x1b[2J👩💻\n",
    );
  },
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeOriginalReading,
  ORIGINAL_REQUEST,
  OriginalWriter,
  parseOriginal,
  parseRequest,
  Topics,
} from "../../src/protocol/mod.ts";
import {
  attempt,
  embedded,
  errorOf,
  parse,
  pure,
  type Row,
  rowsOf,
  textOf,
  utf8,
} from "./support.ts";

function write(rows: readonly Row[]): string {
  const writer = new OriginalWriter();
  for (const [x, y, value] of rows) writer.cell(x, y, value);
  return textOf(writer.finish());
}

function read(text: string): Row[] {
  return rowsOf(parseOriginal(embedded(utf8(text))));
}

pure("OriginalWriter writes what Python prints", () => {
  assert.equal(write([]), "{}");
  assert.equal(write([[1, 2, 1]]), "{(1, 2): 1}");
  assert.equal(
    write([[1, 2, 1], [-1, 30, 0], [4, 4, -1]]),
    "{(1, 2): 1, (-1, 30): 0, (4, 4): -1}",
  );
});

pure("parseOriginal() reads what Python prints", () => {
  assert.deepEqual(read("{}"), []);
  assert.deepEqual(read("{(1, 2): 1, (1, 3): 1}"), [[1, 2, 1], [1, 3, 1]]);
  assert.deepEqual(read("{(1, 2): True, (3, 4): False, (5, 6): None}"), [
    [1, 2, 1],
    [3, 4, 0],
    [5, 6, -1],
  ]);
  assert.deepEqual(read(" {\n( 1 ,2 )\t:3 , (4,5):-6 }\r\n"), [
    [1, 2, 3],
    [4, 5, -6],
  ]);
  assert.deepEqual(read("{}\n"), []);
});

pure("parseOriginal() is the inverse of OriginalWriter", () => {
  const row = fc.tuple(fc.integer(), fc.integer(), fc.integer());
  fc.assert(fc.property(fc.array(row), (rows) => {
    const text = write(rows as Row[]);
    assert.deepEqual(read(text), rows);
    assert.equal(write(read(text)), text);
  }));
});

pure("parseOriginal() refuses other input, with the position", () => {
  const table: [string, RegExp][] = [
    ["", /expected "\{" at byte 0, found the end/],
    ["[]", /expected "\{" at byte 0, found "\[\]"/],
    ["{", /expected "\(" at byte 1, found the end/],
    ["{(1, 2): 1", /expected "\}" at byte 10/],
    ["{(1, 2): 1,}", /expected "\(" at byte 11/],
    ["{(1, 2): 1}x", /expected the end at byte 11/],
    ["{(1, 2, 3): 1}", /expected "\)"/],
    ["{(1): 1}", /expected ","/],
    ["{1: 1}", /expected "\("/],
    ["{(1, 2) 1}", /expected ":"/],
    ["{(1, 2): 1.5}", /expected "\}" at byte 10, found "\.5\}"/],
    ["{(1, 2): nan}", /expected a 32-bit integer at byte 9, found "nan\}"/],
    ["{(1, 2): Tru}", /expected a 32-bit integer/],
    ["{(1, 2): - 1}", /expected a 32-bit integer/],
    ["{(1, 2): }", /expected a 32-bit integer/],
    ["{(2147483648, 2): 1}", /expected a 32-bit integer at byte 2/],
    ["{('a', 2): 1}", /expected a 32-bit integer/],
    [`{(${"9".repeat(1e5)}, 2): 1}`, /expected a 32-bit integer/],
  ];
  for (const [text, reason] of table) {
    const error = errorOf(() => read(text));
    assert.equal(error.code, "bad-original");
    assert.match(error.message, reason);
    assert.ok(error.message.length < 200);
  }
});

pure(
  "parseOriginal() throws only ProtocolError for arbitrary bytes",
  () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({
        unit: fc.constantFrom(..."{}(),: -0129TrueFalsNon"),
        maxLength: 60,
      }).map(utf8),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        attempt(() => parseOriginal(bytes));
        attempt(() =>
          parseOriginal(utf8(`{(1, 2): ${textOf(utf8(String(bytes)))}`))
        );
      }),
      { numRuns: 2000 },
    );
  },
);

pure("encodeOriginalReading() is one line of CSV", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.integer(), (x, y, value) => {
      assert.deepEqual(parse(encodeOriginalReading(x, y, value)).rows, [
        [x, y, value],
      ]);
    }),
  );
});

pure("ORIGINAL_REQUEST is an original request", () => {
  const request = parseRequest(utf8(ORIGINAL_REQUEST), {
    topics: new Topics(),
  });
  assert.equal(request.kind, "original");
});

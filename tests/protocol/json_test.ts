import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeBatchJson,
  ReadingBatch,
  type Refusal,
  Refusals,
} from "../../src/protocol/mod.ts";
import {
  parseAnyReadings,
  parseJsonReadings,
} from "../../src/protocol/json.ts";
import {
  attempt,
  batchOf,
  embedded,
  errorOf,
  jsonOf,
  parse,
  pure,
  type Row,
  rowsOf,
  utf8,
} from "./support.ts";

const T = 1_700_000_000_000;

pure("JSON may be an object", () => {
  assert.deepEqual(parse('{"x":1,"y":-2,"value":3}').rows, [[1, -2, 3]]);
  assert.deepEqual(
    parse(`{"value":3,"source":"cam 1","time":${T},"y":2,"x":1,"more":[]}`)
      .rows,
    [[1, 2, 3, T, "cam 1"]],
  );
  assert.deepEqual(
    parse('{"x":1,"y":2,"value":3,"time":"2023-11-14T22:13:20Z"}').rows,
    [[1, 2, 3, T]],
  );
  assert.deepEqual(
    parse('{"x":1,"y":2,"value":3,"time":null,"source":null}').rows,
    [[1, 2, 3]],
  );
});

pure("JSON may be an array of objects", () => {
  const { rows } = parse(
    `[{"x":1,"y":2,"value":3,"source":"a"},{"x":4,"y":5,"value":6}]`,
  );
  assert.deepEqual(rows, [[1, 2, 3, undefined, "a"], [4, 5, 6]]);
  assert.deepEqual(parse("[]").rows, []);
});

pure("JSON may be a batch whose time is the default of its cells", () => {
  const { rows } = parse(
    `{"source":"a","time":${T},"cells":[[1,2,3],[4,5,6,7],[8,9,0,null]]}`,
  );
  assert.deepEqual(rows, [
    [1, 2, 3, T, "a"],
    [4, 5, 6, 7, "a"],
    [8, 9, 0, T, "a"],
  ]);
  assert.deepEqual(parse('{"cells":[]}').rows, []);
  assert.deepEqual(
    parse(`{"cells":[[1,2,3]],"time":"2023-11-14T22:13:20Z"}`).rows,
    [[1, 2, 3, T]],
  );
});

pure("JSON values are integers, booleans, and null for unknown", () => {
  const table: [string, number][] = [
    ["true", 1],
    ["false", 0],
    ["null", -1],
    ["-7", -7],
    ["-0", 0],
    ["1.0", 1],
    ["1e3", 1000],
    ["2147483647", 2147483647],
    ["-2147483648", -2147483648],
  ];
  for (const [value, number] of table) {
    const rows = [[1, 2, number]];
    assert.deepEqual(parse(`{"x":1,"y":2,"value":${value}}`).rows, rows);
    assert.deepEqual(parse(`[{"x":1,"y":2,"value":${value}}]`).rows, rows);
    assert.deepEqual(parse(`{"cells":[[1,2,${value}]]}`).rows, rows);
  }
});

pure(
  "JSON refuses only the invalid element, with its number and the reason",
  () => {
    const deep = "[".repeat(5000) + "]".repeat(5000);
    const table: [string, string, RegExp][] = [
      ['{"y":2,"value":3}', "bad-x", /x is missing/],
      ['{"x":null,"y":2,"value":3}', "bad-x", /not a number: null/],
      ['{"x":"1","y":2,"value":3}', "bad-x", /not a number: "1"/],
      ['{"x":true,"y":2,"value":3}', "bad-x", /not a number: true/],
      ['{"x":1.5,"y":2,"value":3}', "bad-x", /not an integer: 1\.5/],
      ['{"x":1e99,"y":2,"value":3}', "bad-x", /not a 32-bit integer: 1e\+99/],
      ['{"x":1e999,"y":2,"value":3}', "bad-x", /32-bit integer: Infinity/],
      [`{"x":${deep},"y":2,"value":3}`, "bad-x", /not a number: an array/],
      ['{"x":1,"value":3}', "bad-y", /y is missing/],
      ['{"x":1,"y":2147483648,"value":3}', "bad-y", /32-bit/],
      ['{"x":1,"y":2}', "bad-value", /value is missing/],
      ['{"x":1,"y":2,"value":{}}', "bad-value", /not a number: an object/],
      ['{"x":1,"y":2,"value":"\\u001b[2J"}', "bad-value", /"\\x1b\[2J"/],
      ['{"x":1,"y":2,"value":3,"time":true}', "bad-time", /RFC 3339/],
      ['{"x":1,"y":2,"value":3,"source":7}', "bad-source", /not a string: 7/],
      [
        `{"x":1,"y":2,"value":3,"source":"${"s".repeat(201)}"}`,
        "bad-source",
        /over 200 characters/,
      ],
      [
        '{"x":1,"y":2,"value":3,"source":"\\ud800"}',
        "bad-source",
        /surrogate/,
      ],
      ["[1,2,3]", "bad-element", /put arrays into \{"cells"/],
      ["7", "bad-element", /expected an object, found 7/],
      ["null", "bad-element", /found null/],
    ];
    for (const [element, code, reason] of table) {
      const good = '{"x":7,"y":8,"value":9}';
      const { rows, refusals, refused } = parse(`[${good},${element},${good}]`);
      assert.deepEqual(rows, [[7, 8, 9], [7, 8, 9]], element);
      assert.deepEqual(refused, [`2:${code}`], element);
      assert.match(refusals.kept[0]!.message, reason);
      assert.ok(refusals.kept[0]!.message.length < 150);
    }
    assert.deepEqual(parse('{"x":1}').refused, ["1:bad-y"]);
  },
);

pure("JSON refuses only the invalid cell of a batch", () => {
  const table: [string, string][] = [
    ["[1,2]", "bad-fields"],
    ["[1,2,3,4,5]", "bad-fields"],
    ["[]", "bad-fields"],
    ["{}", "bad-fields"],
    ['"1,2,3"', "bad-fields"],
    ["null", "bad-fields"],
    ["[null,2,3]", "bad-x"],
    ["[1,2.5,3]", "bad-y"],
    ['[1,2,"3"]', "bad-value"],
    ["[1,2,3,1700000000]", "bad-time"],
    ["[1,2,3,[]]", "bad-time"],
  ];
  for (const [cell, code] of table) {
    for (const pad of ["", " ".repeat(300)]) {
      const { rows, refused } = parse(
        `{"cells":[${pad}[7,8,9],${cell},[4,5,6]]}`,
      );
      assert.deepEqual(rows, [[7, 8, 9], [4, 5, 6]], cell);
      assert.deepEqual(refused, [`2:${code}`], cell);
    }
  }
});

pure("JSON refuses the whole payload if it is not valid", () => {
  const table: [string | Uint8Array, string, RegExp][] = [
    ["{", "bad-json", /does not parse/],
    ['{"x":1,"y":2,"value":NaN}', "bad-json", /NaN|token/],
    ['{"x":1,"y":2,"value":3}{', "bad-json", /does not parse/],
    ["[1,]", "bad-json", /does not parse/],
    ["[".repeat(100_000), "bad-json", /does not parse/],
    ['{"a":'.repeat(100_000), "bad-json", /does not parse/],
    [new Uint8Array([0x5b, 0xff, 0x5d]), "bad-utf8", /UTF-8/],
    [new Uint8Array([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22]), "bad-utf8", /UTF-8/],
    ["{}", "bad-form", /neither "cells" nor/],
    ['{"cells":{}}', "bad-form", /not an array but an object/],
    ['{"cells":null}', "bad-form", /not an array but null/],
    [
      '{"time":1700000000,"cells":[]}',
      "bad-time",
      /the batch's time .*seconds/,
    ],
    ['{"time":{},"cells":[[1,2,3]]}', "bad-time", /the batch's time/],
    ['{"source":7,"cells":[[1,2,3]]}', "bad-source", /the batch's source/],
  ];
  for (const [payload, code, reason] of table) {
    const error = errorOf(() => parse(payload));
    assert.equal(error.code, code);
    assert.match(error.message, reason);
    assert.ok(error.message.length < 200);
  }
  for (const payload of ["1", '"x"', "true", "null"]) {
    assert.equal(
      errorOf(() => parse(payload, "application/json")).code,
      "bad-form",
    );
  }
});

pure("JSON with deep nesting is refused", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  // Both results are correct; a stack overflow is not.
  const result = attempt(() => parse(deep));
  if (result !== undefined) {
    assert.deepEqual(result.refused, ["1:bad-element"]);
  }
});

pure("JSON keeps U+FFFD of the payload", () => {
  const { rows } = parse('{"x":1,"y":2,"value":3,"source":"\ufffd"}');
  assert.deepEqual(rows, [[1, 2, 3, undefined, "\ufffd"]]);
});

/** The result of a parser, for comparison. */
interface Outcome {
  readonly rows: Row[];
  readonly kept: readonly Refusal[];
  readonly error?: string;
}

function outcome(
  parser: typeof parseAnyReadings,
  payload: Uint8Array,
): Outcome {
  const batch = batchOf([[9, 9, 9, 9, "before"]]);
  const refusals = new Refusals();
  try {
    parser(payload, 0, batch, refusals);
  } catch (error) {
    return { rows: [], kept: [], error: String(error) };
  }
  return { rows: rowsOf(batch), kept: refusals.kept };
}

const blank = fc.constantFrom("", "", "", " ", "\n", "\t\r ");
const number = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -99, max: 99 }).map(String) },
  fc.integer().map(String),
  fc.integer({ min: 0, max: 2e14 }).map(String),
  fc.constantFrom("-0", "1.0", "1e2", "01", "-", "true", "null", '"1"', ""),
);
const cell = fc.tuple(
  fc.oneof(
    { weight: 9, arbitrary: fc.array(number, { minLength: 3, maxLength: 4 }) },
    fc.array(number, { maxLength: 5 }),
  ),
  blank,
).map(([numbers, space]) => `[${space}${numbers.join(`${space},`)}${space}]`);
const member = fc.oneof(
  fc.constantFrom(
    '"source":"a"',
    '"source":"a\\"cells"',
    '"source":"]}"',
    '"source":7',
    `"time":${T}`,
    '"time":1700000000',
    '"x":1',
    '"a\\"cells":5',
    '"deep":{"cells":1}',
    '"cells":4',
  ),
  fc.json().map((json) => `"other":${json}`),
);
const batchText = fc.tuple(
  fc.array(member, { maxLength: 3 }),
  fc.constantFrom(
    '"cells"',
    '"cells"',
    '"cells"',
    '"a\\"cells"',
    '"c\\u0065lls"',
  ),
  blank,
  fc.array(cell, { maxLength: 6 }),
  fc.constantFrom(
    "]}",
    "]}",
    "]}",
    "]}",
    "] }\n",
    "]",
    ",]}",
    "]}}",
    '],"time":5}',
  ),
).map(([members, key, space, cells, end]) =>
  `{${" ".repeat(300)}${
    [...members, `${key}${space}:${space}[`].join(",")
  }${space}${cells.join(`,${space}`)}${end}`
);

pure("JSON's fast path has the same result as JSON.parse", () => {
  let good = 0;
  fc.assert(
    fc.property(batchText, (text) => {
      const payload = embedded(utf8(text));
      const expected = outcome(parseAnyReadings, payload);
      assert.deepEqual(outcome(parseJsonReadings, payload), expected);
      if (expected.rows.length > 0 && expected.kept.length === 0) good++;
    }),
    { numRuns: 2000 },
  );
  assert.ok(good > 100, `only ${good} payloads could take the short cut`);
});

pure("JSON's fast path and JSON.parse agree when any byte is changed", () => {
  const text =
    `{"source":"a",${" ".repeat(260)}"time":${T},"cells":[[1,-2,3],` +
    `[40, 5,6,7],[-2147483648,2147483647,0]]}`;
  const good = utf8(text);
  const tail = good.length - 140;
  fc.assert(
    fc.property(
      fc.nat(139),
      fc.oneof(fc.constantFrom(...utf8('[]{},:"-0159. e')), fc.nat(255)),
      fc.nat(2),
      (at, byte, removed) => {
        const from = tail + at;
        const payload = new Uint8Array([
          ...good.subarray(0, from),
          byte,
          ...good.subarray(from + removed),
        ]);
        assert.deepEqual(
          outcome(parseJsonReadings, payload),
          outcome(parseAnyReadings, payload),
        );
      },
    ),
    { numRuns: 3000 },
  );
});

const int32 = fc.integer();
const time = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 1e8 }),
  fc.integer({ min: 1e11, max: 1e14 }),
);
const source = fc.string({ unit: "binary", maxLength: 200 }).filter((text) =>
  text.isWellFormed() && text.length <= 200
);

pure("encodeBatchJson() is the inverse of parseReadings()", () => {
  const cells = fc.array(fc.tuple(int32, int32, int32, time));
  fc.assert(fc.property(cells, source, (cells, source) => {
    const rows = cells.map(([x, y, value, time]): Row =>
      source !== ""
        ? [x, y, value, time, source]
        : time === undefined
        ? [x, y, value]
        : [x, y, value, time]
    );
    const batch = batchOf(cells as Row[]);
    const payload = encodeBatchJson(batch, 0, batch.length, { source });
    assert.deepEqual(parse(payload).rows, rows);
    assert.equal(jsonOf(payload).cells.length, rows.length);
  }));
});

pure("encodeBatchJson() throws for a source that a server would refuse", () => {
  const batch = new ReadingBatch();
  for (const source of ["s".repeat(201), "\ud800"]) {
    const error = errorOf(() => encodeBatchJson(batch, 0, 0, { source }));
    assert.equal(error.code, "bad-source");
  }
});

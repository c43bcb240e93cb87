import assert from "node:assert/strict";
import fc from "fast-check";
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import {
  attempt,
  batchOf,
  embedded,
  errorOf,
  parse,
  pure,
  rowsOf,
  utf8,
} from "./support.ts";

const BOM = "\ufeff";

pure("parseReadings() distinguishes JSON from CSV by the first byte", () => {
  const row = [[1, 2, 3]];
  assert.deepEqual(parse("1,2,3").rows, row);
  assert.deepEqual(parse(" \r\n\t1,2,3").rows, row);
  assert.deepEqual(parse('{"x":1,"y":2,"value":3}').rows, row);
  assert.deepEqual(parse(' \r\n\t[{"x":1,"y":2,"value":3}]').rows, row);
});

pure("parseReadings() skips a byte order mark, once", () => {
  assert.deepEqual(parse(`${BOM}1,2,3\n4,5,6`).rows, [[1, 2, 3], [4, 5, 6]]);
  assert.deepEqual(parse(`${BOM} {"cells":[[1,2,3]]}`).rows, [[1, 2, 3]]);
  assert.deepEqual(parse(`${BOM}${BOM}1,2,3`).refused, ["1:bad-x"]);
});

pure("parseReadings() counts the lines before the first reading", () => {
  assert.deepEqual(parse(`${BOM}\n\n1,2,3\n4,5`).refused, ["4:bad-fields"]);
});

pure("parseReadings() follows the content type", () => {
  const json = '{"x":1,"y":2,"value":3}';
  assert.deepEqual(parse(json, "text/csv").refused, ["1:bad-x"]);
  assert.deepEqual(parse("1,2,3", "Text/CSV; charset=utf-8").rows, [[1, 2, 3]]);
  assert.deepEqual(parse(json, "APPLICATION/JSON;x=y").rows, [[1, 2, 3]]);
  assert.equal(
    errorOf(() => parse("1,2,3", "application/json")).code,
    "bad-json",
  );
  for (const other of ["", "text/plain", "json", ";", "text/csvx"]) {
    assert.deepEqual(parse(json, other).rows, [[1, 2, 3]]);
    assert.deepEqual(parse("1,2,3", other).rows, [[1, 2, 3]]);
  }
});

pure("parseReadings() refuses an empty payload", () => {
  for (const payload of ["", BOM, " ", "\n\r\n\t ", `${BOM}\n`]) {
    for (const type of [undefined, "text/csv", "application/json"]) {
      assert.equal(errorOf(() => parse(payload, type)).code, "empty");
    }
  }
});

pure("parseReadings() reads only the bytes of a view", () => {
  assert.deepEqual(parse(embedded(utf8("1,2,3"))).rows, [[1, 2, 3]]);
  assert.deepEqual(parse(embedded(utf8("1,2,3,4"))).rows, [[1, 2, 3, 4]]);
  const json = `{${" ".repeat(300)}"cells":[[1,2,3]]}`;
  assert.deepEqual(parse(embedded(utf8(json))).rows, [[1, 2, 3]]);
});

pure("parseReadings() appends; a throw leaves the batch unchanged", () => {
  const batch = batchOf([[1, 2, 3, 4, "a"]]);
  parseReadings(utf8('[{"x":5,"y":6,"value":7,"source":"b"}]'), batch);
  parseReadings(utf8("8,9,0"), batch);
  const before = rowsOf(batch);
  assert.deepEqual(before, [[1, 2, 3, 4, "a"], [5, 6, 7, undefined, "b"], [
    8,
    9,
    0,
  ]]);
  const pad = " ".repeat(300);
  for (
    const payload of [
      "",
      `{"source":"c",${pad}"cells":[[1,2,3]`,
      `{"source":"c",${pad}"cells":[[1,2,3]],"time":-1}`,
      `[{"x":1,"y":2,"value":3,"source":"c"}`,
    ]
  ) {
    errorOf(() => parseReadings(utf8(payload), batch));
    assert.deepEqual(rowsOf(batch), before);
    assert.deepEqual(batch.sources, ["", "a", "b"]);
  }
});

pure(
  "parseReadings() throws only ProtocolError for arbitrary bytes",
  () => {
    const types = fc.constantFrom(undefined, "text/csv", "application/json");
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: "binary", maxLength: 300 }).map(utf8),
      fc.json().map(utf8),
      fc.string({
        unit: fc.constantFrom(...'{}[]",:xyvalue\\u0123456789.-+eE \n\r\tcels'),
        maxLength: 300,
      }).map(utf8),
    );
    fc.assert(
      fc.property(bytes, types, (bytes, contentType) => {
        const batch = new ReadingBatch();
        const refusals = attempt(() =>
          parseReadings(bytes, batch, { contentType })
        );
        if (refusals === undefined) assert.equal(batch.length, 0);
        else {
          const counts = [...refusals.byCode.values()];
          assert.equal(counts.reduce((sum, n) => sum + n, 0), refusals.total);
          const { kept } = refusals;
          assert.ok(kept.length >= Math.min(8, refusals.total));
          assert.ok(kept.length <= 8 + counts.length);
          const codes = new Set(kept.map(({ code }) => code));
          assert.equal(codes.size, counts.length);
        }
      }),
      { numRuns: 3000 },
    );
  },
);

pure("parseReadings() never throws for the start of a valid payload", () => {
  const pad = " ".repeat(256);
  const payloads = [
    "-12,34,1,1700000000000\r\n5,+6,7,2023-11-14T22:13:20.5+01:00\n",
    `{"source":"é\\"",${pad}"time":1700000000000,"cells":[[1,-2,3],[4,5,6,7]]}`,
    '[{"x":1,"y":2,"value":null,"time":"2023-11-14T22:13:20Z"}]',
  ];
  for (const payload of payloads.map(utf8)) {
    for (let end = 0; end < payload.length; end++) {
      attempt(() => parse(payload.slice(0, end)));
    }
    assert.equal(parse(payload).refusals.total, 0);
  }
});

pure("parseReadings() keeps the valid lines among invalid ones", () => {
  const bad = fc.constantFrom("", "a", "1,2", "1,2,3,4,5", "1,2,x", "\0,1,1");
  const line = fc.oneof(
    bad.map((text) => ({ text, good: false })),
    fc.tuple(fc.integer(), fc.integer(), fc.integer()).map((row) => ({
      text: row.join(","),
      good: true,
    })),
  );
  fc.assert(fc.property(fc.array(line, { minLength: 1 }), (lines) => {
    const text = lines.map(({ text }) => text).join("\n");
    if (text.trim() === "") return;
    const { rows, refusals } = parse(text);
    const good = lines.filter(({ good }) => good).map(({ text }) => text);
    assert.deepEqual(rows.map(String), good);
    const blank = lines.filter(({ text }) => text === "").length;
    assert.equal(refusals.total, lines.length - good.length - blank);
  }));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCsv, parseTimestamp } from "../../src/protocol/mod.ts";
import { checkReadingTime } from "../../src/protocol/time.ts";
import {
  batchOf,
  embedded,
  parse,
  pure,
  type Row,
  rowsOf,
  textOf,
  utf8,
} from "./support.ts";

pure("CSV has one reading in a line", () => {
  assert.deepEqual(parse("1,2,1").rows, [[1, 2, 1]]);
  assert.deepEqual(parse("1,2,1\n-3,+4,-5\n").rows, [[1, 2, 1], [-3, 4, -5]]);
  assert.deepEqual(parse("1,2,1\r\n3,4,5\r\n").rows, [[1, 2, 1], [3, 4, 5]]);
  assert.deepEqual(parse("1,2,1\r\n3,4,5\r").rows, [[1, 2, 1], [3, 4, 5]]);
  assert.deepEqual(parse(" 1 ,\t2, 1 \n").rows, [[1, 2, 1]]);
  assert.deepEqual(parse("007,-0,00000000000012").rows, [[7, 0, 12]]);
  assert.deepEqual(parse("\n\n1,2,1\n \t\n\r\n3,4,5\n\n").rows, [
    [1, 2, 1],
    [3, 4, 5],
  ]);
});

pure("CSV accepts times as milliseconds and as RFC 3339", () => {
  const time = 1_700_000_000_123;
  const forms = [
    String(time),
    `+${time}`,
    ` ${time} `,
    `00${time}`,
    `${time}.0`,
    `${time}.999`,
    "2023-11-14T22:13:20.123Z",
    " 2023-11-14t23:13:20.1239+01:00\t",
  ];
  for (const form of forms) {
    assert.deepEqual(parse(`1,2,3,${form}`).rows, [[1, 2, 3, time]], form);
    assert.deepEqual(parse(`1,2,3,${form}\r\n`).rows, [[1, 2, 3, time]], form);
  }
  assert.deepEqual(parse("1,2,3,0").rows, [[1, 2, 3, 0]]);
});

pure("CSV accepts the limits of int32 and refuses numbers beyond", () => {
  const line = "-2147483648,2147483647,-2147483648";
  const row = [-2147483648, 2147483647, -2147483648];
  assert.deepEqual(parse(line).rows, [row]);
  for (const beyond of ["2147483648", "-2147483649", "9".repeat(1000)]) {
    assert.deepEqual(parse(`${beyond},0,0`).refused, ["1:bad-x"]);
    assert.deepEqual(parse(`0,${beyond},0`).refused, ["1:bad-y"]);
    const { refused, refusals } = parse(`0,0,${beyond}`);
    assert.deepEqual(refused, ["1:bad-value"]);
    assert.match(refusals.kept[0]!.message, /value is not a 32-bit integer/);
  }
});

pure(
  "CSV refuses only the invalid line, with its number and the reason",
  () => {
    const table: [string, string, RegExp][] = [
      ["1.0,2,3", "bad-x", /x is not an integer: "1\.0"/],
      ["1e3,2,3", "bad-x", /"1e3"/],
      ["1e99,2,3", "bad-x", /"1e99"/],
      ["NaN,2,3", "bad-x", /"NaN"/],
      ["1,Infinity,3", "bad-y", /"Infinity"/],
      ["1,0x10,3", "bad-y", /"0x10"/],
      ["1,1_000,3", "bad-y", /"1_000"/],
      ["1,,3", "bad-y", /y is empty/],
      [",,", "bad-x", /x is empty/],
      ["1,2,", "bad-value", /value is empty/],
      ["1,2,-", "bad-value", /"-"/],
      ["1,2,--3", "bad-value", /"--3"/],
      ["1,2,3 4", "bad-value", /"3 4"/],
      ["1,2,None", "bad-value", /"None"/],
      ['"1",2,3', "bad-x", /x is not an integer/],
      ["١,2,3", "bad-x", /"١"/],
      ["1,2,3,", "bad-time", /time is empty/],
      ["1,2,3,1e12", "bad-time", /RFC 3339/],
      ["1,2,3,1700000000000.", "bad-time", /RFC 3339/],
      ["1,2,3,1700000000", "bad-time", /seconds/],
      ["1", "bad-fields", /found 1 field: "1"/],
      ["1,2", "bad-fields", /found 2 fields: "1,2"/],
      ["1;2;3", "bad-fields", /found 1 field/],
      ["1,2,3,4,5", "bad-fields", /found 5 fields/],
      ["x,y,value", "bad-x", /"x"/],
      ["1,2,\x1b[31m", "bad-value", /\\x1b\[31m/],
      ["1,2,3\r4", "bad-value", /"3\\r4"/],
      ["1,2,3\0", "bad-value", /"3\\x00"/],
    ];
    for (const [line, code, reason] of table) {
      const { rows, refusals, refused } = parse(`7,8,9\n${line}\r\n\n4,5,6`);
      assert.deepEqual(rows, [[7, 8, 9], [4, 5, 6]], line);
      assert.deepEqual(refused, [`2:${code}`], line);
      assert.match(refusals.kept[0]!.message, reason);
      assert.equal(refusals.total, 1);
    }
  },
);

pure("CSV refuses a line over 1 KiB and quotes its start", () => {
  const huge = "1".repeat(1_000_000);
  for (const line of [huge, " ".repeat(1025), `1,2,3${" ".repeat(1020)}`]) {
    const { rows, refused, refusals } = parse(`1,2,3\n${line}\n4,5,6`);
    assert.deepEqual(rows, [[1, 2, 3], [4, 5, 6]]);
    assert.deepEqual(refused, ["2:line-too-long"]);
    assert.ok(refusals.kept[0]!.message.length < 150);
  }
  assert.deepEqual(parse(`1,2,3${" ".repeat(1019)}`).rows, [[1, 2, 3]]);
});

pure("CSV counts all refusals and keeps the first eight", () => {
  const lines = Array.from({ length: 1000 }, (_, i) => i % 2 ? "a,1,1" : "1");
  const { refusals } = parse(lines.join("\n"));
  assert.equal(refusals.total, 1000);
  assert.deepEqual(
    [...refusals.byCode],
    [["bad-fields", 500], ["bad-x", 500]],
  );
  assert.deepEqual(refusals.kept.map(({ line }) => line), [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
  ]);
});

pure("CSV with invalid lines only is refused line by line", () => {
  const { rows, refused } = parse("hello\nworld");
  assert.deepEqual(rows, []);
  assert.deepEqual(refused, ["1:bad-fields", "2:bad-fields"]);
});

/** The grammar of CSV in regular expressions. */
function model(text: string): { rows: Row[]; refused: string[] } {
  const rows: Row[] = [];
  const refused: string[] = [];
  text.split("\n").forEach((raw, index) => {
    const line = raw.replace(/\r$/, "");
    if (/^[ \t]*$/.test(line)) return;
    const code = readLine(line, rows);
    if (code !== undefined) refused.push(`${index + 1}:${code}`);
  });
  const codes = refused.map((text) => text.split(":")[1]);
  return {
    rows,
    refused: refused.filter((_, i) => i < 8 || codes.indexOf(codes[i]) === i),
  };
}

function readLine(line: string, rows: Row[]): string | undefined {
  const fields = line.split(",").map((field) =>
    field.replace(/^[ \t]+|[ \t]+$/g, "")
  );
  if (fields.length < 3 || fields.length > 4) return "bad-fields";
  for (const [index, name] of ["x", "y", "value"].entries()) {
    const field = fields[index]!;
    if (!/^[+-]?\d+$/.test(field) || Number(field) !== (Number(field) | 0)) {
      return `bad-${name}`;
    }
  }
  const row = fields.slice(0, 3).map((field) => Number(field) | 0) as Row;
  const time = fields[3];
  if (time !== undefined) {
    const bytes = utf8(time);
    const ms = checkReadingTime(
      /^[+-]?\d+(\.\d+)?$/.test(time)
        ? Number(/^-/.test(time) ? time : time.split(".")[0])
        : parseTimestamp(bytes, 0, bytes.length),
    );
    if (Number.isNaN(ms)) return "bad-time";
    row.push(ms);
  }
  rows.push(row);
  return undefined;
}

const fields = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -20, max: 20 }).map(String) },
  { weight: 3, arbitrary: fc.integer().map(String) },
  fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }).map(String),
  fc.integer({ min: 0, max: 2e14 }).map(String),
  fc.integer({ min: 0, max: 99 }).map((n) => `+00${n}`),
  fc.constantFrom(
    "",
    "-",
    "1.5",
    "1700000000000.9999",
    "-0.5",
    "-0",
    "%",
    "\0",
  ),
  fc.date({ min: new Date(0), noInvalidDate: true }).map((date) =>
    date.toISOString()
  ),
);
const padded = fc.tuple(
  fc.constantFrom("", "", "", " ", "\t "),
  fields,
  fc.constantFrom("", "", "", " "),
).map((parts) => parts.join(""));
const lines = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(padded, { minLength: 3, maxLength: 4 }),
  },
  fc.array(padded, { maxLength: 6 }),
).map((parts) => parts.join(","));
const payloads = fc.array(
  fc.tuple(lines, fc.constantFrom("\n", "\n", "\r\n", "\r", "")),
  { minLength: 1, maxLength: 12 },
).map((parts) => parts.flat().join(""));

pure("CSV parses like a grammar of regular expressions", () => {
  fc.assert(
    fc.property(payloads, (text) => {
      if (/^[ \t\r\n]*$/.test(text)) return;
      const { rows, refused } = parse(embedded(utf8(text)), "text/csv");
      assert.deepEqual({ rows, refused }, model(text));
    }),
    { numRuns: 1000 },
  );
});

const int32 = fc.oneof(fc.integer(), fc.integer({ min: -99, max: 99 }));
const time = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 1e8 }),
  fc.integer({ min: 1e11, max: 1e14 }),
);
const rows = fc.array(
  fc.tuple(int32, int32, int32, time).map((row): Row =>
    row[3] === undefined ? [row[0], row[1], row[2]] : row as Row
  ),
  { minLength: 1 },
);

pure("encodeCsv() is the inverse of parseReadings()", () => {
  fc.assert(fc.property(rows, (rows) => {
    const payload = encodeCsv(batchOf(rows));
    assert.deepEqual(parse(payload).rows, rows);
    assert.equal(textOf(payload).split("\n").length, rows.length + 1);
  }));
});

pure("encodeCsv() writes the given range into a separate buffer", () => {
  const batch = batchOf([[1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]);
  const payload = encodeCsv(batch, 1, 2);
  assert.equal(textOf(payload), "4,5,6,7\n");
  assert.equal(payload.buffer.byteLength, payload.length);
  assert.equal(encodeCsv(batch, 2, 2).length, 0);
  assert.deepEqual(rowsOf(batch).length, 3);
});

pure("encodeCsv() throws RangeError for an invalid time", () => {
  for (const bad of [-1, Infinity, 1e15]) {
    assert.throws(() => encodeCsv(batchOf([[1, 2, 3, bad]])), RangeError);
  }
});

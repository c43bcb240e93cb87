import assert from "node:assert/strict";
import { CsvParser, ReadingBatch, Refusals } from "../../src/protocol/mod.ts";
import { errorOf, parse, pure, rowsOf, utf8 } from "./support.ts";

pure("CSV columns are in the order of the header", () => {
  const cases: [text: string, rows: number[][]][] = [
    ["x,y,value\n1,2,3\n4,5,6", [[1, 2, 3], [4, 5, 6]]],
    ["y,x,value\n10,20,1", [[20, 10, 1]]],
    ["value,time,x,y\n1,1700000000000,2,3", [[2, 3, 1, 1_700_000_000_000]]],
    ["x,y,value,status,time\n1,2,3,occupied,1700000000000", [
      [1, 2, 3, 1_700_000_000_000],
    ]],
    ['"Y","X","Value"\r\n10,20,1\r\n', [[20, 10, 1]]],
    ["\n \n X , Y , VALUE \n1,2,3\n", [[1, 2, 3]]],
    ["x,y,value,time\n1,2,3\n4,5,6,\n7,8,9,1700000000000", [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9, 1_700_000_000_000],
    ]],
  ];
  for (const [text, rows] of cases) {
    const parsed = parse(text);
    assert.deepEqual(parsed.rows, rows, text);
    assert.equal(parsed.refusals.total, 0, text);
  }
});

pure("CSV with a header that is not known is refused as a whole", () => {
  const cases: [header: string, message: RegExp][] = [
    ["id,x,y", /unknown column "id"/],
    ["x,y,value,battery", /unknown column "battery"/],
    [",x,y,value", /unknown column ""/],
    ["x,y,occupied", /unknown column "occupied"/],
    ["x,y,time", /no column value/],
    ["x,y,value,x", /names the column x twice/],
    ["x;y;value", /does not separate its columns with commas/],
    ["x\ty\tvalue", /does not separate its columns with commas/],
  ];
  for (const [header, message] of cases) {
    const error = errorOf(() => parse(`${header}\n7,8,9\n`));
    assert.equal(error.code, "bad-header", header);
    assert.match(error.message, message);
    assert.match(error.hint ?? "", /x, y and value|commas/);
  }
});

pure("CSV rows are not taken for a header", () => {
  const rows = ["nan,nan,nan", "a,2,3", "hello", "hello,world", "true,null,no"];
  for (const row of rows) {
    const { rows, refusals } = parse(`${row}\n1,2,3`);
    assert.deepEqual(rows, [[1, 2, 3]], row);
    assert.equal(refusals.total, 1, row);
  }
  // A header is the first line that is not blank.
  assert.deepEqual(parse("1,2,3\ny,x,value\n4,5,6").rows, [
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

pure("CSV rows with more or fewer fields than the header are refused", () => {
  const { rows, refused, refusals } = parse(
    "x,y,value\n1,2,3\n1,2,3,1700000000000\n1,2\n",
  );
  assert.deepEqual(rows, [[1, 2, 3]]);
  assert.deepEqual(refused, ["3:bad-fields", "4:bad-fields"]);
  assert.match(refusals.kept[0]!.message, /expected x,y,value, found 4 fields/);
});

pure("CSV explains semicolons, tabs, quotes and decimal commas", () => {
  const cases: [line: string, hint: RegExp][] = [
    ["1;2;3", /commas, not semicolons/],
    ["1,5;2,0;3,0", /commas, not semicolons/],
    ["1\t2\t3", /commas, not tabs/],
    ['"1","2","3"', /x is not an integer: "\\?"1\\?"".*remove the quotes/],
    ['"1,2,3"', /remove the quotes/],
    ["1,5,2,0,3,0", /decimal comma/],
  ];
  for (const [line, hint] of cases) {
    const { refusals } = parse(line);
    assert.equal(refusals.total, 1);
    assert.match(refusals.kept[0]!.message, hint, line);
  }
});

pure("CSV of a column layer is refused row by row for other layers", () => {
  const text = "x,y,value,layer\n1,2,3,l1\n4,5,6,l2\n7,8,9,\n1,1,1,a//b\n";
  const batch = new ReadingBatch();
  const refusals = new Refusals();
  new CsvParser({ layer: "l1" }).parse(utf8(text), 0, batch, refusals, 1);
  assert.deepEqual(rowsOf(batch), [[1, 2, 3], [7, 8, 9]]);
  assert.deepEqual(
    refusals.kept.map(({ line, code }) => [line, code]),
    [[3, "bad-layer"], [5, "bad-layer"]],
  );
});

pure("CsvParser keeps the header for the following blocks", () => {
  const batch = new ReadingBatch();
  const refusals = new Refusals();
  const parser = new CsvParser();
  parser.parse(utf8("\n"), 0, batch, refusals, 1);
  parser.parse(utf8("y,x,value\n"), 0, batch, refusals, 2);
  parser.parse(utf8("10,20,1\n"), 0, batch, refusals, 3);
  parser.parse(utf8("11,x,1\n"), 0, batch, refusals, 4);
  assert.deepEqual(rowsOf(batch), [[20, 10, 1]]);
  assert.equal(refusals.kept[0]!.line, 4);
});

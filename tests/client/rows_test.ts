import assert from "node:assert/strict";
import fc from "fast-check";
import { formatOf, readRows, type RowFormat } from "../../src/client/rows.ts";
import { ProtocolError } from "../../src/protocol/mod.ts";
import { all, chunked, cuts } from "./chunks.ts";

const encoder = new TextEncoder();

interface Read {
  readings: number[][];
  bad: string[];
  skipped: number;
}

/** Reads all rows of a text, split into chunks. */
async function read(
  text: string,
  format: RowFormat | undefined,
  { cuts = [], strict = false }: { cuts?: number[]; strict?: boolean } = {},
): Promise<Read> {
  const found: Read = { readings: [], bad: [], skipped: 0 };
  const chunks = chunked(encoder.encode(text), cuts);
  for (const rows of await all(readRows(chunks, format, strict))) {
    const { readings, bad, skipped } = rows;
    const { x, y, value, time } = readings;
    for (let i = 0; i < readings.length; i++) {
      const row = [x[i]!, y[i]!, value[i]!];
      found.readings.push(Number.isNaN(time[i]) ? row : [...row, time[i]!]);
    }
    found.bad.push(...bad.map(({ line, message }) => `${line}: ${message}`));
    found.skipped += skipped;
  }
  return found;
}

Deno.test({
  name: "formatOf() returns the format by the extension, in any case",
  permissions: "none",
  fn: () => {
    assert.equal(formatOf("a.csv"), "csv");
    assert.equal(formatOf("/b/A.JSON"), "json");
    assert.equal(formatOf("a.b.ndjson"), "ndjson");
    assert.equal(formatOf("a.jsonl"), "ndjson");
    assert.equal(formatOf("csv"), undefined);
    assert.equal(formatOf("-"), undefined);
    assert.equal(formatOf("a.csv.gz"), undefined);
  },
});

Deno.test({
  name: "readRows() reads the same rows for any chunks",
  permissions: "none",
  fn: async () => {
    const int = fc.oneof(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    const csv = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(int, int, int).map(String) },
      fc.tuple(int, int, int).map((row) => `${row},1760000000000`),
      fc.constantFrom("", " ", "bad", "1,2", "NaN,1,1", "\ufeff1,2,3", "é"),
    );
    const ndjson = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.tuple(int, int, int).map(([x, y, value]) =>
          JSON.stringify({ x, y, value })
        ),
      },
      fc.constantFrom("", "{", "{}", "[]", '[{"x":1,"y":2,"value":3},{}]', "é"),
    );
    const end = fc.constantFrom("\n", "\r\n");
    for (const [format, line] of [["csv", csv], ["ndjson", ndjson]] as const) {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom("", "\ufeff", "x,y,value\n"),
          fc.array(fc.tuple(line, end), { maxLength: 20 }),
          fc.boolean(),
          cuts,
          fc.boolean(),
          async (start, lines, closed, cuts, strict) => {
            const text = start + lines.flat().join("");
            const whole = closed ? text : text.replace(/\r?\n$/, "");
            const atOnce = await read(whole, format, { strict });
            const inPieces = await read(whole, format, { strict, cuts });
            assert.deepEqual(inPieces.readings, atOnce.readings);
            assert.equal(inPieces.skipped, atOnce.skipped);
            // All are counted, but each block lists only its first ones.
            assert.deepEqual(
              inPieces.bad.slice(0, 8),
              atOnce.bad.slice(0, 8),
            );
          },
        ),
      );
    }
  },
});

Deno.test({
  name: "readRows() detects the format from the first line",
  permissions: "none",
  fn: async () => {
    const one = [[1, 2, 3]];
    const two = [[1, 2, 3], [4, 5, 6]];
    const object = '{"x":1,"y":2,"value":3}';
    const cases: [text: string, readings: number[][]][] = [
      ["1,2,3\n4,5,6\n", two],
      ["x,y,value\n1,2,3", one],
      ["\ufeff1,2,3", one],
      [object, one],
      [`[${object}]`, one],
      [`[\n  ${object}\n]\n`, one],
      [`${object}\n{"x":4,"y":5,"value":6}\n`, two],
      ['{\n"cells":\n[[1,2,3],[4,5,6]]\n}\n', two],
      ['{"cells":[[1,2,3]]}\n{"cells":[[4,5,6]]}', two],
      [`\ufeff${object}\n`, one],
      ["", []],
    ];
    for (const [text, readings] of cases) {
      assert.deepEqual((await read(text, undefined)).readings, readings, text);
    }
  },
});

Deno.test({
  name: "readRows() numbers bad rows by their line in the file",
  permissions: "none",
  fn: async () => {
    const { bad, readings, skipped } = await read(
      "x,y,value\n1,1,1\n\nbad\n2,2,1\n1,2\n",
      "csv",
      { cuts: [3, 14, 20, 27] },
    );
    assert.equal(skipped, 2);
    assert.deepEqual(bad.map((text) => text.split(":")[0]), ["4", "6"]);
    assert.equal(readings.length, 2);
  },
});

Deno.test({
  name: "readRows() accepts a header in the first line only",
  permissions: "none",
  fn: async () => {
    for (const header of ["x,y,value", "X, Y, value, time", '"x","y","v"']) {
      assert.equal((await read(`${header}\n1,2,3\n`, "csv")).skipped, 0);
    }
    assert.equal((await read("1,2,3\nx,y,value\n", "csv")).skipped, 1);
  },
});

Deno.test({
  name: "readRows() with strict ends at the first bad row, in every format",
  permissions: "none",
  fn: async () => {
    const rows = ['{"x":1,"y":1,"value":1}', "{}", '{"x":2,"y":2,"value":1}'];
    const cases: [RowFormat, string][] = [
      ["csv", "1,1,1\nbad\n2,2,1\nworse\n"],
      ["ndjson", rows.join("\n")],
      ["json", `[${rows.join()}]`],
    ];
    for (const [format, text] of cases) {
      const { readings, bad, skipped } = await read(text, format, {
        strict: true,
      });
      assert.deepEqual(readings, [[1, 1, 1]], format);
      assert.equal(skipped, 1);
      assert.match(bad[0]!, /^2: /);
    }
  },
});

Deno.test({
  name: "readRows() throws ProtocolError for a malformed JSON document",
  permissions: "none",
  fn: async () => {
    for (const text of ["{", "[1,", "nonsense", "5", '"text"', "{}"]) {
      await assert.rejects(read(text, "json"), ProtocolError, text);
    }
  },
});

Deno.test({
  name: "readRows() throws only ProtocolError for any bytes",
  permissions: "none",
  fn: async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        cuts,
        fc.constantFrom("csv", "json", "ndjson", undefined),
        fc.boolean(),
        async (bytes, cuts, format, strict) => {
          try {
            await all(readRows(chunked(bytes, cuts), format, strict));
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error));
          }
        },
      ),
    );
  },
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { formatOf, readRows, type RowFormat } from "../../src/client/mod.ts";
import { ProtocolError } from "../../src/protocol/mod.ts";
import { all, chunked, cuts } from "./chunks.ts";

const encoder = new TextEncoder();

interface Read {
  readings: number[][];
  bad: string[];
  skipped: number;
  /** The layers that were named, in the order of their readings. */
  layers: (string | undefined)[];
}

/** Options of {@linkcode read}. */
interface ReadOptions {
  cuts?: number[];
  strict?: boolean;
  ignoreLayers?: boolean;
  isFile?: boolean;
}

/** Reads all rows of a text, split into chunks. */
async function read(
  text: string,
  format: RowFormat | undefined,
  { cuts = [], ...options }: ReadOptions = {},
): Promise<Read> {
  const found: Read = { readings: [], bad: [], skipped: 0, layers: [] };
  const chunks = chunked(encoder.encode(text), cuts);
  for (const rows of await all(readRows(chunks, { format, ...options }))) {
    const { readings, bad, skipped, layer } = rows;
    if (readings.length > 0) found.layers.push(layer);
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
  name:
    "formatOf() returns the format by the extension if the content does not decide",
  permissions: "none",
  fn: () => {
    assert.equal(formatOf("a.csv"), undefined);
    assert.equal(formatOf("/b/A.JSON"), "json");
    assert.equal(formatOf("a.b.ndjson"), "ndjson");
    assert.equal(formatOf("/b/A.NDJSON"), "ndjson");
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
    for (
      const header of ["x,y,value", "X, Y, Value, time", '"x","y","value"']
    ) {
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
            const options = { format, strict };
            await all(readRows(chunked(bytes, cuts), options));
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error));
          }
        },
      ),
    );
  },
});

Deno.test({
  name: "readRows() decides the format after blank lines and a byte order mark",
  permissions: "none",
  fn: async () => {
    const object = '{"x":1,"y":2,"value":3}';
    const texts = [
      `\n\n${object}\n`,
      `\ufeff${object}\n`,
      `\ufeff\r\n \n[${object}]`,
      `\ufeff\n1,2,3\n`,
      `\n\ny,x,value\n2,1,3\n`,
      `\n${JSON.stringify({ cells: [[1, 2, 3]] })}\n`,
      `{${" ".repeat(5000)}"cells":[[1,2,3]]}\n`,
    ];
    for (const text of texts) {
      for (const isFile of [false, true]) {
        // A chunk for each byte, and one for all.
        const single = Array.from({ length: text.length + 9 }, (_, i) => i);
        for (const cuts of [single, [1], []]) {
          const { readings, skipped } = await read(text, undefined, {
            cuts,
            isFile,
          });
          assert.deepEqual(readings, [[1, 2, 3]], JSON.stringify(text));
          assert.equal(skipped, 0);
        }
      }
    }
  },
});

Deno.test({
  name:
    "readRows() yields a JSON line as soon as its line feed arrives, also alone",
  permissions: "none",
  fn: async () => {
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    const writer = pipe.writable.getWriter();
    const rows = readRows(pipe.readable);
    const write = (text: string) => writer.write(encoder.encode(text));
    for (let i = 0; i < 3; i++) {
      const next = rows.next();
      await write(`{"x":${i},"y":0,"value":1}`);
      await write("\n");
      const { value } = await next;
      assert.equal(value!.readings.x[0], i);
    }
    await writer.close();
    assert.equal((await rows.next()).done, true);
  },
});

Deno.test({
  name: "readRows() reads JSON lines in a file named .json",
  permissions: "none",
  fn: async () => {
    const line = (x: number) => `{"x":${x},"y":2,"value":3}\n`;
    const { readings } = await read(line(1) + line(4), "json", {
      isFile: true,
    });
    assert.deepEqual(readings, [[1, 2, 3], [4, 2, 3]]);
    // A document of one line: elements are numbered.
    const { bad } = await read('[{"x":1,"y":2,"value":3},{}]\n', "json", {
      isFile: true,
    });
    assert.match(bad[0]!, /^2: /);
  },
});

const TIME = 1_769_860_799_000;
const ISO = "2026-01-31T11:59:59.000Z";

/** The same two cells in every form that a command or an endpoint prints. */
const PRINTED: Record<string, string> = {
  "request, in a pipe": `1\t2\t3\toccupied\t${ISO}\n4\t5\t0\tstale\t${ISO}\n`,
  "GET /api/v1/cells?format=csv":
    `x,y,value,status,time\n1,2,3,occupied,${TIME}\n4,5,0,stale,${TIME}\n`,
  "GET /api/v1/cells, request --json":
    `{"layer":"default","revision":7,"time":${TIME},"staleAfter":60000,"began":5,"cells":[[1,2,3,${TIME}],[4,5,0,${TIME}]]}\n`,
  "request --watch --json":
    `{"kind":"snapshot","layer":"default","revision":7,"time":${TIME},"cells":[[1,2,3,${TIME}]]}\n{"kind":"changes","layer":"default","revision":8,"time":${TIME},"cells":[[4,5,0,${TIME}]]}\n`,
  "GET /api/v1/changes":
    `retry: 2000\nevent: changes\ndata: {"layer":"default","from":0,"to":7,"part":1,"parts":2,"cells":[[1,2,3,${TIME}]]}\n\n:\n\nevent: changes\nid: 8@9\ndata: {"layer":"default","from":0,"to":7,"part":2,"parts":2,"cells":[[4,5,0,${TIME}]]}\n\n`,
  "GET /api/v1/cell":
    `{"layer":"default","x":1,"y":2,"value":3,"status":"occupied","time":${TIME},"age":5,"revision":7,"source":"cam"}\n{"layer":"default","x":4,"y":5,"value":0,"status":"stale","time":${TIME},"age":5,"revision":7,"source":null}\n`,
  "a CSV reply in two parts":
    `#{"status":"ok","layer":"default","revision":7,"part":1,"parts":2}\nx,y,value,time\n1,2,3,${TIME}\n\n#{"status":"ok","layer":"default","revision":7,"part":2,"parts":2}\nx,y,value,time\n4,5,0,${TIME}\n`,
  "a delta":
    `{"layer":"default","from":6,"to":7,"time":${TIME},"part":1,"parts":1,"cells":[[1,2,3,${TIME}],[4,5,0,${TIME}]]}`,
};

Deno.test({
  name: "readRows() reads everything that commands and endpoints print",
  permissions: "none",
  fn: async () => {
    for (const [what, text] of Object.entries(PRINTED)) {
      for (const strict of [false, true]) {
        const { readings, bad } = await read(text, undefined, { strict });
        assert.deepEqual(bad, [], what);
        assert.deepEqual(readings, [[1, 2, 3, TIME], [4, 5, 0, TIME]], what);
      }
    }
    const { readings } = await read(
      "{(1, 2): 3, (4, 5): None}\n",
      undefined,
    );
    assert.deepEqual(readings, [[1, 2, 3], [4, 5, -1]], "the original wire");
  },
});

Deno.test({
  name: "readRows() returns the layer that the file names, unless ignored",
  permissions: "none",
  fn: async () => {
    const cases: [text: string, layers: (string | undefined)[]][] = [
      ['{"layer":"l2","cells":[[1,2,3]]}', ["l2"]],
      ["1,2,3\n", [undefined]],
      ['{"layer":"a","x":1,"y":2,"value":3}\n{"x":1,"y":2,"value":3}', [
        "a",
        undefined,
      ]],
      ['#{"layer":"a/b"}\n1,2,3\n#{"layer":"c"}\n4,5,6\n', ["a/b", "c"]],
      ["x,y,value,layer\n1,2,3,a\n4,5,6,b\n7,8,9,a\n", ["a", "b"]],
      ['x,y,value,layer\n1,2,3,"a,b ""c"""\n', ['a,b "c"']],
      [`1\t2\t3\tfree\t${ISO}\tl2\n`, ["l2"]],
    ];
    for (const [text, layers] of cases) {
      assert.deepEqual((await read(text, undefined)).layers, layers, text);
      const ignored = await read(text, undefined, { ignoreLayers: true });
      assert.ok(ignored.layers.every((layer) => layer === undefined), text);
      assert.equal(ignored.skipped, 0);
    }
  },
});

Deno.test({
  name: "readRows() keeps the layer of a comment for the following blocks",
  permissions: "none",
  fn: async () => {
    const text = '#{"layer":"a"}\n1,2,3\n4,5,6\n#{"layer":"b"}\n7,8,9\n';
    const { layers, readings } = await read(text, undefined, {
      cuts: [16, 22, 28, 44],
    });
    assert.deepEqual(layers, ["a", "a", "b"]);
    assert.equal(readings.length, 3);
  },
});

Deno.test({
  name: "readRows() with strict keeps the layers of the rows before a bad one",
  permissions: "none",
  fn: async () => {
    const csv = '#{"layer":"a"}\n1,2,3\nbad\n#{"layer":"b"}\n7,8,9\n';
    const json = '[{"layer":"a","x":1,"y":2,"value":3},{},{"layer":"b"}]';
    for (const text of [csv, json]) {
      const { layers, readings } = await read(text, undefined, {
        strict: true,
      });
      assert.deepEqual(layers, ["a"]);
      assert.deepEqual(readings, [[1, 2, 3]]);
    }
  },
});

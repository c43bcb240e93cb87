import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeErrorReply,
  parseReadings,
  parseReply,
  ReadingBatch,
  ReplyAssembler,
  type ReplyHeader,
  type ReplyPart,
  ReplyWriter,
} from "../../src/protocol/mod.ts";
import { csvHeader, writeCsvRows } from "../../src/http/api/cell_rows.ts";
import { parseJson } from "../../src/protocol/text.ts";
import {
  attempt,
  embedded,
  errorOf,
  jsonOf,
  pure,
  type Row,
  rowsOf,
  textOf,
  utf8,
} from "./support.ts";

type Cell = readonly [x: number, y: number, value: number, time: number];

const HEADER: ReplyHeader = { layer: "default", revision: 812, time: 1e12 };

function write(
  cells: Iterable<Cell>,
  { format = "json" as "json" | "csv", maxBytes = 262144, header = HEADER } =
    {},
): Uint8Array<ArrayBuffer>[] {
  const writer = new ReplyWriter({ ...header, format, maxBytes });
  for (const cell of cells) writer.cell(...cell);
  return writer.finish();
}

function readPart(payload: Uint8Array): ReplyPart {
  const reply = parseReply(embedded(payload));
  assert.equal(reply.status, "ok");
  return reply as ReplyPart;
}

pure("ReplyWriter writes the JSON of the specification", () => {
  const header = {
    transaction: "t1",
    layer: "campus2/l2",
    revision: 812,
    time: 1_700_000_000_000,
    staleAfter: 60_000,
  };
  const [part, ...more] = write(
    [[1, 2, 1, 1_699_999_999_000], [-1, 3, -1, 0]],
    { header },
  );
  assert.deepEqual(more, []);
  assert.equal(
    textOf(part!),
    '{"transaction":"t1","status":"ok","layer":"campus2/l2","revision":812,' +
      '"time":1700000000000,"staleAfter":60000,"part":1,"parts":1,' +
      '"cells":[[1,2,1,1699999999000],[-1,3,-1,0]]}',
  );
});

pure("ReplyWriter writes CSV after a header line", () => {
  const [part] = write([[1, 2, 1, 5], [-1, 3, -1, 0]], { format: "csv" });
  assert.equal(
    textOf(part!),
    '#{"status":"ok","layer":"default","revision":812,' +
      '"time":1000000000000,"part":1,"parts":1}\n' +
      "x,y,value,time\n1,2,1,5\n-1,3,-1,0\n",
  );
});

pure(
  "the CSV of replies and of HTTP is read by the names of its columns",
  () => {
    const rows: [number, number, number, number][] = [[1, 2, 1, 5], [
      -1,
      3,
      0,
      7,
    ]];
    const [part] = write(rows, { format: "csv" });
    const http = csvHeader("hall") +
      textOf(
        writeCsvRows(
          {
            length: 2,
            x: Int32Array.of(1, -1),
            y: Int32Array.of(2, 3),
            value: Int32Array.of(1, 0),
            time: Float64Array.of(5, 7),
            stale: Uint8Array.of(0, 0),
          },
          "hall",
          0,
          2,
        ),
      );
    for (const csv of [textOf(part!), http]) {
      const lines = csv.trimEnd().split("\n")
        .filter((line) => !line.startsWith("#"));
      const names = lines.shift()!.split(",");
      const read = lines.map((line) => {
        const fields = line.split(",");
        return ["x", "y", "value", "time"].map((name) =>
          Number(fields[names.indexOf(name)])
        );
      });
      assert.deepEqual(read, rows);
    }
  },
);

pure("the parts of a CSV reply, one after the other, are readings", () => {
  const rows = Array.from(
    { length: 200 },
    (_, i): [number, number, number, number] => [i, -i, i, 1e12 + i],
  );
  const parts = write(rows, { format: "csv", maxBytes: 1024 });
  assert.ok(parts.length > 2);
  const batch = new ReadingBatch();
  const payload = utf8(parts.map(textOf).join("\n"));
  const { total } = parseReadings(payload, batch, { layer: "default" });
  assert.equal(total, 0);
  assert.deepEqual(
    Array.from(batch.x.subarray(0, batch.length)),
    rows.map(([x]) => x),
  );
});

pure("ReplyWriter writes one part for an empty map", () => {
  const json = write([]);
  assert.equal(json.length, 1);
  assert.deepEqual(jsonOf(json[0]!).cells, []);
  assert.equal(readPart(json[0]!).cells.length, 0);
  const csv = write([], { format: "csv" });
  assert.equal(csv.length, 1);
  assert.equal(readPart(csv[0]!).cells.length, 0);
});

pure("ReplyWriter echoes a transaction and a layer that need escapes", () => {
  for (
    const transaction of ['"]}\n\\', "\ud800", "é", "", 0, -1.5, false, null]
  ) {
    const header = { ...HEADER, transaction, layer: 'a"b\\[c' };
    for (const format of ["json", "csv"] as const) {
      const [payload] = write([[1, 2, 3, 4]], { format, header });
      const part = readPart(payload!);
      assert.equal(part.transaction, transaction);
      assert.equal(part.layer, 'a"b\\[c');
      assert.deepEqual(rowsOf(part.cells), [[1, 2, 3, 4]]);
    }
  }
  assert.ok(!("transaction" in readPart(write([])[0]!)));
  assert.ok(
    !("staleAfter" in jsonOf(
      write([], { header: { ...HEADER, staleAfter: Infinity } })[0]!,
    )),
  );
});

pure("ReplyWriter fits the longest header into the smallest part", () => {
  const header = {
    transaction: "\x01".repeat(42) + "aa", // 256 bytes of JSON
    layer: '"'.repeat(200),
    revision: Number.MAX_SAFE_INTEGER,
    time: 1e14,
    staleAfter: Number.MAX_SAFE_INTEGER,
  };
  assert.equal(JSON.stringify(header.transaction).length, 256);
  const worst: Cell = [-2147483648, -2147483648, -2147483648, 1e14];
  for (const format of ["json", "csv"] as const) {
    const cells = Array.from({ length: 50 }, () => worst);
    const parts = write(cells, { header, format, maxBytes: 1024 });
    assert.ok(parts.every(({ length }) => length <= 1024));
    assert.equal(
      parts.flatMap((part) => rowsOf(readPart(part).cells)).length,
      50,
    );
  }
});

pure(
  "ReplyWriter refuses a size that cannot hold a cell, and invalid times",
  () => {
    assert.throws(() => write([], { maxBytes: 1023 }), RangeError);
    assert.throws(() => write([], { maxBytes: NaN }), RangeError);
    const header = { ...HEADER, layer: "l".repeat(1000) };
    assert.throws(() => write([], { header, maxBytes: 1024 }), RangeError);
    for (const time of [NaN, -1, 1e15]) {
      assert.throws(() => write([[1, 2, 3, time]]), RangeError);
    }
    const writer = new ReplyWriter({
      ...HEADER,
      format: "json",
      maxBytes: 1024,
    });
    writer.finish();
    assert.throws(() => writer.cell(1, 2, 3, 4), /is finished/);
  },
);

pure("ReplyWriter accepts a header longer than its first buffer", () => {
  const header = { ...HEADER, layer: "l".repeat(300_000) };
  const [payload] = write([[1, 2, 3, 4]], { header, maxBytes: 1_000_000 });
  assert.deepEqual(rowsOf(readPart(payload!).cells), [[1, 2, 3, 4]]);
});

const time = fc.oneof(
  fc.integer({ min: 1.7e12, max: 1.7e12 + 5 }),
  fc.integer({ min: 0, max: 1e14 }),
);
const small = fc.integer({ min: -20, max: 20 });
const int32 = fc.oneof(small, fc.integer());
const cells = fc.array(fc.tuple(int32, int32, int32, time), {
  maxLength: 400,
  size: "max",
});
const format = fc.constantFrom("json" as const, "csv" as const);
const maxBytes = fc.oneof(
  fc.integer({ min: 1024, max: 1200 }),
  fc.integer({ min: 1024, max: 20_000 }),
);

pure("a reply in parts of any size is parsed to the same cells", () => {
  fc.assert(
    fc.property(cells, format, maxBytes, (cells, format, maxBytes) => {
      const header = { ...HEADER, transaction: "t", staleAfter: 5 };
      const parts = write(cells, { format, maxBytes, header });
      const assembler = new ReplyAssembler();
      for (const [index, payload] of parts.entries()) {
        assert.ok(payload.length <= maxBytes);
        if (format === "json") jsonOf(payload);
        const { cells, ...rest } = readPart(payload);
        assert.deepEqual(rest, {
          status: "ok",
          ...header,
          part: index + 1,
          parts: parts.length,
        });
        assert.ok(cells.length > 0 || parts.length === 1);
        assembler.add({ ...rest, cells });
      }
      assert.ok(assembler.complete);
      assert.deepEqual(rowsOf(assembler.cells()), cells as unknown as Row[]);
    }),
  );
});

pure("ReplyWriter fills every part except the last", () => {
  const cells = Array.from({ length: 5000 }, (_, i): Cell => [i, i, 1, 1e12]);
  for (const maxBytes of [1024, 4097, 5000, 20_000]) {
    const parts = write(cells, { maxBytes });
    for (const part of parts.slice(0, -1)) {
      assert.ok(part.length > maxBytes - 100, `${part.length} of ${maxBytes}`);
    }
  }
});

pure("ReplyWriter has room for the longest cells at every size", () => {
  const worst: Cell = [-2147483648, -2147483648, -2147483648, 1e14];
  const cells = Array.from({ length: 400 }, () => worst);
  for (const format of ["json", "csv"] as const) {
    for (let maxBytes = 4090; maxBytes < 4200; maxBytes++) {
      const parts = write(cells, { format, maxBytes });
      assert.ok(parts.every(({ length }) => length <= maxBytes));
      const count = parts.reduce(
        (n, part) => n + readPart(part).cells.length,
        0,
      );
      assert.equal(count, 400);
    }
  }
});

pure("ReplyWriter splits 100,000 cells into parts of the default size", () => {
  const cells = Array.from({ length: 100_000 }, (_, i): Cell => [
    i % 1000,
    5 - Math.trunc(i / 1000),
    i % 3,
    1.7e12 + i,
  ]);
  const parts = write(cells);
  assert.ok(parts.length > 5 && parts.every(({ length }) => length <= 262144));
  // As text, because deepEqual takes minutes to show a difference.
  const sent = JSON.stringify(cells);
  const parsed = parts.flatMap((part) => jsonOf(part).cells);
  assert.ok(JSON.stringify(parsed) === sent);
  const read = parts.flatMap((part) => rowsOf(readPart(part).cells));
  assert.ok(JSON.stringify(read) === sent);
});

pure("encodeErrorReply() is the inverse of parseReply()", () => {
  const error = { transaction: 7, code: "bad-region", message: 'x0 "is"' };
  assert.deepEqual(parseReply(encodeErrorReply(error)), {
    status: "error",
    ...error,
  });
  assert.equal(
    textOf(encodeErrorReply({ code: "busy", message: "later" })),
    '{"status":"error","error":{"code":"busy","message":"later"}}',
  );
});

pure("parseReply() refuses invalid replies", () => {
  const ok = '"status":"ok","layer":"l","revision":1,"time":2';
  const one = `${ok},"part":1,"parts":1`;
  const table: [string, string][] = [
    ["", "bad-json"],
    ["{", "bad-json"],
    ["[]", "bad-reply"],
    ["7", "bad-reply"],
    ["{}", "bad-reply"],
    ['{"status":"maybe"}', "bad-reply"],
    ['{"status":"error"}', "bad-reply"],
    ['{"status":"error","error":{"code":"a"}}', "bad-reply"],
    [`{${one}}`, "bad-reply"],
    [`{${one},"cells":{}}`, "bad-reply"],
    [`{${one},"transaction":[],"cells":[]}`, "bad-reply"],
    [`{${one},"staleAfter":-1,"cells":[]}`, "bad-reply"],
    [`{${one},"staleAfter":"5","cells":[]}`, "bad-reply"],
    [`{${one},"cells":[[1,2,3]]}`, "bad-reply"],
    [`{${one},"cells":[[1,2,3,4,5]]}`, "bad-reply"],
    [`{${one},"cells":[[1,2,3,-4]]}`, "bad-reply"],
    [`{${one},"cells":[[1,2,3,"4"]]}`, "bad-reply"],
    [`{${one},"cells":[[1,2,null,4]]}`, "bad-reply"],
    [`{${one},"cells":[[1.5,2,3,4]]}`, "bad-reply"],
    [`{${one},"cells":[[1,2147483648,3,4]]}`, "bad-reply"],
    [`{${one},"cells":[1]}`, "bad-reply"],
    [`{${ok},"part":0,"parts":1,"cells":[]}`, "bad-reply"],
    [`{${ok},"part":2,"parts":1,"cells":[]}`, "bad-reply"],
    [`{${ok},"part":1.5,"parts":2,"cells":[]}`, "bad-reply"],
    [`{${one},"layer":7,"cells":[]}`, "bad-reply"],
    [`{${one},"revision":-1,"cells":[]}`, "bad-reply"],
    [`{${one},"time":"now","cells":[]}`, "bad-reply"],
    ["#", "bad-json"],
    ["#{}", "bad-reply"],
    [`#{${one}}\n1,2,3`, "bad-reply"],
    [`#{${one}}\n1,2,3,4,5`, "bad-reply"],
    [`#{${one}}\n1,2,x,4`, "bad-reply"],
    ['#{"status":"error","error":{"code":"a","message":"b"}}', "bad-reply"],
  ];
  for (const [payload, code] of table) {
    for (
      const padded of [payload, payload.replace("{", `{${" ".repeat(300)}`)]
    ) {
      assert.equal(errorOf(() => parseReply(utf8(padded))).code, code, payload);
    }
  }
  assert.equal(
    errorOf(() => parseReply(new Uint8Array([0x7b, 0xff]))).code,
    "bad-utf8",
  );
});

pure(
  "parseReply() agrees with JSON.parse when any byte is changed",
  () => {
    const [good] = write([[1, -2, 3, 4], [50, 60, 0, 1.7e12]], {
      header: { ...HEADER, transaction: "t".repeat(200) },
    });
    const first = 210; // after the transaction
    fc.assert(
      fc.property(
        fc.integer({ min: first, max: good!.length - 1 }),
        fc.oneof(fc.constantFrom(...utf8('[]{},:"-019. e')), fc.nat(255)),
        fc.nat(2),
        (at, byte, removed) => {
          const payload = new Uint8Array([
            ...good!.subarray(0, at),
            byte,
            ...good!.subarray(at + removed),
          ]);
          const reply = attempt(() => parseReply(payload));
          if (reply?.status !== "ok") return;
          const { cells } = parseJson(payload) as { cells: number[][] };
          assert.deepEqual(
            rowsOf(reply.cells),
            cells.map((cell) => cell.map((n) => Math.trunc(n) + 0)),
          );
        },
      ),
      { numRuns: 3000 },
    );
  },
);

pure(
  "parseReply() throws only ProtocolError for arbitrary bytes",
  () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 100 }).map((b) => Uint8Array.of(0x23, ...b)),
      fc.json().map(utf8),
    );
    fc.assert(fc.property(bytes, (bytes) => {
      attempt(() => parseReply(bytes));
    }));
  },
);

/** Cases that several readings of the specification would allow. */
import assert from "node:assert/strict";
import {
  parseReadings,
  parseRequest,
  ReadingBatch,
  RequestError,
  Topics,
} from "../../src/protocol/mod.ts";
import { errorOf, parse, pure, utf8 } from "./support.ts";

const T = 1_794_871_882_997;

/** The code of the first refused line or element. */
function codeOf(payload: string): string | undefined {
  return parse(payload).refusals.kept[0]?.code;
}

pure("a reading is refused for its first invalid field", () => {
  for (
    const [fields, code] of [
      ["x,y,v,t", "bad-x"],
      ["1,y,v,t", "bad-y"],
      ["1,2,v,t", "bad-value"],
      ["1,2,3,t", "bad-time"],
      ["x,y", "bad-fields"],
      [`x,y,${"v".repeat(2000)}`, "line-too-long"],
    ] as const
  ) assert.equal(codeOf(`0,0,0\n${fields}`), code, fields);
  for (
    const [element, code] of [
      ['{"source":1,"x":"","y":"","value":"","time":""}', "bad-source"],
      ['{"x":"","y":"","value":"","time":""}', "bad-x"],
      ['{"x":1,"y":"","value":"","time":""}', "bad-y"],
      ['{"x":1,"y":1,"value":"","time":""}', "bad-value"],
      ['{"x":1,"y":1,"value":1,"time":""}', "bad-time"],
      ['{"cells":[["","","","",""]]}', "bad-fields"],
      ['{"cells":[["","","",""]]}', "bad-x"],
      ['{"cells":[[1,2,"",""]]}', "bad-value"],
    ] as const
  ) assert.equal(codeOf(element), code, element);
});

pure("another layer is refused before x, in CSV as in JSON", () => {
  for (
    const [payload, code, source] of [
      ["x,y,value,time,layer\nx,y,v,t,other", "bad-layer"],
      ["x,y,value,time,layer\nx,y,v,t,hall", "bad-x"],
      ['{"x":"","y":1,"value":1,"layer":"other"}', "bad-layer"],
      ['{"x":"","source":5,"layer":"other"}', "bad-source"],
      ['{"x":1,"source":"a","layer":"//"}', "bad-layer", "a"],
    ] as const
  ) {
    const refusals = parseReadings(utf8(payload), new ReadingBatch(), {
      layer: "hall",
    });
    assert.equal(refusals.kept[0]?.code, code, payload);
    assert.equal(refusals.kept[0]?.source, source, payload);
  }
  for (const layer of ['"other"', '"//"', "5"]) {
    const payload = `{"source":"a","layer":${layer},"cells":[]}`;
    const error = errorOf(() =>
      parseReadings(utf8(payload), new ReadingBatch(), { layer: "hall" })
    );
    assert.deepEqual([error.code, error.source], ["bad-layer", "a"]);
  }
});

pure("a payload is refused as a whole for its first fault", () => {
  const notUtf8 = utf8('{"cells":5,"time":-1,"source":"?"');
  notUtf8[notUtf8.length - 2] = 0xff;
  assert.equal(errorOf(() => parse(notUtf8)).code, "bad-utf8");
  for (
    const [payload, code] of [
      ['{"cells":5,"time":-1,"source":5', "bad-json"],
      ['{"cells":5,"time":-1,"source":5}', "bad-form"],
      ['{"cells":[[]],"time":-1,"source":5}', "bad-time"],
      ['{"cells":[[]],"time":1,"source":5}', "bad-source"],
    ] as const
  ) assert.equal(errorOf(() => parse(payload)).code, code, payload);
});

pure("a request is refused for its first invalid key", () => {
  const topics = new Topics();
  const invalid = {
    transaction: [],
    replyTo: 5,
    layer: 5,
    region: 5,
    since: -1,
    format: 5,
    maxBytes: 5,
  };
  const codes: string[] = [];
  const remaining = Object.entries(invalid);
  for (; remaining.length > 0; remaining.shift()) {
    // The order of the keys in the payload makes no difference.
    const body = Object.fromEntries(remaining.toReversed());
    const payload = utf8(JSON.stringify(body));
    assert.throws(() => parseRequest(payload, { topics }), (error) => {
      codes.push((error as RequestError).code);
      return error instanceof RequestError;
    });
  }
  assert.deepEqual(codes, [
    "bad-transaction",
    "bad-reply-topic",
    "bad-layer",
    "bad-region",
    "bad-since",
    "bad-format",
    "bad-max-bytes",
  ]);
});

pure("a JSON number is read as a double, a CSV integer exactly", () => {
  const value = (text: string) =>
    parse(`{"x":1,"y":2,"value":${text}}`).rows[0]?.[2];
  assert.equal(value("1.00000000000000000001"), 1);
  assert.equal(value("2147483647.0000000001"), 2147483647);
  assert.equal(value("1e-400"), 0);
  assert.equal(codeOf('{"x":1e400,"y":2,"value":1}'), "bad-x");
  assert.equal(codeOf('{"x":1,"y":2,"value":1e400}'), "bad-value");
  assert.equal(codeOf('{"x":1,"y":2,"value":1,"time":1e400}'), "bad-time");
  assert.equal(codeOf('{"x":9007199254740993,"y":2,"value":1}'), "bad-x");
  const zeros = "0".repeat(400);
  assert.deepEqual(parse(`${zeros}1,2,3`).rows, [[1, 2, 3]]);
  assert.equal(codeOf(`1${zeros},2,3`), "bad-x");
  assert.equal(codeOf("1.00000000000000000001,2,3"), "bad-x");
});

pure("a negative zero is zero", () => {
  for (
    const payload of [
      "-0,-0,-0,-0",
      '{"x":-0,"y":-0.0,"value":-0e0,"time":-0}',
      '{"cells":[[-0,-0,-0,-0]]}',
    ]
  ) {
    const { rows } = parse(payload);
    assert.deepEqual(rows, [[0, 0, 0, 0]]);
    for (const field of rows[0]!) assert.ok(Object.is(field, 0), payload);
  }
  const topics = new Topics();
  const request = parseRequest(utf8('{"transaction":-0,"since":-0}'), {
    topics,
  });
  assert.ok(request.kind === "map");
  assert.equal(JSON.stringify(request.transaction), "0");
  assert.ok(Object.is(request.since, 0));
});

pure(
  "an array or a batch without elements has no readings and no fault",
  () => {
    for (const payload of ["[]", '{"cells":[]}', '{"cells":[],"source":"a"}']) {
      const { rows, refusals } = parse(payload);
      assert.deepEqual([rows.length, refusals.total], [0, 0], payload);
    }
  },
);

pure("a fraction of a time is cut off in CSV, not rounded", () => {
  for (const fraction of ["9999", "99999999999999999999", "0", "5"]) {
    assert.deepEqual(parse(`1,2,3,${T}.${fraction}`).rows, [[1, 2, 3, T]]);
    assert.deepEqual(parse(`1,2,3,+00${T}.${fraction} `).rows, [[1, 2, 3, T]]);
  }
  assert.deepEqual(parse("1,2,3,100000000.9999999999").rows, [[1, 2, 3, 1e8]]);
  assert.equal(codeOf("1,2,3,99999999999.99999999"), "bad-time");
  assert.deepEqual(parse("1,2,3,-0.0").rows, [[1, 2, 3, 0]]);
  assert.equal(codeOf("1,2,3,-0.9"), "bad-time");
  // In JSON the number is the nearest double, and then it is cut off.
  const json = (time: string) =>
    parse(`{"x":1,"y":2,"value":3,"time":${time}}`).rows[0]?.[3];
  assert.equal(json(`${T}.9`), T);
  assert.equal(json(`${T}.9999`), T + 1);
  const text = new Date(T).toISOString().replace("Z", "9999Z");
  assert.equal(json(`"${text}"`), T);
});

pure("a date-time has at most 64 characters, and the message says so", () => {
  const start = "2026-01-31T12:00:00.";
  for (const length of [64, 65]) {
    const text = start + "9".repeat(length - start.length - 1) + "Z";
    for (
      const payload of [
        `1,2,3,${text}`,
        `{"x":1,"y":2,"value":3,"time":"${text}"}`,
      ]
    ) {
      const { rows, refusals } = parse(payload);
      if (length === 64) assert.equal(rows[0]?.[3], 1_769_860_800_999);
      else assert.match(refusals.kept[0]!.message, /has over 64 characters/);
    }
  }
});

pure("the last line may end with CR alone, other lines not", () => {
  assert.deepEqual(parse("1,2,1\r").rows, [[1, 2, 1]]);
  assert.deepEqual(parse("1,2,1\r\n3,4,1\r").rows, [[1, 2, 1], [3, 4, 1]]);
  assert.deepEqual(parse(`1,2,1,${T}\r`).rows, [[1, 2, 1, T]]);
  assert.equal(codeOf("1,2,1\r3,4,1"), "bad-fields");
  assert.equal(codeOf("1,2,1\r\r\n"), "bad-value");
});

pure("a leap second is accepted on any day, at 23:59:60 UTC only", () => {
  const day = Date.UTC(2026, 1, 3);
  for (const text of ["2026-02-02T23:59:60Z", "2026-02-03T00:59:60.9+01:00"]) {
    assert.equal(parse(`1,2,3,${text}`).rows[0]?.[3], day - 1);
  }
  assert.equal(codeOf("1,2,3,2026-02-02T22:59:60Z"), "bad-time");
});

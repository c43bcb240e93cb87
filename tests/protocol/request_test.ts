import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeErrorReply,
  encodeRequest,
  type ParsedRequest,
  parseRequest,
  RequestError,
  type Scalar,
  Topics,
} from "../../src/protocol/mod.ts";
import { embedded, errorOf, jsonOf, pure, utf8 } from "./support.ts";

const topics = new Topics();

function parse(
  payload: string | Uint8Array,
  properties: { responseTopic?: string; correlationData?: Uint8Array } = {},
): ParsedRequest {
  const bytes = typeof payload === "string" ? utf8(payload) : payload;
  return parseRequest(bytes, { topics, ...properties });
}

function refusal(
  payload: string,
  properties: { responseTopic?: string; correlationData?: Uint8Array } = {},
): RequestError {
  const error = errorOf(() => parse(payload, properties));
  assert.ok(error instanceof RequestError);
  return error;
}

pure("parseRequest() fills in defaults", () => {
  assert.deepEqual(parse("{}"), {
    kind: "map",
    replyTopic: "occupancy/response",
    layer: "default",
    format: "json",
    maxBytes: 262144,
  });
});

pure(
  "parseRequest() reads every key and ignores unknown ones",
  () => {
    const payload = "\ufeff " + JSON.stringify({
      transaction: "t1",
      layer: 'campus "2"/l2',
      region: [-3, -2, 4, 5],
      since: 812,
      format: "csv",
      replyTo: "occupancy/response/me",
      maxBytes: 1024,
      colour: ["blue"],
    });
    assert.deepEqual(parse(payload), {
      kind: "map",
      transaction: "t1",
      layer: 'campus "2"/l2',
      region: { x0: -3, y0: -2, x1: 4, y1: 5 },
      since: 812,
      format: "csv",
      replyTopic: "occupancy/response/me",
      maxBytes: 1024,
    });
  },
);

pure(
  "parseRequest() treats null as absent, but echoes it as a transaction",
  () => {
    const request = parse(
      '{"transaction":null,"layer":null,"region":null,"since":null,' +
        '"format":null,"replyTo":null,"maxBytes":null}',
    );
    assert.deepEqual(request, { ...parse("{}"), transaction: null });
  },
);

pure(
  "parseRequest() treats everything except a JSON object as the original request",
  () => {
    const payloads = [
      "get data",
      "",
      " ",
      "[]",
      "[1,2]",
      "7",
      "null",
      '"{}"',
      "data{}",
      new Uint8Array([0xff, 0xfe]),
    ];
    for (const payload of payloads) {
      assert.deepEqual(parse(payload), {
        kind: "original",
        replyTopic: "occupancy/response",
      });
    }
  },
);

pure(
  "parseRequest() returns the reason why a JSON object does not parse",
  () => {
    const payloads = [
      "{",
      '{"region":[1,2,3,4]',
      "{'transaction': 1}",
      new Uint8Array([0x7b, 0xff, 0x7d]),
      '{"a":'.repeat(100_000),
    ];
    for (const payload of payloads) {
      const request = parse(payload);
      assert.equal(request.kind, "original");
      assert.ok(
        "malformed" in request && request.malformed.message.length < 200,
      );
    }
  },
);

pure(
  "parseRequest() uses the MQTT 5 Response Topic, else replyTo",
  () => {
    const correlationData = new Uint8Array([0, 255, 7]);
    const properties = {
      responseTopic: "occupancy/response/five",
      correlationData,
    };
    const replyTo = '{"replyTo":"occupancy/response/three"}';
    for (const payload of ["get data", "{}", replyTo]) {
      const request = parse(payload, properties);
      assert.equal(request.replyTopic, "occupancy/response/five");
      assert.equal(request.correlationData, correlationData);
    }
    assert.equal(parse(replyTo).replyTopic, "occupancy/response/three");
  },
);

pure("parseRequest() refuses reply topics outside its prefix", () => {
  const foreign = refusal('{"transaction":7,"replyTo":"home/door/set"}');
  assert.equal(foreign.code, "bad-reply-topic");
  assert.equal(foreign.replyTopic, "occupancy/response");
  assert.equal(foreign.transaction, 7);

  const five = refusal('{"transaction":7}', { responseTopic: "a/#" });
  assert.equal(five.code, "bad-reply-topic");
  assert.equal(five.replyTopic, "occupancy/response");
  assert.equal(five.transaction, 7);

  const original = refusal("get data", { responseTopic: "" });
  assert.equal(original.code, "bad-reply-topic");

  // The server sends the error reply to the valid topic.
  const both = refusal('{"replyTo":"x"}', {
    responseTopic: "occupancy/response/me",
  });
  assert.equal(both.replyTopic, "occupancy/response/me");
  assert.equal(refusal('{"replyTo":7}').code, "bad-reply-topic");
});

pure("parseRequest() sorts the corners of a region", () => {
  for (const corners of [[1, 2, 3, 4], [3, 4, 1, 2], [1, 4, 3, 2]]) {
    const request = parseRequest(utf8(JSON.stringify({ region: corners })), {
      topics: new Topics(),
    });
    assert.ok(request.kind === "map");
    assert.deepEqual(request.region, { x0: 1, y0: 2, x1: 3, y1: 4 });
  }
});

pure("parseRequest() refuses invalid fields with the reason", () => {
  const table: [string, string, RegExp][] = [
    ['"transaction":[]', "bad-transaction", /an array/],
    ['"transaction":{}', "bad-transaction", /an object/],
    ['"transaction":1e999', "bad-transaction", /exactly/],
    ['"transaction":12345678901234567890', "bad-transaction", /exactly/],
    [`"transaction":"${"t".repeat(255)}"`, "bad-transaction", /over 256 bytes/],
    [`"transaction":"${"é".repeat(128)}"`, "bad-transaction", /over 256 bytes/],
    ['"layer":7', "bad-layer", /not a string: 7/],
    ['"layer":""', "bad-layer", /empty/],
    ['"layer":"a/+"', "bad-layer", /wildcard/],
    ['"layer":"\\ud800"', "bad-layer", /surrogate/],
    ['"layer":"a\\u0000"', "bad-layer", /control/],
    ['"region":{}', "bad-region", /not an array: an object/],
    ['"region":[1,2,3]', "bad-region", /3 numbers instead of four/],
    ['"region":[1,2,3,4,5]', "bad-region", /5 numbers instead of four/],
    ['"region":[1,2,3,"4"]', "bad-region", /y1 .*: "4"/],
    ['"region":[1,2.5,3,4]', "bad-region", /y0 .*: 2\.5/],
    ['"region":[-2147483649,0,0,0]', "bad-region", /x0 .*32-bit/],
    ['"region":[0,0,2147483648,0]', "bad-region", /x1 .*32-bit/],
    ['"region":[0,0,null,0]', "bad-region", /x1 .*null/],
    ['"since":-1', "bad-since", /-1/],
    ['"since":1.5', "bad-since", /1\.5/],
    ['"since":"812"', "bad-since", /"812"/],
    ['"since":9007199254740992', "bad-since", /revision/],
    ['"since":true', "bad-since", /true/],
    ['"format":"xml"', "bad-format", /"xml"/],
    ['"format":"JSON"', "bad-format", /"JSON"/],
    ['"format":7', "bad-format", /7/],
    ['"maxBytes":1023', "bad-max-bytes", /1023/],
    ['"maxBytes":268000001', "bad-max-bytes", /268000001/],
    ['"maxBytes":1e99', "bad-max-bytes", /1e\+99/],
    ['"maxBytes":2048.5', "bad-max-bytes", /2048\.5/],
    ['"maxBytes":"2048"', "bad-max-bytes", /"2048"/],
  ];
  const correlationData = new Uint8Array([1]);
  for (const [member, code, reason] of table) {
    const replyTo = "occupancy/response/me";
    const payload = `{"transaction":"t","replyTo":"${replyTo}",${member}}`;
    const error = refusal(payload, { correlationData });
    assert.equal(error.code, code, member);
    assert.match(error.message, reason);
    assert.equal(error.replyTopic, replyTo);
    assert.equal(error.correlationData, correlationData);
    const expected = code === "bad-transaction" ? undefined : "t";
    assert.equal(error.transaction, expected);
  }
});

pure("parseRequest() accepts the limits", () => {
  const { region } = parse(
    '{"region":[-2147483648,-2147483648,2147483647,2147483647]}',
  ) as { region?: unknown };
  const [low, high] = [-2147483648, 2147483647];
  assert.deepEqual(region, { x0: low, y0: low, x1: high, y1: high });
  assert.deepEqual(
    parse('{"region":[-0,-0,0,0],"since":-0,"maxBytes":268000000}'),
    {
      ...parse("{}"),
      region: { x0: 0, y0: 0, x1: 0, y1: 0 },
      since: 0,
      maxBytes: 268_000_000,
    },
  );
});

const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("\ud800", '\0\n"\\', ""),
  fc.maxSafeInteger().map((n) => n + 0),
  fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e9, min: -1e9 })
    .map((n) => n + 0),
  fc.boolean(),
  fc.constant(null),
);

pure("an error reply echoes the transaction", () => {
  fc.assert(fc.property(scalar, (transaction) => {
    const payload = JSON.stringify({ transaction, format: "?" });
    const reply = jsonOf(encodeErrorReply(refusal(payload)));
    assert.deepEqual(reply.transaction, transaction);
    assert.equal(reply.error.code, "bad-format");
  }));
  assert.ok(
    !("transaction" in jsonOf(encodeErrorReply(refusal('{"since":-1}')))),
  );
});

pure("encodeRequest() is the inverse of parseRequest()", () => {
  const corner = fc.tuple(fc.integer(), fc.integer())
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const fields = fc.record({
    transaction: scalar,
    layer: fc.constantFrom("default", "campus2/l2", 'a"b\\c'),
    region: fc.tuple(corner, corner).map(([[x0, x1], [y0, y1]]) => ({
      x0,
      y0,
      x1,
      y1,
    })),
    since: fc.maxSafeNat(),
    format: fc.constantFrom(
      "json" as const,
      "csv" as const,
      "original" as const,
    ),
    maxBytes: fc.integer({ min: 1024, max: 268_000_000 }),
  }, { requiredKeys: [] });
  fc.assert(fc.property(fields, (fields) => {
    assert.deepEqual(parse(encodeRequest(fields)), {
      ...parse("{}"),
      ...fields,
    });
  }));
  assert.equal(
    parse(encodeRequest({ replyTo: "occupancy/response/me" })).replyTopic,
    "occupancy/response/me",
  );
});

pure(
  "parseRequest() returns or throws a valid reply topic for arbitrary bytes",
  () => {
    const key = fc.constantFrom(
      "transaction",
      "layer",
      "region",
      "since",
      "format",
      "replyTo",
      "maxBytes",
      "__proto__",
    );
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.dictionary(key, fc.jsonValue()).map((body) =>
        utf8(JSON.stringify(body))
      ),
      fc.string({ unit: "binary" }).map((text) => utf8("{" + text)),
    );
    const topic = fc.option(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.string().map((name) => `occupancy/response/${name}`),
      ),
      { nil: undefined },
    );
    const data = fc.option(fc.uint8Array(), { nil: undefined });
    fc.assert(
      fc.property(
        payloads,
        topic,
        data,
        (bytes, responseTopic, correlationData) => {
          const options = { topics, responseTopic, correlationData };
          let routing;
          try {
            routing = parseRequest(embedded(bytes), options);
          } catch (error) {
            assert.ok(error instanceof RequestError);
            jsonOf(encodeErrorReply(error));
            routing = error;
          }
          topics.assertReplyTopic(routing.replyTopic);
          assert.equal(routing.correlationData, correlationData);
        },
      ),
      { numRuns: 2000 },
    );
  },
);

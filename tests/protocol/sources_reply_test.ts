/** Requests for sources and their replies, as text. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeRequest,
  parseAnyReply,
  parseReply,
  parseRequest,
  readSourceList,
  SourcesAssembler,
  type SourcesPart,
  SourcesReplyWriter,
  type SourceState,
  Topics,
} from "../../src/protocol/mod.ts";
import { errorOf, pure, utf8 } from "./support.ts";

const NOW = 1_760_000_000_000;
const topics = new Topics();
const HEADER = { time: NOW, began: NOW - 5, total: 3, silent: 1 };

function parse(body: unknown) {
  return parseRequest(utf8(JSON.stringify(body)), { topics });
}

function stateOf(source: string): SourceState {
  return {
    source,
    silent: source.length % 2 === 0,
    first: NOW - 1000,
    last: NOW,
    readings: source.length,
    rate: 0.25,
    refused: 1,
    lastRefused: { code: "late", time: NOW },
  };
}

pure("parseRequest() reads requests for sources", () => {
  const rest = { replyTopic: "occupancy/response", maxBytes: 262_144 };
  const kind = "sources";
  assert.deepEqual(parse({ sources: true }), { kind, query: {}, ...rest });
  assert.deepEqual(
    parse({
      sources: { limit: 5, contains: "cam", other: 1 },
      ...{ zones: null, layer: null, region: null, since: null },
      ...{ transaction: 7, format: "json", maxBytes: 2000 },
    }),
    {
      ...{ kind, transaction: 7, query: { limit: 5, contains: "cam" } },
      ...{ replyTopic: "occupancy/response", maxBytes: 2000 },
    },
  );
  assert.equal(parse({ sources: null }).kind, "map");
  const sent = encodeRequest({ sources: { limit: undefined } });
  assert.deepEqual(parseRequest(sent, { topics }), {
    kind,
    query: {},
    ...rest,
  });
});

pure("parseRequest() refuses what is not a request for sources", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["bad-sources", { sources: false }],
    ["bad-sources", { sources: "cam" }],
    ["bad-sources", { sources: ["cam"] }],
    ["bad-sources", { sources: { limit: 0 } }],
    ["bad-sources", { sources: { limit: 1.5 } }],
    ["bad-sources", { sources: { limit: 10_001 } }],
    ["bad-sources", { sources: { contains: 1 } }],
    ["bad-sources", { sources: { contains: "a".repeat(201) } }],
    ["bad-sources", { sources: true, layer: "l2" }],
    ["bad-sources", { sources: true, since: 0 }],
    ["bad-sources", { sources: true, zones: true }],
    ["bad-format", { sources: true, format: "csv" }],
    ["bad-max-bytes", { sources: true, maxBytes: 1 }],
  ];
  for (const [code, body] of cases) {
    const error = errorOf(() => parse({ ...body, transaction: 3 }));
    assert.equal(error.code, code, JSON.stringify(body));
  }
});

pure("a reply with sources has all of them, in parts that fit", () => {
  const names = fc.uniqueArray(fc.string({ unit: "binary", maxLength: 60 }), {
    maxLength: 30,
  });
  fc.assert(fc.property(names, fc.nat(3000), (names, extra) => {
    const maxBytes = 1024 + extra;
    const header = { ...HEADER, transaction: "q", silentAfter: 600_000 };
    const unnamed = { first: 1, last: 2, readings: 3, rate: 0, refused: 0 };
    const writer = new SourcesReplyWriter({ ...header, unnamed, maxBytes });
    const states = names.map(stateOf);
    for (const state of states) writer.source(state);
    const assembler = new SourcesAssembler();
    for (const payload of writer.finish().toReversed()) {
      assert.ok(payload.length <= maxBytes);
      const part = parseAnyReply(payload) as SourcesPart;
      assert.equal(part.transaction, "q");
      assembler.add(part);
    }
    const { transaction: _, ...rest } = header;
    assert.deepEqual(assembler.list(), { ...rest, unnamed, sources: states });
  }));
});

pure("parseReply() refuses a reply with sources", () => {
  const writer = new SourcesReplyWriter({ ...HEADER, maxBytes: 1024 });
  const [payload] = writer.finish();
  assert.throws(() => parseReply(payload!), /it has sources, not cells/);
});

pure("readSourceList() refuses what is not a list", () => {
  const valid = stateOf("a");
  const cases: [Record<string, unknown>, unknown[], RegExp][] = [
    [{ ...HEADER, total: -1 }, [], /total/],
    [{ ...HEADER, began: "x" }, [], /began/],
    [{ ...HEADER, silentAfter: null }, [], /silentAfter/],
    [{ ...HEADER, unnamed: [] }, [], /a count is not an object/],
    [HEADER, [1], /a source is not an object/],
    [HEADER, [{ ...valid, source: 1 }], /source is not a string/],
    [HEADER, [{ ...valid, silent: 1 }], /silent/],
    [HEADER, [{ ...valid, last: undefined }], /last/],
    [HEADER, [{ ...valid, readings: 0.5 }], /readings/],
    [HEADER, [{ ...valid, lastRefused: { time: 1 } }], /code/],
    [HEADER, [{ ...valid, lastRefused: true }], /lastRefused/],
  ];
  for (const [head, sources, message] of cases) {
    assert.throws(() => readSourceList(head, sources), message);
  }
});

/** Requests for the past and their replies, as text. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeRequest,
  parseAnyReply,
  parseReply,
  parseRequest,
  PastAssembler,
  type PastPart,
  PastReplyWriter,
  type Series,
  SeriesAssembler,
  type SeriesPart,
  SeriesReplyWriter,
  Topics,
} from "../../src/protocol/mod.ts";
import { errorOf, pure, utf8 } from "./support.ts";

const NOW = 1_760_000_000_000;
const topics = new Topics();
const REST = { replyTopic: "occupancy/response", maxBytes: 262_144 };

function parse(body: unknown) {
  return parseRequest(utf8(JSON.stringify(body)), { topics });
}

pure("parseRequest() reads requests for the map at a time", () => {
  const kind = "past";
  assert.deepEqual(parse({ at: NOW }), {
    ...{ kind, layer: "default", at: { ms: NOW }, format: "json" },
    ...REST,
  });
  assert.deepEqual(
    parse({
      ...{ at: "2026-11-24T10:00", timezone: "Europe/Berlin", layer: "l2" },
      ...{ region: [3, 4, 1, 2], format: "csv", transaction: 7 },
      ...{ maxBytes: 2000, since: null, from: null, zone: null },
    }),
    {
      ...{ kind, layer: "l2", region: { x0: 1, y0: 2, x1: 3, y1: 4 } },
      at: { local: Date.UTC(2026, 10, 24, 10) / 1000 },
      ...{ timezone: "Europe/Berlin", format: "csv", transaction: 7 },
      ...{ replyTopic: "occupancy/response", maxBytes: 2000 },
    },
  );
  assert.equal(parse({ at: null }).kind, "map");
  const sent = encodeRequest({ at: "-2h", layer: "l2" });
  const request = parseRequest(sent, { topics });
  assert.ok(request.kind === "past");
  assert.deepEqual(request.at, { ago: 7_200_000 });
});

pure("parseRequest() reads requests for series", () => {
  const kind = "series";
  const range = { from: { ago: 86_400_000 }, to: { ago: 0 }, step: "1h" };
  assert.deepEqual(parse({ zone: "lobby" }), {
    ...{ kind, zone: "lobby", layer: "default", ...range },
    ...REST,
  });
  assert.deepEqual(
    parse({
      ...{ layer: "l2", region: [0, 0, 1, 1], from: NOW - 5, to: NOW },
      ...{ step: "15m", timezone: "UTC", format: "json" },
    }),
    {
      ...{ kind, layer: "l2", region: { x0: 0, y0: 0, x1: 1, y1: 1 } },
      ...{ from: { ms: NOW - 5 }, to: { ms: NOW }, step: "15m" },
      ...{ timezone: "UTC", ...REST },
    },
  );
  assert.equal(parse({ step: "1d" }).kind, kind);
});

pure("parseRequest() refuses bad requests for the past", () => {
  const table: [Record<string, unknown>, string][] = [
    [{ at: "soon" }, "bad-time"],
    [{ at: {} }, "bad-time"],
    [{ at: NOW / 1000 }, "bad-time"],
    [{ at: NOW, since: 1 }, "bad-time"],
    [{ at: NOW, from: NOW }, "bad-time"],
    [{ at: NOW, zone: "lobby" }, "bad-time"],
    [{ at: NOW, timezone: 1 }, "bad-timezone"],
    [{ at: NOW, timezone: "x".repeat(65) }, "bad-timezone"],
    [{ at: NOW, layer: "#" }, "bad-layer"],
    [{ at: NOW, region: [1] }, "bad-region"],
    [{ at: NOW, format: "xml" }, "bad-format"],
    [{ at: NOW, maxBytes: 1 }, "bad-max-bytes"],
    [{ at: NOW, zones: true }, "bad-zones"],
    [{ at: NOW, sources: true }, "bad-sources"],
    [{ zone: "lobby", zones: true }, "bad-zones"],
    [{ zone: 1 }, "bad-zone"],
    [{ zone: "#" }, "bad-zone"],
    [{ zone: "lobby", layer: "l2" }, "bad-zone"],
    [{ zone: "lobby", region: [0, 0, 1, 1] }, "bad-zone"],
    [{ zone: "lobby", since: 1 }, "bad-since"],
    [{ zone: "lobby", format: "csv" }, "bad-format"],
    [{ from: "x" }, "bad-time"],
    [{ to: [] }, "bad-time"],
    [{ step: "1s" }, "bad-step"],
    [{ step: 3600 }, "bad-step"],
  ];
  for (const [body, code] of table) {
    const error = errorOf(() => parse({ transaction: "t", ...body }));
    assert.equal(error.code, code, JSON.stringify(body));
    assert.equal((error as { transaction?: unknown }).transaction, "t");
  }
});

const cell = fc.tuple(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer(),
  fc.integer(),
  fc.option(fc.integer({ min: 0, max: NOW }), { nil: NaN }),
  fc.constantFrom("free", "occupied", "stale", "unknown"),
);

pure("the parts of a map of the past can be joined in any order", () => {
  fc.assert(fc.property(fc.array(cell, { maxLength: 80 }), (cells) => {
    const writer = new PastReplyWriter({
      ...{ transaction: "t", layer: "l2", at: NOW - 9, gap: true, time: NOW },
      ...{ format: "json", maxBytes: 1024, display: { yUp: true } },
    });
    for (const one of cells) writer.state(...one);
    const assembler = new PastAssembler();
    const payloads = writer.finish();
    for (const payload of payloads.toReversed()) {
      assert.ok(payload.length <= 1024);
      const part = parseAnyReply(payload) as PastPart;
      assert.deepEqual(
        [part.transaction, part.layer, part.at, part.gap, part.time],
        ["t", "l2", NOW - 9, true, NOW],
      );
      assembler.add(part);
    }
    assert.ok(assembler.complete);
    assert.deepEqual(
      assembler.cells(),
      cells.map(([x, y, value, since, status]) => [
        ...[x + 0, y + 0, value + 0],
        Number.isNaN(since) ? null : since,
        status === "stale" ? 1 : 0,
      ]),
    );
  }));
});

pure("the CSV of a map of the past has a header line and statuses", () => {
  const writer = new PastReplyWriter({
    ...{ layer: "l2", at: NOW - 9, gap: false, damaged: true, time: NOW },
    ...{ format: "csv", maxBytes: 1024 },
  });
  writer.state(1, 2, 3, NOW - 20, "occupied");
  writer.state(1, 3, 0, NaN, "stale");
  const [payload] = writer.finish();
  const lines = new TextDecoder().decode(payload).split("\n");
  assert.deepEqual(JSON.parse(lines[0]!.slice(1)), {
    ...{ status: "ok", layer: "l2", at: NOW - 9, gap: false, damaged: true },
    ...{ time: NOW, part: 1, parts: 1 },
  });
  assert.deepEqual(lines.slice(1), [
    "x,y,value,status,time",
    `1,2,3,occupied,${NOW - 20}`,
    "1,3,0,stale,",
    "",
  ]);
});

pure("a client for the present does not take the past for it", () => {
  const writer = new PastReplyWriter({
    ...{ layer: "default", at: NOW - 9, gap: false, time: NOW },
    ...{ format: "json", maxBytes: 1024 },
  });
  assert.equal(
    errorOf(() => parseReply(writer.finish()[0]!)).code,
    "bad-reply",
  );
});

pure("replies of the past that are not valid are refused", () => {
  const good = {
    ...{ status: "ok", layer: "l2", at: NOW, gap: false, time: NOW },
    ...{ part: 1, parts: 1, cells: [[1, 2, 3, null, 0]] },
  };
  parseAnyReply(utf8(JSON.stringify(good)));
  for (
    const bad of [
      ...[{ at: "x" }, { at: -1 }, { gap: 1 }, { cells: 5 }, { layer: 5 }],
      ...[{ cells: [[1, 2, 3, NOW]] }, { cells: [[1, 2, 3, "x", 0]] }],
      ...[{ cells: [[1, 2, 2 ** 40, null, 0]] }],
      ...[{ cells: [[1, 2, 3, null, 2]] }, { part: 2 }],
    ]
  ) {
    const payload = utf8(JSON.stringify({ ...good, ...bad }));
    assert.equal(
      errorOf(() => parseAnyReply(payload)).code,
      "bad-reply",
      JSON.stringify(bad),
    );
  }
});

function seriesOf(length: number): Series {
  const column = (value: number) =>
    Array.from({ length }, (_, i) => i % 3 === 1 ? null : value + i);
  return {
    ...{ from: NOW - length, to: NOW, step: "1h", timezone: "Europe/Berlin" },
    ...{ zone: { name: "lobby", title: "Lobby" }, layer: "l2", capacity: 12 },
    start: Array.from({ length }, (_, i) => NOW - length + i),
    ...{ least: column(0), mean: column(1.5), most: column(3) },
    ...{ occupied: column(0.25), entries: column(2) },
    known: Array.from({ length }, () => 1),
    gaps: [[NOW - 5, NOW - 3]],
  };
}

function seriesFrom(series: Series, maxBytes: number): Series {
  const writer = new SeriesReplyWriter({ time: NOW, series, maxBytes });
  series.start.forEach((_, index) => writer.step(index));
  const assembler = new SeriesAssembler();
  for (const payload of writer.finish()) {
    assert.ok(payload.length <= maxBytes);
    assembler.add(parseAnyReply(payload) as SeriesPart);
  }
  return assembler.series();
}

pure("a series in many parts is the same series", () => {
  const zone = seriesOf(100);
  assert.deepEqual(seriesFrom(zone, 1024), zone);
  const { zone: _zone, capacity: _capacity, ...rest } = seriesOf(0);
  const region = {
    ...rest,
    region: { x0: 0, y0: 1, x1: 2, y1: 3 },
    damaged: [[NOW - 2, NOW - 1] as const],
  };
  assert.deepEqual(seriesFrom(region, 1024), region);
});

pure("a series over MQTT has the last 100 gaps", () => {
  const gaps = Array.from({ length: 5000 }, (_, i) => [i, i + 1] as const);
  const read = seriesFrom({ ...seriesOf(2), gaps }, 4096);
  assert.deepEqual(read.gaps, gaps.slice(-100));
});

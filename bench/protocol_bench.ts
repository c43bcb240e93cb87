/**
 * `deno bench bench/protocol_bench.ts`: compares the protocol's parsers and
 * writers with the standard functions.
 *
 * The time per iteration is for one payload.
 *
 * @module
 */

import {
  encodeBatchJson,
  encodeCsv,
  OriginalWriter,
  parseReadings,
  parseReply,
  ReadingBatch,
  ReplyWriter,
} from "../src/protocol/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const T0 = 1_700_000_000_000;

/** The i-th cell of a floor that is 1,000 cells wide. */
function cellOf(i: number): [x: number, y: number, value: number] {
  return [i % 1000, Math.floor(i / 1000), (i * 7919) % 3];
}

function batchOf(count: number, timed = false): ReadingBatch {
  const batch = new ReadingBatch(count);
  for (let i = 0; i < count; i++) {
    batch.push(...cellOf(i), timed ? T0 + (i * 37) % 100_000 : NaN);
  }
  return batch;
}

const sink = new ReadingBatch(1024);

function parse(payload: Uint8Array): void {
  sink.clear();
  parseReadings(payload, sink);
}

for (const count of [1, 1000]) {
  const group = `${count} reading${count === 1 ? "" : "s"} per payload`;
  const batch = batchOf(count);
  const csv = encodeCsv(batch);
  const timedCsv = encodeCsv(batchOf(count, true));
  const json = encodeBatchJson(batch);
  const spaced = encoder.encode(
    decoder.decode(json).replaceAll(",", ", ").replace(":", ": "),
  );
  const objects = encoder.encode(JSON.stringify(
    Array.from({ length: count }, (_, i) => {
      const [x, y, value] = cellOf(i);
      return { x, y, value };
    }),
  ));

  Deno.bench({ name: `CSV`, group, baseline: true, fn: () => parse(csv) });
  Deno.bench({ name: "CSV with times", group, fn: () => parse(timedCsv) });
  Deno.bench({
    name: "CSV with TextDecoder, split and Number",
    group,
    fn() {
      sink.clear();
      for (const line of decoder.decode(csv).split("\n")) {
        if (line === "") continue;
        const [x, y, value] = line.split(",");
        sink.push(Number(x), Number(y), Number(value));
      }
    },
  });
  Deno.bench({ name: "JSON batch", group, fn: () => parse(json) });
  Deno.bench({
    name: "JSON batch with spaces, as Python writes it",
    group,
    fn: () => parse(spaced),
  });
  Deno.bench({ name: "JSON objects", group, fn: () => parse(objects) });
  Deno.bench({
    name: "JSON batch with JSON.parse, unchecked",
    group,
    fn() {
      sink.clear();
      const { cells } = JSON.parse(decoder.decode(json));
      for (const [x, y, value] of cells) sink.push(x, y, value);
    },
  });
}

const MILLION = 1_000_000;
const map = batchOf(MILLION, true);
const header = { layer: "default", revision: 812, time: T0 + 100_000 };

function reply(format: "json" | "csv"): Uint8Array<ArrayBuffer>[] {
  const writer = new ReplyWriter({ ...header, format, maxBytes: 256 * 1024 });
  const { x, y, value, time } = map;
  for (let i = 0; i < map.length; i++) {
    writer.cell(x[i]!, y[i]!, value[i]!, time[i]!);
  }
  return writer.finish();
}

const writing = { group: "write a million cells", n: 10, warmup: 3 };
Deno.bench({
  ...writing,
  name: "ReplyWriter, JSON",
  baseline: true,
  fn: () => void reply("json"),
});
Deno.bench({
  ...writing,
  name: "ReplyWriter, CSV",
  fn: () => void reply("csv"),
});
Deno.bench({
  ...writing,
  name: "OriginalWriter",
  fn() {
    const writer = new OriginalWriter();
    const { x, y, value } = map;
    for (let i = 0; i < map.length; i++) {
      writer.cell(x[i]!, y[i]!, value[i]!);
    }
    writer.finish();
  },
});
Deno.bench({
  ...writing,
  name: "JSON.stringify of objects, encoded",
  fn() {
    const cells = [];
    for (let i = 0; i < map.length; i++) {
      cells.push({
        x: map.x[i],
        y: map.y[i],
        value: map.value[i],
        time: map.time[i],
      });
    }
    encoder.encode(JSON.stringify({ ...header, cells }));
  },
});

const jsonParts = reply("json");
const csvParts = reply("csv");
const reading = { group: "read a million cells", n: 10, warmup: 3 };
Deno.bench({
  ...reading,
  name: "parseReply, JSON",
  baseline: true,
  fn: () => jsonParts.forEach(parseReply),
});
Deno.bench({
  ...reading,
  name: "parseReply, CSV",
  fn: () => csvParts.forEach(parseReply),
});
Deno.bench({
  ...reading,
  name: "JSON.parse",
  fn: () => jsonParts.forEach((part) => JSON.parse(decoder.decode(part))),
});

/**
 * `deno bench bench/reply_bench.ts`: writes replies and deltas from the grid to
 * bytes, compared with `JSON.stringify`.
 *
 * @module
 */
import { type Grid, OccupancyMap } from "../src/grid/mod.ts";
import {
  ChangesWriter,
  type LayerMapRequest,
  parseChanges,
  parseReply,
  ReadingBatch,
  ReplyWriter,
} from "../src/protocol/mod.ts";
import { CellsJob } from "../src/server/cells_job.ts";

const NOW = 1_700_000_000_000;
const MILLION = 1_000_000;
const encoder = new TextEncoder();

/** A map that is 1,000 cells wide. */
function mapOf(cells: number): OccupancyMap {
  const map = new OccupancyMap({ staleAfter: 60_000 });
  const batch = new ReadingBatch(cells);
  for (let i = 0; i < cells; i++) {
    const time = NOW - (i * 37) % 100_000;
    batch.push(i % 1000, Math.floor(i / 1000), (i * 7919) % 3, time);
  }
  map.apply("default", batch, NOW);
  return map;
}

const map = mapOf(MILLION);
const grid = map.layer("default")!;
const whole = {
  kind: "map",
  replyTopic: "occupancy/response",
  layer: "default",
  maxBytes: 256 * 1024,
} as const;

/** Writes a reply in one step, with the headers of all parts. */
function writeReply(request: LayerMapRequest, map: OccupancyMap): void {
  const job = new CellsJob(request, { map, now: NOW });
  job.step(Infinity);
  const { body } = job.replyTo(request, NOW)!;
  for (let i = 0; i < body.length; i++) body.part(i);
}

/** The simplest writer: an object per cell, one string, its bytes. */
function stringified(grid: Grid): Uint8Array {
  const cells: unknown[] = [];
  grid.scan((x, y, value, time) => cells.push({ x, y, value, time }));
  return encoder.encode(
    JSON.stringify({ layer: "default", revision: 1, time: NOW, cells }),
  );
}

/** An array per cell, as in our protocol. */
function stringifiedArrays(grid: Grid): Uint8Array {
  const cells: unknown[] = [];
  grid.scan((x, y, value, time) => cells.push([x, y, value, time]));
  return encoder.encode(
    JSON.stringify({ layer: "default", revision: 1, time: NOW, cells }),
  );
}

const writing = { group: "a million cells to bytes", n: 15, warmup: 3 };
Deno.bench({
  ...writing,
  name: "reply, JSON",
  baseline: true,
  fn: () => void writeReply({ ...whole, format: "json" }, map),
});
Deno.bench({
  ...writing,
  name: "reply, CSV",
  fn: () => void writeReply({ ...whole, format: "csv" }, map),
});
Deno.bench({
  ...writing,
  name: "reply, original form",
  fn: () => void writeReply({ ...whole, format: "original" }, map),
});
Deno.bench({
  ...writing,
  name: "JSON.stringify of objects",
  fn: () => void stringified(grid),
});
Deno.bench({
  ...writing,
  name: "JSON.stringify of arrays",
  fn: () => void stringifiedArrays(grid),
});

// A delta of 10,000 cells out of a million.
const from = map.revision;
const changed = new ReadingBatch(10_000);
for (let i = 0; i < 10_000; i++) {
  changed.push(i % 100, Math.floor(i / 100), 9, NOW);
}
map.apply("default", changed, NOW);
const header = { layer: "default", from, to: map.revision, time: NOW };

function delta(): Uint8Array[] {
  const writer = new ChangesWriter(header);
  for (const cell = grid.cells({ since: from }); cell.next();) {
    writer.cell(cell.x, cell.y, cell.value, cell.time);
  }
  return writer.finish();
}

const delta10k = { group: "10,000 changes of a million cells", warmup: 20 };
Deno.bench({
  ...delta10k,
  name: "delta, write",
  baseline: true,
  fn: () => void delta(),
});
const parts = delta();
Deno.bench({
  ...delta10k,
  name: "delta, parse",
  fn: () => parts.forEach(parseChanges),
});

const writer = new ReplyWriter({
  ...header,
  revision: 1,
  format: "json",
  maxBytes: 256 * 1024,
});
for (const cell = grid.cells(); cell.next();) {
  writer.cell(cell.x, cell.y, cell.value, cell.time);
}
const reply = writer.finish();
const decoder = new TextDecoder();
const reading = { group: "a million cells from bytes", n: 15, warmup: 3 };
Deno.bench({
  ...reading,
  name: "reply, parse",
  baseline: true,
  fn: () => reply.forEach(parseReply),
});
Deno.bench({
  ...reading,
  name: "JSON.parse",
  fn: () => reply.forEach((part) => JSON.parse(decoder.decode(part))),
});

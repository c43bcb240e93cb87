/** Who reported a cell last: right, or not known. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { SourceBook } from "../../src/server/sources.ts";

const NOW = 1_760_000_000_000;
const CORNERS = [-(2 ** 31), -33, -32, -1, 0, 31, 32, 2 ** 31 - 1];

interface Reading {
  readonly x: number;
  readonly y: number;
  readonly time: number;
  readonly source: string;
}

/** A map and its book, fed as the pipeline does. */
function start(book = new SourceBook()) {
  const map = new OccupancyMap({ maxSkew: 1000 });
  let value = 0;
  return {
    map,
    book,
    take(readings: readonly Reading[], layer = "default") {
      const batch = new ReadingBatch();
      for (const { x, y, time, source } of readings) {
        batch.push(x, y, value++, time, batch.source(source));
      }
      map.apply(layer, batch, NOW);
      if (batch.sources.length > 1) book.note(layer, map.layer(layer)!, batch);
    },
    sourceOf(x: number, y: number, layer = "default") {
      const cell = map.layer(layer)?.get(x, y);
      return cell && book.sourceOf(layer, x, y, cell.time);
    },
  };
}

Deno.test({
  name: "SourceBook says who won, or nothing, never somebody else",
  permissions: "none",
  fn: () => {
    const reading = fc.record({
      x: fc.constantFrom(...CORNERS),
      y: fc.constantFrom(0, -1),
      time: fc.integer({ min: NOW - 50, max: NOW + 5 }),
      source: fc.constantFrom("", "a", "b", "c"),
    });
    const history = fc.array(fc.array(reading, { maxLength: 12 }), {
      maxLength: 12,
    });
    fc.assert(fc.property(history, (batches) => {
      // Whole ms between batches, so that no two readings have the same time.
      let last = 0;
      const server = start();
      const truth = new Map<string, { time: number; source: string }>();
      for (const batch of batches) {
        const readings = batch.map((one) => ({
          ...one,
          time: one.time * 1000 + last++,
        })).map((one) => ({ ...one, time: one.time / 1000 }));
        server.take(readings);
        for (const { x, y, time, source } of readings) {
          const known = truth.get(`${x},${y}`);
          if (known === undefined || time >= known.time) {
            truth.set(`${x},${y}`, { time, source });
          }
        }
      }
      for (const [at, { source }] of truth) {
        const [x, y] = at.split(",").map(Number) as [number, number];
        assert.equal(server.sourceOf(x, y) ?? "", source, at);
      }
    }));
  },
});

Deno.test({
  name: "SourceBook passes over readings that the map refused",
  permissions: "none",
  fn: () => {
    const server = start();
    server.take([{ x: 1, y: 1, time: NOW, source: "right" }]);
    server.take([
      { x: 1, y: 1, time: NOW - 500, source: "late" },
      { x: 1, y: 1, time: NOW + 60_000, source: "future" },
    ]);
    assert.equal(server.sourceOf(1, 1), "right");
  },
});

Deno.test({
  name: "SourceBook costs nothing where no source is named",
  permissions: "none",
  fn: () => {
    const server = start();
    server.take([{ x: 1, y: 1, time: NOW, source: "" }]);
    server.take([
      { x: 500, y: 1, time: NOW, source: "" },
      { x: 1, y: 1, time: NOW, source: "a" },
    ]);
    assert.equal(server.book.tiles, 1);
    assert.equal(server.sourceOf(1, 1, "other"), undefined);
  },
});

Deno.test({
  name: "SourceBook holds no more tiles and names than it may",
  permissions: "none",
  fn: () => {
    const server = start(new SourceBook({ tiles: 3, names: 4 }));
    for (let i = 0; i < 5; i++) {
      server.take(
        [{ x: i * 32, y: 0, time: NOW, source: "a" }],
        `layer${i % 2}`,
      );
    }
    assert.equal(server.book.tiles, 3);
    assert.equal(server.sourceOf(0, 0, "layer0"), undefined);
    assert.equal(server.sourceOf(128, 0, "layer0"), "a");
    for (const source of ["b", "c", "d", "e"]) {
      server.take([{ x: 128, y: 0, time: NOW, source }], "layer0");
    }
    assert.equal(server.sourceOf(128, 0, "layer0"), "e");
    assert.equal(server.sourceOf(96, 0, "layer1"), undefined, "started afresh");
    const many = ["p", "q", "r", "s", "t", "u"].map((source, i) => ({
      x: i,
      y: 0,
      time: NOW,
      source,
    }));
    server.take(many);
    for (const { x, source } of many) {
      assert.ok([source, undefined].includes(server.sourceOf(x, 0)), source);
    }
  },
});

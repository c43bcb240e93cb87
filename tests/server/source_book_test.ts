/** The source book returns the right source of a cell or undefined. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { SourceBook } from "../../src/server/source_book.ts";
import { NOW } from "./support.ts";

const CORNERS = [-(2 ** 31), -33, -32, -1, 0, 31, 32, 2 ** 31 - 1];

interface Reading {
  readonly x: number;
  readonly y: number;
  readonly time: number;
  readonly source: string;
}

/** A map and its source book, used as the pipeline does. */
function start(book = new SourceBook()) {
  const map = new OccupancyMap({ maxSkew: 1000 });
  let value = 0;
  return {
    map,
    book,
    apply(readings: readonly Reading[], layer = "default") {
      const batch = new ReadingBatch();
      for (const { x, y, time, source } of readings) {
        batch.push(x, y, value++, time, batch.source(source));
      }
      map.apply(layer, batch, NOW);
      if (batch.sources.length > 1 || book.has(layer)) {
        book.record(layer, map.layer(layer)!, batch);
      }
    },
    sourceOf(x: number, y: number, layer = "default") {
      const cell = map.layer(layer)?.get(x, y);
      return cell && book.sourceOf(layer, x, y, cell.time);
    },
  };
}

Deno.test({
  name:
    "SourceBook.sourceOf() returns the source of the latest reading or undefined",
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
      // No two readings have the same time.
      let last = 0;
      const system = start();
      const expected = new Map<string, { time: number; source: string }>();
      for (const batch of batches) {
        const readings = batch.map((one) => ({
          ...one,
          time: one.time * 1000 + last++,
        })).map((one) => ({ ...one, time: one.time / 1000 }));
        system.apply(readings);
        for (const { x, y, time, source } of readings) {
          const previous = expected.get(`${x},${y}`);
          if (previous === undefined || time >= previous.time) {
            expected.set(`${x},${y}`, { time, source });
          }
        }
      }
      for (const [cell, { source }] of expected) {
        const [x, y] = cell.split(",").map(Number) as [number, number];
        assert.equal(system.sourceOf(x, y) ?? "", source, cell);
      }
    }));
  },
});

Deno.test({
  name: "SourceBook.record() ignores readings that the map refused",
  permissions: "none",
  fn: () => {
    const system = start();
    system.apply([{ x: 1, y: 1, time: NOW, source: "right" }]);
    system.apply([
      { x: 1, y: 1, time: NOW - 500, source: "late" },
      { x: 1, y: 1, time: NOW + 60_000, source: "future" },
    ]);
    assert.equal(system.sourceOf(1, 1), "right");
  },
});

Deno.test({
  name:
    "SourceBook.sourceOf() returns undefined if a later reading of the same time names no source",
  permissions: "none",
  fn: () => {
    const system = start();
    const reading = { x: 1, y: 1, time: NOW };
    system.apply([{ ...reading, source: "a" }]);
    system.apply([{ ...reading, source: "" }]);
    assert.equal(system.sourceOf(1, 1), undefined);
    system.apply([{ ...reading, source: "" }, { ...reading, source: "b" }]);
    assert.equal(system.sourceOf(1, 1), "b");
    system.apply([{ ...reading, time: NOW - 1, source: "" }]);
    assert.equal(system.sourceOf(1, 1), "b", "the late reading is refused");
  },
});

Deno.test({
  name: "SourceBook.record() stores nothing for readings without a source",
  permissions: "none",
  fn: () => {
    const system = start();
    system.apply([{ x: 1, y: 1, time: NOW, source: "" }]);
    system.apply([
      { x: 500, y: 1, time: NOW, source: "" },
      { x: 1, y: 1, time: NOW, source: "a" },
    ]);
    assert.equal(system.book.tiles, 1);
    assert.equal(system.sourceOf(1, 1, "other"), undefined);
  },
});

Deno.test({
  name: "SourceBook limits its tiles and names",
  permissions: "none",
  fn: () => {
    const system = start(new SourceBook({ maxTiles: 3, maxNames: 4 }));
    for (let i = 0; i < 5; i++) {
      system.apply(
        [{ x: i * 32, y: 0, time: NOW, source: "a" }],
        `layer${i % 2}`,
      );
    }
    assert.equal(system.book.tiles, 3);
    assert.equal(system.sourceOf(0, 0, "layer0"), undefined);
    assert.equal(system.sourceOf(128, 0, "layer0"), "a");
    for (const source of ["b", "c", "d", "e"]) {
      system.apply([{ x: 128, y: 0, time: NOW, source }], "layer0");
    }
    assert.equal(system.sourceOf(128, 0, "layer0"), "e");
    assert.equal(
      system.sourceOf(96, 0, "layer1"),
      undefined,
      "all sources were dropped",
    );
    const many = ["p", "q", "r", "s", "t", "u"].map((source, i) => ({
      x: i,
      y: 0,
      time: NOW,
      source,
    }));
    system.apply(many);
    for (const { x, source } of many) {
      assert.ok([source, undefined].includes(system.sourceOf(x, 0)), source);
    }
  },
});

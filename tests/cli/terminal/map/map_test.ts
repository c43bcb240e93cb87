/** The map as text: properties of all maps, and golden texts of a few. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ColorDepth,
  CountedCells,
  encodeLines,
  renderMap,
} from "../../../../src/cli/terminal/map/mod.ts";
import { Level, levelOf, LEVELS } from "../../../../src/grid/status.ts";
import {
  Color,
  colorOfLevel,
  glyphOfLevel,
  glyphOfMany,
  sgrParameters,
} from "../../../../src/cli/terminal/map/palette.ts";
import {
  drawPixels,
  flipRows,
} from "../../../../src/cli/terminal/map/pixels.ts";
import {
  type MapArea,
  type Viewport,
  viewportOf,
} from "../../../../src/cli/terminal/map/viewport.ts";
import {
  corners,
  formatCount,
  formatDuration,
} from "../../../../src/cli/terminal/map/caption.ts";
import { ReadingBatch } from "../../../../src/protocol/mod.ts";
import { FakeTerminal } from "../../fake_terminal.ts";
import golden from "../../../golden/maps.json" with { type: "json" };
import { goldenMaps, textOf } from "../../../golden/maps.ts";

const NOW = 1_760_000_000_000;
const STALE_AFTER = 1000;
const DEPTHS: readonly ColorDepth[] = ["none", "256", "truecolor"];

interface TestCell {
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly stale: boolean;
}

const coordinate = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);
const testCell: fc.Arbitrary<TestCell> = fc.record({
  x: coordinate,
  y: coordinate,
  value: fc.integer({ min: -2, max: 14 }),
  stale: fc.boolean(),
});
const size = {
  width: fc.integer({ min: 1, max: 120 }),
  height: fc.integer({ min: 1, max: 60 }),
};

function counted(cells: readonly TestCell[]): CountedCells {
  const batch = new ReadingBatch();
  for (const { x, y, value, stale } of cells) {
    batch.push(x, y, value, NOW - (stale ? STALE_AFTER + 1 : 0));
  }
  const all = new CountedCells();
  all.add({ cells: batch, time: NOW, staleAfter: STALE_AFTER });
  return all;
}

/** Checks many maps: their cells, and how these fit an area. */
function forEachMap(
  check: (all: CountedCells, view: Viewport, area: MapArea) => void,
): void {
  fc.assert(fc.property(
    fc.array(testCell, { minLength: 1, maxLength: 60 }),
    fc.record({ ...size, maxCellWidth: fc.constantFrom(1, 2, 8) }),
    (cells, area) => {
      const all = counted(cells);
      check(all, viewportOf(all.table.bounds!, area), area);
    },
  ));
}

Deno.test({
  name: "drawPixels() shows every cell, and in each pixel the highest level",
  permissions: "none",
  fn: () => {
    forEachMap((all, view, area) => {
      assert.ok(view.width <= area.width && view.height <= area.height);
      const { level, width, height } = drawPixels(all, view);
      const expected = new Uint8Array(level.length);
      const { cellsPerPixel, left, top } = view;
      for (let i = 0; i < all.table.length; i++) {
        const column = Math.floor((all.table.x[i]! - left) / cellsPerPixel);
        const row = Math.floor((all.table.y[i]! - top) / cellsPerPixel);
        assert.ok(column >= 0 && column < width, "every cell is shown");
        assert.ok(row >= 0 && row < height, "every cell is shown");
        const at = row * width + column;
        assert.ok(
          level[at]! >= all.levelOfRow(i),
          "no higher level is hidden",
        );
        expected[at] = Math.max(expected[at]!, all.levelOfRow(i));
      }
      if (cellsPerPixel >= 1) assert.deepEqual(level, expected);
      else assert.equal(level.some((one) => one > 0), all.table.length > 0);
    });
  },
});

Deno.test({
  name: "occupied cells have other colors and characters than all others",
  permissions: "none",
  fn: () => {
    const levels = Array.from({ length: LEVELS }, (_, level) => level);
    const others = levels.filter((level) => level < Level.Occupied);
    for (const level of levels.filter((level) => level >= Level.Occupied)) {
      for (const other of others) {
        assert.notEqual(glyphOfLevel(level), glyphOfLevel(other));
        for (const sparse of [false, true]) {
          for (const depth of ["256", "truecolor"] as const) {
            const codeOf = (color: number) =>
              sgrParameters(color, "foreground", depth);
            const code = codeOf(colorOfLevel(level, sparse));
            assert.notEqual(code, codeOf(colorOfLevel(other)));
            assert.notEqual(code, codeOf(Color.UnknownBack));
          }
        }
      }
    }
    assert.equal(new Set(levels.map(glyphOfLevel)).size, LEVELS);
    assert.equal(new Set(others.map((level) => colorOfLevel(level))).size, 5);
  },
});

Deno.test({
  name: "renderMap() fits the terminal, and every line ends in the plain style",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(
      fc.array(testCell, { maxLength: 40 }),
      fc.record(size),
      fc.constantFrom(...DEPTHS),
      fc.constantFrom(
        "default",
        "a/很长的名字/l2",
        "🏢🏬 hq",
        "e\u0301\u202e\x1b[2J".repeat(9),
      ),
      (cells, { width, height }, depth, layer) => {
        const all = counted(cells);
        const { canvas } = renderMap({
          layer,
          cells: all,
          width,
          height,
          depth,
        });
        const text = encodeLines(canvas, depth);
        const lines = text.split("\n").slice(0, -1);
        assert.ok(lines.length <= height);
        for (const line of lines) {
          const terminal = new FakeTerminal(width, 1);
          terminal.write(line); // throws if it is too wide
          assert.ok(terminal.isPlain);
          if (depth === "none") assert.ok(!line.includes("\x1b"));
        }
      },
    ));
  },
});

Deno.test({
  name: "renderMap() renders the golden texts",
  permissions: "none",
  fn: () => {
    const texts: Record<string, string[]> = golden;
    for (const map of goldenMaps()) {
      assert.deepEqual(
        textOf(map).split("\n"),
        texts[map.name],
        `${map.name}: run tests/golden/update.ts if this change is intended`,
      );
    }
    assert.equal(Object.keys(texts).length, goldenMaps().length);
  },
});

Deno.test({
  name: "renderMap() renders maps without cells and with one cell",
  permissions: "none",
  fn: () => {
    const draw = (cells: TestCell[], width = 80, height = 24) =>
      encodeLines(
        renderMap({
          layer: "hall",
          cells: counted(cells),
          width,
          height,
          depth: "none",
        }).canvas,
        "none",
      );
    assert.equal(
      draw([]),
      "hall   0 cells   0 occupied   0 free\nNothing has been reported yet\n",
    );
    assert.equal(
      draw([{ x: -3, y: 7, value: 2, stale: false }]),
      [
        "hall   1×1 · 1 cell   2 people   1 occupied (100.0%)   0 free",
        "  -3,7",
        "  2",
        "",
        "· free  1-9  █ 10+ people  ? unknown  1 cell = 2 × 1 chars",
        "",
      ].join("\n"),
    );
    assert.equal(
      draw([{ x: 0, y: 0, value: 1, stale: false }], 3, 2),
      "hal\n1×1\n",
      "as much as fits",
    );
  },
});

Deno.test({
  name:
    "CountedCells holds the latest state of each cell, and counts as a model does",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(
      fc.array(fc.array(testCell, { maxLength: 80 }), { maxLength: 4 }),
      (steps) => {
        const all = new CountedCells();
        const model = new Map<string, TestCell>();
        for (const step of steps) {
          const batch = new ReadingBatch();
          for (const cell of step) {
            const { x, y, value, stale } = cell;
            batch.push(x, y, value, NOW - (stale ? STALE_AFTER + 1 : 0));
            model.set(`${x},${y}`, cell);
          }
          all.add({ cells: batch, time: NOW, staleAfter: STALE_AFTER });
        }
        const cells = [...model.values()];
        const count = (test: (one: TestCell) => boolean) =>
          cells.filter(test).length;
        const taken = cells.filter((one) => one.value > 0 && !one.stale);
        assert.deepEqual(all.counts(), {
          cells: cells.length,
          free: count(({ value, stale }) => value === 0 && !stale),
          occupied: taken.length,
          people: taken.reduce((sum, { value }) => sum + value, 0),
          stale: count(({ value, stale }) => value >= 0 && stale),
          unknown: count(({ value }) => value < 0),
        });
        for (const { x, y, value, stale } of cells) {
          const at = all.table.find(x, y);
          assert.equal(all.table.value[at], value);
          assert.equal(all.levelOfRow(at), levelOf(value, stale));
        }
        assert.equal(all.table.find(1234, -4321), -1);
        if (cells.length > 0) {
          const { x0, y1 } = all.table.bounds!;
          assert.equal(x0, Math.min(...cells.map(({ x }) => x)));
          assert.equal(y1, Math.max(...cells.map(({ y }) => y)));
        }
        all.clear();
        assert.deepEqual([all.table.length, all.table.bounds], [0, undefined]);
        assert.equal(all.counts().people, 0);
      },
    ));
  },
});

Deno.test({
  name: "corners() returns two corners if there is no room for four",
  permissions: "none",
  fn: () => {
    const region = { x0: -10, y0: 0, x1: 99, y1: 5 };
    assert.deepEqual(corners(region, 12), ["-10,0   99,0", "-10,5   99,5"]);
    assert.deepEqual(corners(region, 10), ["-10,0", "      99,5"]);
    assert.deepEqual(corners(region, 1), ["-10,0", "99,5"]);
    assert.deepEqual(corners({ x0: 1, y0: 2, x1: 1, y1: 2 }, 9), ["1,2", ""]);
    assert.deepEqual(corners({ x0: 1, y0: 2, x1: 1, y1: 9 }, 4), [
      "1,2",
      "1,9",
    ]);
    assert.deepEqual(corners({ x0: 1, y0: 2, x1: 8, y1: 2 }, 8), [
      "1,2  8,2",
      "",
    ]);
  },
});

Deno.test({
  name: "formatDuration() and formatCount() return numbers for people",
  permissions: "none",
  fn: () => {
    const spans = [0, 1500, 2000, 90_000, 300_000, 7_200_000, 172_800_000];
    assert.deepEqual(
      spans.map(formatDuration),
      ["0 ms", "1500 ms", "2 s", "90 s", "5 min", "2 h", "2 d"],
    );
    assert.deepEqual([0, 106_656, 2 ** 64].map(formatCount), [
      "0",
      "106,656",
      "1.8e+19",
    ]);
  },
});

Deno.test({
  name: "flipRows() reverses the rows of a picture and keeps their columns",
  permissions: "none",
  fn: () => {
    forEachMap((all, view) => {
      const pixels = drawPixels(all, view);
      const flipped = flipRows(pixels);
      const { width, height } = pixels;
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const at = row * width + column;
          const to = (height - 1 - row) * width + column;
          assert.equal(flipped.level[to], pixels.level[at]);
          assert.equal(flipped.cells[to], pixels.cells[at]);
          assert.equal(flipped.occupied[to], pixels.occupied[at]);
        }
      }
    });
  },
});

Deno.test({
  name: "the corners of a map whose y grows upwards have the larger y above",
  permissions: "none",
  fn: () => {
    const region = { x0: -1, y0: 2, x1: 3, y1: 40 };
    assert.deepEqual(corners(region, 12, true), [
      "-1,40   3,40",
      "-1,2     3,2",
    ]);
    const { canvas } = renderMap({
      layer: "a",
      cells: counted([
        { x: 0, y: 0, value: 0, stale: false },
        { x: 0, y: 9, value: 7, stale: false },
      ]),
      display: { yUp: true },
      width: 30,
      height: 20,
      depth: "none",
    });
    const rows = encodeLines(canvas, "none");
    const lines = rows.split("\n");
    const lineOf = (text: string) =>
      lines.findIndex((line) => line.trim() === text);
    assert.ok(lineOf("7") > 0 && lineOf("7") < lineOf("·"), rows);
    assert.ok(lineOf("0,9") < lineOf("7") && lineOf("0,0") > lineOf("·"), rows);
  },
});

Deno.test({
  name:
    "without colors, a character for many cells shows the share of occupied ones",
  permissions: "none",
  fn: () => {
    /** How often each character is on a map with a share of occupied cells. */
    const charactersAt = (percent: number) => {
      const cells: TestCell[] = [];
      for (let i = 0; i < 40_000; i++) {
        // Spread by multiplicative hashing.
        const value = (Math.imul(i, 0x9e3779b1) >>> 0) % 1000 < 10 * percent
          ? 1
          : 0;
        cells.push({ x: i % 200, y: i / 200 | 0, value, stale: false });
      }
      const { canvas } = renderMap({
        layer: "a",
        cells: counted(cells),
        depth: "none",
        width: 40,
        height: 20,
      });
      const lines = encodeLines(canvas, "none").split("\n").slice(3, -5);
      return new Set(lines.join(""));
    };
    assert.deepEqual(charactersAt(0), new Set("·"));
    assert.ok(charactersAt(3).isSubsetOf(new Set("·:")));
    assert.ok(charactersAt(33).isSubsetOf(new Set("░▒")));
    assert.ok(charactersAt(60).isSubsetOf(new Set("▒▓")));
    assert.deepEqual(charactersAt(100), new Set("█"));
  },
});

Deno.test({
  name: "glyphOfMany() has different characters for shares and other levels",
  permissions: "none",
  fn: () => {
    const shares = [1, 10, 25, 50, 75, 100]
      .map((occupied) => glyphOfMany(Level.OccupiedMax, occupied, 100));
    assert.equal(shares.join(""), ":░▒▓██");
    const others = [
      Level.None,
      Level.Free,
      Level.StaleFree,
      Level.Unknown,
      Level.StaleOccupied,
    ].map((level) => glyphOfMany(level, 0, 9));
    assert.equal(new Set([...others, ...shares]).size, 10);
  },
});

Deno.test({
  name: "renderMap() writes values into zoomed cells if there are counts",
  permissions: "none",
  fn: () => {
    const cells: TestCell[] = [
      { x: 0, y: 0, value: 7, stale: false },
      { x: 1, y: 0, value: 0, stale: false },
      { x: 2, y: 0, value: 123, stale: false },
      { x: 0, y: 1, value: 12_345, stale: false },
      { x: 1, y: 1, value: 123_456, stale: false },
      { x: 2, y: 1, value: 42, stale: true },
    ];
    const shown = (
      depth: ColorDepth,
      { yUp = false, cellsPerPixel = 1 / 4, values = cells } = {},
    ) => {
      const { canvas } = renderMap({
        layer: "a",
        cells: counted(values),
        depth,
        width: 4 + 3 / cellsPerPixel, // 3 cells, and not more zoomed in
        height: 30,
        display: yUp ? { yUp } : {},
        camera: { cellsPerPixel, x: 1.5, y: 1 },
      });
      const lines = encodeLines(canvas, "none").split("\n");
      const first = lines.findIndex((line) => /^0,[01]/.test(line)) + 1;
      const last = lines.findIndex((line, i) =>
        i >= first && /^0,[01]/.test(line)
      );
      return lines.slice(first, last).map((line) =>
        line.replaceAll(/[▀▄]/g, " ").trimEnd()
      );
    };
    assert.deepEqual(shown("256"), [" 7      123", "", "12K     42", ""]);
    assert.deepEqual(
      shown("256", { yUp: true }),
      ["", "12K     42", "", " 7      123"],
    );
    assert.deepEqual(
      shown("truecolor", { cellsPerPixel: 1 / 8 }).filter((line) =>
        line !== ""
      ),
      ["   7              123", " 12345  123456    42"],
    );
    assert.deepEqual(
      shown("none"),
      ["7   ·   123", "", "12K █   ▒", ""],
    );
    // Where all values are 0 and 1, the color says all.
    const plain = cells.map((cell) => ({
      ...cell,
      value: Math.min(cell.value, 1),
    }));
    assert.deepEqual(shown("256", { values: plain }), ["", "", "", ""]);
  },
});

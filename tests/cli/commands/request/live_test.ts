/** The parts of the live view, without a terminal. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseKeys } from "../../../../src/cli/commands/request/live/keyboard.ts";
import type {
  Pane,
  Scene,
} from "../../../../src/cli/commands/request/live/cells_model.ts";
import {
  MapPane,
  TablePane,
} from "../../../../src/cli/commands/request/live/panes.ts";
import { drawKeys } from "../../../../src/cli/commands/request/live/key_help.ts";
import { firstOf } from "../../../../src/cli/commands/request/live/select.ts";
import {
  type Canvas,
  CountedCells,
  encodeLines,
} from "../../../../src/cli/terminal/map/mod.ts";
import { ReadingBatch } from "../../../../src/protocol/mod.ts";

const NOW = 1_760_000_000_000;

Deno.test({
  name: "parseKeys() reads CSI and SS3 sequences, and ignores unknown ones",
  permissions: "none",
  fn: () => {
    assert.deepEqual(
      parseKeys("q\x1b[A\x1bOB\x1b[C\x1b[1;5D\x1b[5~\x1b[6~\x1b[H\x1bOF+\x03"),
      [
        "q",
        "up",
        "down",
        "right",
        "left",
        "page up",
        "page down",
        "home",
        "end",
        "+",
        "interrupt",
      ],
    );
    assert.deepEqual(parseKeys("\x1b\x1b[200~\x1b[Z\r\n\t\x7f"), []);
    assert.deepEqual(parseKeys(""), []);
  },
});

Deno.test({
  name: "firstOf() returns the start of the sorted items",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
      fc.nat(70),
      (keys, count) => {
        const compare = (a: number, b: number) => keys[a]! - keys[b]! || a - b;
        const sorted = keys.map((_, i) => i).sort(compare);
        assert.deepEqual(
          firstOf(keys.length, count, compare),
          sorted.slice(0, count),
        );
      },
    ));
  },
});

Deno.test({
  name: "MapPane zooms and pans by keys, also by several between two frames",
  permissions: "none",
  fn: () => {
    const cells = counted(
      Array.from({ length: 10_000 }, (_, i) => [i % 100, i / 100 | 0, 0]),
    );
    const pane = new MapPane();
    assert.equal(pane.press("+"), false, "before the first frame");
    const scene = sceneOf(cells, 40, 20);
    const scale = () => /1 c.*/.exec(linesOf(pane, scene).join("\n"))?.[0];
    const far = linesOf(pane, scene);
    assert.match(far.join("\n"), /q quit/);
    assert.equal(pane.press("left"), false, "the whole map is shown");
    assert.equal(scale(), "1 char = 4.2 × 8.3 cells");
    assert.ok(pane.press("+") && pane.press("+"));
    assert.equal(scale(), "1 char = 2 × 4 cells");
    const corner = () => linesOf(pane, scene)[2]!.trim().split(/ +/)[0];
    const before = corner();
    assert.ok(pane.press("right") && pane.press("down"));
    assert.notEqual(corner(), before);
    for (let i = 0; i < 30; i++) pane.press("up"), pane.press("left");
    assert.equal(corner(), "0,0");
    assert.ok(pane.press("0"));
    assert.deepEqual(linesOf(pane, scene), far);
    assert.equal(pane.press("x"), false);
    const disconnected = linesOf(pane, { ...scene, notice: "Disconnected" });
    assert.match(disconnected.join("\n"), /Disconnected/);
  },
});

Deno.test({
  name: "TablePane sorts and scrolls within the height of the terminal",
  permissions: "none",
  fn: () => {
    const pane = new TablePane();
    const cells = counted([[5, 0, 0], [-1, 0, 3], [2, 1, 12], [2, -1, -1]]);
    const scene = sceneOf(cells, 60, 7);
    const rows = () => linesOf(pane, scene).slice(2, -2).map((l) => l.trim());
    assert.deepEqual(linesOf(pane, scene), [
      "default   7×3 · 4 cells   15 people   2 occupied (66.7%)",
      "1 free   1 unknown   17 no data",
      " x   y  value  status        age",
      " 2  -1      ?  unknown       0 s",
      "-1   0      3  occupied      1 s",
      " 5   0      0  free          1 s",
      "1–3 of 4  q quit · ? keys · s sort: place · ↑↓ scroll",
    ]);
    assert.ok(pane.press("down"));
    assert.match(linesOf(pane, scene).join("\n"), /2–4 of 4/);
    assert.ok(pane.press("end"));
    assert.match(linesOf(pane, scene).join("\n"), /2–4 of 4/);
    assert.ok(pane.press("s"));
    assert.match(rows()[1]!, /^2 +1 +12 +occupied/);
    assert.ok(pane.press("s") && pane.press("home"));
    assert.match(linesOf(pane, scene).at(-1)!, /sort: newest/);
    assert.equal(pane.press("left"), false);
    const empty = linesOf(new TablePane(), sceneOf(counted([]), 60, 5));
    assert.match(empty.join("\n"), /Nothing has been reported yet/);
  },
});

Deno.test({
  name: "drawKeys() lists the keys of a live view, and a notice",
  permissions: "none",
  fn: () => {
    const size = { width: 40, height: 12, notice: undefined };
    const textOf = (canvas: Canvas) => encodeLines(canvas, "none").trimEnd();
    assert.equal(
      textOf(drawKeys(new MapPane().keys, size)),
      `Keys

+  -        zoom in and out
arrows      pan, when zoomed in
0  Home     show the whole map
?           show or hide this list
q  Ctrl-C   quit

Press ? to go back`,
    );
    const table = drawKeys(new TablePane().keys, {
      ...size,
      notice: "NOT LIVE",
    });
    assert.match(textOf(table), /^s +sort by[^]*NOT LIVE$/m);
    drawKeys(new TablePane().keys, { ...size, width: 3, height: 2 });
  },
});

Deno.test({
  name: "the last line of a live view names ? for the keys in every width",
  permissions: "none",
  fn: () => {
    const cells = counted([[1, 1, 1]]);
    for (const width of [16, 40, 80]) {
      for (const pane of [new MapPane(), new TablePane()]) {
        const lines = linesOf(pane, sceneOf(cells, width, 20)).join("\n");
        assert.match(lines, /q quit · \? keys/);
      }
    }
  },
});

Deno.test({
  name: "MapPane and TablePane name the unit of the layer",
  permissions: "none",
  fn: () => {
    const scene: Scene = {
      ...sceneOf(counted([[0, 1, 4], [1, 1, 1]]), 80, 12),
      display: { unit: ["car", "cars"] },
    };
    for (const pane of [new MapPane(), new TablePane()]) {
      assert.match(linesOf(pane, scene)[0]!, / 5 cars +2 occupied /);
    }
    assert.match(linesOf(new MapPane(), scene).join("\n"), /10\+ cars/);
  },
});

/** Returns cells observed now if y is odd, else a second ago. */
function counted(rows: number[][]): CountedCells {
  const batch = new ReadingBatch();
  for (const [x, y, value] of rows) {
    batch.push(x!, y!, value!, NOW - (y! % 2 === 0 ? 1000 : 0));
  }
  const cells = new CountedCells();
  cells.add({ cells: batch, time: NOW });
  return cells;
}

function sceneOf(cells: CountedCells, width: number, height: number): Scene {
  return {
    layer: "default",
    cells,
    width,
    height,
    time: NOW,
    staleAfter: undefined,
    display: undefined,
    notice: undefined,
    depth: "256",
  };
}

function linesOf(pane: Pane, scene: Scene): string[] {
  const { width, height } = scene;
  const drawn = pane.draw(scene);
  assert.ok(drawn.width <= width && drawn.height <= height);
  return encodeLines(drawn, "none").trimEnd().split("\n");
}

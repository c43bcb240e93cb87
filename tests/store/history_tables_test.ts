/** The tables of the history: in a file and in memory, with the same contract. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type {
  HistoryRemoval,
  HistoryTables,
  Store,
} from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { bytesFor, QueuedWork } from "./history_support.ts";

const HOUR = 490_000;
const DAY = 20_416;
const KINDS = ["SQLite", "memory"] as const;

/** A store whose history the test changes, each time in a transaction. */
interface Opened {
  readonly tables: HistoryTables;
  /** Changes the tables and commits. */
  change<T>(work: (tables: HistoryTables) => T): T;
  /** Changes the tables in a transaction that fails. */
  rollBack(work: (tables: HistoryTables) => void): void;
}

function describe(
  name: string,
  test: (opened: Opened) => void,
): void {
  for (const kind of KINDS) {
    Deno.test({
      name: `${kind}: ${name}`,
      ...needs(),
      fn: async () => {
        await using dir = await tempDir();
        const store: Store = kind === "memory"
          ? new (await import("../../src/store/memory.ts")).MemoryStore()
          : new (await import("../../src/store/sqlite.ts")).SqliteStore({
            path: `${dir.path}/map.sqlite`,
            durability: "commit",
          });
        const work = new QueuedWork();
        store.historyWork = work;
        store.load(new OccupancyMap());
        const change: Opened["change"] = (step) => {
          let result: ReturnType<typeof step>;
          work.add((tables) => {
            result = step(tables);
          });
          assert.equal(store.commitHistory!(), undefined);
          return result!;
        };
        test({
          tables: store.history!,
          change,
          rollBack: (step) => {
            work.add(step);
            work.failWith = new Error("no");
            assert.match(store.commitHistory!()!.message, /no/);
            work.failWith = undefined;
            const before = work.waiting;
            work.add(() => {});
            assert.equal(before, 1, "it would be written again");
          },
        });
        store.close();
      },
    });
  }
}

/** Runs a removal to its end. Returns the number of rows, and of steps. */
function removeAll(
  step: () => HistoryRemoval,
): { rows: number; steps: number } {
  let rows = 0;
  for (let steps = 1; steps < 10_000; steps++) {
    const removal = step();
    rows += removal.rows;
    if (removal.done) return { rows, steps };
  }
  assert.fail("the removal does not end");
}

describe("parts of a tile are read in their order, until it has a block", ({ tables, change }) => {
  assert.deepEqual(tables.openHours(), []);
  for (let flush = 0; flush < 3; flush++) {
    change((t) => {
      t.appendPart("a", -7, 3, HOUR, bytesFor(flush));
      t.appendPart("a", 7, 3, HOUR, bytesFor(10 + flush));
      t.appendPart("b", -7, 3, HOUR, bytesFor(20 + flush));
      t.appendPart("a", -7, 3, HOUR + 1, bytesFor(30 + flush));
    });
  }
  // Twice in one transaction.
  change((t) => {
    t.appendPart("a", -7, 3, HOUR, bytesFor(3));
    t.appendPart("a", -7, 3, HOUR, bytesFor(4));
  });
  const read = (layer: string, tx: number, hour: number) =>
    tables.parts(layer, tx, 3, hour).map(({ bytes }) => bytes);
  assert.deepEqual(
    read("a", -7, HOUR),
    [0, 1, 2, 3, 4].map((n) => bytesFor(n)),
  );
  assert.deepEqual(read("b", -7, HOUR), [20, 21, 22].map((n) => bytesFor(n)));
  assert.deepEqual(read("a", 7, HOUR + 1), []);
  assert.deepEqual(tables.openHours(), [HOUR, HOUR + 1]);
  assert.equal(tables.size().parts.rows, 14);

  // The next tiles follow when these have no parts any more.
  const seen: string[] = [];
  for (;;) {
    const tiles = tables.openTiles(HOUR, 2);
    if (tiles.length === 0) break;
    assert.equal(change((t) => t.endHour(HOUR)), false);
    for (const { layer, tx, ty } of tiles) {
      seen.push(`${layer} ${tx} ${ty}`);
      change((t) =>
        layer === "b"
          ? t.dropParts(layer, tx, ty, HOUR)
          : t.putBlock(layer, tx, ty, HOUR, bytesFor(tx))
      );
    }
  }
  assert.deepEqual(seen.sort(), ["a -7 3", "a 7 3", "b -7 3"]);
  assert.equal(change((t) => t.endHour(HOUR)), true);
  assert.deepEqual(tables.openHours(), [HOUR + 1]);
  assert.deepEqual(tables.blocks("a", -7, 3, HOUR, HOUR), [
    { hour: HOUR, bytes: bytesFor(-7) },
  ]);
  assert.deepEqual(tables.blocks("b", -7, 3, HOUR, HOUR), []);
  assert.equal(tables.size().parts.rows, 3);
  assert.equal(tables.size().parts.bytes, 60);
});

describe("blocks of a range of hours, short or long, and tiles of an hour", ({ tables, change }) => {
  change((t) => {
    for (const hour of [0, 5, 6, 500]) {
      for (let tx = 0; tx < 10; tx++) {
        t.putBlock("a", tx, -1, HOUR + hour, bytesFor(hour + tx));
      }
    }
    t.putBlock("b", 0, -1, HOUR - 9, bytesFor(1));
    t.putBlock("a", 3, -1, HOUR + 5, bytesFor(99, 7)); // replaces
  });
  const hours = (from: number, to: number) =>
    tables.blocks("a", 3, -1, HOUR + from, HOUR + to)
      .map(({ hour }) => hour - HOUR);
  assert.deepEqual(hours(0, 6), [0, 5, 6]);
  assert.deepEqual(hours(1, 5), [5]);
  assert.deepEqual(hours(7, 499), []);
  assert.deepEqual(hours(6, 5), []);
  assert.deepEqual(hours(-HOUR, 100_000), [0, 5, 6, 500]);
  assert.deepEqual(
    tables.blocks("a", 3, -1, HOUR + 5, HOUR + 5)[0]!.bytes,
    bytesFor(99, 7),
  );
  assert.deepEqual(tables.blocks("none", 3, -1, HOUR, HOUR), []);
  assert.deepEqual(tables.blocks("a", 77, -1, HOUR, HOUR), []);
  assert.deepEqual(tables.size().blocks, { rows: 41, bytes: 40 * 20 + 7 });
  assert.equal(tables.oldestHour(), HOUR - 9);
  assert.equal(tables.oldestHour("a"), HOUR);
  assert.equal(tables.oldestHour("none"), undefined);
  const first = tables.blockTiles("a", HOUR + 5, 4);
  const rest = tables.blockTiles("a", HOUR + 5, 99, first.at(-1));
  assert.equal(first.length, 4);
  assert.deepEqual(
    [...first, ...rest].map(({ tx }) => tx),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(tables.blockTiles("a", HOUR + 4, 4), []);
});

describe("frameBefore() finds the newest frame that is not later", ({ tables, change }) => {
  change((t) => {
    for (const hour of [0, 24, 48]) {
      t.putFrame("a", 1, 1, HOUR + hour, bytesFor(hour));
      t.putFrame("a", 1, 2, HOUR + hour + 1, bytesFor(hour));
    }
  });
  const at = (hour: number) => tables.frameBefore("a", 1, 1, HOUR + hour)?.hour;
  assert.equal(at(-1), undefined);
  assert.deepEqual([0, 23, 24, 47, 48, 9999].map(at), [
    ...[HOUR, HOUR, HOUR + 24],
    ...[HOUR + 24, HOUR + 48, HOUR + 48],
  ]);
});

describe("deleteBlocksBefore() keeps what the state at the hour needs", ({ tables, change }) => {
  change((t) => {
    for (let hour = 0; hour < 100; hour++) {
      t.putBlock("a", 1, 1, HOUR + hour, bytesFor(hour));
      t.putBlock("a", 2, 1, HOUR + hour, bytesFor(hour));
    }
    for (const hour of [0, 24, 48, 72]) {
      t.putFrame("a", 1, 1, HOUR + hour, bytesFor(hour));
    }
  });
  let rows = 0;
  for (;;) {
    const step = change((t) => t.deleteBlocksBefore("a", 1, 1, HOUR + 50, 7));
    assert.ok(step <= 7);
    rows += step;
    if (step < 7) break;
  }
  assert.equal(rows, 50 + 2);
  assert.equal(tables.blocks("a", 1, 1, HOUR, HOUR + 99)[0]!.hour, HOUR + 50);
  assert.equal(tables.frameBefore("a", 1, 1, HOUR + 50)!.hour, HOUR + 48);
  assert.equal(tables.frameBefore("a", 1, 1, HOUR + 47), undefined);
  assert.equal(tables.blocks("a", 2, 1, HOUR, HOUR + 99).length, 100);
});

describe("rollups of cells and of zones, and their removal in steps", ({ tables, change }) => {
  change((t) => {
    for (let day = 0; day < 20; day++) {
      for (let tx = 0; tx < 5; tx++) {
        t.putCellDay("a", tx, 0, DAY + day, bytesFor(day));
      }
      t.putZoneDay("hall", "a", DAY + day, bytesFor(day));
      if (day % 2 === 0) t.putZoneDay("ä room", "b", DAY + day, bytesFor(day));
    }
    t.putZoneDay("hall", "c", DAY + 3, bytesFor(33)); // moved
  });
  assert.deepEqual(
    tables.cellDays("a", 2, 0, DAY + 3, DAY + 5).map(({ day }) => day - DAY),
    [3, 4, 5],
  );
  assert.equal(tables.cellDayBefore("a", 2, 0, DAY + 3)!.day, DAY + 2);
  assert.equal(tables.cellDayBefore("a", 2, 0, DAY), undefined);
  assert.equal(tables.zoneDays("ä room", DAY + 1, DAY + 4).length, 2);
  assert.deepEqual(tables.zoneDays("none", 0, DAY * 2), []);
  assert.deepEqual(tables.zones(), [
    { zone: "hall", layer: "c", firstDay: DAY, lastDay: DAY + 19 },
    { zone: "ä room", layer: "b", firstDay: DAY, lastDay: DAY + 18 },
  ]);
  assert.equal(tables.oldestDay(), DAY);
  const cells = removeAll(() =>
    change((t) => t.deleteCellDaysBefore(DAY + 10, 8))
  );
  assert.equal(cells.rows, 50);
  assert.ok(cells.steps > 6, `${cells.steps} steps`);
  assert.equal(tables.oldestDay(), DAY, "the zones have older days");
  removeAll(() => change((t) => t.deleteZoneDaysBefore(DAY + 10, 8)));
  assert.equal(tables.oldestDay(), DAY + 10);
  assert.equal(tables.cellDays("a", 2, 0, 0, DAY * 2)[0]!.day, DAY + 10);
  assert.equal(tables.zoneDays("hall", 0, DAY * 2)[0]!.day, DAY + 10);
  assert.equal(tables.size().cellDays.rows, 50);
  assert.equal(tables.size().zoneDays.rows, 10 + 5);
});

describe("tilesOf() pages through the tiles of a region", ({ tables, change }) => {
  change((t) => {
    for (let tx = -3; tx <= 3; tx++) {
      for (let ty = -3; ty <= 3; ty++) {
        t.putFrame("a", tx, ty, HOUR, bytesFor(1));
      }
    }
    t.putFrame("a", 2 ** 26 - 1, -(2 ** 26), HOUR, bytesFor(1));
    t.putFrame("b", 0, 0, HOUR, bytesFor(1));
  });
  const region = { x0: -33, y0: 0, x1: 31, y1: 95 };
  const pages: { tx: number; ty: number }[] = [];
  for (let isLast = false; !isLast;) {
    const page = tables.tilesOf("a", region, 4, pages.at(-1));
    pages.push(...page);
    isLast = page.length < 4;
  }
  assert.deepEqual(
    pages.map(({ tx, ty }) => [tx, ty]),
    [-2, -1, 0].flatMap((tx) => [0, 1, 2].map((ty) => [tx, ty])),
  );
  const all = tables.tilesOf("a", undefined, 1000);
  assert.equal(all.length, 50);
  assert.deepEqual(all.at(-1), { tx: 2 ** 26 - 1, ty: -(2 ** 26) });
  assert.deepEqual(tables.tilesOf("none", undefined, 10), []);
});

describe("a deleted layer is gone at once, and its rows in steps", ({ tables, change }) => {
  const fill = (layer: string) =>
    change((t) => {
      for (let tx = 0; tx < 20; tx++) {
        t.appendPart(layer, tx, 0, HOUR + 1, bytesFor(tx));
        t.putBlock(layer, tx, 0, HOUR, bytesFor(tx));
        t.putFrame(layer, tx, 0, HOUR, bytesFor(tx));
        t.putCellDay(layer, tx, 0, DAY, bytesFor(tx));
      }
      t.putZoneDay(`zone of ${layer}`, layer, DAY, bytesFor(1));
    });
  fill("a");
  fill("b");
  const one = tables.size();
  change((t) => t.deleteLayer("b"));
  assert.deepEqual(tables.layers(), ["a"]);
  assert.deepEqual(tables.tilesOf("b", undefined, 10), []);
  assert.deepEqual(tables.parts("b", 1, 0, HOUR + 1), []);
  assert.deepEqual(tables.zones().map(({ zone }) => zone), ["zone of a"]);
  assert.ok(tables.openTiles(HOUR + 1, 99).every(({ layer }) => layer === "a"));
  fill("b"); // a new layer of that name
  const { steps } = removeAll(() => {
    const removal = change((t) => t.deleteRest(10));
    assert.ok(removal.rows <= 10);
    return removal;
  });
  assert.ok(steps > 10, `${steps} steps`);
  assert.deepEqual(tables.layers(), ["a", "b"]);
  assert.deepEqual(tables.size(), one);
  assert.equal(tables.parts("b", 1, 0, HOUR + 1).length, 1);
  assert.equal(tables.blocks("b", 1, 0, HOUR, HOUR).length, 1);
  assert.equal(tables.zones().length, 2);
  change((t) => t.deleteLayer("b"));
  change((t) => t.deleteLayer("a"));
  change((t) => t.deleteLayer("a")); // nothing to do
  removeAll(() => change((t) => t.deleteRest(1000)));
  assert.equal(tables.size().bytes, 0);
  assert.deepEqual(tables.openHours(), []);
});

describe("tiles, layers and zones without rows are forgotten", ({ tables, change }) => {
  change((t) => {
    t.putBlock("a", 1, 0, HOUR, bytesFor(1));
    t.putBlock("a", 2, 0, HOUR, bytesFor(1));
    t.appendPart("a", 3, 0, HOUR, bytesFor(1));
    t.putFrame("a", 4, 0, HOUR, bytesFor(1));
    t.putCellDay("a", 5, 0, DAY, bytesFor(1));
    t.putBlock("b", 1, 0, HOUR, bytesFor(1));
    t.putZoneDay("z", "a", DAY, bytesFor(1));
  });
  const before = tables.tilesOf("a", undefined, 99);
  removeAll(() => change((t) => t.deleteUnusedTiles(2)));
  assert.deepEqual(tables.tilesOf("a", undefined, 99), before);
  change((t) => {
    t.deleteBlocksBefore("a", 1, 0, HOUR + 1, 99);
    t.deleteBlocksBefore("b", 1, 0, HOUR + 1, 99);
  });
  removeAll(() => change((t) => t.deleteZoneDaysBefore(DAY + 1, 99)));
  removeAll(() => change((t) => t.deleteUnusedTiles(2)));
  assert.deepEqual(
    tables.tilesOf("a", undefined, 99).map(({ tx }) => tx),
    [2, 3, 4, 5],
  );
  assert.deepEqual(tables.layers(), ["a"]);
  change((t) => t.putBlock("a", 1, 0, HOUR, bytesFor(8)));
  assert.deepEqual(
    tables.blocks("a", 1, 0, HOUR, HOUR)[0]!.bytes,
    bytesFor(8),
  );
  assert.equal(tables.blocks("a", 2, 0, HOUR, HOUR).length, 1);
});

describe("numbers and gaps", ({ tables, change }) => {
  change((t) => {
    t.putMeta("revision", 7.5);
    t.putMeta("revision", 2 ** 53 - 1);
    for (const from of [100, 300, 500]) t.addGap({ from, to: from + 50 });
    t.addGap({ from: 100, to: 150 }); // the same one
    t.addGap({ from: 9, to: 9 }); // empty
  });
  assert.deepEqual([...tables.meta], [["revision", 2 ** 53 - 1]]);
  const gaps = (from: number, to: number) => tables.gaps({ from, to });
  assert.deepEqual(gaps(0, 1000).map(({ from }) => from), [100, 300, 500]);
  assert.deepEqual(gaps(149, 301), [
    { from: 100, to: 150 },
    { from: 300, to: 350 },
  ]);
  assert.deepEqual(gaps(150, 300), []);
  change((t) => t.deleteGapsBefore(350));
  assert.deepEqual(gaps(0, 1000), [{ from: 500, to: 550 }]);
  assert.throws(() => change((t) => t.putMeta("x", NaN)));
});

describe("nothing of a transaction that failed is left", ({ tables, change, rollBack }) => {
  change((t) => {
    t.appendPart("a", 1, 0, HOUR, bytesFor(1));
    t.putMeta("n", 1);
  });
  const before = tables.size();
  rollBack((t) => {
    t.appendPart("a", 1, 0, HOUR, bytesFor(2));
    t.appendPart("a", 2, 0, HOUR, bytesFor(3));
    t.appendPart("new", 1, 0, HOUR + 1, bytesFor(4));
    t.putBlock("a", 1, 0, HOUR - 1, bytesFor(5));
    t.putZoneDay("z", "a", DAY, bytesFor(6));
    t.putMeta("n", 2);
  });
  assert.deepEqual(tables.size(), before);
  assert.equal(tables.meta.get("n"), 1);
  assert.deepEqual(tables.layers(), ["a"]);
  assert.deepEqual(tables.openHours(), [HOUR]);
  assert.equal(tables.oldestDay(), undefined);
  assert.deepEqual(tables.tilesOf("a", undefined, 9), [{ tx: 1, ty: 0 }]);
  assert.equal(tables.parts("a", 1, 0, HOUR).length, 1);
});

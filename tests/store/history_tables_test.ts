/** The tables of the history: all kinds have the same contract. */
import assert from "node:assert/strict";
import { bytesIn, describe, removeAll } from "./history_contract.ts";
import { bytesFor } from "./history_support.ts";

const HOUR = 490_000;
const DAY = 20_416;

describe("parts of a tile are read in their order, until it has a block", async ({ tables, change }) => {
  assert.deepEqual(tables.openHours(), []);
  for (let flush = 0; flush < 3; flush++) {
    await change((t) => {
      t.appendPart("a", -7, 3, HOUR, bytesFor(flush));
      t.appendPart("a", 7, 3, HOUR, bytesFor(10 + flush));
      t.appendPart("b", -7, 3, HOUR, bytesFor(20 + flush));
      t.appendPart("a", -7, 3, HOUR + 1, bytesFor(30 + flush));
    });
  }
  // Twice in one transaction.
  await change((t) => {
    t.appendPart("a", -7, 3, HOUR, bytesFor(3));
    t.appendPart("a", -7, 3, HOUR, bytesFor(4));
  });
  const read = async (layer: string, tx: number, hour: number) =>
    bytesIn(await tables.hourRows(layer, tx, 3, hour));
  const parts = [0, 1, 2, 3, 4].map((n) => bytesFor(n));
  assert.deepEqual(await read("a", -7, HOUR), parts);
  assert.deepEqual(
    await read("b", -7, HOUR),
    [20, 21, 22].map((n) => bytesFor(n)),
  );
  assert.deepEqual(await read("a", 7, HOUR + 1), []);
  assert.deepEqual(tables.openHours(), [HOUR, HOUR + 1]);
  assert.equal(tables.size().parts.rows, 14);

  // The next tiles follow when these have no parts any more.
  const seen: string[] = [];
  for (;;) {
    const tiles = await tables.openTiles(HOUR, 2);
    if (tiles.length === 0) break;
    assert.equal((await change((t) => t.endHour(HOUR))).isEnded, false);
    for (const { layer, tx, ty } of tiles) {
      seen.push(`${layer} ${tx} ${ty}`);
      await change((t) =>
        layer === "b"
          ? t.dropParts(layer, tx, ty, HOUR)
          : t.putBlock(layer, tx, ty, HOUR, bytesFor(tx))
      );
    }
  }
  assert.deepEqual(seen.sort(), ["a -7 3", "a 7 3", "b -7 3"]);
  assert.equal((await change((t) => t.endHour(HOUR))).isEnded, true);
  assert.deepEqual(tables.openHours(), [HOUR + 1]);
  assert.deepEqual(await tables.blocks("a", -7, 3, HOUR, HOUR), [
    { hour: HOUR, bytes: bytesFor(-7) },
  ]);
  assert.deepEqual(await tables.blocks("b", -7, 3, HOUR, HOUR), []);
  assert.equal(tables.size().parts.rows, 3);
  assert.equal(tables.size().parts.bytes, 60);
});

describe("blocks of a range of hours, short or long", async ({ tables, change }) => {
  await change((t) => {
    for (const hour of [0, 5, 6, 500]) {
      for (let tx = 0; tx < 10; tx++) {
        t.putBlock("a", tx, -1, HOUR + hour, bytesFor(hour + tx));
      }
    }
    t.putBlock("b", 0, -1, HOUR - 9, bytesFor(1));
    t.putBlock("a", 3, -1, HOUR + 5, bytesFor(99, 7)); // replaces
  });
  const hours = async (from: number, to: number) =>
    (await tables.blocks("a", 3, -1, HOUR + from, HOUR + to))
      .map(({ hour }) => hour - HOUR);
  assert.deepEqual(await hours(0, 6), [0, 5, 6]);
  assert.deepEqual(await hours(1, 5), [5]);
  assert.deepEqual(await hours(7, 499), []);
  assert.deepEqual(await hours(6, 5), []);
  assert.deepEqual(await hours(-HOUR, 100_000), [0, 5, 6, 500]);
  assert.deepEqual(
    (await tables.blocks("a", 3, -1, HOUR + 5, HOUR + 5))[0]!.bytes,
    bytesFor(99, 7),
  );
  assert.deepEqual(await tables.blocks("none", 3, -1, HOUR, HOUR), []);
  assert.deepEqual(await tables.blocks("a", 77, -1, HOUR, HOUR), []);
  assert.deepEqual(tables.size().blocks, { rows: 41, bytes: 40 * 20 + 7 });
  assert.equal(tables.oldestHour(), HOUR - 9);
});

describe("frameBefore() finds the newest frame that is not later", async ({ tables, change }) => {
  await change((t) => {
    for (const hour of [0, 24, 48]) {
      t.putFrame("a", 1, 1, HOUR + hour, bytesFor(hour));
      t.putFrame("a", 1, 2, HOUR + hour + 1, bytesFor(hour));
    }
  });
  const at = async (hour: number) =>
    (await tables.frameBefore("a", 1, 1, HOUR + hour))?.hour;
  assert.equal(await at(-1), undefined);
  assert.deepEqual(await Promise.all([0, 23, 24, 47, 48, 9999].map(at)), [
    ...[HOUR, HOUR, HOUR + 24],
    ...[HOUR + 24, HOUR + 48, HOUR + 48],
  ]);
});

describe("tileRows() has a frame, and the blocks and parts since", async ({ tables, change }) => {
  await change((t) => {
    for (let hour = 0; hour < 6; hour++) {
      t.putBlock("a", 1, 1, HOUR + hour, bytesFor(hour));
    }
    t.putBlock("a", 2, 1, HOUR, bytesFor(0));
    t.putFrame("a", 1, 1, HOUR + 2, bytesFor(20));
    t.putFrame("a", 1, 1, HOUR + 4, bytesFor(40));
  });
  for (let flush = 0; flush < 2; flush++) {
    await change((t) => {
      // An hour that was closed has parts again.
      t.appendPart("a", 1, 1, HOUR + 3, bytesFor(100 + flush));
      t.appendPart("a", 1, 1, HOUR + 7, bytesFor(200 + flush));
      t.appendPart("a", 2, 1, HOUR + 6, bytesFor(300));
    });
  }
  const read = async (tx: number, frameHour: number, toHour: number) => {
    const { frame, blocks, open } = await tables.tileRows(
      ...["a", tx, 1, HOUR + frameHour, HOUR + toHour] as const,
    );
    const parts = open.filter(({ parts }) => parts.length > 0);
    return {
      frame: frame && frame.hour - HOUR,
      blocks: blocks.map(({ hour }) => hour - HOUR),
      open: parts.map(({ hour, parts }) => [hour - HOUR, parts.length]),
    };
  };
  assert.deepEqual(await read(1, 9, 9), {
    frame: 4,
    blocks: [4, 5],
    open: [[7, 2]],
  });
  assert.deepEqual(await read(1, 3, 5), {
    frame: 2,
    blocks: [2, 3, 4, 5],
    open: [[3, 2]],
  });
  // Before the first second of an hour.
  assert.deepEqual(await read(1, 4, 3), { frame: 4, blocks: [], open: [] });
  assert.deepEqual(await read(1, 1, 3), {
    frame: undefined,
    blocks: [0, 1, 2, 3],
    open: [[3, 2]],
  });
  assert.deepEqual(await read(2, 9, 6), {
    frame: undefined,
    blocks: [0],
    open: [[6, 2]],
  });
  const none = { frame: undefined, blocks: [], open: [] };
  assert.deepEqual(await read(3, 9, 9), none);
  const { frame, blocks, open } = await tables.tileRows(
    ...["a", 1, 1, HOUR + 3, HOUR + 3] as const,
  );
  assert.deepEqual(frame, { hour: HOUR + 2, bytes: bytesFor(20) });
  assert.deepEqual(bytesIn(blocks), [bytesFor(2), bytesFor(3)]);
  assert.deepEqual(bytesIn(open.at(-1)!.parts), [bytesFor(100), bytesFor(101)]);
  assert.deepEqual(bytesIn(await tables.hourRows("a", 1, 1, HOUR + 3)), [
    bytesFor(3),
    bytesFor(100),
    bytesFor(101),
  ]);
});

describe("deleteBlocksBefore() keeps what the state at the hour needs", async ({ tables, change }) => {
  await change((t) => {
    for (let hour = 0; hour < 100; hour++) {
      t.putBlock("a", 1, 1, HOUR + hour, bytesFor(hour));
      t.putBlock("a", 2, 1, HOUR + hour, bytesFor(hour));
    }
    for (const hour of [0, 24, 48, 72]) {
      t.putFrame("a", 1, 1, HOUR + hour, bytesFor(hour));
    }
  });
  const { rows, steps } = await removeAll(async () => {
    const removal = await change((t) =>
      t.deleteBlocksBefore("a", 1, 1, HOUR + 50, 7)
    );
    assert.ok(removal.rows <= 7);
    return removal;
  });
  assert.equal(rows, 50 + 2);
  assert.ok(steps >= 8, `${steps} steps`);
  assert.equal(
    (await tables.blocks("a", 1, 1, HOUR, HOUR + 99))[0]!.hour,
    HOUR + 50,
  );
  assert.equal(
    (await tables.frameBefore("a", 1, 1, HOUR + 50))!.hour,
    HOUR + 48,
  );
  assert.equal(await tables.frameBefore("a", 1, 1, HOUR + 47), undefined);
  assert.equal((await tables.blocks("a", 2, 1, HOUR, HOUR + 99)).length, 100);
});

describe("rollups of cells and of zones, and their removal in steps", async ({ tables, change }) => {
  await change((t) => {
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
    (await tables.cellDays("a", 2, 0, DAY + 3, DAY + 5)).map(({ day }) =>
      day - DAY
    ),
    [3, 4, 5],
  );
  assert.equal((await tables.cellDayBefore("a", 2, 0, DAY + 3))!.day, DAY + 2);
  assert.equal(await tables.cellDayBefore("a", 2, 0, DAY), undefined);
  assert.equal((await tables.zoneDays("ä room", DAY + 1, DAY + 4)).length, 2);
  assert.deepEqual(await tables.zoneDays("none", 0, DAY * 2), []);
  assert.deepEqual(await tables.zones(), [
    { zone: "hall", layer: "c", firstDay: DAY, lastDay: DAY + 19 },
    { zone: "ä room", layer: "b", firstDay: DAY, lastDay: DAY + 18 },
  ]);
  assert.equal(tables.oldestDay(), DAY);
  const cells = await removeAll(() =>
    change((t) => t.deleteCellDaysBefore(DAY + 10, 8))
  );
  assert.equal(cells.rows, 50);
  assert.ok(cells.steps > 6, `${cells.steps} steps`);
  assert.equal(tables.oldestDay(), DAY, "the zones have older days");
  await removeAll(() => change((t) => t.deleteZoneDaysBefore(DAY + 10, 8)));
  assert.equal(tables.oldestDay(), DAY + 10);
  assert.equal(
    (await tables.cellDays("a", 2, 0, 0, DAY * 2))[0]!.day,
    DAY + 10,
  );
  assert.equal((await tables.zoneDays("hall", 0, DAY * 2))[0]!.day, DAY + 10);
  assert.equal(tables.size().cellDays.rows, 50);
  assert.equal(tables.size().zoneDays.rows, 10 + 5);
});

describe("tilesOf() pages through the tiles of a region", async ({ tables, change }) => {
  await change((t) => {
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
    const page = await tables.tilesOf("a", region, 4, pages.at(-1));
    pages.push(...page);
    isLast = page.length < 4;
  }
  assert.deepEqual(
    pages.map(({ tx, ty }) => [tx, ty]),
    [-2, -1, 0].flatMap((tx) => [0, 1, 2].map((ty) => [tx, ty])),
  );
  const all = await tables.tilesOf("a", undefined, 1000);
  assert.equal(all.length, 50);
  assert.deepEqual(all.at(-1), { tx: 2 ** 26 - 1, ty: -(2 ** 26) });
  assert.deepEqual(await tables.tilesOf("none", undefined, 10), []);
});

describe("a deleted layer is gone at once, and its rows in steps", async ({ tables, change }) => {
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
  await fill("a");
  await fill("b");
  const one = tables.size();
  await change((t) => t.deleteLayer("b"));
  assert.deepEqual(tables.layers(), ["a"]);
  assert.deepEqual(await tables.tilesOf("b", undefined, 10), []);
  assert.deepEqual(await tables.hourRows("b", 1, 0, HOUR + 1), []);
  assert.deepEqual((await tables.zones()).map(({ zone }) => zone), [
    "zone of a",
  ]);
  assert.ok(
    (await tables.openTiles(HOUR + 1, 99)).every(({ layer }) => layer === "a"),
  );
  await fill("b"); // a new layer of that name
  const { steps } = await removeAll(async () => {
    const removal = await change((t) => t.deleteRest(10));
    assert.ok(removal.rows <= 10);
    return removal;
  });
  assert.ok(steps > 8, `${steps} steps`);
  assert.deepEqual(tables.layers(), ["a", "b"]);
  assert.deepEqual(tables.size(), one);
  assert.equal((await tables.hourRows("b", 1, 0, HOUR + 1)).length, 1);
  assert.equal((await tables.blocks("b", 1, 0, HOUR, HOUR)).length, 1);
  assert.equal((await tables.zones()).length, 2);
  await change((t) => t.deleteLayer("b"));
  await change((t) => t.deleteLayer("a"));
  await change((t) => t.deleteLayer("a")); // nothing to do
  await removeAll(() => change((t) => t.deleteRest(1000)));
  assert.equal(tables.size().bytes, 0);
  assert.deepEqual(tables.openHours(), []);
});

describe(
  "tiles, layers and zones without rows are forgotten",
  async ({ tables, change }) => {
    await change((t) => {
      t.putBlock("a", 1, 0, HOUR, bytesFor(1));
      t.putBlock("a", 2, 0, HOUR, bytesFor(1));
      t.appendPart("a", 3, 0, HOUR, bytesFor(1));
      t.putFrame("a", 4, 0, HOUR, bytesFor(1));
      t.putCellDay("a", 5, 0, DAY, bytesFor(1));
      t.putBlock("b", 1, 0, HOUR, bytesFor(1));
      t.putZoneDay("z", "a", DAY, bytesFor(1));
    });
    const before = await tables.tilesOf("a", undefined, 99);
    await removeAll(() => change((t) => t.deleteUnusedTiles(2)));
    assert.deepEqual(await tables.tilesOf("a", undefined, 99), before);
    await change((t) => {
      t.deleteBlocksBefore("a", 1, 0, HOUR + 1, 99);
      t.deleteBlocksBefore("b", 1, 0, HOUR + 1, 99);
    });
    await removeAll(() => change((t) => t.deleteZoneDaysBefore(DAY + 1, 99)));
    await removeAll(() => change((t) => t.deleteUnusedTiles(2)));
    assert.deepEqual(
      (await tables.tilesOf("a", undefined, 99)).map(({ tx }) => tx),
      [2, 3, 4, 5],
    );
    assert.deepEqual(tables.layers(), ["a"]);
    await change((t) => t.putBlock("a", 1, 0, HOUR, bytesFor(8)));
    assert.deepEqual(
      (await tables.blocks("a", 1, 0, HOUR, HOUR))[0]!.bytes,
      bytesFor(8),
    );
    assert.equal((await tables.blocks("a", 2, 0, HOUR, HOUR)).length, 1);
  },
  { keepsTiles: false },
);

describe(
  "of a layer with blocks of years, tiles without rows are forgotten in short steps",
  async ({ tables, change }) => {
    const last = HOUR + 3 * 8760;
    await change((t) => {
      t.putBlock("a", 1, 0, HOUR, bytesFor(1));
      t.putBlock("a", 1, 0, last, bytesFor(2));
      t.putBlock("a", 2, 0, HOUR + 8760, bytesFor(3));
      for (let tx = 10; tx < 20; tx++) {
        t.putBlock("a", tx, 0, HOUR, bytesFor(4));
      }
      for (let tx = 20; tx < 300; tx++) {
        t.putFrame("a", tx, 0, HOUR, bytesFor(5));
      }
    });
    await change((t) => {
      for (let tx = 10; tx < 20; tx++) {
        t.deleteBlocksBefore("a", tx, 0, HOUR + 1, 99);
      }
    });
    const steps: number[] = [];
    await removeAll(() =>
      change((t) => {
        const removal = t.deleteUnusedTiles(100);
        steps.push(removal.rows);
        return removal;
      })
    );
    // A step looks up each hour of a tile without states.
    assert.ok(Math.max(...steps) < 10, steps.join());
    assert.ok(steps.length < 50, steps.join());
    const left = await tables.tilesOf("a", undefined, 999);
    assert.deepEqual(left.map(({ tx }) => tx), [
      ...[1, 2],
      ...Array.from({ length: 280 }, (_, i) => 20 + i),
    ]);
  },
  { keepsTiles: false },
);

describe("tiles of a narrow region are listed between very many others", async ({ tables, change }) => {
  const columns = 20_000;
  await change((t) => {
    for (let tx = -columns; tx < columns; tx++) {
      t.putFrame("a", tx, tx % 9000 === 0 ? 7 : 1 + tx % 5, HOUR, bytesFor(1));
    }
  });
  const region = {
    ...{ x0: -Infinity, x1: Infinity },
    ...{ y0: 7 * 32, y1: 7 * 32 + 5 },
  };
  const expected = [-18_000, -9000, 0, 9000, 18_000];
  for (const limit of [1, 2, 5, 6]) {
    const listed: number[] = [];
    let after;
    for (;;) {
      const page = await tables.tilesOf("a", region, limit, after);
      listed.push(...page.map(({ tx }) => tx));
      if (page.length === 0) break;
      after = page.at(-1)!;
    }
    assert.deepEqual(listed, expected, `by ${limit}`);
  }
  const all = await tables.tilesOf("a", undefined, 100_000);
  assert.equal(all.length, 2 * columns);
  assert.ok(all.every(({ tx }, i) => tx === i - columns));
});

describe("numbers and gaps", async ({ tables, change }) => {
  await change((t) => {
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
  await change((t) => t.deleteGapsBefore(350));
  assert.deepEqual(gaps(0, 1000), [{ from: 500, to: 550 }]);
  await assert.rejects(change((t) => t.putMeta("x", NaN)));
});

describe("nothing of a transaction that failed is left", async ({ tables, change, rollBack }) => {
  await change((t) => {
    t.appendPart("a", 1, 0, HOUR, bytesFor(1));
    t.putMeta("n", 1);
  });
  const before = tables.size();
  await rollBack((t) => {
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
  assert.deepEqual(await tables.tilesOf("a", undefined, 9), [{ tx: 1, ty: 0 }]);
  assert.equal((await tables.hourRows("a", 1, 0, HOUR)).length, 1);
});

/** The use by day: neighbours in one request, few requests at a time. */
import assert from "node:assert/strict";
import type { Region } from "../../../src/protocol/region.ts";
import {
  type ByDay,
  DayLoader,
  type DayTarget,
} from "../../../src/page/utilisation/day_loader.ts";
import type { UtilisationAnswer } from "../../../src/history/answers.ts";
import { until } from "../../support/until.ts";

function cell(x: number, y: number): DayTarget {
  return {
    key: `${x},${y}`,
    region: { x0: x, y0: y, x1: x, y1: y },
    has: (otherX, otherY) => x === otherX && y === otherY,
  };
}

/** Every cell of the region, occupied for x seconds on the first day. */
function answerOf({ x0, y0, x1, y1 }: Region): UtilisationAnswer {
  const cells: [number, number][] = [];
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) cells.push([x, y]);
  }
  return {
    cells: { x: cells.map(([x]) => x), y: cells.map(([, y]) => y) },
    byDay: {
      start: [0, 86_400_000],
      occupied: cells.map(([x]) => [x, 0]),
      known: cells.map(() => [100, 50]),
    },
  } as unknown as UtilisationAnswer;
}

Deno.test("rows that are visible together are loaded in few requests", async () => {
  const regions: Region[] = [];
  const loader = new DayLoader((region) => {
    regions.push(region);
    return Promise.resolve(answerOf(region));
  });
  const results = new Map<string, ByDay>();
  const targets = [cell(0, 0), cell(5, 0), cell(9000, 0), cell(3, 7)];
  for (const target of targets) {
    loader.load(target, (result) => results.set(target.key, result));
  }
  await until(() => results.size === 4);
  assert.equal(regions.length, 2);
  assert.deepEqual(regions[0], { x0: 0, y0: 0, x1: 5, y1: 7 });
  assert.deepEqual(results.get("5,0"), {
    ...{ start: [0, 86_400_000], occupied: [5, 0], known: [100, 50] },
    cells: 1,
  });
  assert.equal(loader.get(cell(3, 7)), results.get("3,7"));
  loader.close();
});

Deno.test("the days of a zone are those of its cells with readings", async () => {
  const region = { x0: 0, y0: 0, x1: 3, y1: 0 };
  const loader = new DayLoader((part) => {
    const answer = answerOf(part);
    const known = answer.byDay!.known.map((days, x) => x < 2 ? days : [0, 0]);
    return Promise.resolve({
      ...answer,
      byDay: { ...answer.byDay!, known },
    } as UtilisationAnswer);
  });
  let result: ByDay | undefined;
  loader.load(
    { key: "zone a", region, has: () => true },
    (byDay) => result = byDay,
  );
  await until(() => result !== undefined);
  assert.equal(result!.cells, 2, "two cells are walls");
  assert.deepEqual(result!.known, [200, 100]);
  loader.close();
});

Deno.test("a row that is not visible any more is not loaded", async () => {
  const regions: Region[] = [];
  const loader = new DayLoader((region) => {
    regions.push(region);
    return Promise.resolve(answerOf(region));
  });
  let loaded = false;
  loader.load(cell(0, 0), () => assert.fail("it was cancelled"));
  loader.load(cell(5000, 0), () => loaded = true);
  loader.cancel(cell(0, 0));
  await until(() => loaded);
  assert.deepEqual(regions, [{ x0: 5000, y0: 0, x1: 5000, y1: 0 }]);
  loader.close();
});

Deno.test("a zone is loaded in parts; a very large one not at all", async () => {
  const regions: Region[] = [];
  const loader = new DayLoader((region) => {
    regions.push(region);
    return Promise.resolve(answerOf(region));
  });
  const zone = (x1: number): DayTarget => ({
    key: `zone ${x1}`,
    region: { x0: 0, y0: 0, x1, y1: 29 },
    has: (x) => x <= 1,
  });
  const result = await new Promise<ByDay>((resolve) =>
    loader.load(zone(99), resolve)
  );
  assert.equal(regions.length, 4);
  assert.equal(result.cells, 60);
  assert.equal(result.known[1], 60 * 50);
  assert.equal(loader.get(zone(5000)), "too-large");
  assert.equal(loader.get(zone(50)), undefined);
  loader.close();
});

Deno.test("a request that fails leaves the others", async () => {
  let loaded = false;
  const loader = new DayLoader((region) =>
    region.x0 === 0
      ? Promise.reject(new Error("no answer"))
      : Promise.resolve(answerOf(region))
  );
  loader.load(cell(0, 0), () => assert.fail("there is no answer"));
  loader.load(cell(5000, 0), () => loaded = true);
  await until(() => loaded);
  assert.equal(loader.get(cell(0, 0)), undefined);
  loader.close();
});

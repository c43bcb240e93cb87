/** Questions about the past, with tables that answer later. */
import assert from "node:assert/strict";
import type { HistoryQueries } from "../../../../src/server/history/queries/service.ts";
import { DELETED_TO } from "../../../../src/server/history/parts.ts";
import type { HistoryTables } from "../../../../src/store/store.ts";
import { laterTables } from "../later_tables.ts";
import { DAY, HOUR, RecordedDays, recordedDays } from "./support.ts";

Deno.test("questions at the same time have the answers of tables that answer at once", async () => {
  const options = { count: 1500, gaps: [] };
  const atOnce = await recordedDays(options);
  const later = await recordedDays({ ...options, later: true });
  const { from, to } = atOnce;
  const time = { from: from * 1000, to: to * 1000 };
  const ask = (queries: HistoryQueries) => [
    ...[from + 1, from + DAY, to - 2 * HOUR, to].map((second) =>
      queries.mapAt({ layer: "a", at: second * 1000 })
    ),
    queries.mapAt({
      ...{ layer: "a", at: (from + 2 * DAY) * 1000 },
      region: { x0: -10, y0: 0, x1: 20, y1: 1010 },
    }),
    queries.changes({
      ...{ layer: "a", from: (to - 5 * HOUR) * 1000 },
      to: (to - 4 * HOUR) * 1000,
    }),
    queries.zoneSeries({ ...time, zone: "hall", step: "1h" }),
    queries.regionSeries({ ...time, layer: "a", step: "1h" }),
    queries.utilisation({ ...time, layer: "a" }),
    queries.utilisation({ ...time, layer: "b", byDay: true }),
  ];
  const expected = await Promise.all(ask(atOnce.queries));
  assert.deepEqual(await Promise.all(ask(later.queries)), expected);
  assert.deepEqual(later.log, []);
  atOnce.cared.close();
  later.cared.close();
});

/** Numbers are those of the last refresh, as in a store of several servers. */
function remembered(tables: HistoryTables): HistoryTables {
  let meta = new Map(tables.meta);
  return new Proxy(tables, {
    get(target, name) {
      if (name === "meta") return meta;
      if (name === "refresh") {
        return () => {
          meta = new Map(target.meta);
          return Promise.resolve();
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

Deno.test("a question is asked again if another server has deleted rows meanwhile", async () => {
  const { cared, changes, zones } = await recordedDays({ count: 500 });
  const { tables } = cared;
  const later = laterTables(tables, (before) => {
    if (before !== 3) return;
    void cared.write((tables) => {
      tables.deleteLayer("a");
      tables.putMeta(`${DELETED_TO}0`, 1);
    });
  });
  Object.defineProperty(cared, "tables", { value: remembered(later) });
  const { queries, to } = new RecordedDays(cared, changes, {}, zones);
  const ask = () => queries.mapAt({ layer: "a", at: (to - 3 * HOUR) * 1000 });
  assert.equal((await ask()).cells.length, 0);
  assert.deepEqual(tables.layers(), ["b"]);
  cared.close();
});

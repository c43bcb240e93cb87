/** The care for a history, with tables that answer later. */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { DAY_SECONDS } from "../../../src/history/hour.ts";
import { DELETED_TO } from "../../../src/server/history/parts.ts";
import type { Zones } from "../../../src/zones/mod.ts";
import { laterTables } from "./later_tables.ts";
import {
  assertStates,
  CaredStore,
  type Change,
  DAY,
  dump,
  memoryStore,
  Model,
  randomChanges,
  rectangle,
} from "./support.ts";

const HOUR = 3600;
const FROM = DAY + 7 * HOUR + 123;
const TO = DAY + DAY_SECONDS + 5 * HOUR;
const ZONES: Zones = new Map(
  [
    rectangle("left", "a", [-40, 0, 0, 2000]),
    rectangle("b", "b", [-40, 0, 40, 40]),
  ].map((zone) => [zone.name, zone]),
);

function rowsOf({ store }: CaredStore): Record<string, unknown[]> {
  const { database } = store.history as unknown as { database: DatabaseSync };
  return dump(database);
}

/** Closes hours, and deletes some. */
async function cared(changes: readonly Change[], later: boolean) {
  const closed = new CaredStore(await memoryStore(), { later, zones: ZONES });
  await closed.record(changes);
  await closed.care(TO - 6 * HOUR);
  await closed.record([
    { layer: "a", x: 1, y: 1, second: FROM + 9 * HOUR, value: 3, stale: 0 },
  ]);
  await closed.care(TO);
  const pruned = closed.reopen({ later, zones: ZONES, keepSeconds: 8 * HOUR });
  await pruned.care(TO);
  const rows = rowsOf(pruned);
  const last = pruned.reopen({
    ...{ later, zones: ZONES, keepSeconds: HOUR, keepRollupsSeconds: HOUR },
  });
  await last.care(TO + HOUR);
  assert.deepEqual([...closed.log, ...pruned.log, ...last.log], []);
  return { last, rows: [rows, rowsOf(last)] };
}

Deno.test("hours are closed and deleted as with tables that answer at once", async () => {
  const changes = randomChanges(11, FROM, TO, 1500);
  const atOnce = await cared(changes, false);
  const later = await cared(changes, true);
  assert.deepEqual(later.rows, atOnce.rows);
  assert.ok(later.rows[0]!.cell_day!.length > 5);
  atOnce.last.close();
  later.last.close();
});

Deno.test("a layer that is deleted while rows are read is not there again", async () => {
  const changes = randomChanges(12, FROM, TO, 300);
  const others = changes.filter(({ layer }) => layer === "b");
  let deletedLate = 0;
  for (let at = 0; at < 700; at += 23) {
    const store = await memoryStore();
    const recorded = new CaredStore(store, { zones: ZONES });
    await recorded.record(changes);
    recorded.keeper.stop();
    const { history } = store;
    Object.defineProperty(store, "history", {
      value: laterTables(history!, (before) => {
        if (before !== at) return;
        deletedLate++;
        void again.write((tables) => {
          tables.deleteLayer("a");
          tables.putMeta(`${DELETED_TO}0`, TO * 1000);
        });
      }),
    });
    const again = new CaredStore(store, { zones: ZONES });
    await again.care(TO);
    if (again.tables.layers().includes("a")) {
      again.close();
      continue; // all was read before
    }
    await again.care(TO + HOUR);
    assert.deepEqual(again.tables.layers(), ["b"], `deleted at read ${at}`);
    const zones = (await again.tables.zones()).map(({ zone }) => zone);
    assert.deepEqual(zones, ["b"]);
    if (at % 69 === 0) {
      await assertStates(again, new Model(others), [FROM + HOUR, TO - 1]);
    }
    again.close();
  }
  assert.ok(deletedLate > 15, `${deletedLate} deletions`);
});

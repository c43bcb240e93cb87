/** What was logged becomes parts of open hours. */
import assert from "node:assert/strict";
import { ChangeLog } from "../../../src/grid/mod.ts";
import { hourOf } from "../../../src/history/hour.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { partWrites } from "../../../src/server/history/parts.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import { MemoryStore } from "../../../src/store/memory.ts";
import { resultOf } from "../../support/work.ts";
import { CaredStore, DAY } from "./support.ts";

Deno.test("a late state between two equal ones does not hide the last", async () => {
  const store = new MemoryStore();
  const cared = new CaredStore(store);
  const log = new ChangeLog(1, () => Infinity);
  log.sampled = 0;
  const flush = async () => {
    for (const write of partWrites(log.take(), 0, -Infinity)) {
      if (write !== undefined) await cared.write(write);
    }
  };
  const begin = () => log.begin("a", (DAY + 100) * 1000);
  begin();
  log.addState(3, 4, DAY + 15, 7, 0);
  await flush();
  begin();
  log.addState(3, 4, DAY + 20, 1, 0);
  log.late(3, 4, 1, (DAY + 10) * 1000, 1, (DAY + 20) * 1000);
  await flush();
  const valueAt = async (second: number) => {
    const frame = new TileFrame();
    const reader = new TileReader(cared.tables);
    const tile = { layer: "a", tx: 0, ty: 0 };
    await resultOf(reader.stateAt(tile, second, frame));
    return frame.value[4 * 32 + 3];
  };
  const expected = [[12, 1], [15, 7], [19, 7], [20, 1], [99, 1]] as const;
  for (const [at, value] of expected) {
    assert.equal(await valueAt(DAY + at), value, `at ${at}`);
  }
  await cared.care(DAY + 7200);
  assert.deepEqual(cared.tables.openHours(), []);
  assert.equal(hourOf(DAY), cared.tables.oldestHour());
  for (const [at, value] of expected) {
    assert.equal(await valueAt(DAY + at), value, `at ${at}, closed`);
  }
  cared.close();
});

/** What was logged becomes parts of open hours. */
import assert from "node:assert/strict";
import { ChangeLog, SpareColumns } from "../../../src/grid/mod.ts";
import { hourOf } from "../../../src/history/hour.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import {
  PARTS_PER_WRITE,
  PartWrites,
} from "../../../src/server/history/parts.ts";
import {
  MAX_GROUPED_STATES,
  StateGroups,
} from "../../../src/server/history/state_groups.ts";
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
    for (
      const write of new PartWrites(new SpareColumns()).of(
        log.take(),
        0,
        -Infinity,
      )
    ) {
      if (write !== undefined) await cared.write(write);
    }
  };
  const begin = () => log.begin("a", (DAY + 100) * 1000);
  begin();
  log.addState(3, 4, DAY + 15, 7, 0);
  await flush();
  begin();
  log.addState(3, 4, DAY + 20, 1, 0);
  const reading = {
    length: 1,
    x: Int32Array.of(3),
    y: Int32Array.of(4),
    value: Int32Array.of(1),
    time: Float64Array.of((DAY + 10) * 1000),
  };
  const cell = {
    value: Int32Array.of(1),
    time: Float64Array.of((DAY + 20) * 1000),
  };
  log.late(reading, 0, cell, 0);
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

Deno.test("the parts of cells alone in their tiles are written some together", async () => {
  const store = new MemoryStore();
  const cared = new CaredStore(store);
  const log = new ChangeLog(1, () => Infinity);
  log.begin("a", (DAY + 7200) * 1000);
  const count = 3000;
  // Most in the second hour; every tenth cell has also a state in the first.
  for (let i = 0; i < count; i++) {
    if (i % 10 === 0) log.addState(64 * i, -32 * i, DAY + i, 1, 0);
    log.addState(64 * i, -32 * i, DAY + 3600 + i % 60, i, 0);
  }
  let writes = 0;
  for (
    const write of new PartWrites(new SpareColumns()).of(
      log.take(),
      0,
      -Infinity,
    )
  ) {
    if (write === undefined) continue;
    writes++;
    await cared.write(write);
    await cared.write(write); // as after a failure: the same states
  }
  const parts = count + count / 10;
  assert.equal(writes, Math.ceil(parts / PARTS_PER_WRITE));
  assert.equal(cared.tables.size().parts.rows, 2 * parts);
  const reader = new TileReader(cared.tables);
  const frame = new TileFrame();
  for (let i = 0; i < count; i += 7) {
    const tile = { layer: "a", tx: 2 * i, ty: -i };
    await resultOf(reader.stateAt(tile, DAY + 3599, frame));
    assert.equal(frame.has[0], i % 10 === 0 ? 1 : 0, `cell ${i}`);
    await resultOf(reader.stateAt(tile, DAY + 3659, frame));
    assert.equal(frame.value[0], i, `cell ${i}`);
  }
  cared.close();
});

Deno.test("states of one tile are one part in each group, in their order", () => {
  const log = new ChangeLog(1, () => Infinity);
  log.begin("a", (DAY + 3600) * 1000);
  const count = MAX_GROUPED_STATES + 10;
  for (let i = 0; i < count; i++) {
    log.addState(i % 2 * 40, i % 5, DAY + Math.floor(i / 50), i, 0);
  }
  const columns = log.take().states.get("a")!;
  const groups = new StateGroups();
  let seen = 0;
  for (
    const [from, to] of [[0, MAX_GROUPED_STATES], [MAX_GROUPED_STATES, count]]
  ) {
    for (const _ of groups.group(columns, from!, to!));
    assert.equal(groups.length, 2);
    for (let group = 0; group < 2; group++) {
      let before = -1;
      for (let i = groups.firstOf(group); i >= 0; i = groups.nextOf(i)) {
        assert.ok(i > before && i >= from! && i < to!);
        assert.equal(i % 2, group);
        before = i;
        seen++;
      }
    }
  }
  assert.equal(seen, count);
});

/** A history whose open hours alone are too large pauses, and goes on later. */
import assert from "node:assert/strict";
import { LimitCounts } from "../../../src/common/limit_counts.ts";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { History } from "../../../src/server/history/history.ts";
import { FULL_FROM } from "../../../src/server/history/parts.ts";
import { applyEntry } from "../../../src/store/store.ts";
import { serverLog } from "../../support/server_log.ts";
import { until } from "../../support/until.ts";
import { DAY, memoryStore } from "./support.ts";

Deno.test("above its limit, the history pauses until hours are closed", async () => {
  const store = await memoryStore();
  const map = new OccupancyMap();
  const log: string[] = [];
  const limited = new LimitCounts();
  let now = DAY * 1000;
  const history = new History(
    {
      store,
      map,
      log: serverLog((line) => log.push(line)),
      now: () => now,
      monotonic: () => 0,
      limited,
    },
    store.history!,
    { stepSeconds: 1, maxBytes: 20_000 },
  );
  history.loaded();
  const tables = store.history!;
  const second = async () => {
    const done = pass();
    while (!await Promise.race([done.then(() => true), untilNextTurn()])) {
      store.commitHistory!(Infinity);
    }
  };
  const pass = async () => {
    now += 1000;
    const length = 300;
    const readings = {
      length,
      x: Int32Array.from({ length }, (_, i) => i),
      y: new Int32Array(length),
      value: Int32Array.from({ length }, (_, i) => (now / 1000 * 7 + i) % 5),
      time: new Float64Array(length).fill(now),
    };
    const entry = { kind: "apply", now, layer: "a", readings } as const;
    history.advance(now);
    applyEntry(map, entry);
    history.tick();
    await untilNextTurn();
    await history.recorder.capture();
    store.commitHistory!(Infinity);
  };
  let seconds = 0;
  for (; history.problem === undefined && seconds < 2000; seconds++) {
    await second();
  }
  assert.match(history.problem ?? "", /20000 bytes/);
  assert.match(log.join(), /history is paused.*--history-size/);
  const from = tables.meta.get(FULL_FROM)!;
  const { bytes } = tables.size();
  assert.ok(bytes < 40_000);
  const before = limited.of("history-size");
  for (let i = 0; i < 50; i++) {
    await second();
  }
  assert.ok(tables.size().bytes <= bytes + 1000);
  assert.equal(history.service.info().recording, false);
  const counted = limited.of("history-size") - before;
  // About four in five cells change in each second.
  assert.ok(counted > 50 * 200 && counted <= 50 * 600, `${counted} counted`);
  // The hours are closed, and deleted.
  now += 3 * 3_600_000;
  await until(() => history.problem === undefined, { changed: second });
  assert.match(log.join(), /recorded again/);
  store.commitHistory!(Infinity);
  const [gap] = tables.gaps({ from: 0, to: now / 1000 });
  assert.equal(gap?.from, from);
  assert.ok(gap!.to >= now / 1000 - 2);
  assert.equal(tables.meta.get(FULL_FROM), 0);
  history.stop();
  void store.close();
});

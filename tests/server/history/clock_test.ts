/** The clock of the server is set back: the history goes on behind its end. */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { startOf } from "../../../src/history/hour.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { History } from "../../../src/server/history/history.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import { applyEntry } from "../../../src/store/store.ts";
import { serverLog } from "../../support/server_log.ts";
import { resultOf } from "../../support/work.ts";
import { DAY, memoryStore } from "./support.ts";

Deno.test("after the clock was set back, no closed hour gets changes", async () => {
  const store = await memoryStore();
  const map = new OccupancyMap();
  let now = (DAY + 50_000) * 1000;
  const history = new History(
    {
      store,
      map,
      log: serverLog((line) => assert.fail(line)),
      now: () => now,
      monotonic: () => 0,
    },
    store.history!,
    { stepSeconds: 1 },
  );
  history.loaded();
  const tables = store.history!;
  const pass = async (value: number, seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      now += 1000;
      const readings = {
        ...{ length: 1, x: Int32Array.of(3), y: Int32Array.of(0) },
        value: Int32Array.of(value + i % 2),
        time: Float64Array.of(now),
      };
      history.advance(now);
      applyEntry(map, { kind: "apply", now, layer: "a", readings });
      history.tick();
      await untilNextTurn();
      store.commitHistory!(Infinity);
    }
  };
  await pass(1, 5);
  const { openFromHour } = history.recorder;
  now -= 5 * 3_600_000;
  await pass(7, 6);
  const captured = history.recorder.capture();
  while (!await Promise.race([captured.then(() => true), untilNextTurn()])) {
    store.commitHistory!(Infinity);
  }
  assert.equal(history.recorder.openFromHour, openFromHour);
  assert.ok(tables.openHours().every((hour) => hour >= openFromHour));
  assert.equal(history.recorder.lagMs, 0);
  const frame = new TileFrame();
  const reader = new TileReader(tables);
  const tile = { layer: "a", tx: 0, ty: 0 };
  await resultOf(reader.stateAt(tile, startOf(openFromHour), frame));
  assert.equal(frame.value[3], 8);
  history.stop();
  void store.close();
});

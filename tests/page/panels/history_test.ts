import assert from "node:assert/strict";
import { HISTORY_MS, LayerHistory } from "../../../src/page/panels/history.ts";

const options = { permissions: "none" } as const;
const START = 1_700_000_000_000;

function point(seconds: number, people: number) {
  return { time: START + 1000 * seconds, people, occupied: people };
}

Deno.test(
  "LayerHistory.add() keeps one point per 5 s, and always the newest",
  options,
  () => {
    const history = new LayerHistory();
    for (let second = 0; second <= 60; second++) {
      history.add(point(second, second));
    }
    assert.equal(history.at(history.length - 1)?.people, 60);
    assert.ok(history.length <= 14, `${history.length} points`);
    const [times] = history.columns();
    assert.deepEqual(times, [...times].sort((a, b) => a - b));
  },
);

Deno.test(
  "LayerHistory.add() drops points older than 30 minutes",
  options,
  () => {
    const history = new LayerHistory();
    for (let second = 0; second < 4000; second += 5) {
      history.add(point(second, 1));
    }
    const oldest = history.at(0)!.time;
    const newest = history.at(history.length - 1)!.time;
    assert.ok(
      newest - oldest >= HISTORY_MS && newest - oldest <= HISTORY_MS + 10_000,
    );
  },
);

Deno.test(
  "LayerHistory.add() starts again when the clock is set back",
  options,
  () => {
    const history = new LayerHistory();
    history.fill([[START, 5, 5], [START + 5000, 6, 6]]);
    history.add(point(-100, 9));
    assert.equal(history.length, 1);
  },
);

Deno.test(
  "LayerHistory.trend() compares with five minutes ago, or with the oldest point",
  options,
  () => {
    const history = new LayerHistory();
    assert.equal(history.trend(), undefined);
    history.fill([[START, 10, 10]]);
    history.add(point(30, 12));
    assert.equal(history.trend(), undefined);
    history.add(point(180, 17));
    assert.deepEqual(history.trend(), { change: 7, minutes: 3 });
    history.add(point(300, 4));
    assert.deepEqual(history.trend(), { change: -6, minutes: 5 });
  },
);

import assert from "node:assert/strict";
import { History, WINDOW } from "../../../src/page/panels/history.ts";

const options = { permissions: "none" } as const;
const START = 1_700_000_000_000;

function point(seconds: number, people: number) {
  return { time: START + 1000 * seconds, people, occupied: people };
}

Deno.test(
  "History.add() keeps one point a step, and the newest always",
  options,
  () => {
    const history = new History();
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
  "History.add() forgets what is older than the window",
  options,
  () => {
    const history = new History();
    for (let second = 0; second < 4000; second += 5) {
      history.add(point(second, 1));
    }
    const oldest = history.at(0)!.time;
    const newest = history.at(history.length - 1)!.time;
    assert.ok(newest - oldest >= WINDOW && newest - oldest <= WINDOW + 10_000);
  },
);

Deno.test(
  "History.add() starts again when the clock was set back",
  options,
  () => {
    const history = new History();
    history.fill([[START, 5, 5], [START + 5000, 6, 6]]);
    history.add(point(-100, 9));
    assert.equal(history.length, 1);
  },
);

Deno.test(
  "History.trend() compares with five minutes ago, or with the beginning",
  options,
  () => {
    const history = new History();
    assert.equal(history.trend(), undefined);
    history.fill([[START, 10, 10]]);
    history.add(point(30, 12));
    assert.equal(history.trend(), undefined);
    history.add(point(180, 17));
    assert.deepEqual(history.trend(), { by: 7, minutes: 3 });
    history.add(point(300, 4));
    assert.deepEqual(history.trend(), { by: -6, minutes: 5 });
  },
);

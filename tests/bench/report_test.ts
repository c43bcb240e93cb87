/** How a benchmark measures in rounds, checks goals and summarizes. */
import assert from "node:assert/strict";
import {
  checkGoal,
  type Goal,
  rowOf,
  type Sample,
} from "../../bench/harness/report.ts";
import { type Case, runCase } from "../../bench/harness/rounds.ts";

function test(name: string, fn: () => void | Promise<void>) {
  Deno.test({ name, permissions: "none", fn });
}

const rates = (...rates: number[]): Sample[] =>
  rates.map((rate) => ({ figures: { messagesPerSecond: rate } }));
const samples = new Map([
  ["ours", rates(90, 40, 200)],
  ["theirs", rates(100, 50, 100)],
]);
const goal: Goal = {
  what: "of theirs",
  figure: "messagesPerSecond",
  subject: "ours",
  over: "theirs",
  atLeast: 0.95,
};

test("checkGoal() takes the median of the ratios within rounds", () => {
  const result = checkGoal(goal, samples)!;
  assert.deepEqual(result.measured, { median: 0.9, min: 0.8, max: 2 });
  assert.equal(result.met, false);
  assert.equal(checkGoal({ ...goal, atLeast: 0.9 }, samples)!.met, true);
});

test("checkGoal() also bounds differences and single figures", () => {
  const difference = checkGoal(
    {
      what: "more",
      figure: "messagesPerSecond",
      subject: "theirs",
      over: "ours",
      difference: true,
      atMost: 10,
    },
    samples,
  )!;
  assert.deepEqual(difference.measured, { median: 10, min: -100, max: 10 });
  assert.equal(difference.met, true);
  const alone = checkGoal(
    { what: "all", figure: "messagesPerSecond", subject: "ours", atMost: 80 },
    samples,
  )!;
  assert.equal(alone.measured.median, 90);
  assert.equal(alone.met, false);
});

test("checkGoal() returns undefined if a subject was not measured", () => {
  assert.equal(checkGoal({ ...goal, subject: "missing" }, samples), undefined);
  assert.equal(checkGoal({ ...goal, over: "missing" }, samples), undefined);
  assert.equal(checkGoal({ ...goal, figure: "missing" }, samples), undefined);
});

test("rowOf() returns each figure's spread, and each limit once", () => {
  assert.deepEqual(
    rowOf("ours", [
      { figures: { a: 1, b: 7 }, limit: "broker" },
      { figures: { a: 3 }, limit: "server" },
      { figures: { a: 2 }, limit: "broker" },
    ]),
    {
      subject: "ours",
      figures: {
        a: { median: 2, min: 1, max: 3 },
        b: { median: 7, min: 7, max: 7 },
      },
      limits: ["broker", "server"],
    },
  );
});

test("runCase() measures the subjects in turn, each round starting with the next", async () => {
  const order: string[] = [];
  const subject = (name: string) => ({
    name,
    measure: () => {
      order.push(name);
      return Promise.resolve({ figures: { runs: order.length } });
    },
  });
  const one: Case = {
    name: "turns",
    title: "Turns",
    settings: {},
    subjects: [subject("a"), subject("b"), subject("c")],
  };
  const report = await runCase(one, 2, () => {});
  assert.deepEqual(order, ["a", "b", "c", "b", "c", "a"]);
  assert.equal(report.settings.rounds, 2);
  assert.deepEqual(report.rows[0]!.figures.runs, {
    median: 3.5,
    min: 1,
    max: 6,
  });
  assert.equal(
    (await runCase({ ...one, maxRounds: 1 }, 2, () => {})).settings.rounds,
    1,
  );
});

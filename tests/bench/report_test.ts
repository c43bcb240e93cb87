import assert from "node:assert/strict";
import {
  type Goal,
  judge,
  type Report,
  rowOf,
  type Sample,
} from "../../bench/harness/report.ts";
import { render } from "../../bench/harness/render.ts";
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

test("judge() takes the ratios within rounds, and their median", () => {
  const judged = judge(goal, samples)!;
  assert.deepEqual(judged.measured, { median: 0.9, min: 0.8, max: 2 });
  assert.equal(judged.met, false);
  assert.equal(judge({ ...goal, atLeast: 0.9 }, samples)!.met, true);
});

test("judge() takes differences, and figures by themselves", () => {
  const difference = judge(
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
  const alone = judge(
    { what: "all", figure: "messagesPerSecond", subject: "ours", atMost: 80 },
    samples,
  )!;
  assert.equal(alone.measured.median, 90);
  assert.equal(alone.met, false);
});

test("judge() says nothing of subjects that took no part", () => {
  assert.equal(judge({ ...goal, subject: "nobody" }, samples), undefined);
  assert.equal(judge({ ...goal, over: "nobody" }, samples), undefined);
  assert.equal(judge({ ...goal, figure: "cakes" }, samples), undefined);
});

test("rowOf() has each figure's spread, and each limit once", () => {
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

test("runCase() measures the subjects in turns, each round from another one on", async () => {
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

test("render() says the same in all forms", () => {
  const report: Report = {
    startedAt: "2026-01-01T00:00:00Z",
    machine: {
      cpu: "a CPU",
      cores: 2,
      memoryBytes: 2 ** 34,
      system: "linux",
      fdatasyncMilliseconds: { median: 0.2, min: 0.1, max: 1 },
    },
    versions: { deno: "2" },
    settings: { quick: true },
    cases: [{
      name: "case",
      title: "A case",
      settings: { qos: 1 },
      rows: [rowOf("ours", samples.get("ours")!)],
      goals: [judge(goal, samples)!],
    }],
  };
  assert.deepEqual(JSON.parse(render(report, "json")), report);
  for (const form of ["text", "markdown"] as const) {
    const text = render(report, form);
    for (
      const part of [
        "16.0 GiB",
        "A case",
        "messages per second",
        "90.0 [40.0–200]",
        "ours: of theirs",
        "≥ 0.95",
        "0.90 [0.80–2.00]",
        "NOT MET",
      ]
    ) assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.match(render(report, "markdown"), /^\| ours \| 90\.0 /m);
});

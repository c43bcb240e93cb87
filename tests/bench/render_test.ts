/** How a benchmark report is printed. */
import assert from "node:assert/strict";
import { formatSpread, headingOf, render } from "../../bench/harness/render.ts";
import type { Report } from "../../bench/harness/report.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

test("formatSpread() reads the unit from the end of the name", () => {
  const format = (name: string, median: number) =>
    formatSpread(name, { median, min: median, max: median });
  assert.equal(format("messagesPerSecond", 98_765), "98.8 k");
  assert.equal(format("readingsPerSecond", 4_321_000), "4.32 M");
  assert.equal(format("serverCpuMicrosecondsPerMessage", 12.345), "12.3 µs");
  assert.equal(format("startMilliseconds", 1234), "1234 ms");
  assert.equal(format("residentBytes", 400 * 2 ** 20), "400 MiB");
  assert.equal(format("residentBytesPerCell", 25.4), "25.4 B");
  assert.equal(format("requests", 7), "7.00");
});

test("formatSpread() shows minimum and maximum if they differ", () => {
  assert.equal(
    formatSpread("startMilliseconds", { median: 2, min: 1, max: 30 }),
    "2.00 ms [1.00 ms–30.0 ms]",
  );
});

test("headingOf() leaves out the unit, which each figure shows", () => {
  assert.equal(headingOf("messagesPerSecond"), "messages per second");
  assert.equal(
    headingOf("serverCpuMicrosecondsPerMessage"),
    "server CPU per message",
  );
  assert.equal(headingOf("requestP99Milliseconds"), "request p99");
  assert.equal(headingOf("peakResidentBytes"), "peak resident");
  assert.equal(headingOf("residentBytesPerCell"), "resident per cell");
});

test("render() prints the same figures in all forms", () => {
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
      rows: [{
        subject: "ours",
        figures: { messagesPerSecond: { median: 90, min: 40, max: 200 } },
        limits: [],
      }],
      goals: [{
        what: "ratio to theirs",
        figure: "messagesPerSecond",
        subject: "ours",
        over: "theirs",
        atLeast: 0.95,
        measured: { median: 0.9, min: 0.8, max: 2 },
        met: false,
      }],
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
        "ours: ratio to theirs",
        "≥ 0.95",
        "0.90 [0.80–2.00]",
        "NOT MET",
      ]
    ) assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.match(render(report, "markdown"), /^\| ours \| 90\.0 /m);
});

import assert from "node:assert/strict";
import { formatSpread, headingOf } from "../../bench/harness/format.ts";

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

test("formatSpread() shows the ends, when there is more than one sample", () => {
  assert.equal(
    formatSpread("startMilliseconds", { median: 2, min: 1, max: 30 }),
    "2.00 ms [1.00 ms–30.0 ms]",
  );
});

test("headingOf() leaves the unit out, which stands with each figure", () => {
  assert.equal(headingOf("messagesPerSecond"), "messages per second");
  assert.equal(
    headingOf("serverCpuMicrosecondsPerMessage"),
    "server CPU per message",
  );
  assert.equal(headingOf("requestP99Milliseconds"), "request p99");
  assert.equal(headingOf("peakResidentBytes"), "peak resident");
  assert.equal(headingOf("residentBytesPerCell"), "resident per cell");
});

import assert from "node:assert/strict";
import { SiteTime } from "../../../src/page/history/site_time.ts";

const BERLIN = new SiteTime("Europe/Berlin", "en-GB");
const HOUR_MS = 3_600_000;

Deno.test("a day of the site is 23, 24 or 25 hours long", () => {
  const lengths = ["2026-03-29", "2026-06-01", "2026-10-25"].map((date) => {
    const { from, to } = BERLIN.day(BERLIN.parseDate(date)!);
    return (to - from) / HOUR_MS;
  });
  assert.deepEqual(lengths, [23, 24, 25]);
});

Deno.test("a time is in the day of the site, and is written in its clock", () => {
  const time = Date.UTC(2026, 10, 23, 23, 30);
  assert.equal(BERLIN.dateOf(BERLIN.dayOf(time)), "2026-11-24");
  assert.equal(BERLIN.format(time), "Tue 24 Nov 2026, 00:30:00");
  assert.equal(BERLIN.formatMinute(time), "00:30");
  assert.equal(BERLIN.formatShortDay(time), "Tue 24 Nov");
});

Deno.test("the same time of another day has the same clock, across a change of it", () => {
  const time = Date.UTC(2026, 9, 23, 8); // 10:00 in summer
  const other = BERLIN.parseDate("2026-10-26")!; // in winter
  assert.equal(
    BERLIN.format(BERLIN.sameTime(time, other)),
    "Mon 26 Oct 2026, 10:00:00",
  );
});

Deno.test("weeks begin on Monday, before 1970 too", () => {
  for (
    const [day, monday] of [["2026-11-29", "2026-11-23"], [
      "2026-11-23",
      "2026-11-23",
    ], ["1969-12-31", "1969-12-29"]]
  ) {
    const number = BERLIN.mondayOf(BERLIN.parseDate(day!)!);
    assert.equal(BERLIN.dateOf(BERLIN.day(number)), monday);
  }
});

Deno.test("parseDate() refuses what is no day", () => {
  for (const text of ["", "2026-02-30", "2026-13-01", "24.11.2026", "x"]) {
    assert.equal(BERLIN.parseDate(text), undefined, text);
  }
});

/** Steps of time in time zones. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Step } from "../../src/history/answers.ts";
import {
  countSteps,
  cutSteps,
  isTimeZone,
  localHourOf,
  type TimeZone,
  timeZoneOf,
  weekdayOf,
} from "../../src/history/calendar.ts";

const ZONES = [
  ...["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"],
  ...["Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"],
  // Changes the clock at midnight; left out a date; went back at midnight.
  ...["Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo"],
];

/** Days around changes of the clock, and any days from 1980 to 2040. */
const start = fc.oneof(
  fc.constantFrom(
    ...["2026-03-27", "2026-10-23", "2026-03-06", "2026-10-30"],
    ...["2026-04-03", "2026-10-02", "2011-12-28", "2018-02-15", "2018-11-02"],
    ...["2006-10-28", "2027-02-05"],
  ).map((date) => Date.parse(date) / 1000),
  fc.integer({ min: 3.2e8, max: 2.2e9 }),
);

/** What a clock and a calendar in a zone show, from Intl and nothing else. */
function clockOf(zone: string): (second: number) => {
  date: string;
  hour: number;
  minute: number;
  weekday: string;
  offset: string;
} {
  const format = new Intl.DateTimeFormat("en-CA", {
    ...{ timeZone: zone, hourCycle: "h23", timeZoneName: "longOffset" },
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit" },
    ...{ minute: "2-digit", weekday: "short" },
  });
  return (second) => {
    const part = Object.fromEntries(
      format.formatToParts(second * 1000).map(({ type, value }) => [
        type,
        value,
      ]),
    );
    return {
      date: `${part.year}-${part.month}-${part.day}`,
      hour: Number(part.hour),
      minute: Number(part.minute),
      weekday: part.weekday!,
      offset: part.timeZoneName!,
    };
  };
}

/** Cuts by looking at the clock every five minutes. */
function modelSteps(zone: string, from: number, to: number, step: Step) {
  const clock = clockOf(zone);
  const starts = [from];
  let before = clock(from);
  let lastDate = before.date;
  for (let second = from + 300; second < to; second += 300) {
    const now = clock(second);
    const isNewDate = now.date > lastDate;
    const isNewHour = now.offset !== before.offset || now.hour !== before.hour;
    const isNew = {
      "15m": isNewHour ||
        Math.floor(now.minute / 15) !== Math.floor(before.minute / 15),
      "1h": isNewHour,
      "1d": isNewDate,
      "1w": isNewDate && now.weekday === "Mon",
    }[step];
    if (isNew) starts.push(second);
    if (isNewDate) lastDate = now.date;
    before = now;
  }
  return starts;
}

Deno.test("cutSteps cuts as clock and calendar say", () => {
  const step = fc.constantFrom<Step>("15m", "1h", "1d", "1w");
  fc.assert(
    fc.property(
      ...[
        fc.constantFrom(...ZONES),
        start,
        step,
        fc.nat({ max: 287 }),
      ] as const,
      (name, start, step, skip) => {
        const from = Math.floor(start / 300 + skip) * 300;
        const to = from + (step === "1w" ? 9 : 4) * 86_400;
        // St. John's changed the clock one minute after midnight until 2011.
        fc.pre(name !== "America/St_Johns" || start > 1.34e9);
        const zone = timeZoneOf(name);
        assert.deepEqual(
          cutSteps(zone, from, to, step),
          modelSteps(name, from, to, step),
        );
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("cutSteps: days of 23, 24 and 25 hours, and hours that occur twice", () => {
  const berlin = timeZoneOf("Europe/Berlin");
  const hours = (from: string, to: string, step: Step, zone = berlin) => {
    const [first, end] = [from, to].map((time) => Date.parse(time) / 1000);
    const starts = [...cutSteps(zone, first!, end!, step), end!];
    return starts.slice(1).map((start, i) => (start - starts[i]!) / 3600);
  };
  const day = "2026-03-27T23:00Z";
  assert.deepEqual(hours(day, "2026-03-30T22:00Z", "1d"), [24, 23, 24]);
  assert.deepEqual(
    hours("2026-10-23T22:00Z", "2026-10-26T23:00Z", "1d"),
    [24, 25, 24],
  );
  assert.deepEqual(
    hours("2026-10-24T22:00Z", "2026-10-25T23:00Z", "1h"),
    new Array(25).fill(1),
  );
  assert.deepEqual(
    hours("2026-10-14T10:00Z", "2026-10-28T10:00Z", "1w"),
    [4 * 24 + 12, 7 * 24 + 1, 2 * 24 + 11],
  );
  // The clock goes forward by 30 minutes, at 02:00.
  assert.deepEqual(
    hours(
      ...["2026-10-03T14:00Z", "2026-10-03T17:00Z", "1h"] as const,
      timeZoneOf("Australia/Lord_Howe"),
    ),
    [0.5, 1, 0.5, 1],
  );
});

Deno.test("TimeZone.firstAt: times that are left out, and that occur twice", () => {
  const berlin = timeZoneOf("Europe/Berlin");
  const utc = (zone: TimeZone, local: string) =>
    new Date(zone.firstAt(Date.parse(`${local}Z`) / 1000) * 1000)
      .toISOString().slice(0, 16);
  assert.equal(utc(berlin, "2026-07-01T12:00"), "2026-07-01T10:00");
  assert.equal(utc(berlin, "2026-03-29T02:30"), "2026-03-29T01:00");
  assert.equal(utc(berlin, "2026-10-25T02:30"), "2026-10-25T00:30");
  assert.equal(
    utc(timeZoneOf("Pacific/Apia"), "2011-12-30T12:00"),
    "2011-12-30T10:00",
  );
});

Deno.test("weekdayOf and localHourOf are those of the middle of the hour", () => {
  const hour = fc.integer({ min: 100_000, max: 600_000 });
  const names = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  fc.assert(fc.property(fc.constantFrom(...ZONES), hour, (name, hour) => {
    const clock = clockOf(name)(hour * 3600 + 1800);
    assert.equal(names[weekdayOf(timeZoneOf(name), hour)], clock.weekday);
    assert.equal(localHourOf(timeZoneOf(name), hour), clock.hour);
  }));
  // 00:00 to 01:00 UTC is 05:45 to 06:45 there.
  assert.equal(localHourOf(timeZoneOf("Asia/Kathmandu"), 24 * 20_000), 6);
});

Deno.test("names of time zones are checked", () => {
  assert.ok(isTimeZone("Europe/Berlin"));
  assert.ok(isTimeZone("UTC"));
  assert.equal(timeZoneOf("europe/berlin").name, "Europe/Berlin");
  for (const name of ["", "Europe/Atlantis", "x".repeat(100_000), "\n"]) {
    assert.ok(!isTimeZone(name));
    assert.throws(() => timeZoneOf(name), RangeError);
  }
  // More names than are remembered.
  for (let i = 1; i <= 12; i++) {
    for (const sign of ["+", "-"]) assert.ok(isTimeZone(`Etc/GMT${sign}${i}`));
    assert.ok(isTimeZone(`etc/gmt+${i}`));
  }
});

Deno.test("countSteps is about the number of steps", () => {
  const from = Date.parse("2026-01-01T00:00Z") / 1000;
  const to = Date.parse("2027-01-01T00:00Z") / 1000;
  const berlin = timeZoneOf("Europe/Berlin");
  for (const step of ["15m", "1h", "1d", "1w"] as const) {
    const steps = cutSteps(berlin, from, to, step).length;
    assert.ok(Math.abs(steps - countSteps(from, to, step)) <= 2);
  }
});

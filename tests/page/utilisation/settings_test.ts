/** What the utilisation mode shows, in the address and in questions. */
import assert from "node:assert/strict";
import {
  DEFAULT_SETTINGS,
  formatDays,
  formatSettings,
  isDate,
  parseSettings,
  type UsageSettings,
} from "../../../src/page/utilisation/settings.ts";
import {
  addDays,
  dateOf,
  questionOf,
} from "../../../src/page/utilisation/usage_requests.ts";

const parse = (text: string) => parseSettings(new URLSearchParams(text));

Deno.test("settings survive the address; the defaults are not in it", () => {
  assert.equal(String(formatSettings(DEFAULT_SETTINGS)), "");
  assert.deepEqual(parse(""), DEFAULT_SETTINGS);
  const all: UsageSettings = {
    period: { first: "2026-10-01", last: "2026-10-31" },
    days: [1, 3, 6, 7],
    hours: [0, 24],
    measure: "changes",
    map: "zones",
    list: "zones",
    sort: "known",
    descending: true,
    cell: { x: -2147483648, y: 12 },
  };
  const text = String(formatSettings(all));
  assert.equal(
    decodeURIComponent(text),
    "period=2026-10-01_2026-10-31&days=1,3,6-7&hours=0-24&show=changes&map=zones&list=zones&sort=-known&cell=-2147483648,12",
  );
  assert.deepEqual(parse(text), all);
  assert.deepEqual(parse("period=90d").period, 90);
});

Deno.test("invalid parts of an address are ignored", () => {
  for (
    const text of [
      ...["period=0d", "period=30", "period=2026-02-30_2026-03-01"],
      ...["period=2026-03-02_2026-03-01", "days=0", "days=8", "days=x"],
      ...["hours=18-8", "hours=0-25", "hours=8", "show=all", "show=toString"],
      ...["map=x", "list=x", "sort=", "sort=constructor", "cell=1"],
      ...["cell=1,2,3", "cell=3000000000,1", "cell=a,b"],
    ]
  ) assert.deepEqual(parse(text), DEFAULT_SETTINGS, text);
  assert.deepEqual(parse("days=2,9,5-6").days, [2, 5, 6]);
});

Deno.test("days are formatted as days and ranges", () => {
  assert.equal(formatDays([1, 2, 3, 4, 5]), "1-5");
  assert.equal(formatDays([1, 2, 4, 6, 7]), "1-2,4,6-7");
  assert.equal(formatDays([3]), "3");
});

Deno.test("dates are those of the server's time zone", () => {
  const ms = Date.parse("2026-03-29T22:30:00Z");
  assert.equal(dateOf(ms, "UTC"), "2026-03-29");
  assert.equal(dateOf(ms, "Europe/Berlin"), "2026-03-30");
  assert.equal(addDays("2026-03-01", -1), "2026-02-28");
  assert.ok(isDate("2028-02-29") && !isDate("2026-02-29") && !isDate("x"));
});

Deno.test("a question has whole days, and none before the first record", () => {
  const now = Date.parse("2026-11-25T13:00:00Z");
  const info = {
    timezone: "UTC",
    oldestRollup: Date.parse("2026-11-20T10:00Z"),
  };
  const ask = (period: UsageSettings["period"]) => {
    const question = questionOf(
      "hall",
      { ...DEFAULT_SETTINGS, period },
      info,
      now,
    );
    return [question.get("from"), question.get("to")];
  };
  assert.deepEqual(ask(3), ["2026-11-23", "now"]);
  assert.deepEqual(ask(30), [String(info.oldestRollup), "now"]);
  assert.deepEqual(
    ask({ first: "2026-11-21", last: "2026-11-22" }),
    ["2026-11-21", "2026-11-23"],
  );
  // The server says what it keeps.
  assert.deepEqual(
    ask({ first: "2026-01-01", last: "2026-01-02" }),
    ["2026-01-01", "2026-01-03"],
  );
  assert.deepEqual(
    ask({ first: "2026-11-21", last: "2026-12-31" }),
    ["2026-11-21", "now"],
  );
});

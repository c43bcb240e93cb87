/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { BrowserContextOptions } from "playwright-core";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { violations } from "../axe.ts";
import { findLayoutFaults } from "../layout_scan.ts";
import type { PageSession } from "../session.ts";
import { openWithZones } from "../zones/zones_session.ts";
import { type FakeCell, FakeHistory } from "./fake_history.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAY = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS;
const TEN = DAY + 10 * HOUR_MS;
const ROOM = {
  title: "Room <b>1</b>",
  box: [0, 0, 6, 10],
  capacity: 200,
} as const;
const CELLS: readonly FakeCell[] = Array.from({ length: 200 }, (_, index) => [
  index % 20,
  Math.floor(index / 20),
  index % 20 === 19 ? -1 : 1 + index % 3,
]);
const LIVE = CELLS.map(([x, y]) => `${x},${y},0`).join("\n") + "\n";
const TEN_O_CLOCK = `#layer=default&mode=history&time=${iso(TEN)}`;

/** Opens the page with a past of ten days that has a gap. */
async function open(
  address: string,
  browser: BrowserContextOptions = {},
): Promise<{ session: PageSession; fake: FakeHistory }> {
  const fake = new FakeHistory({
    cells: CELLS,
    oldest: DAY - 8 * DAY_MS,
    now: Date.now(),
    gaps: [[DAY + 4 * HOUR_MS, DAY + 5 * HOUR_MS]],
    zones: { room: ROOM },
  });
  const session = await openWithZones([{ name: "room", ...ROOM }], {
    readings: { default: LIVE },
    browser: { timezoneId: "UTC", locale: "en-GB", ...browser },
  });
  await fake.install(session.page);
  await session.page.goto("about:blank");
  await session.page.goto(`${session.url}/${address}`);
  return { session, fake };
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(".000", "");
}

/** Waits until the page shows a time, loaded. */
async function waitForTime(session: PageSession, ms: number): Promise<void> {
  const clock = new Date(ms).toISOString().slice(11, 19);
  await session.waitForText(".past-pill", new RegExp(`${clock}$`));
  await until(
    () =>
      session.page.evaluate(() =>
        !document.body.classList.contains("past-unknown")
      ),
    { what: "the map of the time" },
  );
}

/** The count in the first card. */
async function people(session: PageSession): Promise<number> {
  const text = await session.text(".past-cards .card:first-child strong");
  return Number(text.replace(/\D/g, ""));
}

Deno.test({
  name: "the address shows the map of a time, its totals, zones and changes",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open(TEN_O_CLOCK);
    await using _session = session;
    await waitForTime(session, TEN);
    assert.equal(await people(session), fake.peopleAt(TEN));
    assert.match(await session.text(".not-live"), /Not live 2 days ago/);
    await session.waitForText(
      "#zones",
      new RegExp(`Room <b>1</b>.* ${fake.peopleAt(TEN, ROOM)}/200`),
    );
    assert.match(await session.text("#zones-title"), /at 10:00:00/);
    await session.waitForText(".past-changes", /09:\d\d:\d\d (Free|Occupied)/);
    await session.waitForText(".curve-head", /People on this day most \d+/);
    assert.match(await session.text("head title"), /^$|History/);
    // What belongs to the live map only is hidden.
    assert.equal(await session.page.locator("#pill").isVisible(), false);
    assert.equal(await session.page.locator("#cards").isVisible(), false);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "keys and buttons move the time; the address follows; L is live",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open(TEN_O_CLOCK);
    await using _session = session;
    const { page } = session;
    await waitForTime(session, TEN);
    const steps = [
      ["ArrowRight", 1],
      ["Shift+ArrowRight", 16],
      ["ArrowLeft", 15],
      ["Shift+ArrowLeft", 0],
      ["Shift+ArrowLeft", -15],
    ] as const;
    for (const [key, minutes] of steps) {
      await page.keyboard.press(key);
      await waitForTime(session, TEN + minutes * 60_000);
      assert.equal(
        await people(session),
        fake.peopleAt(TEN + minutes * 60_000),
        key,
      );
    }
    await page.getByRole("button", { name: "+15 min" }).click();
    await waitForTime(session, TEN);
    await page.keyboard.press("Home");
    await waitForTime(session, DAY);
    await page.keyboard.press("End");
    await waitForTime(session, DAY + DAY_MS - 1000);
    await until(() => page.url().includes(iso(DAY + DAY_MS - 1000)));
    await page.getByRole("button", { name: "Day before" }).click();
    await waitForTime(session, DAY - 1000);
    await page.goBack();
    await waitForTime(session, DAY + DAY_MS - 1000);
    await page.reload();
    await waitForTime(session, DAY + DAY_MS - 1000);
    await page.keyboard.press("l");
    await page.locator("#pill").waitFor({ state: "visible" });
    await session.waitForText("#cards", /Cells occupied 0/);
    assert.doesNotMatch(page.url(), /mode=/);
    await page.goBack();
    await waitForTime(session, DAY + DAY_MS - 1000);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "the slider is dragged, and says its time to screen readers",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open(TEN_O_CLOCK);
    await using _session = session;
    const { page } = session;
    await waitForTime(session, TEN);
    const slider = page.getByRole("slider", { name: "Time of the map" });
    const box = (await slider.boundingBox())!;
    const noon = box.x + box.width / 2;
    await page.mouse.move(noon - 100, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(noon - 50, box.y + 40);
    await page.mouse.move(noon, box.y + 40);
    await page.mouse.up();
    const near = /, (11:5\d|12:0\d):\d\d$/;
    await session.waitForText(".past-pill", near);
    await until(async () =>
      near.test(await slider.getAttribute("aria-valuetext") ?? "")
    );
    await until(async () => {
      const { hash } = new URL(page.url());
      const time = new URLSearchParams(hash.slice(1)).get("time");
      return time !== iso(TEN) &&
        await people(session) === fake.peopleAt(Date.parse(time!));
    });
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "Space plays at the chosen speed, hour after hour, and pauses",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open(TEN_O_CLOCK);
    await using _session = session;
    const { page } = session;
    await waitForTime(session, TEN);
    await page.getByLabel("Speed of the replay").selectOption("3600");
    await page.locator("#map").focus();
    await page.keyboard.press(" ");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await session.waitForText(".past-pill", /, 1[2-9]:/);
    await page.keyboard.press(" ");
    await page.getByRole("button", { name: "Play" }).waitFor();
    const text = await session.text(".past-pill");
    const time = Date.parse(`${text.replace("Viewing ", "")} UTC`);
    assert.ok(time > TEN + 2 * HOUR_MS, text);
    await waitForTime(session, time);
    assert.equal(await people(session), fake.peopleAt(time));
    assert.match(page.url(), /speed=3600/);
    const hours = fake.requests.filter((one) => one.startsWith("/changes"));
    assert.equal(new Set(hours).size, hours.length, "no hour twice");
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a gap is no zero: totals and zones are unknown, and the map says so",
  ...needs("chromium"),
  fn: async () => {
    const time = DAY + 4.5 * HOUR_MS;
    const { session } = await open(
      `#layer=default&mode=history&time=${iso(time)}`,
    );
    await using _session = session;
    await session.waitForText(
      ".past-problem",
      /No data from 04:00:00 to 05:00:00/,
    );
    assert.match(
      await session.text(".past-cards"),
      /Cells occupied – no data Free – no data/,
    );
    await session.waitForText("#zones", /unknown/);
    assert.equal(
      await session.page.locator("body.past-unknown").count(),
      1,
    );
    await session.page.keyboard.press("Shift+ArrowRight");
    await session.page.keyboard.press("Shift+ArrowRight");
    await waitForTime(session, DAY + 5 * HOUR_MS);
    assert.equal(
      await session.page.locator(".past-problem").isVisible(),
      false,
    );
  },
});

Deno.test({
  name: "a zone has its day and week, also against another day",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open(`?zone=room${TEN_O_CLOCK}`);
    await using _session = session;
    const { page } = session;
    await waitForTime(session, TEN);
    const chart = page.locator(".zone-chart");
    await chart.locator("canvas").waitFor();
    await session.waitForText(".zone-chart", /Room <b>1<\/b>/);
    await session.waitForText(
      ".zone-chart",
      new RegExp(`${fake.peopleAt(TEN, ROOM)} of 200 people at 10:00:00`),
    );
    await session.waitForText(".zone-chart", /most \d+ people about/);
    await chart.getByRole("button", { name: "Week" }).click();
    await until(() => page.url().includes("range=week"));
    await until(() =>
      fake.requests.some((one) =>
        one.startsWith("/zones/room") && one.includes("step=1h")
      )
    );
    const other = new Date(DAY - 7 * DAY_MS).toISOString().slice(0, 10);
    await page.getByLabel("Compare with another day").fill(other);
    await until(() => page.url().includes(`compare=${other}`));
    await session.waitForText(".curve-head", /: most \d+/);
    await page.getByRole("button", { name: "Do not compare" }).click();
    await until(() => !page.url().includes("compare="));
    await page.goBack();
    await until(() => page.url().includes(`compare=${other}`));
    await chart.getByRole("button", { name: "Close" }).click();
    await chart.waitFor({ state: "hidden" });
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "map, day and picture are exported",
  ...needs("chromium"),
  fn: async () => {
    const { session } = await open(TEN_O_CLOCK);
    await using _session = session;
    const { page } = session;
    await waitForTime(session, TEN);
    await page.getByText("Export", { exact: true }).click();
    const csv = await page.getByRole("link", { name: /Map at this time/ })
      .getAttribute("href");
    assert.match(csv!, new RegExp(`^api/v1/history/map\\?.*at=${TEN}.*csv`));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: /Picture/ }).click(),
    ]);
    assert.match(download.suggestedFilename(), /^default-.*100000Z\.png$/);
    const bytes = await Deno.readFile(await download.path());
    assert.deepEqual([...bytes.slice(1, 4)], [0x50, 0x4E, 0x47]);
    assert.ok(bytes.length > 3000);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "without a history the switch says why and what to do, and stays live",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open("");
    await using _session = session;
    const { page } = session;
    fake.problem = {
      status: 409,
      body: {
        detail: "The server does not record a history",
        hint: "Start it without --no-history",
      },
    };
    await page.getByRole("button", { name: "History" }).click();
    await session.waitForText(
      "#mode-problem",
      /does not record a history\. Start it without --no-history\./,
    );
    await session.waitForText("#pill", /^Live/);
    assert.equal(
      await page.getByRole("button", { name: "Live" })
        .getAttribute("aria-pressed"),
      "true",
    );
    // It is recorded now.
    fake.problem = undefined;
    await page.getByRole("button", { name: "History" }).click();
    await session.waitForText(".past-pill", /Viewing/);
    await page.getByRole("button", { name: "Back to live" }).click();
    await session.waitForText("#pill", /^Live/);
  },
});

Deno.test({
  name: "a time that cannot be loaded is said so, and loaded again on demand",
  ...needs("chromium"),
  fn: async () => {
    const { session, fake } = await open(TEN_O_CLOCK);
    await using _session = session;
    await waitForTime(session, TEN);
    fake.problem = {
      status: 503,
      body: { detail: "Too many <i>requests</i>" },
    };
    for (let i = 0; i < 8; i++) {
      await session.page.keyboard.press("Shift+ArrowRight");
    }
    await session.waitForText(".past-problem", /Too many <i>requests<\/i>/);
    assert.match(await session.text(".past-cards"), /– no data/);
    fake.problem = undefined;
    await session.page.getByRole("button", { name: "Try again" }).click();
    await waitForTime(session, TEN + 2 * HOUR_MS);
    assert.equal(await people(session), fake.peopleAt(TEN + 2 * HOUR_MS));
  },
});

for (
  const [name, browser] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["phone", {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    }],
  ] as const
) {
  Deno.test({
    name: `axe-core and the layout find no fault: ${name}`,
    ...needs("chromium"),
    fn: async () => {
      const { session } = await open(`?zone=room${TEN_O_CLOCK}`, browser);
      await using _session = session;
      await waitForTime(session, TEN);
      await session.waitForText(".zone-chart", /most \d+ people/);
      await session.waitForText(".curve-head", /most \d+/);
      assert.deepEqual(await violations(session), []);
      assert.deepEqual(
        await session.page.evaluate(findLayoutFaults, [] as number[]),
        [],
      );
    },
  });
}

Deno.test({
  name: "nothing is drawn while nothing moves",
  ...needs("chromium"),
  fn: async () => {
    const { session } = await open(TEN_O_CLOCK);
    await using _session = session;
    await waitForTime(session, TEN);
    await session.waitForText(".curve-head", /most \d+/);
    const drawn = await session.page.evaluate(async () => {
      let count = 0;
      const original = CanvasRenderingContext2D.prototype.clearRect;
      CanvasRenderingContext2D.prototype.clearRect = function (...args) {
        count++;
        return original.apply(this, args);
      };
      await new Promise((resolve) => setTimeout(resolve, 2500));
      return count;
    });
    // The clock of the page ticks once a second.
    assert.ok(drawn <= 8, `${drawn} drawings in 2.5 seconds`);
  },
});

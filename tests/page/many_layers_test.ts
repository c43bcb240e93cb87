import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { PageSession } from "./session.ts";

/** Forty floors in an arbitrary order, one with far more people. */
const FLOORS = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => {
    const floor = (i * 17) % 40;
    return [`floor${floor}`, floor === 7 ? "0,0,90000\n" : "0,0,1\n1,0,0\n"];
  }),
);

Deno.test({
  name:
    "forty layers are in order, can be searched, and the chosen one is in sight",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: FLOORS,
      address: "#layer=floor31",
    });
    const { page } = session;
    const names = () => page.locator("#layers b").allInnerTexts();
    await until(async () => (await names()).length === 40);
    const expected = Array.from({ length: 40 }, (_, i) => `floor${i}`);
    assert.deepEqual(await names(), expected);
    assert.deepEqual(
      await page.locator("#layer option").allInnerTexts(),
      expected,
    );
    const inSight = (layer: string) =>
      page.evaluate((layer) => {
        const list = document.querySelector("#layers")!.getBoundingClientRect();
        const row = [...document.querySelectorAll("#layers button")].find((
          button,
        ) => button.querySelector("b")!.textContent === layer)!;
        const { top, bottom } = row.getBoundingClientRect();
        return row.matches("[aria-current=true]") && top >= list.top - 1 &&
          bottom <= list.bottom + 1;
      }, layer);
    assert.ok(await inSight("floor31"));
    await page.locator("#layer").selectOption("floor2");
    assert.ok(await inSight("floor2"));

    // A huge layer does not flatten the bars of the others.
    const widths = await page.locator("#layers .meter i").evaluateAll((bars) =>
      bars.map((bar) => (bar as HTMLElement).style.width)
    );
    assert.equal(widths[7], "100%");
    assert.equal(widths[8], "50%");

    // One tab stop for the whole list; the arrow keys move in it.
    const stops = page.locator("#layers button:not([tabindex='-1'])");
    assert.equal(await stops.count(), 1);
    await stops.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await until(() => /layer=floor3(?:&|$)/.test(page.url()));

    await page.locator("#layer-search").fill("FLOOR3");
    assert.equal((await names()).length, 11);
    await page.locator("#layer-search").fill("loor38");
    await page.keyboard.press("Enter");
    await until(() => page.url().includes("layer=floor38"));
    await page.locator("#layer-search").fill("cellar");
    assert.equal(await session.text("#layers"), "No layer has this name");
  },
});

Deno.test({
  name: "a mistyped layer in the address offers those that exist",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { lobby: "0,0,1\n", floor1: "0,0,1\n", floor2: "0,0,2\n" },
      address: "#layer=flor2",
    });
    const { page } = session;
    await session.waitForText("#empty", /^There is no layer “flor2”/);
    assert.deepEqual(await page.locator("#empty .offer").allInnerTexts(), [
      "floor2",
      "floor1",
      "lobby",
    ]);
    assert.match(
      await session.text("#empty"),
      /echo 1,2,1 \| occupancy client --file - --layer flor2 --broker mqtt:/,
    );
    await page.locator("#empty .offer", { hasText: "floor2" }).click();
    await session.waitForText("#cards", /People 2/);
    assert.ok(await page.locator("#empty").isHidden());
    // Back is on the page.
    await page.goBack();
    await session.waitForText("#empty", /^There is no layer “flor2”/);
  },
});

Deno.test({
  name:
    "latest changes at a high rate have distinct times, and sources beside them",
  ...needs("chromium"),
  fn: async () => {
    const now = Date.now();
    const cells = Array.from(
      { length: 40 },
      (_, i) => [i, 0, 1, now - 2000 - 5 * i],
    );
    await using session = await PageSession.open({
      readings: { default: JSON.stringify({ source: "cam-1", cells }) },
    });
    const { page } = session;
    const rows = page.locator("#latest li");
    await until(async () => await rows.count() === 30);
    const times = await page.locator("#latest time").allInnerTexts();
    assert.equal(new Set(times).size, 30, times.join());
    assert.match(times[0]!, /^\d\d:\d\d\.\d{3}$/);
    assert.equal(
      await page.locator("#latest .origin").first().innerText(),
      "cam-1",
    );
    assert.equal(
      await page.locator("#latest button:not([tabindex='-1'])").count(),
      1,
    );
    await page.locator("#latest button").first().focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await session.waitForText("#tip", /x 29, y 0/);
    assert.equal(await page.locator("#latest-panel[tabindex]").count(), 0);
  },
});

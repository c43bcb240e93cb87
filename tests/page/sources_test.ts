/// <reference lib="dom" />
/** The sources in the panel below the map. */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { violations } from "./axe.ts";
import { findLayoutFaults } from "./layout_scan.ts";
import { PageSession, type PageSessionOptions } from "./session.ts";

const report = (source: string, ...cells: unknown[]) =>
  JSON.stringify({ source, cells: cells.length > 0 ? cells : [[1, 1, 1]] });

/** A page whose server has three sources, and one that becomes silent. */
async function open(
  options: Pick<PageSessionOptions, "browser" | "address"> = {},
): Promise<{ session: PageSession; keepAlive: () => Promise<void> }> {
  const session = await PageSession.open({
    ...options,
    server: ["--silent-after", "3s"],
    readings: { default: report("cam-7") },
  });
  await session.submit("default", "5,5,1\n");
  const keepAlive = async () => {
    await session.submit("default", report("<b>gate</b>", [2, 2, 1]));
    await session.submit("default", report("hall/1", [3, 3, 1], [3, "x", 1]));
  };
  await keepAlive();
  return { session, keepAlive };
}

/** Waits until a text of the sources matches; meanwhile, two sources report. */
async function waitForRows(
  session: PageSession,
  keepAlive: () => Promise<void>,
  pattern: RegExp,
): Promise<string> {
  let text = "";
  return await until(async () => {
    await keepAlive();
    text = (await session.page.locator("#sources tbody tr").allInnerTexts())
      .map((row) => row.replace(/\s+/g, " ").trim()).join("\n");
    if (pattern.test(text)) return text;
    await delay(200);
    return false;
  }, { what: () => `${pattern} in ${text}` });
}

Deno.test({
  name: "the sources show which are silent, and which are back",
  ...needs("chromium"),
  fn: async () => {
    const { session, keepAlive } = await open();
    await using _ = session;
    const tab = session.page.getByRole("tab", { name: /^Sources/ });
    // The number of silent sources is visible without opening the list.
    await until(async () => {
      await keepAlive();
      await delay(200);
      return /1 silent/.test(await tab.innerText());
    }, { what: "the number in the tab", deadline: 30_000 });
    await tab.click();
    assert.equal(await session.page.locator("#chart").isVisible(), false);
    const rows = await waitForRows(session, keepAlive, /^cam-7 Silent/);
    assert.match(
      rows,
      /^cam-7 Silent \d+ sec\. ago \S+ 0\n<b>gate<\/b> Reporting (just now|1 sec\. ago) \S+ 0\nhall\/1 Reporting .* \d+ bad-y$/,
    );
    assert.equal(
      await session.text("#sources-summary"),
      "3 sources · 1 silent for more than 3 s",
    );
    await session.waitForText("#sources-note", /^1 reading without a source\./);
    await session.submit("default", report("cam-7"));
    const back = await waitForRows(
      session,
      async () => {
        await keepAlive();
        await session.submit("default", report("cam-7"));
      },
      /cam-7 Reporting/,
    );
    assert.doesNotMatch(back, /Silent/);
    await session.page.locator("#sources-silent").waitFor({ state: "hidden" });
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "the sources can be opened and searched with the keyboard",
  ...needs("chromium"),
  fn: async () => {
    const { session, keepAlive } = await open();
    await using _ = session;
    const { page } = session;
    const { keyboard } = page;
    const focused = () => page.evaluate(() => document.activeElement?.id);
    await page.locator("#chart-tab").focus();
    await keyboard.press("ArrowRight");
    assert.equal(await focused(), "sources-tab");
    await waitForRows(session, keepAlive, /hall\/1/);
    await keyboard.press("Tab");
    assert.equal(await focused(), "sources-search");
    await keyboard.type("HALL");
    await waitForRows(session, keepAlive, /^hall\/1[^\n]*$/);
    await keyboard.type("x");
    await session.waitForText("#sources-note", /^No source has HALLx in/);
    await keyboard.press("Tab");
    assert.equal(await focused(), "sources-view", "it can be scrolled");
    await page.locator("#sources-tab").focus();
    await keyboard.press("Home");
    assert.equal(await focused(), "chart-tab");
    assert.equal(await page.locator("#chart").isVisible(), true);
    assert.equal(await page.locator("#sources-view").isVisible(), false);
    assert.deepEqual(session.errors, []);
  },
});

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `the sources are readable in ${colorScheme} colours, from 320 px on`,
    ...needs("chromium"),
    fn: async () => {
      const { session, keepAlive } = await open({ browser: { colorScheme } });
      await using _ = session;
      const { page } = session;
      const long = "building-7/floor-2/camera-in-the-corridor-12";
      await session.submit("default", report(long, [9, 9, 9]));
      await page.locator("#sources-tab").click();
      await waitForRows(session, keepAlive, /^cam-7 Silent/);
      assert.deepEqual(await violations(session), []);
      for (const width of [320, 390, 480, 481, 760, 761, 1180, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        const faults = await page.evaluate(findLayoutFaults, []);
        assert.deepEqual(faults, [], `at ${width} px`);
        const overflow = await page.evaluate(() => {
          const view = document.getElementById("sources-view")!;
          return view.scrollWidth - view.clientWidth;
        });
        assert.ok(overflow <= 0, `${overflow} px at ${width} px`);
      }
      assert.deepEqual(await violations(session), []);
    },
  });
}

Deno.test({
  name: "the sources say that they are not up to date if the server is away",
  ...needs("chromium"),
  fn: async () => {
    const { session, keepAlive } = await open();
    await using _ = session;
    await session.page.locator("#sources-tab").click();
    await waitForRows(session, keepAlive, /cam-7/);
    await session.killServer();
    await session.waitForText("#sources-note", /^The list is not up to date\./);
    await session.restartServer();
    await session.waitForText("#sources-note", /^No reading has named/);
    await session.waitForText("#sources-summary", /^0 sources · 0 silent/);
  },
});

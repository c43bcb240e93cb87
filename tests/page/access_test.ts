/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { violations } from "./axe.ts";
import { BLANK, PageSession } from "./session.ts";

const VIEW = "#layer=default&at=5,5&scale=40";
const READINGS = { default: "4,4,2\n5,4,0\n6,4,-1\n5,5,1\n", hall: "0,0,1\n" };

Deno.test({
  name: "all functions work with the keyboard alone, and cells are announced",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: VIEW,
    });
    const { keyboard } = session.page;
    await session.waitForColorChange(4, 4, BLANK);
    const viewMatches = (pattern: RegExp) =>
      until(() => pattern.test(session.page.url()), {
        what: () => `${pattern} in ${session.page.url()}`,
      });

    // The first element of the page is a link to the map.
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    assert.equal(
      await session.page.evaluate(() => document.activeElement?.id),
      "map",
    );
    await keyboard.press("ArrowRight");
    await viewMatches(/at=8,5&/);
    await keyboard.press("ArrowLeft");
    await keyboard.press("ArrowDown");
    await viewMatches(/at=5,8&/);
    await keyboard.press("ArrowUp");
    await viewMatches(/at=5,5&/);
    await keyboard.press("+");
    await viewMatches(/scale=64&?/);
    await keyboard.press("-");
    await viewMatches(/scale=40&?/);

    // The cursor moves cell by cell.
    await keyboard.press("Enter");
    await session.waitForText("#announcer", /^5, 5: occupied, observed/);
    await keyboard.press("ArrowUp");
    await session.waitForText("#announcer", /^5, 4: free, observed/);
    await keyboard.press("ArrowRight");
    await session.waitForText("#announcer", /^6, 4: unknown, observed/);
    await keyboard.press("ArrowRight");
    await session.waitForText("#announcer", /^7, 4: no data/);
    await session.waitForText("#tip", /^No data x 7, y 4/);
    await keyboard.press("ArrowLeft");
    await keyboard.press("ArrowLeft");
    // A change under the cursor is announced.
    await session.submit("default", "5,4,3\n");
    await session.waitForText("#announcer", /^5, 4: occupied, 3 people/);
    await keyboard.press("Shift+ArrowLeft");
    await keyboard.press("Shift+ArrowDown");
    await session.waitForText("#selection", /x 4–5, y 4–5 · 3 cells People 6/);
    await keyboard.press("Escape");
    await session.page.locator("#selection").waitFor({ state: "hidden" });
    await keyboard.press("Escape");
    await session.page.locator("#tip").waitFor({ state: "hidden" });

    await keyboard.press("g");
    await keyboard.type("4,4");
    await keyboard.press("Enter");
    await session.waitForText("#tip", /^Occupied · 2 people x 4, y 4/);
    await keyboard.press("t");
    assert.equal(await theme(session), "light");
    await keyboard.press("t");
    assert.equal(await theme(session), "dark");
    await keyboard.press("?");
    await session.page.locator("#help-dialog[open]").waitFor();
    await keyboard.press("Escape");
    await session.page.locator("#help-dialog[open]").waitFor({
      state: "hidden",
    });
    await keyboard.press("l");
    assert.equal(
      await session.page.evaluate(() => document.activeElement?.id),
      "layer",
    );
    await keyboard.press("ArrowDown");
    await viewMatches(/layer=hall/);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "single-letter shortcuts can be turned off",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: VIEW,
    });
    await session.waitForColorChange(4, 4, BLANK);
    const { keyboard } = session.page;
    await keyboard.press("?");
    await session.page.getByLabel("Single-letter shortcuts").uncheck();
    await keyboard.press("Escape");
    await keyboard.press("t");
    assert.equal(await theme(session), "light");
    assert.ok(!session.page.url().includes("theme="));
    await session.page.reload();
    await session.waitForColorChange(4, 4, BLANK);
    await keyboard.press("?");
    assert.equal(await session.page.locator("#help-dialog[open]").count(), 0);
  },
});

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `axe-core finds no serious violation: ${colorScheme}`,
    ...needs("chromium"),
    fn: async () => {
      await using session = await PageSession.open({
        readings: READINGS,
        address: `${VIEW}&box=4,4,6,6`,
        browser: { colorScheme },
      });
      await session.waitForColorChange(4, 4, BLANK);
      await session.submit("default", "4,5,1\n");
      await session.waitForText("#latest", /4, 5/);
      const { left, top } = await session.positionOf(4, 4);
      await session.page.mouse.click(left, top);
      await session.waitForText("#tip", /^Occupied/);
      await session.waitForText("#chart-legend", /people \d/);
      assert.deepEqual(await violations(session), []);
      await session.page.getByRole("button", { name: "Help" }).click();
      assert.deepEqual(await violations(session), []);
      await session.page.keyboard.press("Escape");
      await session.killServer();
      await session.waitForText("#pill", /^Disconnected/);
      assert.deepEqual(await violations(session), []);
    },
  });
}

function theme(session: PageSession): Promise<string | undefined> {
  return session.page.evaluate(() => document.documentElement.dataset["theme"]);
}

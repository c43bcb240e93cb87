/// <reference lib="dom" />
/** The zone editor for all people: axe-core, and the layout at all sizes. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { violations } from "../axe.ts";
import { EditorDriver, rectangle } from "./editor_driver.ts";

const ZONES = [
  rectangle("lobby", [2, 2, 8, 6], { title: "Lobby", capacity: 10 }),
  rectangle("kitchen", [10, 2, 16, 6], { title: "Kitchen" }),
];

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `axe-core finds no serious violation in the editor: ${colorScheme}`,
    ...needs("chromium"),
    fn: async () => {
      await using driver = await EditorDriver.open(ZONES, {
        browser: { colorScheme },
      });
      const { page, session } = driver;
      await driver.edit();
      assert.deepEqual(await violations(session), [], "nothing selected");
      await driver.click(4, 4);
      await driver.announced(/^Lobby/);
      await page.keyboard.press("Tab");
      await driver.fill("Capacity", "0");
      await session.waitForText("#edit-capacity-problem", /above 0/);
      await driver.button("Save");
      await session.waitForText(".edit-notice", /not valid/);
      assert.deepEqual(
        await violations(session),
        [],
        "a zone that is not valid",
      );
      for (const tool of ["Rectangle", "Polygon", "Hole"]) {
        await driver.button(tool);
        assert.deepEqual(await violations(session), [], tool);
      }
      await driver.button("Keys");
      assert.deepEqual(await violations(session), [], "keys");
      await page.keyboard.press("Escape");
      await driver.button("Close");
      await page.getByRole("dialog").waitFor();
      assert.deepEqual(await violations(session), [], "question");
    },
  });
}

Deno.test({
  name: "the editor fits from 320 to 1920 pixels",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open(ZONES);
    const { page } = driver;
    await driver.edit();
    await driver.click(4, 4);
    await driver.announced(/^Lobby/);
    for (const width of [320, 390, 760, 761, 1024, 1180, 1181, 1440, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      assert.equal(wide, 0, `${width} px: the page scrolls to the side`);
      const cut = await page.locator(
        ".editor-bar button:visible, .zone-editor :is(button, input):visible",
      ).evaluateAll((all) =>
        all.filter((one) => one.scrollWidth > one.clientWidth + 1)
          .map((one) => one.textContent)
      );
      assert.deepEqual(cut, [], `${width} px`);
      const { width: mapWidth, height } =
        (await page.locator("#map").boundingBox())!;
      assert.ok(mapWidth >= 280 && height >= 240, `${width} px: map`);
    }
  },
});

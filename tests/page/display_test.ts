/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BLANK, Stage } from "./session.ts";

const NEAR = "#layer=default&at=5,5&scale=40";
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 3,
  isMobile: true,
  hasTouch: true,
};
const READINGS = { default: "5,5,1\n4,4,0\n" };

Deno.test({
  name: "on a phone nothing is wider than the screen, and a tap tells the cell",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: READINGS,
      address: NEAR,
      browser: PHONE,
    });
    await stage.repainted(5, 5, BLANK);
    const [page, screen] = await stage.page.evaluate(() => [
      document.documentElement.scrollWidth,
      innerWidth,
    ]);
    assert.ok(page! <= screen!, `${page} px on ${screen}`);
    const { left, top } = await stage.place(5, 5);
    await stage.page.touchscreen.tap(left, top);
    await stage.reads("#tip", /^Occupied x 5, y 5/);
    const tip = (await stage.page.locator("#tip").boundingBox())!;
    assert.ok(tip.x >= 0 && tip.x + tip.width <= screen!);
    // Nothing to press is too small for a finger (WCAG 2.2, 2.5.8).
    for (const button of await stage.page.locator("button:visible").all()) {
      const { width, height } = (await button.boundingBox())!;
      assert.ok(width >= 24 && height >= 24, await button.innerHTML());
    }
  },
});

Deno.test({
  name: "the page is dark where the system is, and follows it",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: READINGS,
      address: NEAR,
      browser: { colorScheme: "dark" },
    });
    const dark = await stage.repainted(4, 4, BLANK);
    assert.ok(await lightness(stage) < 40);
    await stage.page.emulateMedia({ colorScheme: "light" });
    await stage.repainted(4, 4, dark);
    assert.ok(await lightness(stage) > 215);
    assert.ok(!stage.page.url().includes("theme="));
  },
});

Deno.test({
  name: "each palette has other colours, and the choice is kept",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({ readings: READINGS, address: NEAR });
    const safe = await stage.repainted(4, 4, BLANK);
    await stage.page.locator("#palette").selectOption("traffic");
    const traffic = await stage.repainted(4, 4, safe);
    await stage.page.locator("#palette").selectOption("rviz");
    await stage.repainted(4, 4, traffic);
    await stage.page.goto("about:blank");
    await stage.page.goto(`${stage.url}/${NEAR}`);
    assert.equal(await stage.page.locator("#palette").inputValue(), "rviz");
  },
});

Deno.test({
  name: "?kiosk=1 shows the map and its totals, and nothing to press",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: READINGS,
      address: `?kiosk=1${NEAR}`,
    });
    await stage.repainted(5, 5, BLANK);
    await stage.reads("#cards", /People 1/);
    for (const shown of ["#pill", "#legend", "#scale"]) {
      assert.ok(await stage.page.locator(shown).isVisible(), shown);
    }
    assert.equal(await stage.page.locator("button:visible").count(), 0);
    assert.equal(await stage.page.locator("input:visible").count(), 0);
    assert.match(stage.page.url(), /\?kiosk=1#/);
  },
});

/** How light the background of the page is, 0 to 255. */
function lightness(stage: Stage): Promise<number> {
  return stage.page.evaluate(() =>
    Math.max(
      ...getComputedStyle(document.body).backgroundColor.match(/\d+/g)!
        .slice(0, 3).map(Number),
    )
  );
}

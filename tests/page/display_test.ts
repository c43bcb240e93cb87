/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BLANK, PageSession } from "./session.ts";

const VIEW = "#layer=default&at=5,5&scale=40";
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 3,
  isMobile: true,
  hasTouch: true,
};
const READINGS = { default: "5,5,1\n4,4,0\n" };

Deno.test({
  name:
    "on a phone the page fits the screen, and a tap shows the tooltip of a cell",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: VIEW,
      browser: PHONE,
    });
    await session.waitForColorChange(5, 5, BLANK);
    const [pageWidth, screenWidth] = await session.page.evaluate(() => [
      document.documentElement.scrollWidth,
      innerWidth,
    ]);
    assert.ok(pageWidth! <= screenWidth!, `${pageWidth} px on ${screenWidth}`);
    const { left, top } = await session.positionOf(5, 5);
    await session.page.touchscreen.tap(left, top);
    await session.waitForText("#tip", /^Occupied x 5, y 5/);
    const tip = (await session.page.locator("#tip").boundingBox())!;
    assert.ok(tip.x >= 0 && tip.x + tip.width <= screenWidth!);
    // All buttons have the minimum size (WCAG 2.2, 2.5.8).
    for (const button of await session.page.locator("button:visible").all()) {
      const { width, height } = (await button.boundingBox())!;
      assert.ok(width >= 24 && height >= 24, await button.innerHTML());
    }
  },
});

Deno.test({
  name:
    "the map stays where it is when the state of the connection has more text",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: VIEW,
    });
    const top = async (text: string) =>
      await session.page.evaluate((text) => {
        document.querySelector("#pill-detail")!.textContent = text;
        return document.querySelector("#map")!.getBoundingClientRect().top;
      }, text);
    for (const width of [390, 700, 900, 950, 1000, 1280]) {
      await session.page.setViewportSize({ width, height: 800 });
      const before = await top("· 1 Hz");
      const after = await top("· no changes · 1,250 ms behind");
      assert.equal(after, before, `with a width of ${width} px`);
    }
  },
});

Deno.test({
  name: "the page follows the colour scheme of the system",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: VIEW,
      browser: { colorScheme: "dark" },
    });
    const dark = await session.waitForColorChange(4, 4, BLANK);
    assert.ok(await lightness(session) < 40);
    await session.page.emulateMedia({ colorScheme: "light" });
    await session.waitForColorChange(4, 4, dark);
    assert.ok(await lightness(session) > 215);
    assert.ok(!session.page.url().includes("theme="));
  },
});

Deno.test({
  name: "each palette has other colours, and the browser stores the choice",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: VIEW,
    });
    const safe = await session.waitForColorChange(4, 4, BLANK);
    await session.page.locator("#palette").selectOption("traffic");
    const traffic = await session.waitForColorChange(4, 4, safe);
    await session.page.locator("#palette").selectOption("rviz");
    await session.waitForColorChange(4, 4, traffic);
    await session.page.goto("about:blank");
    await session.page.goto(`${session.url}/${VIEW}`);
    assert.equal(await session.page.locator("#palette").inputValue(), "rviz");
  },
});

Deno.test({
  name:
    "?kiosk=1 shows the map, the counts and the connection, without controls",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: READINGS,
      address: `?kiosk=1${VIEW}`,
    });
    await session.waitForColorChange(5, 5, BLANK);
    await session.waitForText("#cards", /Cells occupied 1 /);
    for (const shown of ["#pill", "#legend", "#scale"]) {
      assert.ok(await session.page.locator(shown).isVisible(), shown);
    }
    assert.equal(await session.page.locator("button:visible").count(), 0);
    assert.equal(await session.page.locator("input:visible").count(), 0);
    assert.match(session.page.url(), /\?kiosk=1#/);
  },
});

/** The lightness of the background of the page, 0 to 255. */
function lightness(session: PageSession): Promise<number> {
  return session.page.evaluate(() =>
    Math.max(
      ...getComputedStyle(document.body).backgroundColor.match(/\d+/g)!
        .slice(0, 3).map(Number),
    )
  );
}

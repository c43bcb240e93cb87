/// <reference lib="dom" />
/** The layout at all sizes, in a kiosk, with forced colours and on paper. */
import assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { needs } from "../support/needs.ts";
import { findLayoutFaults } from "./layout_scan.ts";
import { PageSession } from "./session.ts";

const MIN_WIDTH = 320;
const MAX_WIDTH = 1920;
const HEIGHT = 900;
const SIDE = 90;
const VIEW = "#layer=default";

/** Counts with five digits, several states, long names and sources. */
const READINGS = {
  default: JSON.stringify({
    source: "camera-12",
    cells: Array.from({ length: SIDE * SIDE }, (_, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      return [x, y, (7 * x + 3 * y) % 11 === 0 ? 1 + (x * y) % 30 : 0];
    }).concat([[SIDE + 5, SIDE + 5, -1]]),
  }),
  "hall/level2": "0,0,1\n3,3,0\n",
  "campus/building-7/floor-2": "0,0,12\n3,3,0\n",
};
/** The latest changes. */
const CHANGES = JSON.stringify({
  source: "camera-12",
  cells: Array.from({ length: 20 }, (_, i) => [40 + i, SIDE - 1, 120 + i]),
});

/** Opens the page in a frame whose width {@linkcode findLayoutFaults} sets. */
async function openInFrame(
  { address, scale }: { address: string; scale: number },
): Promise<{ session: PageSession; frame: Frame } & AsyncDisposable> {
  const session = await PageSession.open({
    readings: READINGS,
    server: ["--stale-after", "5m"],
    browser: {
      viewport: { width: MAX_WIDTH, height: HEIGHT },
      deviceScaleFactor: scale,
      // The responses below do not come from the server.
      permissions: ["local-network-access"],
    },
  });
  const { page, url } = session;
  await page.route(`${url}/frame`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><body style="margin: 0"><iframe name="page"
        src="/${address}" style="border: 0; width: 1280px; height: ${HEIGHT}px">`,
    }));
  await page.route(({ pathname }) => pathname === "/", async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers() };
    // The page does not allow frames.
    delete headers["x-frame-options"];
    delete headers["content-security-policy"];
    await route.fulfill({ response, headers });
  });
  await page.goto(`${url}/frame`);
  const frame = page.frame("page")!;
  await frame.locator('#pill[data-state="live"]').waitFor();
  await session.submit("default", CHANGES);
  return {
    session,
    frame,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Fails with the faults and the widths at which they are. */
async function assertNoFaults(
  frame: Pick<Frame, "evaluate">,
  widths: readonly number[],
): Promise<void> {
  const faults = await frame.evaluate(findLayoutFaults, widths);
  const lines = faults.map(({ fault, widths }) =>
    `${fault}: at ${widths.length} widths from ${widths[0]} to ${widths.at(-1)}`
  );
  assert.deepEqual(lines, []);
}

function widths(step: number): number[] {
  const count = Math.floor((MAX_WIDTH - MIN_WIDTH) / step) + 1;
  return Array.from({ length: count }, (_, i) => MIN_WIDTH + i * step);
}

for (const scale of [1, 2, 3]) {
  Deno.test({
    name:
      `layout: nothing overflows, overlaps or is cut from ${MIN_WIDTH} to ${MAX_WIDTH} px, at scale ${scale}`,
    ...needs("chromium"),
    fn: async () => {
      await using opened = await openInFrame({ address: VIEW, scale });
      await assertNoFaults(opened.frame, widths(1));
    },
  });
}

for (
  const [what, address] of [
    ["a kiosk", `?kiosk=1${VIEW}`],
    ["a selection", `${VIEW}&box=10,10,19,19`],
    ["a layer without cells", "#layer=none"],
  ] as const
) {
  Deno.test({
    name: `layout: nothing overflows, overlaps or is cut with ${what}`,
    ...needs("chromium"),
    fn: async () => {
      await using opened = await openInFrame({ address, scale: 1 });
      await assertNoFaults(opened.frame, widths(3));
    },
  });
}

/** Opens the page in a window. */
function openWindow(
  address: string,
  size: { width: number; height: number },
): Promise<PageSession> {
  return PageSession.open({
    readings: READINGS,
    server: ["--stale-after", "5m"],
    address,
    browser: { viewport: size },
  });
}

Deno.test({
  name: "layout: the legend covers at most a tenth of the map",
  ...needs("chromium"),
  fn: async () => {
    const height = 800;
    await using session = await openWindow(VIEW, { width: 320, height });
    await session.waitForText("#pill", /^Live/);
    for (const width of [320, 390, 620, 760, 761, 900, 1180, 1440, 1920]) {
      await session.page.setViewportSize({ width, height });
      const share = await session.page.evaluate(() => {
        const boxOf = (id: string) =>
          document.getElementById(id)!.getBoundingClientRect();
        const [map, legend] = [boxOf("map"), boxOf("legend")];
        const covered = Math.max(0, map.bottom - legend.top) * legend.width;
        return covered / (map.width * map.height);
      });
      assert.ok(share <= 0.1, `${Math.round(100 * share)}% at ${width} px`);
    }
  },
});

Deno.test({
  name: "layout: a kiosk fills the window, without scrolling",
  ...needs("chromium"),
  fn: async () => {
    const sizes = [[390, 844], [320, 568], [844, 390], [768, 1024], [
      1280,
      800,
    ], [1920, 1080]] as const;
    await using session = await openWindow(`?kiosk=1${VIEW}`, {
      width: 390,
      height: 844,
    });
    await session.waitForText("#pill", /^Live/);
    for (const [width, height] of sizes) {
      await session.page.setViewportSize({ width, height });
      const { scrolls, below, map } = await session.page.evaluate(() => {
        const root = document.documentElement;
        const panel = document.querySelector(".map-panel")!;
        const cards = document.querySelector(".cards")!;
        return {
          scrolls: root.scrollHeight > innerHeight ||
            cards.scrollWidth > cards.clientWidth,
          below: innerHeight - panel.getBoundingClientRect().bottom,
          map: document.getElementById("map")!.clientHeight,
        };
      });
      const at = `${width} × ${height}`;
      assert.ok(!scrolls, `${at} scrolls`);
      assert.ok(below <= 14, `${below} px are empty at ${at}`);
      assert.ok(map >= height / 4, `the map is ${map} px high at ${at}`);
    }
  },
});

Deno.test({
  name: "layout: with forced colours the state of each control is visible",
  ...needs("chromium"),
  fn: async () => {
    await using session = await openWindow(VIEW, { width: 1280, height: 800 });
    const { page } = session;
    await session.waitForText("#pill", /^Live/);
    await page.emulateMedia({ forcedColors: "active" });
    await page.keyboard.press("b"); // the tool to drag a box
    const looks = (selector: string) =>
      page.locator(selector).first().evaluate((element) => {
        const style = getComputedStyle(element);
        return [style.outlineStyle, style.backgroundColor].join();
      });
    for (
      const [on, off] of [
        ["#tools [aria-pressed='true']", "#tools button:not([aria-pressed])"],
        ["#layers [aria-current='true']", "#layers button:not([aria-current])"],
      ] as const
    ) assert.notEqual(await looks(on), await looks(off), on);
    const background = await looks("body");
    for (const sign of [".dot", ".meter i", ".chart-legend .people"]) {
      const color = await page.locator(sign).first().evaluate(
        (element, sign) =>
          getComputedStyle(element, sign.includes("chart") ? "::before" : null)
            .backgroundColor,
        sign,
      );
      assert.ok(!background.endsWith(color), `${sign} is visible`);
    }
    await assertNoFaults(page, []);
  },
});

Deno.test({
  name: "layout: on paper nothing is cut, and colours are light",
  ...needs("chromium"),
  fn: async () => {
    await using session = await openWindow(`${VIEW}&theme=dark`, {
      width: 1280,
      height: 800,
    });
    const { page } = session;
    await session.waitForText("#pill", /^Live/);
    await session.submit("default", CHANGES);
    await session.waitForText("#latest", /139 people/);
    const state = () =>
      page.evaluate(() => ({
        theme: document.documentElement.dataset["theme"],
        controls: document.querySelector(".controls")!.checkVisibility(),
        cut: [...document.querySelectorAll("main, #side, #side *, #cards")]
          .filter((element) =>
            element.scrollHeight > element.clientHeight + 1 &&
            getComputedStyle(element).overflowY !== "visible"
          ).map(({ id, className }) => `${id} ${className}`),
        mapWidth: document.querySelector<HTMLElement>("#map")!.offsetWidth,
      }));
    const before = await state();
    assert.ok(before.controls && before.mapWidth > 700);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const { mapWidth, ...printed } = await state();
    assert.deepEqual(printed, { theme: "light", controls: false, cut: [] });
    // A4 has 190 mm between margins of 10 mm.
    assert.ok(mapWidth > 600 && mapWidth < 190 / 25.4 * 96, `${mapWidth}`);
    await assertNoFaults(page, []);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.deepEqual(await state(), before);
    assert.deepEqual(session.errors, []);
  },
});

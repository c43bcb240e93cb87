/// <reference lib="dom" />
/** Which part of the map the page shows, until the user moves it and after. */
import assert from "node:assert/strict";
import { encodePng } from "../../src/http/plans/grey_image.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession, type PageSessionOptions } from "./session.ts";

/** The plan: 120 by 80 cells. */
const PLAN: Rect = { left: 0, top: 0, right: 120, bottom: 80 };
const READINGS = { default: "30,20,1\n32,22,0\n" };

/** In cells or in CSS pixels. */
interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Opens a page whose layer `default` has the plan. */
async function openWithPlan(
  options: PageSessionOptions,
): Promise<PageSession> {
  await using folder = await tempDir();
  const pixels = new Uint8Array(240 * 160).fill(200);
  await folder.file("plan.png", encodePng({ width: 240, height: 160, pixels }));
  const file = await folder.file(
    "maps.json",
    JSON.stringify({
      layers: { default: { image: "plan.png", pixelsPerCell: 2 } },
    }),
  );
  return await PageSession.open({ server: ["--map-file", file], ...options });
}

/** Returns the place of cells on the screen. */
async function placeOf(session: PageSession, cells: Rect): Promise<Rect> {
  const from = await session.positionOf(cells.left - 0.5, cells.top - 0.5);
  const to = await session.positionOf(cells.right - 0.5, cells.bottom - 0.5);
  return { left: from.left, top: from.top, right: to.left, bottom: to.top };
}

async function boxOf(session: PageSession, selector: string): Promise<Rect> {
  const { x, y, width, height } =
    (await session.page.locator(selector).boundingBox())!;
  return { left: x, top: y, right: x + width, bottom: y + height };
}

function isWithin(inner: Rect, outer: Rect): boolean {
  const slack = 1;
  return inner.left >= outer.left - slack && inner.top >= outer.top - slack &&
    inner.right <= outer.right + slack && inner.bottom <= outer.bottom + slack;
}

/** Waits until cells are whole on the map and fill a part of its width or height. */
async function waitUntilFitted(
  session: PageSession,
  cells: Rect,
): Promise<Rect> {
  let seen = "";
  return await until(async () => {
    const place = await placeOf(session, cells);
    const map = await boxOf(session, "#map");
    seen = JSON.stringify({ place, map });
    const filled = Math.max(
      (place.right - place.left) / (map.right - map.left),
      (place.bottom - place.top) / (map.bottom - map.top),
    );
    return isWithin(place, map) && filled > 0.55 && place;
  }, { what: () => `${JSON.stringify(cells)} fitted: ${seen}` });
}

Deno.test({
  name: "the page shows the whole floor plan, with any number of readings",
  ...needs("chromium"),
  fn: async () => {
    for (const readings of [READINGS, {}]) {
      await using session = await openWithPlan({
        readings,
        address: "#layer=default",
      });
      await waitUntilFitted(session, PLAN);
      // The view does not jump when the plan is hidden.
      await session.page.getByRole("button", { name: "Floor plan" }).click();
      await session.waitForText("#pill", /^Live/);
      await waitUntilFitted(session, PLAN);
      assert.deepEqual(session.errors, []);
    }
  },
});

Deno.test({
  name:
    "a cell far from the floor plan does not make the plan small; Show all shows both",
  ...needs("chromium"),
  fn: async () => {
    await using session = await openWithPlan({
      readings: { default: "30,20,1\n9000,9000,1\n" },
    });
    await waitUntilFitted(session, PLAN);
    await session.page.getByRole("button", { name: "Show all" }).click();
    const all = { left: 0, top: 0, right: 9001, bottom: 9001 };
    await waitUntilFitted(session, all);
    // It stays so when more cells arrive.
    await session.submit("default", "9100,9100,1\n");
    await waitUntilFitted(session, { ...all, right: 9101, bottom: 9101 });
  },
});

Deno.test({
  name: "cells beside the floor plan are shown with it",
  ...needs("chromium"),
  fn: async () => {
    await using session = await openWithPlan({
      readings: { default: "130,20,1\n-20,20,1\n" },
    });
    await waitUntilFitted(session, { ...PLAN, left: -20, right: 131 });
  },
});

Deno.test({
  name:
    "the view is fitted again after a resize and to new cells, until the user moves it",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "0,0,1\n59,29,1\n" },
    });
    const cells = { left: 0, top: 0, right: 60, bottom: 30 };
    await waitUntilFitted(session, cells);
    // The address is for any screen.
    await until(() => session.page.url().endsWith("#layer=default"), {
      what: () => session.page.url(),
    });
    await session.page.setViewportSize({ width: 600, height: 900 });
    await waitUntilFitted(session, cells);
    await session.page.setViewportSize({ width: 900, height: 600 });
    await waitUntilFitted(session, cells);
    await session.submit("default", "119,59,1\n");
    await waitUntilFitted(session, { ...cells, right: 120, bottom: 60 });
    // Moved by the user: the scale stays.
    const before = await session.camera();
    await session.page.locator("#map").focus();
    await session.page.keyboard.press("+");
    const moved = await until(async () => {
      const camera = await session.camera();
      return camera.scale > before.scale && camera;
    });
    await until(() => session.page.url().includes("&scale="), {
      what: () => session.page.url(),
    });
    await session.page.setViewportSize({ width: 1000, height: 700 });
    await session.submit("default", "239,59,1\n");
    await session.waitForText("#cards", /Cells occupied 4 /);
    assert.deepEqual((await session.camera()).scale, moved.scale);
    await session.page.keyboard.press("0");
    await waitUntilFitted(session, { ...cells, right: 240, bottom: 60 });
  },
});

Deno.test({
  name: "zooming out ends when plan and cells fill half of the map",
  ...needs("chromium"),
  fn: async () => {
    await using session = await openWithPlan({ readings: READINGS });
    const place = await waitUntilFitted(session, PLAN);
    await session.page.locator("#map").focus();
    let last = -1;
    await until(async () => {
      const { scale } = await session.camera();
      if (scale === last) return true;
      last = scale;
      await session.page.keyboard.press("-");
      await session.page.mouse.move(300, 400);
      await session.page.mouse.wheel(0, 2000);
      await until(async () => (await session.camera()).scale <= scale);
      return false;
    }, { what: "the smallest scale" });
    const smallest = await placeOf(session, PLAN);
    const ratio = (smallest.right - smallest.left) / (place.right - place.left);
    assert.ok(ratio > 0.2 && ratio <= 1, `${ratio} of the fitted size`);
  },
});

Deno.test({
  name: "a view without cells and without floor plan offers to show all",
  ...needs("chromium"),
  fn: async () => {
    await using session = await openWithPlan({
      readings: READINGS,
      address: "#layer=default&at=5000,5000&scale=20",
    });
    await session.waitForText("#nothing-here", /^Nothing here Show all$/);
    await session.page.locator("#nothing-here button").click();
    await session.page.locator("#nothing-here").waitFor({ state: "hidden" });
    await waitUntilFitted(session, PLAN);
    await until(() => session.page.url().endsWith("#layer=default"));
    // A part of the plan is enough to know where one is.
    await session.page.goto(`${session.url}/#layer=default&at=110,70&scale=20`);
    await until(async () => (await session.camera()).scale === 20);
    await session.waitForText("#cards", /Cells occupied 1 /);
    assert.ok(await session.page.locator("#nothing-here").isHidden());
    // A new cell in the view ends the notice too.
    await session.page.goto(
      `${session.url}/#layer=default&at=5000,5000&scale=20`,
    );
    await session.page.locator("#nothing-here").waitFor();
    await session.submit("default", "5000,5000,1\n");
    await session.page.locator("#nothing-here").waitFor({ state: "hidden" });
  },
});

Deno.test({
  name:
    "in short windows and on a phone on its side, the map keeps its size and the legend covers no cell",
  ...needs("chromium"),
  fn: async () => {
    for (
      const [width, height] of [[844, 390], [900, 560], [667, 375]] as const
    ) {
      await using session = await PageSession.open({
        readings: { default: "0,0,1\n39,19,1\n" },
        browser: { viewport: { width, height } },
      });
      const cells = { left: 0, top: 0, right: 40, bottom: 20 };
      const place = await waitUntilFitted(session, cells);
      const what = `${width}×${height}: ${JSON.stringify(place)}`;
      assert.ok(place.right - place.left >= 400, what);
      for (const selector of ["#legend", "#scale", "#tools"]) {
        const box = await boxOf(session, selector);
        assert.ok(
          box.top >= place.bottom - 1 || box.right <= place.left + 1 ||
            box.bottom <= place.top + 1 || box.left >= place.right - 1,
          `${what} under ${selector} ${JSON.stringify(box)}`,
        );
      }
    }
  },
});

Deno.test({
  name:
    "with --y-up the largest y is at the top, at every scale, and a dragged box has the cells under it",
  ...needs("chromium"),
  fn: async () => {
    // Two chunks of 256 rows, without any symmetry.
    const readings = { default: "3,2,1\n5,290,1\n9,100,0\n" };
    for (const scale of [1, 3, 30]) {
      await using session = await PageSession.open({
        server: ["--y-up"],
        readings,
        address: "#layer=default",
      });
      await waitUntilFitted(session, {
        left: 3,
        right: 10,
        top: 291, // upwards
        bottom: 2,
      });
      const address = (y: number) =>
        `${session.url}/#layer=default&at=5,${y}&scale=${scale}`;
      for (const [x, y] of [[3, 2], [5, 290]] as const) {
        await session.page.goto(address(y));
        await until(async () => {
          const { scale: now, center } = await session.camera();
          return now === scale && center[1] === y;
        });
        await session.waitForColorChange(x, y, BLANK);
        assert.equal(await session.colorOf(x, y + 5), BLANK);
        assert.equal(await session.colorOf(x, y - 5), BLANK);
      }
    }
    await using session = await PageSession.open({
      server: ["--y-up"],
      readings,
      address: "#layer=default&at=5,290&scale=30",
    });
    await session.waitForColorChange(5, 290, BLANK);
    const from = await session.positionOf(4, 292);
    const to = await session.positionOf(6, 289);
    assert.ok(from.top < to.top);
    const { mouse } = session.page;
    await session.page.getByRole("button", { name: "Select cells" }).click();
    await mouse.move(from.left, from.top);
    await mouse.down();
    await mouse.move(to.left - 20, to.top - 20);
    await mouse.move(to.left, to.top);
    await mouse.up();
    await session.waitForText("#selection", /x 4–6, y 289–292 · 1 cell /);
  },
});

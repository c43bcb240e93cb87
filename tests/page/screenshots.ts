/// <reference lib="dom" />
/**
 * `deno task screenshots`: the pictures in docs/images/. A real server, a real
 * browser, and a made-up floor of offices with people who come and go.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch } from "./session.ts";
import { BACK, SPEED } from "./fixture/fast_clock.ts";
import { PLAN_MARGIN, PLAN_SCALE, planSvg } from "./fixture/plan.ts";
import {
  FLOOR,
  type Room,
  ROOMS,
  Scene,
  type SceneReading,
} from "./fixture/scene.ts";
import { DENO_RUN, ROOT, Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

const LAYER = "campus2/l2";
const DESK = { viewport: { width: 1440, height: 900 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
/** Readings in one POST. */
const BATCH = 5000;

/** The other floors, so that there is something to choose from. */
const OTHERS = [
  ["campus2/l1", 11, 0.42],
  ["campus2/l3", 12, 0.3],
  ["campus1/lobby", 13, 0.16],
] as const;

type News = readonly (readonly [Room, SceneReading])[];

/** Sends what rooms report to a layer. */
async function send(url: string, layer: string, news: News): Promise<void> {
  for (let from = 0; from < news.length; from += BATCH) {
    const body = JSON.stringify(
      news.slice(from, from + BATCH).map(([{ source }, reading]) => ({
        ...reading,
        source,
      })),
    );
    const to = `${url}/api/v1/readings?layer=${encodeURIComponent(layer)}`;
    const response = await fetch(to, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const told = await response.text();
    if (!response.ok) throw new Error(`Cannot send readings: ${told}`);
  }
}

function all(scene: Scene, silentToo: boolean): News {
  return ROOMS.filter(({ silent }) => silentToo || !silent)
    .flatMap((room) =>
      scene.cells(room).map((reading) => [room, reading] as const)
    );
}

/** Lets half an hour pass on the floor, at the speed of the server's clock. */
async function pass(url: string, scene: Scene): Promise<void> {
  const end = performance.now() + BACK / (SPEED - 1);
  const heard = ROOMS.filter(({ silent }) => !silent);
  for (let turn = 0; performance.now() < end; turn++) {
    // A morning that fills up, with a dip for lunch.
    const left = (end - performance.now()) / (BACK / (SPEED - 1));
    const busy = 0.78 - 0.3 * left + 0.07 * Math.sin(9 * left);
    const news = scene.step(90, busy);
    // Sensors repeat what they know, or it would be stale within minutes.
    const again = heard[turn % heard.length]!;
    const same = scene.cells(again).map((one) => [again, one] as const);
    await send(url, LAYER, [...news, ...same]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The plan as PNG, drawn by the browser. */
async function drawPlan(browser: Browser, path: string): Promise<void> {
  const page = await browser.newPage({
    viewport: {
      width: (FLOOR.width + 2 * PLAN_MARGIN) * PLAN_SCALE,
      height: (FLOOR.height + 2 * PLAN_MARGIN) * PLAN_SCALE,
    },
  });
  await page.setContent(`<style>body{margin:0}</style>${planSvg()}`);
  await page.screenshot({ path, omitBackground: true });
  await page.close();
}

/** The titles of the floors, and the plan of the one that is shown. */
function mapFile() {
  return {
    layers: {
      [LAYER]: {
        title: "Campus 2 · Level 2",
        image: "l2.png",
        origin: [-PLAN_MARGIN, -PLAN_MARGIN],
        pixelsPerCell: PLAN_SCALE,
        metresPerCell: 0.5,
      },
      "campus2/l1": { title: "Campus 2 · Level 1" },
      "campus2/l3": { title: "Campus 2 · Level 3" },
      "campus1/lobby": { title: "Campus 1 · Lobby" },
    },
  };
}

async function shoot(
  browser: Browser,
  address: string,
  name: string,
  options: BrowserContextOptions,
  act: (page: Page) => Promise<void> = async () => {},
): Promise<void> {
  const context = await browser.newContext({
    ...DESK,
    ...options,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await page.goto(address);
  // Long enough for the rates to be those of more than a moment.
  await page.locator("#pill[data-state=live]").waitFor();
  await page.locator("#latest li button").first().waitFor();
  await page.waitForTimeout(4000);
  await act(page);
  await page.screenshot({ path: `${ROOT}docs/images/${name}.png` });
  await context.close();
  console.error(`docs/images/${name}.png`);
}

async function main(): Promise<void> {
  await using folder = await tempDir();
  const browser = await launch();
  try {
    await drawPlan(browser, `${folder.path}/l2.png`);
    const maps = await folder.file(
      "maps.json",
      JSON.stringify(mapFile()),
    );
    await using server = new Running(Deno.execPath(), [
      ...DENO_RUN,
      "--allow-all",
      "--preload",
      `${ROOT}tests/page/fixture/fast_clock.ts`,
      `${ROOT}main.ts`,
      "server",
      "--listen",
      "127.0.0.1:0",
      "--http",
      "127.0.0.1:0",
      "--store",
      "memory:",
      "--stale-after",
      "5m",
      "--map-file",
      maps,
    ]);
    const [url] = await server.said(/http:\/\/127\.0\.0\.1:\d+/);
    await server.said(/Ready/);
    const scene = new Scene(7, 0.4);
    await send(url, LAYER, all(scene, true));
    for (const [layer, seed, busy] of OTHERS) {
      await send(url, layer, all(new Scene(seed, busy), false));
    }
    await pass(url, scene);
    // Now the clock is right. All but the silent have been heard of just now.
    await send(url, LAYER, all(scene, false));
    for (const [layer, seed, busy] of OTHERS) {
      await send(url, layer, all(new Scene(seed, busy), false));
    }
    await live(url, scene, async () => {
      // All that was just sent at once must be out of the rates.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      await shootAll(browser, url);
    });
  } finally {
    await browser.close();
  }
}

/** Goes on with the life of the floor while something is done. */
async function live(
  url: string,
  scene: Scene,
  action: () => Promise<void>,
): Promise<void> {
  let ended = false;
  const living = (async () => {
    while (!ended) {
      await send(url, LAYER, scene.step(14, 0.75));
      await new Promise((resolve) => setTimeout(resolve, 180));
    }
  })();
  try {
    await action();
  } finally {
    ended = true;
    await living;
  }
}

async function shootAll(browser: Browser, url: string): Promise<void> {
  const at = `${url}/#layer=${LAYER}`;
  await shoot(browser, at, "light", { colorScheme: "light" });
  await shoot(browser, at, "dark", { colorScheme: "dark" });
  await shoot(
    browser,
    `${at}&at=33,97.5&scale=40&box=24,93,32,97`,
    "zoom",
    { colorScheme: "dark" },
    async (page) => {
      await page.mouse.move(660, 402);
      await page.locator("#tip", { hasText: "from" }).waitFor();
    },
  );
  await shoot(browser, at, "phone", { colorScheme: "light", ...PHONE });
}

await main();

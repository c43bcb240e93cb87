/// <reference lib="dom" />
/**
 * `deno task screenshots`: takes the pictures in docs/images/ of a server that
 * receives readings of a simulated floor of offices, and of one with the past of
 * such a floor. `deno task screenshots now` or `past` takes only those.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { delay } from "../../src/common/async.ts";
import { launch } from "./session.ts";
import { CATCH_UP_MS } from "./fixture/fast_clock.ts";
import { floorZones } from "./fixture/floor_zones.ts";
import { recordFloor } from "./fixture/past_floor.ts";
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
const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
/** Readings per POST. */
const BATCH_READINGS = 5000;
/** Pause between two batches of readings during the history, and later, ms. */
const HISTORY_PAUSE_MS = 20;
const LIVE_PAUSE_MS = 180;
/**
 * Longer than the window of the rates, so that the first readings do not count,
 * ms.
 */
const RATES_SETTLE_MS = 12_000;

/** Days of the past that are recorded. */
const PAST_DAYS = 19;
/** 10:00 on the day of the picture, ms. */
const PICTURE_TIME_MS = 10 * 3_600_000;

/** The other floors: layer, seed, share of occupied places. */
const OTHER_FLOORS = [
  ["campus2/l1", 11, 0.42],
  ["campus2/l3", 12, 0.3],
  ["campus1/lobby", 13, 0.16],
] as const;

type RoomReadings = readonly (readonly [Room, SceneReading])[];

/** Submits readings to a layer. */
async function submit(
  url: string,
  layer: string,
  readings: RoomReadings,
): Promise<void> {
  for (let from = 0; from < readings.length; from += BATCH_READINGS) {
    const body = JSON.stringify(
      readings.slice(from, from + BATCH_READINGS).map((
        [{ source }, reading],
      ) => ({
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
    const answer = await response.text();
    if (!response.ok) throw new Error(`Cannot submit readings: ${answer}`);
  }
}

/** Replaces the zones. */
async function submitZones(url: string): Promise<void> {
  const response = await fetch(`${url}/api/v1/zones`, {
    method: "PUT",
    headers: { "content-type": "application/geo+json" },
    body: floorZones(LAYER),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`Cannot set the zones: ${answer}`);
}

/** @param withSilent whether to include rooms whose sensors are silent */
function allReadings(scene: Scene, withSilent: boolean): RoomReadings {
  return ROOMS.filter(({ silent }) => withSilent || !silent)
    .flatMap((room) =>
      scene.cells(room).map((reading) => [room, reading] as const)
    );
}

/** Submits readings until the fast clock of the server has caught up. */
async function fillHistory(url: string, scene: Scene): Promise<void> {
  const end = performance.now() + CATCH_UP_MS;
  const reporting = ROOMS.filter(({ silent }) => !silent);
  for (let step = 0; performance.now() < end; step++) {
    // The floor fills up, with a dip for lunch.
    const remaining = (end - performance.now()) / CATCH_UP_MS;
    const busy = 0.78 - 0.3 * remaining + 0.07 * Math.sin(9 * remaining);
    const changes = scene.step(90, busy);
    // One room at a time repeats its cells, which would become stale.
    const room = reporting[step % reporting.length]!;
    const repeated = scene.cells(room).map((one) => [room, one] as const);
    await submit(url, LAYER, [...changes, ...repeated]);
    await delay(HISTORY_PAUSE_MS);
  }
}

/** Writes the floor plan as PNG. */
async function writePlan(browser: Browser, path: string): Promise<void> {
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

/** The map file with the titles of the floors and one floor plan. */
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

/** Waits until the page is live, long enough for a steady rate of updates. */
async function settleLive(page: Page): Promise<void> {
  await page.locator("#pill[data-state=live]").waitFor();
  await page.locator("#latest li button").first().waitFor();
  await page.waitForTimeout(4000);
}

/** Takes a picture when the page is prepared. */
async function takePicture(
  browser: Browser,
  address: string,
  name: string,
  options: BrowserContextOptions,
  prepare: (page: Page) => Promise<void> = settleLive,
): Promise<void> {
  const context = await browser.newContext({
    ...DESKTOP,
    ...options,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await page.goto(address);
  await prepare(page);
  await page.screenshot({ path: `${ROOT}docs/images/${name}.png` });
  await context.close();
  console.error(`docs/images/${name}.png`);
}

async function main(): Promise<void> {
  const [only] = Deno.args;
  const browser = await launch();
  try {
    if (only !== "past") await showNow(browser);
    if (only !== "now") await showPast(browser);
  } finally {
    await browser.close();
  }
}

/** Takes the pictures of a floor that is live. */
async function showNow(browser: Browser): Promise<void> {
  await using folder = await tempDir();
  await writePlan(browser, `${folder.path}/l2.png`);
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
  const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
  await server.waitFor(/Ready/);
  const scene = new Scene(7, 0.4);
  await submit(url, LAYER, allReadings(scene, true));
  for (const [layer, seed, busy] of OTHER_FLOORS) {
    await submit(url, layer, allReadings(new Scene(seed, busy), false));
  }
  await submitZones(url);
  await fillHistory(url, scene);
  // The clock is right now: all rooms but the silent ones become fresh.
  await submit(url, LAYER, allReadings(scene, false));
  for (const [layer, seed, busy] of OTHER_FLOORS) {
    await submit(url, layer, allReadings(new Scene(seed, busy), false));
  }
  await withLiveReadings(url, scene, async () => {
    await delay(RATES_SETTLE_MS);
    await takePictures(browser, url);
  });
}

/** Takes the pictures of the history and of the utilisation of a floor. */
async function showPast(browser: Browser): Promise<void> {
  await using folder = await tempDir();
  const store = `sqlite:${folder.path}/past.db`;
  const { tuesday, zones } = await recordFloor(store, LAYER, PAST_DAYS);
  await writePlan(browser, `${folder.path}/l2.png`);
  const maps = await folder.file("maps.json", JSON.stringify(mapFile()));
  await using server = new Running(Deno.execPath(), [
    ...[...DENO_RUN, "--allow-all", `${ROOT}main.ts`, "server"],
    ...["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ...["--store", store, "--timezone", "UTC"],
    ...["--zones", await folder.file("zones.geojson", zones)],
    ...["--map-file", maps],
  ]);
  const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
  await server.waitFor(/Ready/);
  const time = new Date(tuesday + PICTURE_TIME_MS).toISOString();
  const at = `${url}/#layer=${LAYER}`;
  const options = { locale: "en-GB", timezoneId: "UTC" };
  await takePicture(
    browser,
    `${at}&mode=history&time=${time.replace(".000", "")}`,
    "history",
    { colorScheme: "light", ...options },
    async (page) => {
      await page.locator(".past-cards").waitFor();
      await page.locator(".curve-head", { hasText: "most" }).waitFor();
      await page.waitForTimeout(2000);
    },
  );
  await takePicture(
    browser,
    `${at}&mode=utilisation`,
    "utilisation",
    { colorScheme: "dark", ...options },
    async (page) => {
      await page.locator(".usage-list tbody tr").first().waitFor();
      await page.waitForTimeout(2000);
    },
  );
}

/** Submits changes of the floor while an action runs. */
async function withLiveReadings(
  url: string,
  scene: Scene,
  action: () => Promise<void>,
): Promise<void> {
  let ended = false;
  const sending = (async () => {
    while (!ended) {
      await submit(url, LAYER, scene.step(14, 0.75));
      await delay(LIVE_PAUSE_MS);
    }
  })();
  try {
    await action();
  } finally {
    ended = true;
    await sending;
  }
}

async function takePictures(browser: Browser, url: string): Promise<void> {
  const at = `${url}/#layer=${LAYER}`;
  await takePicture(browser, at, "light", { colorScheme: "light" });
  await takePicture(browser, at, "dark", { colorScheme: "dark" });
  await takePicture(
    browser,
    `${at}&at=33,97.5&scale=40&box=24,93,32,97`,
    "zoom",
    { colorScheme: "dark" },
    async (page) => {
      await settleLive(page);
      await page.mouse.move(660, 402);
      await page.locator("#tip", { hasText: "from" }).waitFor();
    },
  );
  await takePicture(browser, `${url}/?zone=project-rooms`, "zone", {
    colorScheme: "dark",
  });
  await takePicture(
    browser,
    at,
    "zones-editor",
    { colorScheme: "light" },
    async (page) => {
      await settleLive(page);
      await page.getByRole("button", { name: "Edit zones" }).click();
      await page.getByText("Lobby", { exact: true }).first().click();
      await page.getByLabel("Capacity").first().waitFor();
    },
  );
  await takePicture(browser, at, "phone", { colorScheme: "light", ...PHONE });
}

await main();

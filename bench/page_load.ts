/// <reference lib="dom" />
/**
 * `deno run -A bench/page_load.ts [--seconds 60] [--rate 10000] [--zones 0]`:
 * measures the dashboard under load in headless Chromium: frames per second
 * while panning, the delay from a reading to the page, and the memory of the
 * page. The zones are squares that cover the map.
 *
 * It runs with maps of 100,000 and 1,000,000 cells and the same changes.
 * Server, browser and this program share the machine; the browser has no GPU.
 *
 * @module
 */
import type { Browser, CDPSession, Page } from "playwright-core";
import { delay } from "../src/common/async.ts";
import { launch } from "../tests/page/session.ts";
import { occupancy } from "../tests/support/processes.ts";
import { until } from "../tests/support/until.ts";
import { memoryOf } from "./harness/meter.ts";

const READINGS_PER_POST = 500;
const READINGS_PER_FIRST_POST = 10_000;
/** Both coordinates of the probe, the cell whose changes are timed. */
const PROBE = -5;
const PROBE_INTERVAL_MS = 700;
const POINTER_INTERVAL_MS = 8;

interface Report {
  readonly cells: number;
  readonly zones: number;
  readonly firstPaintMs: number;
  readonly changesPerSecond: number;
  readonly framesPerSecond: number;
  readonly slowestTenSeconds: number;
  readonly frameMs95: number;
  readonly frameMsMax: number;
  readonly delayMsMedian: number;
  readonly delayMsMax: number;
  readonly memoryMiB: readonly number[];
}

interface Settings {
  readonly seconds: number;
  /** Readings per second. */
  readonly rate: number;
  readonly zones: number;
}

async function measure(
  [width, height]: readonly [number, number],
  { seconds, rate, zones }: Settings,
): Promise<Report> {
  await using server = occupancy([
    "server",
    "--listen",
    "127.0.0.1:0",
    "--http",
    "127.0.0.1:0",
    "--store",
    "memory:",
  ]);
  const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
  await server.waitFor(/Ready/);
  const send = sender(url);
  for (let from = 0; from < width * height; from += READINGS_PER_FIRST_POST) {
    const length = Math.min(READINGS_PER_FIRST_POST, width * height - from);
    await send(Array.from({ length }, (_, index) => {
      const at = from + index;
      return [at % width, Math.floor(at / width), Number(at % 5 === 0)];
    }));
  }
  await send([[PROBE, PROBE, 0]]);
  await setZones(url, zones, [width, height]);
  const browser = await launch();
  try {
    return await watch(browser, url, send, {
      ...{ width, height, seconds, rate, zones },
    });
  } finally {
    await browser.close();
  }
}

/** Covers the map with zones of the same size. */
async function setZones(
  url: string,
  count: number,
  [width, height]: readonly [number, number],
): Promise<void> {
  if (count === 0) return;
  const columns = Math.ceil(Math.sqrt(count * width / height));
  const [w, h] = [width / columns, height / Math.ceil(count / columns)];
  const features = Array.from({ length: count }, (_, i) => {
    const [x, y] = [w * (i % columns), h * Math.floor(i / columns)];
    const ring = [[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]];
    return {
      type: "Feature",
      properties: { name: `room-${i}`, capacity: Math.ceil(50 * w * h) },
      geometry: { type: "Polygon", coordinates: [ring] },
    };
  });
  const response = await fetch(`${url}/api/v1/zones`, {
    method: "PUT",
    headers: { "content-type": "application/geo+json" },
    body: JSON.stringify({ type: "FeatureCollection", features }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot set the zones: ${text}`);
}

type Send = (lines: readonly (readonly number[])[]) => Promise<void>;

async function watch(
  browser: Browser,
  url: string,
  send: Send,
  { width, height, seconds, rate, zones }: Settings & {
    readonly width: number;
    readonly height: number;
  },
): Promise<Report> {
  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
  });
  await page.goto(url);
  const firstPaintMs = await page.evaluate(() =>
    new Promise<number>((resolve) => {
      const check = () => {
        const canvas = document.querySelector<HTMLCanvasElement>(
          "canvas.cells",
        );
        const { width = 0, height = 0 } = canvas ?? {};
        const painted = width > 0 && canvas!.getContext("2d")!
              .getImageData(width >> 1, height >> 1, 1, 1).data[3]! > 0;
        if (painted) resolve(performance.now());
        else requestAnimationFrame(check);
      };
      check();
    })
  );
  // Pin the text of the probe, so that its change can be timed while panning.
  await page.getByLabel("Go to x,y").fill(`${PROBE},${PROBE}`);
  await page.keyboard.press("Enter");
  await until(async () =>
    (await page.locator("#tip").innerText()).startsWith("Free")
  );
  await page.getByRole("button", { name: "Show all" }).click();
  const session = await browser.newBrowserCDPSession();
  await page.evaluate(startRecording);

  const end = performance.now() + 1000 * seconds;
  const memoryMiB: number[] = [];
  const delays: number[] = [];
  let changes = 0;
  const startedAt = performance.now();
  await Promise.all([
    load(send, { width, height, rate, end }, (count) => changes += count),
    pan(page, end),
    probe(page, send, delays, end),
    sampleMemory(page, session, memoryMiB, end),
  ]);
  const elapsed = (performance.now() - startedAt) / 1000;
  const frames = await page.evaluate(() =>
    (globalThis as unknown as { frames: number[] }).frames
  );
  const sorted = frames.toSorted((a, b) => a - b);
  delays.sort((a, b) => a - b);
  return {
    cells: width * height,
    zones,
    firstPaintMs: Math.round(firstPaintMs),
    changesPerSecond: Math.round(changes / elapsed),
    framesPerSecond: round(rateOf(frames)),
    slowestTenSeconds: round(slowest(frames, 10_000)),
    frameMs95: round(sorted[Math.floor(sorted.length * 0.95)]!),
    frameMsMax: round(sorted.at(-1)!),
    delayMsMedian: Math.round(delays[delays.length >> 1]!),
    delayMsMax: Math.round(delays.at(-1)!),
    memoryMiB,
  };
}

/** Runs in the page. Records frame durations and changes of the probe. */
function startRecording(): void {
  const frames: number[] = [];
  const changes: number[] = [];
  Object.assign(globalThis, { frames, changes });
  const title = document.querySelector("#tip strong")!;
  let last = performance.now();
  let text = title.textContent;
  const next = (now: number) => {
    frames.push(now - last);
    last = now;
    if (title.textContent !== text) {
      text = title.textContent;
      changes.push(Date.now());
    }
    requestAnimationFrame(next);
  };
  requestAnimationFrame((now) => {
    last = now;
    requestAnimationFrame(next);
  });
}

/** Changes random cells at a rate. */
async function load(
  send: Send,
  { width, height, rate, end }: {
    width: number;
    height: number;
    rate: number;
    end: number;
  },
  onSent: (count: number) => void,
): Promise<void> {
  const interval = 1000 * READINGS_PER_POST / rate;
  for (let next = performance.now(); next < end; next += interval) {
    await delay(Math.max(0, next - performance.now()));
    // The values rarely repeat, so nearly every reading is a change.
    await send(Array.from({ length: READINGS_PER_POST }, () => [
      Math.floor(Math.random() * width),
      Math.floor(Math.random() * height),
      Math.random() < 0.5 ? 0 : 1 + Math.floor(Math.random() * 1000),
    ]));
    onSent(READINGS_PER_POST);
  }
}

/** Drags the map without a pause. */
async function pan(page: Page, end: number): Promise<void> {
  await page.mouse.move(600, 420);
  await page.mouse.down();
  for (let step = 0; performance.now() < end; step++) {
    await page.mouse.move(
      600 + 160 * Math.sin(step / 25),
      420 + 90 * Math.cos(step / 19),
    );
    await delay(POINTER_INTERVAL_MS);
  }
  await page.mouse.up();
}

/** Measures the delay from a reading's acknowledgement to the page. */
async function probe(
  page: Page,
  send: Send,
  delays: number[],
  end: number,
): Promise<void> {
  for (let turn = 1; performance.now() < end; turn++) {
    await send([[PROBE, PROBE, turn % 2]]);
    const acknowledged = Date.now();
    const seen = await until(async () => {
      const changes = await page.evaluate(() =>
        (globalThis as unknown as { changes: number[] }).changes
      );
      return changes.length >= turn && changes[turn - 1];
    }, { what: "the probe's change on the page" });
    delays.push(seen - acknowledged);
    await delay(PROBE_INTERVAL_MS);
  }
}

/** Samples the memory of the page's process ten times, MiB. */
async function sampleMemory(
  page: Page,
  session: CDPSession,
  memoryMiB: number[],
  end: number,
): Promise<void> {
  const interval = (end - performance.now()) / 10;
  const collector = await page.context().newCDPSession(page);
  while (performance.now() < end - interval / 2) {
    await delay(interval);
    await collector.send("HeapProfiler.collectGarbage");
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    const sizes = renderers.map(({ id }) => memoryOf(id).now / 2 ** 20);
    memoryMiB.push(Math.round(Math.max(...sizes)));
  }
}

function sender(url: string): Send {
  return async (lines) => {
    const response = await fetch(`${url}/api/v1/readings`, {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: lines.join("\n"),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot send readings: ${text}`);
  };
}

function rateOf(frames: readonly number[]): number {
  return 1000 * frames.length / frames.reduce((sum, one) => sum + one, 0);
}

/** The lowest rate over any span of `ms`. */
function slowest(frames: readonly number[], ms: number): number {
  let lowest = rateOf(frames);
  let from = 0, sum = 0;
  frames.forEach((frame, index) => {
    sum += frame;
    while (sum - frames[from]! > ms) sum -= frames[from++]!;
    if (sum >= ms) {
      lowest = Math.min(lowest, 1000 * (index + 1 - from) / sum);
    }
  });
  return lowest;
}

function round(number: number): number {
  return Math.round(10 * number) / 10;
}

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

if (import.meta.main) {
  const settings: Settings = {
    seconds: option("seconds", 60),
    rate: option("rate", 10_000),
    zones: option("zones", 0),
  };
  for (const size of [[400, 250], [1000, 1000]] as const) {
    console.log(JSON.stringify(await measure(size, settings), null, 2));
  }
}

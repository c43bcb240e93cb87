/// <reference lib="dom" />
/**
 * The page under load, in headless Chromium: frames a second while panning, how far
 * the page is behind, and whether its memory stays flat.
 *
 *     deno run --allow-all bench/page_load.ts [--seconds 60] [--rate 10000]
 *
 * Two maps: 100,000 cells with changes, then 1,000,000 cells with the same changes.
 * The server, the browser and this program share the machine; the browser draws
 * without a GPU.
 *
 * @module
 */
import type { Browser, CDPSession, Page } from "playwright-core";
import { launch } from "../tests/page/session.ts";
import { occupancy } from "../tests/support/processes.ts";
import { until } from "../tests/support/until.ts";

/** Readings in one POST. */
const BATCH = 500;
const SEED_BATCH = 10_000;
/** Where the cell is whose changes are timed. */
const PROBE = -5;

interface Report {
  readonly cells: number;
  readonly firstPaintMs: number;
  readonly changesPerSecond: number;
  readonly framesPerSecond: number;
  readonly slowestTenSeconds: number;
  readonly frameMs95: number;
  readonly frameMsMost: number;
  readonly behindMsMedian: number;
  readonly behindMsMost: number;
  readonly memoryMiB: readonly number[];
}

async function measure(
  [width, height]: readonly [number, number],
  seconds: number,
  rate: number,
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
  const [url] = await server.said(/http:\/\/127\.0\.0\.1:\d+/);
  await server.said(/Ready/);
  const send = sender(url);
  for (let from = 0; from < width * height; from += SEED_BATCH) {
    const many = Math.min(SEED_BATCH, width * height - from);
    await send(Array.from({ length: many }, (_, index) => {
      const at = from + index;
      return [at % width, Math.floor(at / width), Number(at % 5 === 0)];
    }));
  }
  await send([[PROBE, PROBE, 0]]);
  const browser = await launch();
  try {
    return await watch(browser, url, send, { width, height, seconds, rate });
  } finally {
    await browser.close();
  }
}

type Send = (lines: readonly (readonly number[])[]) => Promise<void>;

async function watch(
  browser: Browser,
  url: string,
  send: Send,
  { width, height, seconds, rate }: {
    width: number;
    height: number;
    seconds: number;
    rate: number;
  },
): Promise<Report> {
  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
  });
  await page.goto(url);
  const firstPaintMs = await page.evaluate(() =>
    new Promise<number>((resolve) => {
      const look = () => {
        const canvas = document.querySelector<HTMLCanvasElement>(
          "canvas.cells",
        );
        const { width = 0, height = 0 } = canvas ?? {};
        const painted = width > 0 && canvas!.getContext("2d")!
              .getImageData(width >> 1, height >> 1, 1, 1).data[3]! > 0;
        if (painted) resolve(performance.now());
        else requestAnimationFrame(look);
      };
      look();
    })
  );
  // The words of one cell are held on the page: their change can be timed while panning.
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
  const behind: number[] = [];
  let changes = 0;
  const began = performance.now();
  await Promise.all([
    load(send, { width, height, rate, end }, (many) => changes += many),
    pan(page, end),
    probe(page, send, behind, end),
    sample(page, session, memoryMiB, end),
  ]);
  const took = (performance.now() - began) / 1000;
  const frames = await page.evaluate(() =>
    (globalThis as unknown as { frames: number[] }).frames
  );
  const sorted = frames.toSorted((one, other) => one - other);
  behind.sort((one, other) => one - other);
  return {
    cells: width * height,
    firstPaintMs: Math.round(firstPaintMs),
    changesPerSecond: Math.round(changes / took),
    framesPerSecond: round(rateOf(frames)),
    slowestTenSeconds: round(slowest(frames, 10_000)),
    frameMs95: round(sorted[Math.floor(sorted.length * 0.95)]!),
    frameMsMost: round(sorted.at(-1)!),
    behindMsMedian: Math.round(behind[behind.length >> 1]!),
    behindMsMost: Math.round(behind.at(-1)!),
    memoryMiB,
  };
}

/** In the page: how long each frame took, and when the probe's words changed. */
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

/** Changes cells at random, as many a second as asked for. */
async function load(
  send: Send,
  { width, height, rate, end }: {
    width: number;
    height: number;
    rate: number;
    end: number;
  },
  sent: (many: number) => void,
): Promise<void> {
  const every = 1000 * BATCH / rate;
  for (let next = performance.now(); next < end; next += every) {
    await pause(next - performance.now());
    // Values that hardly ever repeat: nearly every reading is a change.
    await send(Array.from({ length: BATCH }, () => [
      Math.floor(Math.random() * width),
      Math.floor(Math.random() * height),
      Math.random() < 0.5 ? 0 : 1 + Math.floor(Math.random() * 1000),
    ]));
    sent(BATCH);
  }
}

/** Drags the map about, as with a hand that never rests. */
async function pan(page: Page, end: number): Promise<void> {
  await page.mouse.move(600, 420);
  await page.mouse.down();
  for (let step = 0; performance.now() < end; step++) {
    await page.mouse.move(
      600 + 160 * Math.sin(step / 25),
      420 + 90 * Math.cos(step / 19),
    );
    await pause(8);
  }
  await page.mouse.up();
}

/** Times a change from its acknowledgement to its words on the page. */
async function probe(
  page: Page,
  send: Send,
  behind: number[],
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
    behind.push(seen - acknowledged);
    await pause(700);
  }
}

/** The memory of the page's process, MiB, ten times. */
async function sample(
  page: Page,
  session: CDPSession,
  into: number[],
  end: number,
): Promise<void> {
  const every = (end - performance.now()) / 10;
  const collector = await page.context().newCDPSession(page);
  while (performance.now() < end - every / 2) {
    await pause(every);
    await collector.send("HeapProfiler.collectGarbage");
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    const sizes = renderers.map(({ id }) => residentMiB(id));
    into.push(Math.round(Math.max(...sizes)));
  }
}

function residentMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024;
}

function sender(url: string): Send {
  return async (lines) => {
    const response = await fetch(`${url}/api/v1/readings`, {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: lines.join("\n"),
    });
    const told = await response.text();
    if (!response.ok) throw new Error(`Cannot send readings: ${told}`);
  };
}

function rateOf(frames: readonly number[]): number {
  return 1000 * frames.length / frames.reduce((sum, one) => sum + one, 0);
}

/** The lowest rate over any stretch of this length, ms. */
function slowest(frames: readonly number[], length: number): number {
  let lowest = rateOf(frames);
  let from = 0, sum = 0;
  frames.forEach((frame, index) => {
    sum += frame;
    while (sum - frames[from]! > length) sum -= frames[from++]!;
    if (sum >= length) {
      lowest = Math.min(lowest, 1000 * (index + 1 - from) / sum);
    }
  });
  return lowest;
}

function round(number: number): number {
  return Math.round(10 * number) / 10;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

if (import.meta.main) {
  const seconds = option("seconds", 60);
  const rate = option("rate", 10_000);
  for (const size of [[400, 250], [1000, 1000]] as const) {
    console.log(JSON.stringify(await measure(size, seconds, rate), null, 2));
  }
}

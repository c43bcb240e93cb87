/// <reference lib="dom" />
/**
 * A real server, a real Chromium, and the page between them.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { requireTool } from "../support/needs.ts";
import { occupancy, type Running } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** What is shown on a desk; a test says so if it wants another size. */
const DESK: BrowserContextOptions = {
  viewport: { width: 1280, height: 800 },
  reducedMotion: "reduce",
  colorScheme: "light",
};

/** How the stage is set. */
export interface StageOptions {
  /** Of the browser: size, theme, touch. */
  readonly browser?: BrowserContextOptions;
  /** Further arguments of the server. */
  readonly server?: readonly string[];
  /** What comes after the server's address: `?kiosk=1#layer=…`. */
  readonly address?: string;
  /** Sent before the page is opened: a layer and lines of `x,y,value`. */
  readonly readings?: Readonly<Record<string, string>>;
}

/** A server, a browser and a page that shows it. All end with the stage. */
export class Stage implements AsyncDisposable {
  readonly page: Page;
  /** Of the server: `http://127.0.0.1:1234`. */
  readonly url: string;
  /** What the page complained about: errors, and what its policy forbade. */
  readonly complaints: string[] = [];
  /** Addresses that the page asked for. */
  readonly requests: string[] = [];
  readonly #browser: Browser;
  readonly #options: StageOptions;
  #server: Running;

  private constructor(
    parts: { page: Page; url: string; browser: Browser; server: Running },
    options: StageOptions,
  ) {
    this.page = parts.page;
    this.url = parts.url;
    this.#browser = parts.browser;
    this.#server = parts.server;
    this.#options = options;
    this.page.on("pageerror", (error) => {
      this.complaints.push(String(error));
    });
    this.page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    this.page.on("request", (request) => this.requests.push(request.url()));
  }

  /** Starts all, sends the readings and opens the page. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const { server, url } = await startServer("127.0.0.1:0", options.server);
    let browser: Browser | undefined;
    try {
      for (const [layer, lines] of Object.entries(options.readings ?? {})) {
        await submit(url, layer, lines);
      }
      browser = await launch();
      const context = await browser.newContext({ ...DESK, ...options.browser });
      const page = await context.newPage();
      const stage = new Stage({ page, url, browser, server }, options);
      await page.goto(url + "/" + (options.address ?? ""));
      return stage;
    } catch (error) {
      await browser?.close();
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sends readings; resolves when they are acknowledged. */
  async submit(layer: string, lines: string): Promise<void> {
    await submit(this.url, layer, lines);
  }

  /** Ends the server without a word. */
  async killServer(): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.ended();
  }

  /** Starts a server again where the last one was. */
  async startServer(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    const { server } = await startServer(
      new URL(this.url).host,
      this.#options.server,
    );
    this.#server = server;
  }

  /** The text of an element as a person reads it. */
  async text(selector: string): Promise<string> {
    return (await this.page.locator(selector).innerText()).replace(/\s+/g, " ");
  }

  /** Waits until the text of an element matches. */
  async reads(selector: string, pattern: RegExp): Promise<string> {
    let text = "";
    return await until(async () => {
      text = await this.text(selector);
      return pattern.test(text) && text;
    }, { what: () => `${pattern} in ${selector}, which reads: ${text}` });
  }

  /**
   * The colour in the middle of a cell, as the canvas has it.
   *
   * @returns `red,green,blue,alpha`; all 0 where nothing is drawn
   */
  async colorOf(x: number, y: number): Promise<string> {
    const { left, top } = await this.place(x, y);
    return await this.page.evaluate(([left, top]) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas.cells");
      if (!canvas) return "0,0,0,0";
      const box = canvas.getBoundingClientRect();
      const ratio = canvas.width / box.width;
      return canvas.getContext("2d")!.getImageData(
        Math.floor((left - box.left) * ratio),
        Math.floor((top - box.top) * ratio),
        1,
        1,
      ).data.join();
    }, [left, top] as const);
  }

  /** Where the middle of a cell is on the screen, by what the address says. */
  async place(x: number, y: number): Promise<{ left: number; top: number }> {
    const hash = await until(() => {
      const hash = new URL(this.page.url()).hash;
      return hash.includes("scale=") && hash;
    }, { what: () => `a view in ${this.page.url()}` });
    const view = new URLSearchParams(hash.slice(1));
    const [cx, cy] = view.get("at")!.split(",").map(Number);
    const scale = Number(view.get("scale"));
    const box = (await this.page.locator("#map").boundingBox())!;
    return {
      left: box.x + box.width / 2 + (x + 0.5 - cx!) * scale,
      top: box.y + box.height / 2 + (y + 0.5 - cy!) * scale,
    };
  }

  /** Waits until a cell has another colour than the one given. */
  async repainted(x: number, y: number, from: string): Promise<string> {
    return await until(async () => {
      const color = await this.colorOf(x, y);
      return color !== from && color;
    }, { what: `another colour of ${x},${y} than ${from}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** What a canvas has where nothing is drawn. */
export const BLANK = "0,0,0,0";

/** Starts Chromium, without a window. */
export async function launch(): Promise<Browser> {
  // Loaded here: it reads files and the environment, which tests without
  // permissions must not.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath: requireTool("chromium") });
}

async function startServer(
  http: string,
  args: readonly string[] = [],
): Promise<{ server: Running; url: string }> {
  const server = occupancy([
    "server",
    "--listen",
    "127.0.0.1:0",
    "--http",
    http,
    ...args,
  ]);
  try {
    const [url] = await server.said(/http:\/\/127\.0\.0\.1:\d+/);
    await server.said(/Ready/);
    return { server, url };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function submit(
  url: string,
  layer: string,
  lines: string,
): Promise<void> {
  const to = new URL("/api/v1/readings", url);
  to.searchParams.set("layer", layer);
  const response = await fetch(to, {
    method: "POST",
    body: lines,
    headers: {
      "content-type": /^\s*[[{]/.test(lines) ? "application/json" : "text/csv",
    },
  });
  const told = await response.text();
  if (!response.ok) throw new Error(`Cannot send readings: ${told}`);
}

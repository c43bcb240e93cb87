/// <reference lib="dom" />
/**
 * Test support: a server process, Chromium, and the dashboard open in it.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { requireTool } from "../support/needs.ts";
import { occupancy, type Running } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** The default browser; each test can override it. */
const DESKTOP: BrowserContextOptions = {
  viewport: { width: 1280, height: 800 },
  reducedMotion: "reduce",
  colorScheme: "light",
};

/** Options of {@linkcode PageSession.open}. */
export interface PageSessionOptions {
  /** Size, theme, touch and permissions of the browser. */
  readonly browser?: BrowserContextOptions;
  /** More arguments of `occupancy server`. */
  readonly server?: readonly string[];
  /** The end of the page's address: `?kiosk=1#layer=…`. */
  readonly address?: string;
  /** Submitted before the page opens: for each layer, CSV lines or JSON. */
  readonly readings?: Readonly<Record<string, string>>;
}

/** A server and a page that shows it. Disposing ends both. */
export class PageSession implements AsyncDisposable {
  readonly page: Page;
  /** The address of the server: `http://127.0.0.1:1234`. */
  readonly url: string;
  /** Errors on the page, including violations of its security policy. */
  readonly errors: string[] = [];
  /** The addresses that the page requested. */
  readonly requests: string[] = [];
  readonly #browser: Browser;
  readonly #options: PageSessionOptions;
  #server: Running;

  private constructor(
    parts: { page: Page; url: string; browser: Browser; server: Running },
    options: PageSessionOptions,
  ) {
    this.page = parts.page;
    this.url = parts.url;
    this.#browser = parts.browser;
    this.#server = parts.server;
    this.#options = options;
    this.page.on("pageerror", (error) => {
      this.errors.push(String(error));
    });
    this.page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
    this.page.on("request", (request) => this.requests.push(request.url()));
  }

  /** Starts the server, submits the readings and opens the page. */
  static async open(options: PageSessionOptions = {}): Promise<PageSession> {
    const { server, url } = await startServer("127.0.0.1:0", options.server);
    let browser: Browser | undefined;
    try {
      for (const [layer, readings] of Object.entries(options.readings ?? {})) {
        await submit(url, layer, readings);
      }
      browser = await launch();
      const context = await browser.newContext({
        ...DESKTOP,
        ...options.browser,
      });
      const page = await context.newPage();
      const session = new PageSession({ page, url, browser, server }, options);
      await page.goto(url + "/" + (options.address ?? ""));
      return session;
    } catch (error) {
      await browser?.close();
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Submits readings, as CSV lines or JSON; resolves when they are
   * acknowledged.
   */
  async submit(layer: string, readings: string): Promise<void> {
    await submit(this.url, layer, readings);
  }

  /** Ends the server with SIGKILL. */
  async killServer(): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.ended();
  }

  /** Sends a signal to the server. */
  signal(signal: Deno.Signal): void {
    this.#server.kill(signal);
  }

  /** Starts a server at the address of the previous one. */
  async restartServer(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    const { server } = await startServer(
      new URL(this.url).host,
      this.#options.server,
    );
    this.#server = server;
  }

  /** Returns the visible text of an element, with single spaces. */
  async text(selector: string): Promise<string> {
    return (await this.page.locator(selector).innerText()).replace(/\s+/g, " ");
  }

  /** Waits until the text of an element matches, and returns the text. */
  async waitForText(selector: string, pattern: RegExp): Promise<string> {
    let text = "";
    return await until(async () => {
      text = await this.text(selector);
      return pattern.test(text) && text;
    }, { what: () => `${pattern} in ${selector}, which is: ${text}` });
  }

  /**
   * Returns the colour of a cell on the canvas, beside its number.
   *
   * @returns `red,green,blue,alpha`; {@linkcode BLANK} where nothing is drawn
   */
  async colorOf(x: number, y: number): Promise<string> {
    // A small cell has no number, and perhaps only one pixel.
    const { scale, yUp } = await this.camera();
    const beside = scale > 10 || yUp ? 0.3 : 0;
    const { left, top } = await this.positionOf(x - beside, y - beside);
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

  /** Returns the middle of a cell on the screen. */
  async positionOf(
    x: number,
    y: number,
  ): Promise<{ left: number; top: number }> {
    const { center: [cx, cy], scale, yUp } = await this.camera();
    const box = (await this.page.locator("#map").boundingBox())!;
    return {
      left: box.x + box.width / 2 + (x + 0.5 - cx) * scale,
      top: box.y + box.height / 2 + (y + 0.5 - cy) * (yUp ? -scale : scale),
    };
  }

  /**
   * Returns the coordinate in the centre, the size of a cell, and whether y
   * grows upwards.
   */
  async camera(): Promise<
    { center: [x: number, y: number]; scale: number; yUp: boolean }
  > {
    const { at, scale, yUp } = await until(() =>
      this.page.evaluate(() => {
        const { at, scale, yUp } = document.querySelector<HTMLElement>("#map")!
          .dataset;
        return at !== undefined && scale !== undefined && { at, scale, yUp };
      }), { what: "a view of the map" });
    const [x, y] = at.split(",").map(Number);
    return {
      center: [x!, y!],
      scale: Number(scale),
      yUp: yUp === "true",
    };
  }

  /** Waits until a cell has another colour, and returns the new one. */
  async waitForColorChange(
    x: number,
    y: number,
    from: string,
  ): Promise<string> {
    return await until(async () => {
      const color = await this.colorOf(x, y);
      return color !== from && color;
    }, { what: `a colour of ${x},${y} other than ${from}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** The colour where nothing is drawn. */
export const BLANK = "0,0,0,0";

/** Starts Chromium without a window. */
export async function launch(): Promise<Browser> {
  // Imported here: it reads files and the environment, which tests without
  // permissions cannot.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath: requireTool("chromium") });
}

async function startServer(
  http: string,
  args: readonly string[] = [],
): Promise<{ server: Running; url: string }> {
  const server = occupancy([
    "server",
    ...(args.includes("--broker") ? [] : ["--listen", "127.0.0.1:0"]),
    "--http",
    http,
    ...args,
  ]);
  try {
    const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
    await server.waitFor(/Ready/);
    return { server, url };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function submit(
  url: string,
  layer: string,
  readings: string,
): Promise<void> {
  const to = new URL("/api/v1/readings", url);
  to.searchParams.set("layer", layer);
  const isJson = /^\s*[[{]/.test(readings);
  const response = await fetch(to, {
    method: "POST",
    body: readings,
    headers: { "content-type": isJson ? "application/json" : "text/csv" },
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`Cannot submit readings: ${answer}`);
}

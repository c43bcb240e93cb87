/// <reference lib="dom" />
/**
 * Test support: the zone editor in a page.
 *
 * @module
 */
import { until } from "../../support/until.ts";
import { PageSession, type PageSessionOptions } from "../session.ts";

/** A feature of the collection. */
export interface Feature {
  readonly id?: string | number;
  readonly properties: Record<string, unknown>;
  readonly geometry: { readonly type: string; readonly coordinates: unknown };
}

/** Cells with the coordinates 0 to 19, all free. */
const FREE = Array.from(
  { length: 400 },
  (_, i) => `${i % 20},${Math.floor(i / 20)},0`,
).join("\n");

/** The feature of a rectangle. */
export function rectangle(
  name: string,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  properties: Record<string, unknown> = {},
): Feature {
  return {
    id: `id-${name}`,
    properties: { name, ...properties },
    geometry: {
      type: "Polygon",
      coordinates: [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]],
    },
  };
}

/** The editor, driven as a person does. Disposing ends page and server. */
export class EditorDriver implements AsyncDisposable {
  readonly session: PageSession;

  private constructor(session: PageSession) {
    this.session = session;
  }

  /** Starts a server with zones, and opens the page. */
  static async open(
    zones: readonly Feature[] = [],
    options: PageSessionOptions = {},
  ): Promise<EditorDriver> {
    const session = await PageSession.open({
      readings: { default: FREE },
      address: "#layer=default&at=10,8&scale=20",
      ...options,
    });
    const driver = new EditorDriver(session);
    try {
      if (zones.length > 0) await driver.put(zones);
      await driver.page.locator('#pill[data-state="live"]').waitFor();
      return driver;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  get page() {
    return this.session.page;
  }

  /** Opens the editor. */
  async edit(): Promise<void> {
    await this.page.locator("#edit-zones").click();
    await this.page.locator(".editor-bar").waitFor();
    // What is clicked is found in what was drawn: wait for two frames.
    await this.page.evaluate(() =>
      new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(resolve))
      )
    );
  }

  /** Presses a button of the editor. */
  async button(name: string): Promise<void> {
    await this.page.locator(".editor-bar, .zone-editor, .zone-picker")
      .getByRole("button", { name, exact: true }).click();
  }

  /** Where the upper left corner of a cell is on the screen. */
  async corner(x: number, y: number): Promise<[left: number, top: number]> {
    const { left, top } = await this.session.positionOf(x - 0.5, y - 0.5);
    return [left, top];
  }

  /** Clicks near the corner of a cell: by snapping it is that corner. */
  async click(x: number, y: number): Promise<void> {
    const [left, top] = await this.corner(x, y);
    await this.page.mouse.click(left + 3, top - 2);
  }

  /** Drags from the corner of a cell to near another. */
  async drag(
    from: readonly [number, number],
    to: readonly [number, number],
  ): Promise<void> {
    const { mouse } = this.page;
    await mouse.move(...await this.corner(...from));
    await mouse.down();
    const [left, top] = await this.corner(...to);
    await mouse.move(left + 4, top + 4, { steps: 5 });
    await mouse.up();
  }

  /** Fills in a field of the form. */
  async fill(label: string, text: string): Promise<void> {
    await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  /** The text that a screen reader reads. */
  async announced(pattern: RegExp): Promise<string> {
    return await this.session.waitForText("#announcer", pattern);
  }

  /** Saves with the button, and waits until that is done. */
  async save(): Promise<void> {
    await this.button("Save");
    await this.session.waitForText(".edit-notice", /^Saved/);
  }

  /** The zones of the server. */
  async zones(): Promise<readonly Feature[]> {
    const response = await fetch(`${this.session.url}/api/v1/zones`);
    const { features } = await response.json();
    return features;
  }

  /** Replaces all zones, as another client. */
  async put(zones: readonly Feature[]): Promise<void> {
    const response = await fetch(`${this.session.url}/api/v1/zones`, {
      method: "PUT",
      headers: { "content-type": "application/geo+json" },
      body: JSON.stringify({
        type: "FeatureCollection",
        features: zones.map((zone) => ({ type: "Feature", ...zone })),
      }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`Cannot put zones: ${answer}`);
  }

  /** Waits until the list beside the map has the zones with these titles. */
  async waitForList(selector: string, titles: readonly string[]) {
    let found: string[] = [];
    await until(async () => {
      found = await this.page.locator(`${selector} li b`).allInnerTexts();
      return [...found].sort().join() === [...titles].sort().join();
    }, { what: () => `${titles} in ${selector}, which has ${found}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }
}

/** Back, forward, reload and bookmarks. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession } from "./session.ts";

/** Equal extents: the map does not move when another layer is chosen. */
const FLOORS = { floor1: "0,0,1\n9,9,0\n", floor2: "0,0,2\n9,9,3\n" };

function currentLayer(session: PageSession): Promise<string> {
  return session.page.locator("#layer").inputValue();
}

Deno.test({
  name:
    "the address has the chosen layer, also one of equal extent: reload and bookmark show it",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({ readings: FLOORS });
    const { page } = session;
    await until(() => page.url().includes("layer="));
    assert.equal(await currentLayer(session), "floor1");
    for (const layer of ["floor2", "floor1", "floor2"]) {
      await page.locator("#layer").selectOption(layer);
      assert.match(page.url(), new RegExp(`#layer=${layer}`));
    }
    await session.positionOf(0, 0);
    const bookmark = page.url();
    await page.reload();
    await session.waitForText("#cards", /People 5/);
    assert.equal(await currentLayer(session), "floor2");
    await page.goto("about:blank");
    await page.goto(bookmark);
    await session.waitForText("#cards", /People 5/);
    assert.equal(await currentLayer(session), "floor2");
  },
});

Deno.test({
  name: "layer, go-to and box are entries of the history: Back undoes each",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({ readings: FLOORS });
    const { page } = session;
    await until(() => page.url().includes("layer="));
    const start = page.url();
    await page.locator("#layer").selectOption("floor2");
    await session.waitForText("#cards", /People 5/);
    await session.positionOf(0, 0);

    await page.locator("#goto-text").fill("400,300");
    await page.keyboard.press("Enter");
    await until(() => page.url().includes("at=400.5,300.5"));

    await page.keyboard.press("Enter"); // the cursor
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    await until(() => page.url().includes("box=400,300,401,301"));

    await page.goBack();
    await page.locator("#selection").waitFor({ state: "hidden" });
    assert.match(page.url(), /at=400\.5,300\.5/);
    await page.goBack();
    await until(() => !page.url().includes("at=400.5"));
    assert.equal(await currentLayer(session), "floor2");
    await session.waitForColorChange(0, 0, BLANK); // the whole floor again
    await page.goBack();
    await until(async () => await currentLayer(session) === "floor1");
    await session.waitForColorChange(0, 0, BLANK);
    assert.equal(page.url(), start);
    await page.goForward();
    await until(async () => await currentLayer(session) === "floor2");
    await page.goForward();
    await until(() => page.url().includes("at=400.5,300.5"));
    await page.goForward();
    await page.locator("#selection").waitFor({ state: "visible" });
    assert.deepEqual(session.errors, []);
  },
});

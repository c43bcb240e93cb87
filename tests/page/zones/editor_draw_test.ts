/// <reference lib="dom" />
/** The zone editor: drawing, saving, and what the page then shows. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { EditorDriver, rectangle } from "./editor_driver.ts";

/** From a reading until the list shows it. */
const MAX_LIVE_MS = 250;

Deno.test({
  name:
    "a room drawn by mouse and one by keyboard are saved, and live after a reload",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open();
    const { page, session } = driver;
    const loaded = () =>
      session.requests.some((url) => url.includes("/assets/later-"));
    assert.ok(!loaded(), "the editor is loaded when it is opened");
    await driver.edit();
    assert.ok(loaded());

    // By mouse: two corners, then its title.
    await driver.button("Rectangle");
    await driver.click(2, 2);
    await driver.click(8, 6);
    await driver.announced(/^Zone 1 added: x 2 to 8, y 2 to 6/);
    await page.keyboard.type("Lobby");
    await driver.fill("Capacity", "10");

    // By keyboard alone, from the form: back to the map, then by numbers.
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    await page.keyboard.press("Enter");
    for (const number of ["10", "2", "6", "4"]) {
      await page.keyboard.type(number);
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await driver.announced(/^Zone 1 added: x 10 to 16, y 2 to 6/);
    await page.keyboard.type("Kitchen");
    await page.keyboard.press("Tab");
    assert.equal(
      await page.getByLabel("Name", { exact: true }).inputValue(),
      "kitchen",
      "the name follows the title",
    );
    await session.waitForText(".editor-bar .unsaved", /^2 unsaved changes$/);
    await page.keyboard.press("Control+s");
    await session.waitForText(".edit-notice", /^Saved/);

    const zones = await driver.zones();
    assert.deepEqual(
      zones.map(({ properties, geometry }) => [properties, geometry]),
      [
        [
          { name: "lobby", title: "Lobby", capacity: 10 },
          rectangle("lobby", [2, 2, 8, 6]).geometry,
        ],
        [
          { name: "kitchen", title: "Kitchen" },
          rectangle("kitchen", [10, 2, 16, 6]).geometry,
        ],
      ],
    );
    for (const { id } of zones) assert.match(String(id), /^[0-9a-f-]{36}$/);

    await page.reload();
    await driver.waitForList("#zones", ["Kitchen", "Lobby"]);
    await session.waitForText("#zones", /Lobby.* 0\/10/);
    await page.evaluate(() => {
      const list = document.querySelector<HTMLElement>("#zones")!;
      new MutationObserver(() => {
        if (!/7\/10/.test(list.textContent!)) return;
        document.body.dataset["shownAt"] ??= String(Date.now());
      }).observe(list, { subtree: true, childList: true, characterData: true });
    });
    const sentAt = Date.now();
    await session.submit("default", "3,3,7\n");
    const shownAt = await until(() =>
      page.evaluate(() => Number(document.body.dataset["shownAt"] ?? 0))
    );
    const ms = shownAt - sentAt;
    assert.ok(ms <= MAX_LIVE_MS, `the list was ${ms} ms behind the reading`);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a rectangle can be dragged, and a polygon drawn corner by corner",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([
      rectangle("lobby", [12, 2, 18, 8]),
    ]);
    const { page, session } = driver;
    await driver.edit();
    await driver.button("Rectangle");
    await driver.drag([2, 2], [6, 5]);
    await driver.announced(/added: x 2 to 6, y 2 to 5/);
    await page.keyboard.type("Dragged");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");

    await page.keyboard.press("p");
    for (const [x, y] of [[2, 8], [6, 8], [9, 9], [6, 12]] as const) {
      await driver.click(x, y);
    }
    // The last corner is taken back.
    await page.keyboard.press("Backspace");
    await driver.click(2, 12);
    await driver.button("Finish");
    await driver.announced(/added: x 2 to 9, y 8 to 12/);
    await page.keyboard.type("Clicked");

    await driver.save();
    const zones = await driver.zones();
    assert.deepEqual(
      zones.slice(1).map(({ properties, geometry }) => [
        properties["name"],
        new Set((geometry.coordinates as [number, number][][])[0]!.map(String)),
      ]),
      [
        ["dragged", new Set(["2,2", "6,2", "6,5", "2,5"])],
        ["clicked", new Set(["2,8", "6,8", "9,9", "2,12"])],
      ],
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "corners snap to cells and to the corners of other zones",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([
      // Its corners are not those of cells.
      rectangle("old", [12.5, 2.5, 16, 6]),
      rectangle("lobby", [2, 2, 8, 6]),
    ]);
    const { page } = driver;
    await driver.edit();
    await driver.click(4, 4);
    await driver.announced(/^lobby, x 2 to 8/);
    await driver.drag([8, 6], [10, 9]);
    await driver.announced(/^Corner \d of 4: x 10, y 9/);
    await driver.drag([8, 2], [12.5, 2.5]);
    await driver.announced(/^Corner \d of 4: x 12.5, y 2.5/);
    // While a corner is dragged, the page says to what it snaps.
    await page.mouse.move(...await driver.corner(10, 9));
    await page.mouse.down();
    await page.mouse.move(...await driver.corner(16.1, 6.2), { steps: 4 });
    await driver.session.waitForText(
      ".snap-tip",
      /^x 16, y 6 · snapped to a corner of old$/,
    );
    await page.mouse.up();
    await driver.button("Snap on");
    await driver.drag([16, 6], [10.3, 9.3]);
    const free = await driver.announced(/^Corner \d of 4: x 10\.\d+, y 9\.\d+/);
    assert.doesNotMatch(free, /\d{8}/, "short coordinates");
    // A zone moves by whole cells.
    await driver.button("Undo");
    await driver.button("Snap off");
    await driver.drag([5, 4], [6, 6]);
    await driver.announced(/^Move zone: lobby, x 3 to 17, y 4 to 8/);
    assert.deepEqual(driver.session.errors, []);
  },
});

Deno.test({
  name: "with a finger, zones are drawn by taps and corners have large handles",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([], {
      browser: {
        viewport: { width: 390, height: 844 },
        hasTouch: true,
        isMobile: true,
      },
      address: "#layer=default&at=8,7&scale=16",
    });
    const { page, session } = driver;
    await driver.edit();
    await driver.button("Rectangle");
    for (const [x, y] of [[3, 3], [12, 10]] as const) {
      await page.touchscreen.tap(...await driver.corner(x, y));
    }
    await driver.announced(/^Zone 1 added: x 3 to 12, y 3 to 10/);
    await page.locator("#map").scrollIntoViewIfNeeded();
    // The finger is 18 px beside the corner.
    const [left, top] = await driver.corner(12, 10);
    const [toLeft, toTop] = await driver.corner(14, 12);
    const touch = await page.context().newCDPSession(page);
    const send = (type: string, x: number, y: number) =>
      touch.send("Input.dispatchTouchEvent", {
        type: type as "touchStart",
        touchPoints: type === "touchEnd" ? [] : [{ x, y }],
      });
    await send("touchStart", left + 13, top + 13);
    for (let i = 1; i <= 5; i++) {
      await send(
        "touchMove",
        left + 13 + (toLeft - left - 13) * i / 5,
        top + 13 + (toTop - top - 13) * i / 5,
      );
    }
    await send("touchEnd", toLeft, toTop);
    await driver.announced(/^Corner \d of 4: x 14, y 12/);
    const small = await page.locator(
      ".editor-bar button:visible, .zone-editor button:visible",
    ).evaluateAll((buttons) =>
      buttons.filter((one) => {
        const { width, height } = one.getBoundingClientRect();
        return (width < 44 || height < 44) && !one.matches(".quiet");
      }).map((one) => one.textContent)
    );
    assert.deepEqual(small, []);
    await driver.save();
    assert.equal((await driver.zones()).length, 1);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "where y grows upwards, zones are drawn and moved as the map is seen",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    const layers = { default: { yUp: true } };
    const file = await folder.file("maps.json", JSON.stringify({ layers }));
    await using driver = await EditorDriver.open([], {
      server: ["--map-file", file],
    });
    const { page, session } = driver;
    await until(async () => (await session.camera()).yUp);
    await driver.edit();
    await driver.button("Rectangle");
    await driver.click(2, 10);
    await driver.click(6, 4);
    await driver.announced(/^Zone 1 added: x 2 to 6, y 4 to 10/);
    await driver.drag([6, 10], [8, 12]);
    await driver.announced(/^Corner \d of 4: x 8, y 12/);
    await page.locator("#map").focus();
    await page.keyboard.press("ArrowUp");
    await driver.announced(/^Corner \d of 4: x 8, y 13/);
    await driver.button("Rectangle");
    assert.equal(
      await page.getByLabel("Bottom (y)", { exact: true }).count(),
      1,
    );
    assert.deepEqual(session.errors, []);
  },
});

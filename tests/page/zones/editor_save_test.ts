/// <reference lib="dom" />
/** The zone editor: what is saved, and what is not. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { EditorDriver, type Feature, rectangle } from "./editor_driver.ts";

const LOBBY = rectangle("lobby", [2, 2, 8, 6], {
  title: "Lobby",
  capacity: 10,
});
const KITCHEN = rectangle("kitchen", [10, 2, 16, 6], { title: "Kitchen" });

function named(zones: readonly Feature[], name: string): Feature | undefined {
  return zones.find(({ properties }) => properties["name"] === name);
}

Deno.test({
  name:
    "a zone that someone else has changed too is a conflict: mine, then theirs",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([LOBBY, KITCHEN]);
    const { page, session } = driver;
    await driver.edit();
    for (const choice of ["Keep mine", "Take theirs"] as const) {
      await page.locator(".zone-picker").getByRole("button", { name: /Lobby/ })
        .click();
      const mine = choice === "Keep mine" ? "11" : "12";
      const theirs = choice === "Keep mine" ? 21 : 22;
      await driver.fill("Capacity", mine);
      const zones = await driver.zones();
      await driver.put(zones.map((zone) => ({
        ...zone,
        properties: { ...zone.properties, capacity: theirs },
      })));
      await session.waitForText(
        ".edit-notice",
        /^Someone else has changed Lobby too/,
      );
      await driver.button("Save");
      const dialog = page.getByRole("dialog");
      await session.waitForText(
        "dialog[open]",
        /Lobby Mine: changed capacity \(\d+ → 1[12]\)\. Theirs: changed capacity \(\d+ → 2[12]\)/,
      );
      assert.equal(
        named(await driver.zones(), "lobby")?.properties["capacity"],
        theirs,
        "nothing is saved before the choice",
      );
      await dialog.getByRole("radio", { name: choice }).check();
      await dialog.getByRole("button", { name: "Save" }).click();
      await session.waitForText(
        ".edit-notice",
        choice === "Keep mine" ? /^Saved/ : /^There are no changes to save/,
      );
      const after = await driver.zones();
      assert.equal(
        named(after, "lobby")?.properties["capacity"],
        choice === "Keep mine" ? Number(mine) : theirs,
      );
      // The other zone was not edited here.
      assert.equal(named(after, "kitchen")?.properties["capacity"], theirs);
    }
    assert.deepEqual(session.errors.filter((one) => !/412/.test(one)), []);
  },
});

Deno.test({
  name: "changes that are not saved are not lost by accident",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([LOBBY]);
    const { page, session } = driver;
    await driver.edit();
    await driver.click(4, 4);
    await driver.fill("Title", "Entrance");
    await driver.button("Close");
    const dialog = page.getByRole("dialog");
    await session.waitForText("dialog[open]", /1 change is not saved/);
    await dialog.getByRole("button", { name: "Keep editing" }).click();
    assert.equal(await page.locator(".editor-bar").count(), 1);
    let asked = false;
    page.once("dialog", (question) => {
      asked = question.type() === "beforeunload";
      void question.accept();
    });
    await page.reload();
    assert.ok(asked, "the browser asked");

    await driver.edit();
    await driver.click(4, 4);
    await driver.fill("Title", "Entrance");
    await driver.button("Close");
    await dialog.getByRole("button", { name: "Discard changes" }).click();
    await until(async () => await page.locator(".editor-bar").count() === 0);
    assert.equal(
      named(await driver.zones(), "lobby")?.properties["title"],
      "Lobby",
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "changes outlive a server that does not answer",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open();
    const { page, session } = driver;
    await driver.edit();
    await page.keyboard.press("r");
    await page.keyboard.press("Enter");
    for (const number of ["2", "2", "6", "4"]) {
      await page.keyboard.type(number);
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await driver.announced(/^Zone 1 added/);
    await session.killServer();
    await driver.button("Save");
    await session.waitForText(
      ".edit-notice",
      /^The server did not answer: it is not known whether .* try again/,
    );
    // It has another version of the zones.
    await session.restartServer();
    await session.waitForText("#pill", /^Live/);
    await driver.button("Save");
    await session.waitForText(".edit-notice", /^Saved/);
    assert.deepEqual(
      (await driver.zones()).map(({ properties }) => properties["name"]),
      ["zone-1"],
    );
  },
});

Deno.test({
  name:
    "zones of a file can be looked at, and the editor says how to change them",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file(
      "zones.geojson",
      JSON.stringify({
        type: "FeatureCollection",
        features: [{ type: "Feature", ...LOBBY }],
      }),
    );
    await using driver = await EditorDriver.open([], {
      server: ["--zones", file],
    });
    const { page, session } = driver;
    await driver.edit();
    await session.waitForText(
      ".edit-notice",
      /zones\.geojson on the server: change it there.* without --zones/,
    );
    await driver.click(4, 4);
    await driver.announced(/^Lobby/);
    assert.ok(await page.getByLabel("Title", { exact: true }).isDisabled());
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Delete");
    await driver.drag([8, 6], [12, 12]);
    assert.equal(
      await page.locator(".editor-bar .unsaved").innerText(),
      "Read-only",
    );
    await session.waitForText(".stats", /^Cells covered 24 Now/);
    assert.deepEqual(session.errors, []);
  },
});

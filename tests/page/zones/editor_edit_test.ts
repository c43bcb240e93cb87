/// <reference lib="dom" />
/** The zone editor: changes of zones, files, keys. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { tempDir } from "../../support/temp.ts";
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
    "holes, undo and redo, rename, copy and delete are saved as one request",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([LOBBY, KITCHEN]);
    const { page, session } = driver;
    await driver.edit();
    await driver.click(4, 4);
    await driver.announced(/^Lobby, x 2 to 8/);
    await driver.button("Hole");
    await driver.click(3, 3);
    await driver.click(5, 5);
    await driver.announced(/^Cut hole: Lobby/);
    await session.waitForText(".corner-head", /8 corners 1 hole/);
    await session.waitForText(".stats", /^Cells covered 20 was 24/);
    // Outside of the zone it is refused.
    await driver.button("Hole");
    await driver.click(7, 5);
    await driver.click(9, 7);
    await session.waitForText(
      ".edit-notice",
      /^The hole was not cut: it must be inside of Lobby/,
    );
    await page.locator("#map").focus();
    await page.keyboard.press("v");

    await driver.fill("Name", "entrance");
    await session.waitForText(
      "#edit-name-hint",
      /Was lobby\. Its MQTT topic changes.* Home Assistant keeps its entities/,
    );
    await driver.button("Copy");
    await driver.announced(/^Lobby 2 added/);
    await driver.button("Undo");
    await driver.announced(/^Undone: copy zone/);
    await driver.button("Redo");
    await driver.announced(/^Done again: copy zone/);
    await page.locator(".zone-picker").getByRole("button", { name: /Kitchen/ })
      .click();
    await driver.button("Delete");
    await driver.announced(/^Kitchen deleted/);

    await driver.save();
    const zones = await driver.zones();
    assert.deepEqual(
      zones.map(({ properties }) => properties["name"]),
      ["entrance", "entrance-2"],
    );
    assert.equal(zones[0]!.id, LOBBY.id, "a renamed zone keeps its id");
    assert.notEqual(zones[1]!.id, LOBBY.id);
    assert.deepEqual(
      (zones[0]!.geometry.coordinates as unknown[][])[1],
      [[3, 3], [5, 3], [5, 5], [3, 5], [3, 3]],
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "everything works with the keyboard alone, and is announced",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([LOBBY, KITCHEN]);
    const { page, session } = driver;
    const { keyboard } = page;
    await page.locator("#edit-zones").focus();
    await keyboard.press("Enter");
    await driver.announced(/^Zone editor open/);
    await keyboard.press("PageDown");
    await driver.announced(/^Lobby, x 2 to 8, y 2 to 6/);
    await keyboard.press("Shift+ArrowDown");
    await driver.announced(/^Lobby, x 2 to 8, y 12 to 16/);
    await keyboard.press("ArrowRight");
    await driver.announced(/^Lobby, x 3 to 9, y 12 to 16/);
    await keyboard.press("Tab");
    await driver.announced(/^Corner 1 of 4: x 3, y 12/);
    await keyboard.press("Tab");
    await driver.announced(/^Corner 2 of 4: x 9, y 12/);
    await keyboard.press("ArrowUp");
    await driver.announced(/^Corner 2 of 4: x 9, y 11/);
    await keyboard.press("Insert");
    await driver.announced(/^Corner 3 of 5: x 9, y 14/);
    await keyboard.press("Delete");
    await driver.announced(/^Corner 2 of 4: x 9, y 11/);
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await driver.announced(/^Corner 4 of 4/);
    // After the last corner the focus moves on: it is no trap.
    await keyboard.press("Tab");
    assert.notEqual(
      await page.evaluate(() => document.activeElement?.id),
      "map",
    );
    await page.locator("#map").focus();
    await keyboard.press("Shift+Tab");
    await driver.announced(/^Corner 4 of 4/);
    await keyboard.press("Escape");
    await keyboard.press("Escape");
    await driver.announced(/^No zone selected/);
    await keyboard.press("PageUp");
    await driver.announced(/^Kitchen/);
    await keyboard.press("Delete");
    await driver.announced(/^Kitchen deleted/);
    await keyboard.press("Control+z");
    await driver.announced(/^Undone: delete zone/);
    await keyboard.press("Control+y");
    await driver.announced(/^Done again: delete zone/);
    await keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys of the zone editor" })
      .waitFor();
    await keyboard.press("Escape");
    await keyboard.press("Control+s");
    await session.waitForText(".edit-notice", /^Saved/);
    const zones = await driver.zones();
    assert.deepEqual(zones.map(({ geometry }) => geometry.coordinates), [
      [[[3, 12], [9, 11], [9, 16], [3, 16], [3, 12]]],
    ]);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "what is not valid is shown at its place, and is not saved",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([LOBBY, KITCHEN]);
    const { page, session } = driver;
    await driver.edit();
    await driver.click(4, 4);
    await driver.fill("Capacity", "0");
    await session.waitForText(
      "#edit-capacity-problem",
      /not a whole number above 0/,
    );
    await driver.fill("Capacity", "");
    await driver.fill("Name", "kitchen");
    await session.waitForText("#edit-name-problem", /^Another zone has this/);
    await driver.fill("Name", "<b>a/b</b>");
    await session.waitForText("#edit-name-problem", /slash/);
    await driver.button("Save");
    await session.waitForText(".edit-notice", /^Lobby is not valid/);
    assert.equal(
      await page.evaluate(() => document.activeElement?.id),
      "edit-name",
    );
    await driver.fill("Name", "lobby");
    // Crossing edges.
    await driver.drag([8, 6], [4, 0]);
    await session.waitForText("#zone-outline-problem", /edges cross/);
    await session.waitForText(".zone-picker", /Lobby not valid/);
    await driver.button("Save");
    await session.waitForText(
      ".edit-notice",
      /^Lobby is not valid.*edges cross/,
    );
    assert.equal((await driver.zones()).length, 2);
    assert.equal(
      named(await driver.zones(), "lobby")?.properties["capacity"],
      10,
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "zones are exported and imported; a fault of a file names the feature",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await using driver = await EditorDriver.open([LOBBY, KITCHEN]);
    const { page, session } = driver;
    await driver.edit();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      driver.button("Export"),
    ]);
    assert.equal(download.suggestedFilename(), "zones.geojson");
    const exported = JSON.parse(
      await Deno.readTextFile(await download.path()),
    );
    assert.deepEqual(exported.features, await driver.zones());

    const choose = async (name: string, content: string) => {
      const [chooser] = await Promise.all([
        page.waitForEvent("filechooser"),
        driver.button("Import"),
      ]);
      await chooser.setFiles(await folder.file(name, content));
    };
    const open = structuredClone(exported);
    open.features[1].geometry.coordinates[0].pop();
    await choose("open.geojson", JSON.stringify(open));
    await session.waitForText(
      ".edit-notice",
      /^open\.geojson was not imported: zone "kitchen": ring 1: the ring is open/,
    );
    exported.features[0].properties.capacity = 33;
    exported.features.push({
      type: "Feature",
      ...rectangle("store", [2, 8, 8, 12]),
    });
    await choose("more.geojson", JSON.stringify(exported));
    await session.waitForText(
      ".edit-notice",
      /^3 zones imported: 1 new, 2 replaced/,
    );
    await driver.save();
    const zones = await driver.zones();
    assert.equal(zones.length, 3);
    assert.equal(named(zones, "lobby")?.properties["capacity"], 33);

    // Dropped on the page.
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["{"], "half.geojson"));
      document.dispatchEvent(
        new DragEvent("drop", { dataTransfer: data, bubbles: true }),
      );
    });
    await session.waitForText(
      ".edit-notice",
      /^half\.geojson was not imported/,
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a corner moves only to a position that is a number",
  ...needs("chromium"),
  fn: async () => {
    await using driver = await EditorDriver.open([LOBBY]);
    const { page, session } = driver;
    await driver.edit();
    await driver.click(4, 4);
    await driver.announced(/^Lobby, x 2 to 8/);
    await page.keyboard.press("Tab");
    await driver.announced(/^Corner 1 of 4/);
    for (const text of ["", "1e3", "0x10"]) {
      await driver.fill("Corner x", text);
      await page.keyboard.press("Enter");
      await session.waitForText(".zone-editor", /Not a number\./);
    }
    await driver.fill("Corner x", "3");
    await page.keyboard.press("Enter");
    await driver.save();
    const [lobby] = await driver.zones();
    assert.deepEqual(lobby!.geometry.coordinates, [
      [[3, 2], [8, 2], [8, 6], [2, 6], [3, 2]],
    ]);
    assert.deepEqual(session.errors, []);
  },
});

import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { BLANK, PageSession } from "./session.ts";

Deno.test({
  name:
    "without a server the page keeps the last map and says so; it reconnects by itself",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await using session = await PageSession.open({
      server: ["--store", `sqlite:${folder.path}/map.sqlite`],
      readings: { default: "4,4,2\n" },
      address: "#layer=default&at=5,5&scale=40",
    });
    const before = await session.waitForColorChange(4, 4, BLANK);
    await session.waitForText("#pill", /^Live/);
    await session.killServer();
    await session.waitForText("#pill", /^Disconnected · \d+ s · reconnecting$/);
    await session.waitForText(
      "#notice",
      /^No connection to the server since \d+:\d\d:\d\d [AP]M. The map shows the last known state.$/,
    );
    assert.equal(await session.colorOf(4, 4), before);
    assert.equal(await session.page.locator("body.lost").count(), 1);
    assert.match(await session.page.title(), /^⚠ Disconnected · 2 people · /);
    await session.restartServer();
    await session.submit("default", "4,4,0\n5,5,1\n");
    await session.waitForText("#pill", /^Live/);
    await session.waitForColorChange(4, 4, before);
    await session.waitForColorChange(5, 5, BLANK);
    await session.page.locator("#notice").waitFor({ state: "hidden" });
    assert.equal(await session.page.locator("body.lost").count(), 0);
    assert.match(
      await session.page.title(),
      /^1 person · default · occupancy$/,
    );
  },
});

import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { BLANK, Stage } from "./session.ts";

Deno.test({
  name:
    "when the server is lost the last map stays, marked; when it is back the page is live again",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await using stage = await Stage.open({
      server: ["--store", `sqlite:${folder.path}/map.sqlite`],
      readings: { default: "4,4,2\n" },
      address: "#layer=default&at=5,5&scale=40",
    });
    const before = await stage.repainted(4, 4, BLANK);
    await stage.reads("#pill", /^Live/);
    await stage.killServer();
    await stage.reads("#pill", /^Lost · for \d+ s · retrying$/);
    await stage.reads(
      "#notice",
      /^No connection since \d\d:\d\d:\d\d: this is the map as it was then/,
    );
    assert.equal(await stage.colorOf(4, 4), before);
    assert.equal(await stage.page.locator("body.lost").count(), 1);
    await stage.startServer();
    await stage.submit("default", "4,4,0\n5,5,1\n");
    await stage.reads("#pill", /^Live/);
    await stage.repainted(4, 4, before);
    await stage.repainted(5, 5, BLANK);
    await stage.page.locator("#notice").waitFor({ state: "hidden" });
    assert.equal(await stage.page.locator("body.lost").count(), 0);
  },
});

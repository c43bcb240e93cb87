import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BLANK, Stage } from "./session.ts";

Deno.test({
  name: "choosing a layer shows its cells, and none of the last one's",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { a: "0,0,1\n9,9,1\n", b: "0,9,4\n9,0,4\n" },
      address: "#layer=a&at=5,5&scale=40",
    });
    const one = await stage.repainted(0, 0, BLANK);
    assert.equal(await stage.colorOf(0, 9), BLANK);
    await stage.page.locator("#layers button", { hasText: /^b/ }).click();
    const four = await stage.repainted(0, 9, BLANK);
    assert.notEqual(four, one);
    assert.equal(await stage.colorOf(0, 0), BLANK);
    await stage.reads("#cards", /People 8/);
    assert.match(stage.page.url(), /#layer=b&/);
    await stage.page.locator("#layer").selectOption("a");
    await stage.repainted(0, 0, BLANK);
    await stage.reads("#cards", /People 2/);
    // What comes for the layer that was left does not get in.
    await stage.submit("b", "5,5,1\n");
    await stage.submit("a", "1,1,1\n");
    await stage.repainted(1, 1, BLANK);
    assert.equal(await stage.colorOf(5, 5), BLANK);
  },
});

Deno.test({
  name: "a layer that comes later is listed",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({ readings: { a: "0,0,1\n" } });
    await stage.reads("#layers", /^a 1 person$/);
    await stage.submit("b", "0,0,5\n");
    await stage.reads("#layers", /a 1 person b 5 people/);
  },
});

Deno.test({
  name: "markup in names and sources is text, wherever it is shown",
  ...needs("chromium"),
  fn: async () => {
    const evil = "<img src=x onerror=document.title='pwned'><b>bold";
    const layer = `<b>hall & "co"`;
    await using stage = await Stage.open({
      readings: {
        [layer]: JSON.stringify({ source: evil, cells: [[4, 4, 2]] }),
      },
      address: `#layer=${
        encodeURIComponent(layer)
      }&at=5,5&scale=40&box=4,4,5,5`,
    });
    await stage.repainted(4, 4, BLANK);
    await stage.submit(
      layer,
      JSON.stringify({ source: evil, cells: [[4, 5, 2]] }),
    );
    const { left, top } = await stage.place(4, 4);
    await stage.page.mouse.move(left, top);
    const shown = await stage.reads("#tip", /from /);
    assert.ok(shown.includes(evil) && shown.includes(layer), shown);
    const rows = await stage.reads("#latest", /<img/);
    assert.ok(rows.includes(evil), rows);
    assert.ok((await stage.text("#layers")).includes(layer));
    assert.ok((await stage.text("#selection")).includes(layer));
    assert.equal(
      await stage.page.locator("main b b, main img, #tip b").count(),
      0,
    );
    assert.ok((await stage.page.title()).includes(layer));
    assert.deepEqual(stage.complaints, []);
  },
});

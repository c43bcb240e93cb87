import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession } from "./session.ts";

Deno.test({
  name: "selecting a layer shows its cells, and none of the previous layer",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { a: "0,0,1\n9,9,1\n", b: "0,9,4\n9,0,4\n" },
      address: "#layer=a&at=5,5&scale=40",
    });
    const colorOf1 = await session.waitForColorChange(0, 0, BLANK);
    assert.equal(await session.colorOf(0, 9), BLANK);
    await session.page.locator("#layers button", { hasText: /^b/ }).click();
    const colorOf4 = await session.waitForColorChange(0, 9, BLANK);
    assert.notEqual(colorOf4, colorOf1);
    assert.equal(await session.colorOf(0, 0), BLANK);
    await session.waitForText("#cards", /People 8/);
    await until(() => session.page.url().endsWith("#layer=b"), {
      what: () => session.page.url(),
    });
    await session.page.locator("#layer").selectOption("a");
    await session.waitForColorChange(0, 0, BLANK);
    await session.waitForText("#cards", /Cells occupied 2 /);
    // Readings of the previous layer are not shown.
    await session.submit("b", "5,5,1\n");
    await session.submit("a", "1,1,1\n");
    await session.waitForColorChange(1, 1, BLANK);
    assert.equal(await session.colorOf(5, 5), BLANK);
  },
});

Deno.test({
  name: "the list of layers adds a new layer",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { a: "0,0,1\n" },
    });
    await session.waitForText("#layers", /^a 1 occupied$/);
    await session.submit("b", "0,0,5\n");
    await session.waitForText("#layers", /a 1 occupied b 5 people/);
  },
});

Deno.test({
  name: "a deleted layer disappears from the list and the map without a reload",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { a: "0,0,1\n9,9,1\n", b: "0,9,4\n9,0,4\n" },
      address: "#layer=a&at=5,5&scale=40",
    });
    const remove = async (layer: string) => {
      const url = `${session.url}/api/v1/layers/${layer}`;
      const response = await fetch(url, { method: "DELETE" });
      assert.equal(response.status, 200, await response.text());
    };
    const color = await session.waitForColorChange(0, 0, BLANK);
    await session.waitForText("#layers", /^a 2 occupied b 8 people$/);
    await remove("b");
    await session.waitForText("#layers", /^a 2 occupied$/);
    assert.equal(await session.colorOf(0, 0), color);
    await remove("a");
    await session.waitForText("#layers", /^No layers yet$/);
    assert.equal(await session.waitForColorChange(0, 0, color), BLANK);
    await session.waitForText("#latest", /^(?!.*0, ?0)/);
    await session.waitForText("#chart-legend", /^\D*$/);
    const menu = session.page.locator("#layer");
    assert.match(await menu.innerText(), /a \(no data yet\)/);
    await session.submit("a", "9,9,1\n");
    await session.waitForColorChange(9, 9, BLANK);
    assert.equal(await session.colorOf(0, 0), BLANK);
    await session.waitForText("#layers", /^a 1 occupied$/);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "the page shows markup in layer names and sources as text",
  ...needs("chromium"),
  fn: async () => {
    const markup = "<img src=x onerror=document.title='pwned'><b>bold";
    const layer = `<b>hall & "co"`;
    await using session = await PageSession.open({
      readings: {
        [layer]: JSON.stringify({ source: markup, cells: [[4, 4, 2]] }),
      },
      address: `#layer=${
        encodeURIComponent(layer)
      }&at=5,5&scale=40&box=4,4,5,5`,
    });
    await session.waitForColorChange(4, 4, BLANK);
    await session.submit(
      layer,
      JSON.stringify({ source: markup, cells: [[4, 5, 2]] }),
    );
    const { left, top } = await session.positionOf(4, 4);
    await session.page.mouse.move(left, top);
    const shown = await session.waitForText("#tip", /from /);
    assert.ok(shown.includes(markup) && shown.includes(layer), shown);
    const rows = await session.waitForText("#latest", /<img/);
    assert.ok(rows.includes(markup), rows);
    assert.ok((await session.text("#layers")).includes(layer));
    assert.ok((await session.text("#selection")).includes(layer));
    assert.equal(
      await session.page.locator("main b b, main img, #tip b").count(),
      0,
    );
    assert.ok((await session.page.title()).includes(layer));
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "hostile names of layers and sources are shown with escapes",
  ...needs("chromium"),
  fn: async () => {
    const layer = `<b>a</b>\u202eb\u2066c\u200bd\u2028e`;
    const shown = "<b>a</b>\\u{202e}b\\u{2066}c\\u{200b}d\\u{2028}e";
    await using session = await PageSession.open({
      readings: { [layer]: "0,0,3\n" },
    });
    const quoted = shown.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    await session.waitForText("#layers", new RegExp(`^${quoted} 3 people$`));
    assert.ok((await session.page.title()).includes(shown));
    const reading = { x: 1, y: 1, value: 2, source: "s\x1b[2J\u202e<i>" };
    await session.submit(layer, JSON.stringify(reading));
    await session.waitForText("#latest", /s\\x1b\[2J\\u\{202e\}<i>/);
    const unsafe = await session.page.evaluate(() =>
      /[\p{Bidi_Control}\u200b\u2028]/u.test(
        document.body.innerText + document.title,
      )
    );
    assert.equal(unsafe, false);
    assert.deepEqual(session.errors, []);
  },
});

import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession } from "./session.ts";

Deno.test({
  name:
    "the page names the unit of a layer, and only occupied cells where values are 0 and 1",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      server: ["--unit", "car,cars"],
      readings: { lot: "0,0,3\n1,0,0\n", desks: "0,0,1\n1,0,1\n2,0,0\n" },
      address: "#layer=lot&at=1,1&scale=40",
    });
    await session.waitForText("#cards", /^Cars 3 Cells occupied 1 /);
    assert.equal(await session.text("#layers"), "desks 2 occupied lot 3 cars");
    assert.match(await session.text("#legend"), /1 → 10\+ cars/);
    await session.waitForText("#chart-legend", /cars (?:–|3)/);
    assert.equal(await session.page.title(), "3 cars · lot · occupancy");
    await until(async () => await colorsIn(session) > 1, {
      what: "the number of the cell",
    });
    const { left, top } = await session.positionOf(0, 0);
    await session.page.mouse.move(left, top);
    await session.waitForText("#tip", /^Occupied · 3 cars /);
    await session.waitForText("#latest", /Occupied · 3 cars/);

    await session.page.locator("#layer").selectOption("desks");
    await session.waitForText("#cards", /^Cells occupied 2 /);
    assert.match(await session.text("#legend"), /Free Occupied Stale/);
    assert.doesNotMatch(await session.text("#chart-legend"), /cars|people/);
    assert.equal(await session.page.title(), "2 occupied · desks · occupancy");
    await until(async () => await colorsIn(session) === 1, {
      what: "a cell without a number",
    });
    await session.submit("desks", "0,0,2\n");
    await session.waitForText("#cards", /^Cars 3 Cells occupied 2 /);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "the page has the reader's number format, and exact values",
  ...needs("chromium"),
  fn: async () => {
    const many = Array.from({ length: 8 }, (_, x) => `${x},0,2000000001`);
    await using session = await PageSession.open({
      readings: { default: `0,1,99999\n${many.join("\n")}\n` },
      browser: { locale: "de-DE" },
    });
    const exact = "16.000.100.007";
    await session.waitForText("#cards", /^People 16 Mrd\. 16\.000\.100\.007 /);
    assert.ok(
      (await session.page.locator("#layers button").getAttribute("title"))!
        .includes(exact),
    );
    await session.waitForText(
      "#chart-legend",
      /people (?:–|16\.000\.100\.007)/,
    );
    await session.page.locator("#goto-text").fill("0,1");
    await session.page.keyboard.press("Enter");
    await session.waitForText("#tip", /^Occupied · 99\.999 people/);
    assert.match(await session.text("#cards"), /Free 0 0 %/);
  },
});

Deno.test({
  name: "the card of changes counts the layer, and not the whole server",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { calm: "0,0,1\n", busy: "0,0,1\n" },
      address: "#layer=calm",
    });
    let value = 0;
    const busy = () => session.submit("busy", `0,0,${++value}\n`);
    await until(async () => {
      await busy();
      const title = await session.page.locator(".card").last().getAttribute(
        "title",
      );
      return /^All layers: (?!0 )/.test(title ?? "");
    });
    await session.waitForText("#cards", /Changes 0 per s$/);
    await session.page.locator("#layer").selectOption("busy");
    await busy();
    await session.waitForText("#cards", /Changes (?!0 )\S+ per s$/);
  },
});

Deno.test({
  name:
    "'No broker' has the time of the server, and the page knows that HTTP readings arrive",
  ...needs("chromium", "mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using session = await PageSession.open({
      server: ["--broker", broker.url],
      readings: { default: "5,5,1\n" },
      address: "#layer=default&at=5,5&scale=40",
    });
    await session.waitForColorChange(5, 5, BLANK);
    await broker.kill();
    await session.waitForText("#pill", /^No broker · since /);
    const since = await session.text("#pill");
    const { broker: { since: at } } =
      await (await fetch(`${session.url}/api/v1/summary`)).json();
    const expected = await session.page.evaluate(
      (at) =>
        new Date(at).toLocaleTimeString(undefined, { timeStyle: "medium" }),
      at,
    );
    assert.equal(since, `No broker · since ${expected.replace(/\s/g, " ")}`);
    assert.match(await session.page.title(), /^⚠ No broker · /);
    const notice = await session.text("#notice");
    assert.match(notice, /over MQTT do not arrive; readings over HTTP do/);
    // A page that is opened later shows the same time.
    await session.page.clock.install({ time: Date.now() + 3 * 60_000 });
    await session.page.reload();
    await session.waitForText("#pill", /^No broker/);
    assert.equal(await session.text("#pill"), since);
    await session.submit("default", "6,6,1\n");
    await session.waitForText("#cards", /Cells occupied 2 /);
  },
});

/** Returns how many colours the middle of the cell 0,0 has. */
async function colorsIn(session: PageSession): Promise<number> {
  const at = await session.positionOf(0, 0);
  return await session.page.evaluate(({ left, top }) => {
    const canvas = document.querySelector<HTMLCanvasElement>("canvas.cells")!;
    const box = canvas.getBoundingClientRect();
    const { data } = canvas.getContext("2d")!.getImageData(
      left - box.left - 8,
      top - box.top - 8,
      16,
      16,
    );
    return new Set(new Uint32Array(data.buffer)).size;
  }, at);
}

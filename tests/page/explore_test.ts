import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { runOccupancy } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession } from "./session.ts";

const VIEW = "#layer=default&at=5,5&scale=40";

Deno.test({
  name: "the tooltip shows the value, the age and the source of a cell",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: {
        default: '{"source":"cam-17","cells":[[4,4,3]]}',
      },
      address: VIEW,
    });
    await session.waitForColorChange(4, 4, BLANK);
    const pointAt = async (x: number, y: number) => {
      const { left, top } = await session.positionOf(x, y);
      await session.page.mouse.move(left, top);
    };
    await pointAt(4, 4);
    await session.waitForText(
      "#tip",
      /^Occupied · 3 people x 4, y 4 · default observed .* from cam-17$/,
    );
    await pointAt(5, 5);
    await session.waitForText(
      "#tip",
      /^No data x 5, y 5 · default never reported$/,
    );
    await session.page.mouse.move(5, 5);
    await session.page.locator("#tip").waitFor({ state: "hidden" });
    // After a click it stays when the pointer leaves, and shows changes.
    const { left, top } = await session.positionOf(4, 4);
    await session.page.mouse.click(left, top);
    await session.page.mouse.move(5, 5);
    await session.submit("default", "4,4,0\n");
    await session.waitForText("#tip", /^Free x 4, y 4/);
  },
});

Deno.test({
  name:
    "the tooltip shows the age of the last reading, even if it repeats the value",
  ...needs("chromium"),
  fn: async () => {
    const now = Date.now();
    const reading = (minutes: number, source: string) =>
      JSON.stringify({
        source,
        cells: [[4, 4, 3, now - minutes * 60_000]],
      });
    await using session = await PageSession.open({
      readings: { default: reading(50, "cam-1") },
      address: VIEW,
    });
    await session.waitForColorChange(4, 4, BLANK);
    const revision = async () => {
      const response = await fetch(`${session.url}/api/v1/layers`);
      return (await response.json()).revision;
    };
    const before = await revision();
    const { left, top } = await session.positionOf(4, 4);
    await session.page.mouse.click(left, top);
    await session.waitForText("#tip", /observed 50 min\. ago from cam-1$/);
    // The feed has no message for these readings.
    await session.submit("default", reading(20, "cam-2"));
    await session.waitForText(
      "#tip",
      /3 people .* observed 20 min\. ago from cam-2$/,
    );
    await session.submit("default", reading(10, "cam-3"));
    await session.waitForText(
      "#tip",
      /3 people .* observed 10 min\. ago from cam-3$/,
    );
    assert.equal(await revision(), before);
  },
});

Deno.test({
  name:
    "dragging a box selects cells, shows their counts and the command that prints them",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "4,4,2\n5,4,0\n6,6,-1\n9,9,5\n" },
      address: VIEW,
      server: ["--prefix", "floors"],
      browser: { permissions: ["clipboard-read", "clipboard-write"] },
    });
    await session.waitForColorChange(4, 4, BLANK);
    const from = await session.positionOf(4, 4);
    const to = await session.positionOf(6, 6);
    const { mouse } = session.page;
    await session.page.getByRole("button", { name: "Select cells" }).click();
    await mouse.move(from.left, from.top);
    await mouse.down();
    await mouse.move(to.left - 20, to.top - 20);
    await mouse.move(to.left, to.top);
    await mouse.up();
    await session.waitForText(
      "#selection",
      /x 4–6, y 4–6 · 3 cells People 2 Occupied 1 Free 1 Stale 0 Unknown 1 occupancy request --layer default --region=4,4,6,6 --broker mqtt:\/\/127\.0\.0\.1:\d+ --prefix floors$/,
    );
    await session.page.getByRole("button", { name: "Copy the command" }).first()
      .click();
    const copied = await until(() =>
      session.page.evaluate("navigator.clipboard.readText()")
    );
    // It runs as copied.
    const [program, ...args] = String(copied).split(" ");
    assert.equal(program, "occupancy");
    const { code, stdout } = await runOccupancy(args);
    assert.equal(code, 0);
    assert.equal(
      stdout.replaceAll(/\t[^\t\n]*$/gm, ""),
      "4\t4\t2\toccupied\n5\t4\t0\tfree\n6\t6\t-1\tunknown\n",
    );
    // The counts are live, and the address has the selection.
    await session.submit("default", "6,6,7\n");
    await session.waitForText("#selection", /People 9 Occupied 2/);
    await until(() => session.page.url().includes("box=4,4,6,6"));
    await session.page.keyboard.press("Escape");
    await session.page.keyboard.press("Escape");
    await session.page.locator("#selection").waitFor({ state: "hidden" });
  },
});

Deno.test({
  name: "the coordinate field goes to a cell and rejects invalid text",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "4,4,1\n-120,300,6\n" },
    });
    await session.waitForColorChange(4, 4, BLANK);
    const field = session.page.getByLabel("Go to x,y");
    await field.fill("somewhere");
    await field.press("Enter");
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await field.press("Escape");
    assert.equal(await field.getAttribute("aria-invalid"), "false");
    await field.fill("-120, 300");
    await field.press("Enter");
    await session.waitForText("#tip", /^Occupied · 6 people x -120, y 300/);
    await until(() => /at=-119\.5,300\.5/.test(session.page.url()), {
      what: () => session.page.url(),
    });
  },
});

Deno.test({
  name: "the address has the view, and a reload restores it",
  ...needs("chromium"),
  fn: async () => {
    const view =
      "#layer=hall&at=20,-8.5&scale=12.5&palette=traffic&theme=dark&box=-3,-4,5,6";
    await using session = await PageSession.open({
      readings: { default: "0,0,1\n", hall: "20,-9,1\n" },
      address: view,
    });
    await session.waitForColorChange(20, -9, BLANK);
    await session.waitForText("#selection", /x -3 to 5, y -4 to 6/);
    assert.equal(
      await session.page.locator("#palette").inputValue(),
      "traffic",
    );
    assert.equal(await session.page.locator("#layer").inputValue(), "hall");
    await session.page.getByRole("button", { name: "Zoom in" }).click();
    await until(() => /scale=20&/.test(session.page.url()), {
      what: () => session.page.url(),
    });
    const { hash } = new URL(session.page.url());
    assert.equal(hash, view.replace("12.5", "20"));
    await session.page.reload();
    await session.waitForColorChange(20, -9, BLANK);
    await session.waitForText("#selection", /x -3 to 5/);
    assert.equal(new URL(session.page.url()).hash, hash);
  },
});

Deno.test({
  name: "a drag moves the map, the wheel zooms",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "5,5,1\n" },
      address: VIEW,
    });
    await session.waitForColorChange(5, 5, BLANK);
    const { mouse } = session.page;
    const { left, top } = await session.positionOf(5, 5);
    await mouse.move(left, top);
    await mouse.down();
    await mouse.move(left + 60, top + 40, { steps: 4 });
    await mouse.move(left + 120, top + 80, { steps: 4 });
    await mouse.up();
    // A drag begins after a few pixels, so the end is not exact.
    await until(() => /at=2\.?\d?,3\.?\d?&/.test(session.page.url()), {
      what: () => session.page.url(),
    });
    await mouse.wheel(0, 400);
    await until(() =>
      Number(/scale=([\d.]+)/.exec(session.page.url())![1]) < 40
    );
  },
});

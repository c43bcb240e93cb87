import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { BLANK, Stage } from "./session.ts";

const NEAR = "#layer=default&at=5,5&scale=40";

Deno.test({
  name: "pointing at a cell tells its value, its age and who reported it",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: {
        default: '{"source":"cam-17","cells":[[4,4,3]]}',
      },
      address: NEAR,
    });
    await stage.repainted(4, 4, BLANK);
    const at = async (x: number, y: number) => {
      const { left, top } = await stage.place(x, y);
      await stage.page.mouse.move(left, top);
    };
    await at(4, 4);
    await stage.reads(
      "#tip",
      /^Occupied · 3 people x 4, y 4 · default observed .* from cam-17$/,
    );
    await at(5, 5);
    await stage.reads("#tip", /^No data x 5, y 5 · default never reported$/);
    await stage.page.mouse.move(5, 5);
    await stage.page.locator("#tip").waitFor({ state: "hidden" });
    // A click holds it, also when the pointer leaves; a change shows at once.
    const { left, top } = await stage.place(4, 4);
    await stage.page.mouse.click(left, top);
    await stage.page.mouse.move(5, 5);
    await stage.submit("default", "4,4,0\n");
    await stage.reads("#tip", /^Free x 4, y 4/);
  },
});

Deno.test({
  name: "the age of a cell is that of its last report, also if that repeats it",
  ...needs("chromium"),
  fn: async () => {
    const now = Date.now();
    const report = (minutes: number, source: string) =>
      JSON.stringify({
        source,
        cells: [[4, 4, 3, now - minutes * 60_000]],
      });
    await using stage = await Stage.open({
      readings: { default: report(50, "cam-1") },
      address: NEAR,
    });
    await stage.repainted(4, 4, BLANK);
    const revision = async () => {
      const response = await fetch(`${stage.url}/api/v1/layers`);
      return (await response.json()).revision;
    };
    const before = await revision();
    const { left, top } = await stage.place(4, 4);
    await stage.page.mouse.click(left, top);
    await stage.reads("#tip", /observed 50 min ago from cam-1$/);
    // Nobody is told of these, and the tooltip stays where it is.
    await stage.submit("default", report(20, "cam-2"));
    await stage.reads("#tip", /3 people .* observed 20 min ago from cam-2$/);
    await stage.submit("default", report(10, "cam-3"));
    await stage.reads("#tip", /3 people .* observed 10 min ago from cam-3$/);
    assert.equal(await revision(), before);
  },
});

Deno.test({
  name: "dragging a box selects: totals, and the command that prints the same",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { default: "4,4,2\n5,4,0\n6,6,-1\n9,9,5\n" },
      address: NEAR,
      browser: { permissions: ["clipboard-read", "clipboard-write"] },
    });
    await stage.repainted(4, 4, BLANK);
    const from = await stage.place(4, 4);
    const to = await stage.place(6, 6);
    const { mouse } = stage.page;
    await stage.page.getByRole("button", { name: "Select cells" }).click();
    await mouse.move(from.left, from.top);
    await mouse.down();
    await mouse.move(to.left - 20, to.top - 20);
    await mouse.move(to.left, to.top);
    await mouse.up();
    await stage.reads(
      "#selection",
      /x 4–6, y 4–6 · 3 cells People 2 Occupied 1 Free 1 Stale 0 Unknown 1 occupancy request --layer default --region=4,4,6,6$/,
    );
    await stage.page.getByRole("button", { name: "Copy the command" }).first()
      .click();
    const copied = await until(() =>
      stage.page.evaluate("navigator.clipboard.readText()")
    );
    assert.equal(
      copied,
      "occupancy request --layer default --region=4,4,6,6",
    );
    // The totals are live, and the address has the selection.
    await stage.submit("default", "6,6,7\n");
    await stage.reads("#selection", /People 9 Occupied 2/);
    await until(() => stage.page.url().includes("box=4,4,6,6"));
    await stage.page.keyboard.press("Escape");
    await stage.page.keyboard.press("Escape");
    await stage.page.locator("#selection").waitFor({ state: "hidden" });
  },
});

Deno.test({
  name:
    "go to x,y moves there and tells the cell; nonsense is told, not obeyed",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { default: "4,4,1\n-120,300,6\n" },
    });
    await stage.repainted(4, 4, BLANK);
    const field = stage.page.getByLabel("Go to x,y");
    await field.fill("somewhere");
    await field.press("Enter");
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await field.press("Escape");
    assert.equal(await field.getAttribute("aria-invalid"), "false");
    await field.fill("-120, 300");
    await field.press("Enter");
    await stage.reads("#tip", /^Occupied · 6 people x -120, y 300/);
    await until(() => /at=-119\.5,300\.5/.test(stage.page.url()), {
      what: () => stage.page.url(),
    });
  },
});

Deno.test({
  name: "the address has the view, and brings it back",
  ...needs("chromium"),
  fn: async () => {
    const view =
      "#layer=hall&at=20,-8.5&scale=12.5&palette=traffic&theme=dark&box=-3,-4,5,6";
    await using stage = await Stage.open({
      readings: { default: "0,0,1\n", hall: "20,-9,1\n" },
      address: view,
    });
    await stage.repainted(20, -9, BLANK);
    await stage.reads("#selection", /x -3 to 5, y -4 to 6/);
    assert.equal(await stage.page.locator("#palette").inputValue(), "traffic");
    assert.equal(await stage.page.locator("#layer").inputValue(), "hall");
    await stage.page.getByRole("button", { name: "Zoom in" }).click();
    await until(() => /scale=20&/.test(stage.page.url()), {
      what: () => stage.page.url(),
    });
    const { hash } = new URL(stage.page.url());
    assert.equal(hash, view.replace("12.5", "20"));
    await stage.page.reload();
    await stage.repainted(20, -9, BLANK);
    await stage.reads("#selection", /x -3 to 5/);
    assert.equal(new URL(stage.page.url()).hash, hash);
  },
});

Deno.test({
  name: "dragging moves the map, the wheel zooms it",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { default: "5,5,1\n" },
      address: NEAR,
    });
    await stage.repainted(5, 5, BLANK);
    const { mouse } = stage.page;
    const { left, top } = await stage.place(5, 5);
    await mouse.move(left, top);
    await mouse.down();
    await mouse.move(left + 60, top + 40, { steps: 4 });
    await mouse.move(left + 120, top + 80, { steps: 4 });
    await mouse.up();
    // A drag begins once the pointer has moved far enough not to be a click.
    await until(() => /at=2\.?\d?,3\.?\d?&/.test(stage.page.url()), {
      what: () => stage.page.url(),
    });
    await mouse.wheel(0, 400);
    await until(() => Number(/scale=([\d.]+)/.exec(stage.page.url())![1]) < 40);
  },
});

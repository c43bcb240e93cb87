/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession } from "./session.ts";

const VIEW = "#layer=default&at=5,5&scale=40";

Deno.test({
  name: "free, occupied, unknown and unreported cells have different colours",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "3,3,0\n4,3,2\n5,3,-1\n" },
      address: VIEW,
    });
    const free = await session.waitForColorChange(3, 3, BLANK);
    const occupied = await session.colorOf(4, 3);
    const unknown = await session.colorOf(5, 3);
    assert.equal(await session.colorOf(6, 3), BLANK);
    assert.equal(new Set([free, occupied, unknown, BLANK]).size, 4);
    await session.waitForText(
      "#cards",
      /People 2 .*Cells occupied 1 .*Free 1 .*Unknown 1/,
    );
    await session.waitForText("#pill", /^Live/);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "the page shows the whole layer if the address has no coordinate",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { "hall/l2": "-40,-30,1\n59,29,1\n" },
    });
    // The only layer, with both corners.
    const color = await session.waitForColorChange(-40, -30, BLANK);
    assert.equal(await session.colorOf(59, 29), color);
    assert.equal(await session.colorOf(0, 0), BLANK);
    await until(() => session.page.url().endsWith("#layer=hall/l2"), {
      what: () => session.page.url(),
    });
  },
});

Deno.test({
  name: "a change is drawn within 250 ms after the acknowledgement",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "5,5,0\n" },
      address: VIEW,
    });
    await session.waitForColorChange(5, 5, BLANK);
    const { left, top } = await session.positionOf(5, 5);
    // The page records when the pixel changes: polling would add a delay.
    await session.page.evaluate(([left, top]) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas.cells")!;
      const box = canvas.getBoundingClientRect();
      const context = canvas.getContext("2d")!;
      const changes: number[] = [];
      Object.assign(globalThis, { changes });
      let last = "";
      const check = () => {
        const color = context.getImageData(left - box.left, top - box.top, 1, 1)
          .data.join();
        if (last !== "" && color !== last) changes.push(Date.now());
        last = color;
        requestAnimationFrame(check);
      };
      check();
    }, [left, top] as const);
    const changeTimes = () =>
      session.page.evaluate(() =>
        (globalThis as unknown as { changes: number[] }).changes
      );
    const delays: number[] = [];
    for (let turn = 1; turn <= 9; turn++) {
      await session.submit("default", `5,5,${turn % 2}\n`);
      const acknowledged = Date.now();
      const times = await until(async () => {
        const times = await changeTimes();
        return times.length === turn && times;
      }, { what: `change ${turn}` });
      delays.push(times.at(-1)! - acknowledged);
    }
    delays.sort((one, other) => one - other);
    const median = delays[4]!;
    assert.ok(median <= 250, `median ${median} ms of ${delays}`);
  },
});

Deno.test({
  name: "an empty map shows how to send readings, until some arrive",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open();
    await session.waitForText(
      "#empty",
      /No readings yet .*occupancy client --file/,
    );
    await session.submit("default", "1,2,1\n");
    await session.page.locator("#empty").waitFor({ state: "hidden" });
    await session.waitForColorChange(1, 2, BLANK);
  },
});

Deno.test({
  name: "a stale cell has another colour and a tooltip that says so",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      server: ["--stale-after", "1s"],
      readings: { default: "4,5,1\n" },
      address: VIEW,
    });
    await session.waitForText("#cards", /Stale 1 older than 1 s/);
    const stale = await session.waitForColorChange(4, 5, BLANK);
    await session.submit("default", "4,5,1\n");
    const fresh = await session.waitForColorChange(4, 5, stale);
    await session.waitForColorChange(4, 5, fresh);
    const { left, top } = await session.positionOf(4, 5);
    await session.page.mouse.move(left, top);
    await session.waitForText("#tip", /^Stale · was occupied/);
  },
});

Deno.test({
  name:
    "far out, 3% occupied cells look like few, and a single one is still visible",
  ...needs("chromium"),
  fn: async () => {
    const side = 480;
    const lines: string[] = [];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        // A third of the cells is dense, a third sparse, a third has one only.
        const third = Math.floor(3 * x / side);
        const occupied = third === 0
          ? true
          : third === 1
          ? (x * 7 + y * 13) % 33 === 0
          : x === 400 && y === 200;
        lines.push(`${x},${y},${occupied ? 1 : 0}`);
      }
    }
    await using session = await PageSession.open({
      readings: { default: lines.join("\n") },
      address: "#layer=default&at=240,240&scale=0.4",
    });
    await session.waitForColorChange(80, 240, BLANK);
    const [free, full] = [
      await session.colorOf(470, 470),
      await session.colorOf(80, 240),
    ].map((color) => color.split(",").map(Number));
    /** How far the mean colour of a strip is from free to occupied, 0 to 1. */
    const tint = async (x0: number, x1: number) => {
      let sum = 0, count = 0;
      for (let x = x0; x < x1; x += 12) {
        for (let y = 40; y < 440; y += 52) {
          const color = (await session.colorOf(x, y)).split(",").map(Number);
          sum += (color[2]! - free![2]!) / (full![2]! - free![2]!);
          count++;
        }
      }
      return sum / count;
    };
    const sparse = await tint(180, 300);
    assert.ok(sparse > 0.02 && sparse < 0.25, `3% look like ${sparse}`);
    assert.ok(await tint(20, 140) > 0.99);
    // Its pixel is anywhere in the block of cells.
    const around = new Set<string>();
    for (const dx of [-4, -2, 0, 2, 4]) {
      for (const dy of [-4, -2, 0, 2, 4]) {
        around.add(await session.colorOf(400 + dx, 200 + dy));
      }
    }
    assert.ok(around.size > 1, "the single cell is visible");
  },
});

/// <reference lib="dom" />
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { BLANK, Stage } from "./session.ts";

const NEAR = "#layer=default&at=5,5&scale=40";

Deno.test({
  name:
    "the page shows the map: free, occupied, unknown and no data, each its own way",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { default: "3,3,0\n4,3,2\n5,3,-1\n" },
      address: NEAR,
    });
    const free = await stage.repainted(3, 3, BLANK);
    const occupied = await stage.colorOf(4, 3);
    const unknown = await stage.colorOf(5, 3);
    assert.equal(await stage.colorOf(6, 3), BLANK);
    assert.equal(new Set([free, occupied, unknown, BLANK]).size, 4);
    await stage.reads(
      "#cards",
      /People 2 .*Cells occupied 1 .*Free 1 .*Unknown 1/,
    );
    await stage.reads("#pill", /^Live/);
    assert.deepEqual(stage.complaints, []);
  },
});

Deno.test({
  name:
    "the page shows all of a layer when the address does not say where to look",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { "hall/l2": "-40,-30,1\n59,29,1\n" },
    });
    // The only layer there is, and both of its far corners.
    const color = await stage.repainted(-40, -30, BLANK);
    assert.equal(await stage.colorOf(59, 29), color);
    assert.equal(await stage.colorOf(0, 0), BLANK);
    assert.match(stage.page.url(), /#layer=hall\/l2&at=/);
  },
});

Deno.test({
  name: "a live change is drawn within 250 ms of the reading's acknowledgement",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      readings: { default: "5,5,0\n" },
      address: NEAR,
    });
    await stage.repainted(5, 5, BLANK);
    const { left, top } = await stage.place(5, 5);
    // The page notes when the pixel was first another: asking from outside would add to it.
    await stage.page.evaluate(([left, top]) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas.cells")!;
      const box = canvas.getBoundingClientRect();
      const context = canvas.getContext("2d")!;
      const seen: number[] = [];
      Object.assign(globalThis, { seen });
      let last = "";
      const look = () => {
        const color = context.getImageData(left - box.left, top - box.top, 1, 1)
          .data.join();
        if (last !== "" && color !== last) seen.push(Date.now());
        last = color;
        requestAnimationFrame(look);
      };
      look();
    }, [left, top] as const);
    const seen = () =>
      stage.page.evaluate(() =>
        (globalThis as unknown as { seen: number[] }).seen
      );
    const delays: number[] = [];
    for (let turn = 1; turn <= 9; turn++) {
      await stage.submit("default", `5,5,${turn % 2}\n`);
      const acknowledged = Date.now();
      const times = await until(async () => {
        const times = await seen();
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
  name: "a layer without readings says how to send some, until some come",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open();
    await stage.reads("#empty", /No readings yet .*occupancy client --file/);
    await stage.submit("default", "1,2,1\n");
    await stage.page.locator("#empty").waitFor({ state: "hidden" });
    await stage.repainted(1, 2, BLANK);
  },
});

Deno.test({
  name: "a stale cell is hollow, and is said to be stale",
  ...needs("chromium"),
  fn: async () => {
    await using stage = await Stage.open({
      server: ["--stale-after", "1s"],
      readings: { default: "4,5,1\n" },
      address: NEAR,
    });
    await stage.reads("#cards", /Stale 1 older than 1 s/);
    const stale = await stage.repainted(4, 5, BLANK);
    await stage.submit("default", "4,5,1\n");
    const fresh = await stage.repainted(4, 5, stale);
    await stage.repainted(4, 5, fresh);
    const { left, top } = await stage.place(4, 5);
    await stage.page.mouse.move(left, top);
    await stage.reads("#tip", /^Stale · was occupied/);
  },
});

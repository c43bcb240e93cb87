/// <reference lib="dom" />
/** The chart of the last 30 minutes, on screens of any resolution. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { PageSession } from "./session.ts";

Deno.test({
  name: "the labels of the chart have the same size at device scale 1, 2 and 3",
  ...needs("chromium"),
  fn: async () => {
    for (const deviceScaleFactor of [1, 2, 3]) {
      await using session = await PageSession.open({
        readings: { default: "1,1,1\n2,1,0\n" },
        browser: { deviceScaleFactor },
      });
      // A zero at the foot of the axis, of 12 px: about 9 px high.
      let height = 0;
      await until(async () => {
        height = await heightOfZero(session) / deviceScaleFactor;
        return height > 7 && height < 11;
      }, {
        what: () => `digits of ${height} px at scale ${deviceScaleFactor}`,
      });
    }
  },
});

Deno.test({
  name: "the chart shows both lines where people and occupied cells are equal",
  ...needs("chromium"),
  fn: async () => {
    await using session = await PageSession.open({
      readings: { default: "1,1,2\n2,1,0\n" },
    });
    await session.waitForText("#cards", /People 2 /);
    await session.submit("default", "1,1,1\n");
    await session.waitForText("#cards", /^Person 1 /);
    let seen: string[] = [];
    await until(async () => {
      seen = await lineColors(session);
      return seen.includes("people") && seen.includes("occupied");
    }, { what: () => `both lines: ${seen}` });
    assert.deepEqual(session.errors, []);
  },
});

/** Returns the height of the lowest label of the counts, in canvas pixels. */
function heightOfZero(session: PageSession): Promise<number> {
  return session.page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#chart canvas");
    if (!canvas) return 0;
    const axisPx = 46 * devicePixelRatio;
    const { data, width, height } = canvas.getContext("2d")!
      .getImageData(0, 0, axisPx, canvas.height);
    const hasInk = (y: number) => {
      for (let x = 0; x < width; x++) {
        if (data[4 * (y * width + x) + 3]! > 100) return true;
      }
      return false;
    };
    let bottom = height - 1;
    while (bottom > 0 && !hasInk(bottom)) bottom--;
    let top = bottom;
    while (top > 0 && hasInk(top)) top--;
    return bottom - top;
  });
}

/** Returns which lines have a pixel in the last columns of the chart. */
function lineColors(session: PageSession): Promise<string[]> {
  return session.page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#chart canvas");
    if (!canvas) return [];
    const { data } = canvas.getContext("2d")!
      .getImageData(canvas.width / 2, 0, canvas.width / 2, canvas.height);
    const names = new Set<string>();
    for (let at = 0; at < data.length; at += 4) {
      const [red, , blue, alpha] = data.slice(at, at + 4);
      if (alpha! < 200 || Math.abs(red! - blue!) < 100) continue;
      names.add(red! > blue! ? "occupied" : "people");
    }
    return [...names];
  });
}

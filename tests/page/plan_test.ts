/// <reference lib="dom" />
/** Floor plans of a server that was started with `--map-file`, under the cells. */
import assert from "node:assert/strict";
import { encodePng } from "../../src/http/plans/grey_image.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { BLANK, Stage } from "./session.ts";

/** What no turning or mirroring leaves as it is: `#` black, `.` white. */
const DRAWING = ["##..", "#...", "...."];
const SCALE = 40;
const PIXELS_PER_CELL = 5;

Deno.test({
  name: "an image of maps.json lies under its cells, upright",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("hall.png", drawn());
    const maps = {
      layers: {
        "hall/l2": {
          title: "Hall",
          image: "hall.png",
          origin: [-3, 2],
          pixelsPerCell: PIXELS_PER_CELL,
        },
      },
    };
    const file = await folder.file("maps.json", JSON.stringify(maps));
    // A cell on black, one on white, one just beside the plan.
    await using stage = await Stage.open({
      server: ["--map-file", file],
      readings: { "hall/l2": "-3,2,1\n0,4,1\n1,4,1\n" },
      address: `#layer=hall/l2&at=0,4&scale=${SCALE}`,
    });
    await stage.repainted(1, 4, BLANK);
    await shows(stage, [-3, 2], ["@#..", "#...", "...@"]);
    // The same without it, and with it again.
    const button = stage.page.getByRole("button", { name: "Floor plan" });
    await button.click();
    await shows(stage, [-3, 2], ["@...", "....", "...@"]);
    await button.click();
    await shows(stage, [-3, 2], ["@#..", "#...", "...@"]);
    assert.deepEqual(stage.complaints, []);
  },
});

Deno.test({
  name:
    "a ROS map lies under its cells where its origin says, its last row first",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file(
      "map.pgm",
      `P2 4 3 255\n${
        DRAWING.map((row) => [...row].map(shade).join(" ")).join("\n")
      }\n`,
    );
    const file = await folder.file(
      "map.yaml",
      "image: map.pgm\nresolution: 0.5\norigin: [-1.5, 1.0, 0.0]\nnegate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n",
    );
    await using stage = await Stage.open({
      server: ["--map-file", file],
      // The drawing's upper left: x = -1.5 m, y = 1 m + 2 rows of 0.5 m.
      readings: { default: "-3,4,1\n" },
      address: `#layer=default&at=0,4&scale=${SCALE}`,
    });
    await stage.repainted(-3, 4, BLANK);
    await shows(stage, [-3, 2], ["....", "#...", "@#.."]);
    assert.deepEqual(stage.complaints, []);
  },
});

/** The drawing as PNG. */
function drawn(): Uint8Array<ArrayBuffer> {
  const width = DRAWING[0]!.length * PIXELS_PER_CELL;
  const height = DRAWING.length * PIXELS_PER_CELL;
  const pixels = Uint8Array.from({ length: width * height }, (_, at) => {
    const x = Math.floor(at % width / PIXELS_PER_CELL);
    const y = Math.floor(at / width / PIXELS_PER_CELL);
    return shade(DRAWING[y]![x]!);
  });
  return encodePng({ width, height, pixels });
}

function shade(mark: string): number {
  return mark === "#" ? 0 : 254;
}

/**
 * Waits until a person sees that where the drawing should be: `#` dark, `.`
 * light, `@` coloured, as an occupied cell is.
 */
async function shows(
  stage: Stage,
  [x0, y0]: readonly [number, number],
  rows: readonly string[],
): Promise<void> {
  const expected = rows.join("\n");
  let last = "";
  await until(async () => {
    last = await look(stage, x0, y0);
    return last === expected;
  }, { what: () => `the picture\n${expected}\nin place of\n${last}` });
}

async function look(stage: Stage, x0: number, y0: number): Promise<string> {
  const picture = await stage.page.screenshot();
  const places: { left: number; top: number }[] = [];
  for (const [row, marks] of DRAWING.entries()) {
    for (let column = 0; column < marks.length; column++) {
      const { left, top } = await stage.place(x0 + column, y0 + row);
      // Beside the middle, where the value of an occupied cell is written.
      places.push({ left: left - SCALE / 4, top: top - SCALE / 4 });
    }
  }
  // Another page, since the policy of ours lets it read no image of a test.
  const reader = await stage.page.context().newPage();
  const colors = await reader.evaluate(async ({ bytes, places }) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d")!;
    context.drawImage(image, 0, 0);
    return places.map(({ left, top }) => [
      ...context.getImageData(Math.round(left), Math.round(top), 1, 1).data,
    ]);
  }, { bytes: [...picture], places });
  await reader.close();
  const marks = colors.map((color) => {
    const [red = 0, green = 0, blue = 0] = color;
    const range = Math.max(red, green, blue) - Math.min(red, green, blue);
    return range > 60 ? "@" : green < 128 ? "#" : ".";
  }).join("");
  const width = DRAWING[0]!.length;
  return DRAWING.map((_, row) => marks.slice(row * width, (row + 1) * width))
    .join("\n");
}

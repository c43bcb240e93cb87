/// <reference lib="dom" />
/** Floor plans under the cells, from `--map-file`. */
import assert from "node:assert/strict";
import { encodePng } from "../../src/http/plans/grey_image.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { BLANK, PageSession } from "./session.ts";

/** A drawing without any symmetry: `#` black, `.` white. */
const DRAWING = ["##..", "#...", "...."];
const DRAWING_PGM = `P2 4 3 255\n${
  DRAWING.map((row) => [...row].map(shade).join(" ")).join("\n")
}\n`;
const DRAWING_YAML =
  "image: map.pgm\nresolution: 0.5\norigin: [-1.5, 1.0, 0.0]\nnegate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n";
const SCALE = 40;
const PIXELS_PER_CELL = 5;

Deno.test({
  name: "an image of maps.json is upright under its cells",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("hall.png", drawingPng());
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
    await using session = await PageSession.open({
      server: ["--map-file", file],
      readings: { "hall/l2": "-3,2,1\n0,4,1\n1,4,1\n" },
      address: `#layer=hall/l2&at=0,4&scale=${SCALE}`,
    });
    await session.waitForColorChange(1, 4, BLANK);
    await waitForPicture(session, [-3, 2], ["@#..", "#...", "...@"]);
    // Turned off, and on again.
    const button = session.page.getByRole("button", { name: "Floor plan" });
    await button.click();
    await waitForPicture(session, [-3, 2], ["@...", "....", "...@"]);
    await button.click();
    await waitForPicture(session, [-3, 2], ["@#..", "#...", "...@"]);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a ROS map is under its cells at its origin, with y upwards as in RViz",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("map.pgm", DRAWING_PGM);
    const file = await folder.file("map.yaml", DRAWING_YAML);
    await using session = await PageSession.open({
      server: ["--map-file", file],
      // The upper left of the drawing: x = -1.5 m, y = 1 m + 2 rows of 0.5 m.
      readings: { default: "-3,4,1\n" },
      address: `#layer=default&at=0,4&scale=${SCALE}`,
    });
    await session.waitForColorChange(-3, 4, BLANK);
    await waitForPicture(session, [-3, 2], ["@#..", "#...", "...."]);
    // The arrow keys move the cursor as the map is seen.
    await session.page.locator("#map").focus();
    await session.page.keyboard.press("Enter");
    const [, x, y] = (await session.waitForText("#tip", /x \S+, y \S+/))
      .match(/x (-?\d+), y (-?\d+)/)!;
    await session.page.keyboard.press("ArrowUp");
    await session.waitForText(
      "#tip",
      new RegExp(`x ${x}, y ${Number(y) + 1} `),
    );
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "yUp turns the layer of an image, and yUp: false a ROS map",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("hall.png", drawingPng());
    await folder.file("map.pgm", DRAWING_PGM);
    await folder.file("map.yaml", DRAWING_YAML);
    const image = { image: "hall.png", pixelsPerCell: PIXELS_PER_CELL };
    const maps = {
      layers: {
        up: { ...image, origin: [-3, 2], yUp: true },
        ros: { ros: "map.yaml", yUp: false },
      },
    };
    const file = await folder.file("maps.json", JSON.stringify(maps));
    await using session = await PageSession.open({
      server: ["--map-file", file],
      readings: { up: "-3,4,1\n", ros: "-3,4,1\n" },
      address: `#layer=up&at=0,4&scale=${SCALE}`,
    });
    await waitForPicture(session, [-3, 2], ["@#..", "#...", "...."]);
    await session.page.goto(
      `${session.url}/#layer=ros&at=0,4&scale=${SCALE}`,
    );
    await waitForPicture(session, [-3, 2], ["....", "#...", "@#.."]);
    assert.deepEqual(session.errors, []);
  },
});

Deno.test({
  name: "a floor plan that the server no longer has disappears",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("hall.png", drawingPng());
    const file = await folder.file(
      "maps.json",
      JSON.stringify({ layers: { default: { image: "hall.png" } } }),
    );
    await using session = await PageSession.open({
      server: ["--map-file", file],
    });
    const button = session.page.getByRole("button", { name: "Floor plan" });
    await button.waitFor();
    await folder.file("maps.json", JSON.stringify({ layers: {} }));
    await session.killServer();
    await session.restartServer();
    await button.waitFor({ state: "hidden" });
  },
});

/** The drawing as PNG. */
function drawingPng(): Uint8Array<ArrayBuffer> {
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
 * Waits until a screenshot has a picture: `#` dark, `.` light, `@` the colour of
 * an occupied cell. Its smallest coordinate is given.
 */
async function waitForPicture(
  session: PageSession,
  [x0, y0]: readonly [number, number],
  rows: readonly string[],
): Promise<void> {
  const expected = rows.join("\n");
  let last = "";
  await until(async () => {
    last = await readPicture(session, x0, y0);
    return last === expected;
  }, { what: () => `the picture\n${expected}\nThe page shows\n${last}` });
}

/** Returns the colours of the cells in a screenshot as marks. */
async function readPicture(
  session: PageSession,
  x0: number,
  y0: number,
): Promise<string> {
  const picture = await session.page.screenshot();
  const { yUp } = await session.camera();
  const positions: { left: number; top: number }[] = [];
  for (const [row, marks] of DRAWING.entries()) {
    for (let column = 0; column < marks.length; column++) {
      const { left, top } = await session.positionOf(
        x0 + column,
        y0 + (yUp ? DRAWING.length - 1 - row : row),
      );
      // Beside the middle, where an occupied cell has its number.
      positions.push({ left: left - SCALE / 4, top: top - SCALE / 4 });
    }
  }
  // On another page: the policy of the dashboard forbids to read images.
  const reader = await session.page.context().newPage();
  const colors = await reader.evaluate(async ({ bytes, positions }) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d")!;
    context.drawImage(image, 0, 0);
    return positions.map(({ left, top }) => [
      ...context.getImageData(Math.round(left), Math.round(top), 1, 1).data,
    ]);
  }, { bytes: [...picture], positions });
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

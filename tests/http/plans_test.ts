/** Floor plans: reading the files, and sending the images. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { decodePgm, encodePng } from "../../src/http/plans/grey_image.ts";
import { sniffImage } from "../../src/http/plans/plan.ts";
import { PlanError, readPlans } from "../../src/http/plans/read_plans.ts";
import { convertImage, parseRosMap } from "../../src/http/plans/ros_map.ts";
import { needs } from "../support/needs.ts";
import { PLANS, SMALL_PNG } from "./plans_fixture.ts";
import { startServer } from "./support.ts";

const MAP_YAML = `image: map.pgm
resolution: 0.050000
origin: [-10.000000, -5.000000, 0.000000]
negate: 0
occupied_thresh: 0.65
free_thresh: 0.196
`;

/** Files in memory. */
function memoryFiles(all: Record<string, string | Uint8Array<ArrayBuffer>>) {
  const opened: string[] = [];
  return {
    opened,
    read: (path = "maps") => {
      opened.push(path);
      const content = all[path] ?? assert.fail(`no file ${path}`);
      return Promise.resolve(
        typeof content === "string"
          ? new TextEncoder().encode(content)
          : content,
      );
    },
  };
}

function encode(bytes: string): Uint8Array {
  return new TextEncoder().encode(bytes);
}

Deno.test({
  name: "decodePgm() reads P2 and P5, with comments and any depth",
  permissions: "none",
  fn: () => {
    const plain = decodePgm(
      encode("P2 # made by hand\n3 2\n# depth\n15\n0 5 15\n15 5 0\n"),
    );
    assert.deepEqual([plain.width, plain.height], [3, 2]);
    assert.deepEqual([...plain.pixels], [0, 85, 255, 255, 85, 0]);
    const binary = decodePgm(
      Uint8Array.of(...encode("P5\n# x\n3 1\n255\n"), 0x0a, 0x20, 255),
    );
    assert.deepEqual([...binary.pixels], [0x0a, 0x20, 255]);
    const deep = decodePgm(
      Uint8Array.of(...encode("P5 2 1 65535\n"), 0xff, 0xff, 0x80, 0x00),
    );
    assert.deepEqual([...deep.pixels], [255, 128]);
  },
});

Deno.test({
  name: "decodePgm() throws for other formats, truncated and too large images",
  permissions: "none",
  fn: () => {
    for (
      const bad of [
        "",
        "P6\n1 1\n255\n",
        "P5\n",
        "P5\n2 2\n255\nabc",
        "P5\n0 4\n255\n",
        "P5\n99999 99999\n255\n",
        "P5\n1 1\n99999\n",
        "P2\n2 1\n255\n1 x",
      ]
    ) assert.throws(() => decodePgm(encode(bad)), PlanError, bad);
  },
});

Deno.test({
  name: "encodePng() preserves every pixel of any image",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat(255)),
      (width, height, stream) => {
        const pixels = new Uint8Array(width * height);
        for (let i = 0; i < pixels.length; i++) {
          pixels[i] = stream.next().value!;
        }
        const png = encodePng({ width, height, pixels });
        assert.deepEqual(sniffImage(png), { type: "image/png", width, height });
        assert.deepEqual(decodePng(png, width, height), pixels);
      },
    ));
  },
});

Deno.test({
  name: "parseRosMap() reads a file of map_saver",
  permissions: "none",
  fn: () => {
    assert.deepEqual(parseRosMap(MAP_YAML), {
      image: "map.pgm",
      resolution: 0.05,
      origin: [-10, -5],
      negate: false,
      occupiedThresh: 0.65,
      freeThresh: 0.196,
      mode: "trinary",
    });
  },
});

Deno.test({
  name: "parseRosMap() throws with a reason and a hint",
  permissions: "none",
  fn: () => {
    for (
      const [from, to, reason] of [
        ["image: map.pgm", "", /no image/],
        ["0.050000", "0", /no resolution/],
        ["[-10.000000, -5.000000, 0.000000]", "[1]", /no origin/],
        ["0.000000]", "1.57]", /rotated by 1.57/],
        ["negate: 0", "mode: odd", /mode odd/],
        ["0.65", "65", /occupied_thresh/],
        ["image: map.pgm", "image: [", /not YAML/],
      ] as const
    ) {
      assert.throws(() => parseRosMap(MAP_YAML.replace(from, to)), (error) => {
        assert.ok(error instanceof PlanError);
        assert.match(error.message, reason);
        assert.ok(error.hint.length > 0);
        return true;
      });
    }
  },
});

Deno.test({
  name: "convertImage() flips the rows and shows occupied, free and unknown",
  permissions: "none",
  fn: () => {
    const map = parseRosMap(MAP_YAML);
    const image = {
      width: 3,
      height: 2,
      pixels: Uint8Array.of(0, 254, 205, 80, 220, 100),
    };
    assert.deepEqual(
      [...convertImage(image, map).pixels],
      [0, 254, 205, 0, 254, 205],
    );
    const negated = { ...map, negate: true };
    assert.deepEqual(
      [...convertImage(image, negated).pixels].slice(3),
      [254, 0, 0],
    );
    const raw = { ...map, mode: "raw" as const };
    assert.deepEqual(
      [...convertImage(image, raw).pixels],
      [80, 220, 100, 0, 254, 205],
    );
  },
});

Deno.test({
  name: "readPlans() reads a ROS map for the layer default, in cells",
  permissions: "none",
  fn: async () => {
    const file = memoryFiles({
      maps: MAP_YAML,
      "map.pgm": "P2 4 2 255 0 0 0 0 9 9 9 9",
    });
    const plans = await readPlans("/x/map.yaml", file);
    const { image, metresPerCell } = plans.get("default")!;
    assert.equal(metresPerCell, 0.05);
    assert.deepEqual(image!.extent, [-200, -100, -196, -98]);
    assert.equal(image!.type, "image/png");
    assert.deepEqual(file.opened, ["maps", "map.pgm"]);
  },
});

Deno.test({
  name: "readPlans() reads maps.json, with images and ROS maps",
  permissions: "none",
  fn: async () => {
    const file = memoryFiles({
      maps: JSON.stringify({
        layers: {
          default: {
            title: "Ground floor",
            image: "g.png",
            origin: [-1, 2.5],
            pixelsPerCell: 2,
            metresPerCell: 0.5,
          },
          "hall/l2": { ros: "l2/map.yaml", origin: [0, 0] },
          bare: { title: "No picture" },
        },
      }),
      "g.png": SMALL_PNG,
      "l2/map.yaml": MAP_YAML,
      "l2/map.pgm": "P2 1 1 255 0",
    });
    const plans = await readPlans("maps.json", file);
    assert.deepEqual(plans.get("default")!.image!.extent, [-1, 2.5, 1, 3.5]);
    assert.equal(plans.get("default")!.metresPerCell, 0.5);
    assert.deepEqual(plans.get("hall/l2")!.image!.extent, [0, 0, 1, 1]);
    assert.equal(plans.get("hall/l2")!.title, "hall/l2");
    assert.equal(plans.get("bare")!.image, undefined);
  },
});

Deno.test({
  name: "readPlans() throws with the layer, a reason and a hint",
  permissions: "none",
  fn: async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    for (
      const [maps, reason] of [
        ["nonsense", /Not JSON/],
        ["[]", /No object "layers"/],
        ['{"layers":{"a//b":{}}}', /empty level/],
        ['{"layers":{"a":3}}', /Layer a: not an object/],
        ['{"layers":{"a":{"tilte":"x"}}}', /Layer a: unknown member "tilte"/],
        ['{"layers":{"a":{"title":""}}}', /title is not a text/],
        ['{"layers":{"a":{"metresPerCell":0}}}', /metresPerCell/],
        ['{"layers":{"a":{"origin":[1]}}}', /origin/],
        ['{"layers":{"a":{"image":"x","ros":"y"}}}', /both image and ros/],
        ['{"layers":{"a":{"image":"svg"}}}', /Layer a: SVG/],
        ['{"layers":{"a":{"image":"text"}}}', /Layer a: The image is not PNG/],
        ['{"layers":{"a":{"ros":"text"}}}', /Layer a: Invalid ROS map/],
      ] as const
    ) {
      const file = memoryFiles({ maps, svg, text: "hello" });
      await assert.rejects(readPlans("maps.json", file), (error) => {
        assert.ok(error instanceof PlanError, String(error));
        assert.match(error.message, reason);
        assert.ok(error.hint.length > 0);
        return true;
      });
    }
  },
});

Deno.test({
  name: "GET plans lists the floor plans and the addresses of their images",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ plans: PLANS });
    const { plans } = await server.json("/api/v1/plans");
    assert.deepEqual(plans, [
      {
        layer: "default",
        title: "Ground floor",
        metresPerCell: 0.5,
        image: {
          url: "/api/v1/plans/default/image",
          type: "image/png",
          width: 4,
          height: 2,
          extent: [-1, -1, 1, 0],
        },
      },
      { layer: "hall/l2", title: "<i>Second</i>" },
    ]);
    const { url } = plans[0]!.image!;
    const image = await server.get(url);
    assert.equal(image.headers.get("content-type"), "image/png");
    assert.deepEqual(new Uint8Array(await image.arrayBuffer()), SMALL_PNG);
    const again = await server.get(url, {
      headers: { "if-none-match": image.headers.get("etag")! },
    });
    assert.equal(again.status, 304);
    assert.equal(
      (await server.get("/api/v1/plans/hall%2Fl2/image")).status,
      404,
    );
  },
});

/** Returns the pixels of a PNG with filter Up on each row. */
function decodePng(png: Uint8Array, width: number, height: number): Uint8Array {
  const view = new DataView(png.buffer);
  let at = 8;
  for (;;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (type === "IDAT") {
      const rows = inflateSync(png.subarray(at + 8, at + 8 + length));
      const pixels = new Uint8Array(width * height);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const above = y === 0 ? 0 : pixels[(y - 1) * width + x]!;
          pixels[y * width + x] = rows[y * (width + 1) + 1 + x]! + above;
        }
      }
      return pixels;
    }
    at += 12 + length;
  }
}

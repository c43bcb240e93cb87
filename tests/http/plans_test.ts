/** Floor plans: reading the files, and sending the images. */
import assert from "node:assert/strict";
import { PlanError, readPlans } from "../../src/http/plans/read_plans.ts";
import { parseRosMap } from "../../src/http/plans/ros_map.ts";
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
  name:
    "parseRosMap() accepts the numbers and booleans that map_server accepts, also in quotes",
  permissions: "none",
  fn: () => {
    const quoted = MAP_YAML.replace("0.050000", '"0.05"')
      .replace("-10.000000", "'-1e1'").replace("0.65", '"0.65"');
    assert.deepEqual(parseRosMap(quoted), parseRosMap(MAP_YAML));
    const negate = (value: string) =>
      parseRosMap(MAP_YAML.replace("negate: 0", `negate: ${value}`)).negate;
    for (
      const yes of [
        "1",
        '"1"',
        "2",
        "-1",
        "yes",
        "Yes",
        "on",
        "ON",
        "y",
        "true",
      ]
    ) assert.equal(negate(yes), true, yes);
    for (const no of ["0", '"0"', "no", "off", "Off", "n", "false", "FALSE"]) {
      assert.equal(negate(no), false, no);
    }
    assert.equal(parseRosMap(MAP_YAML.replace("negate: 0", "")).negate, false);
  },
});

Deno.test({
  name: "parseRosMap() throws with a reason and a hint",
  permissions: "none",
  fn: () => {
    for (
      const [from, to, reason] of [
        ["image: map.pgm", "", /no image/],
        ["resolution: 0.050000", "", /no resolution/],
        ["0.050000", "0", /resolution is 0, not a number above 0/],
        ["0.050000", "5 cm", /resolution is "5 cm", not a number/],
        ["[-10.000000, -5.000000, 0.000000]", "[1]", /no origin/],
        ["0.000000]", "1.57]", /rotated by 1.57/],
        ["negate: 0", "mode: odd", /mode "odd"/],
        ["0.000000]", "0.000000, 1]", /no origin/],
        ["-10.000000", "left", /no origin/],
        ["negate: 0", "negate: maybe", /negate is "maybe"/],
        ["negate: 0", "negate: 0.5", /negate is 0.5/],
        ["negate: 0", "negate:", /negate is null/],
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
  name:
    "readPlans() uses pixelsPerCell or metresPerCell beside ros for the size of a cell",
  permissions: "none",
  fn: async () => {
    const plan = async (entry: Record<string, unknown>) => {
      const layers = { default: { ros: "map.yaml", ...entry } };
      const plans = await readPlans(
        "maps.json",
        memoryFiles({
          maps: JSON.stringify({ layers }),
          "map.yaml": MAP_YAML,
          "map.pgm": "P2 4 2 255 0 0 0 0 9 9 9 9",
        }),
      );
      const { metresPerCell, image } = plans.get("default")!;
      return { metresPerCell, extent: image!.extent };
    };
    const coarse = { metresPerCell: 0.1, extent: [-100, -50, -98, -49] };
    assert.deepEqual(await plan({ pixelsPerCell: 2 }), coarse);
    assert.deepEqual(await plan({ metresPerCell: 0.1 }), coarse);
    assert.deepEqual(
      await plan({ pixelsPerCell: 2, metresPerCell: 0.1 }),
      coarse,
    );
    assert.deepEqual(
      (await plan({ pixelsPerCell: 2, origin: [1, 2] })).extent,
      [1, 2, 3, 3],
    );
    await assert.rejects(
      plan({ pixelsPerCell: 2, metresPerCell: 1 }),
      /pixelsPerCell makes a cell 0.1 m large, metresPerCell 1 m/,
    );
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
  name: "readPlans() refuses a map file that is not UTF-8",
  permissions: "none",
  fn: async () => {
    const latin1 = Uint8Array.from(
      '{"layers":{"B\xfcro":{}}}',
      (character) => character.charCodeAt(0),
    );
    for (const path of ["maps.json", "map.yaml"]) {
      await assert.rejects(
        readPlans(path, { read: () => Promise.resolve(latin1) }),
        (error) => {
          assert.ok(error instanceof PlanError, String(error));
          assert.match(error.message, /is not valid UTF-8/);
          return true;
        },
      );
    }
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
          url: "plans/default/image",
          type: "image/png",
          width: 4,
          height: 2,
          extent: [-1, -1, 1, 0],
        },
      },
      { layer: "hall/l2", title: "<i>Second</i>" },
    ]);
    const url = `/api/v1/${plans[0]!.image!.url}`;
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

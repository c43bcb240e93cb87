/** Floor plans: the images, of ROS maps and of other files. */
import assert from "node:assert/strict";
import { crc32, inflateSync } from "node:zlib";
import fc from "fast-check";
import { encode as encodeAnyPng } from "fast-png";
import {
  decodePgm,
  encodePng,
  encodePngInSlices,
} from "../../src/http/plans/grey_image.ts";
import { sniffImage } from "../../src/http/plans/image_file.ts";
import { PlanError } from "../../src/http/plans/plan.ts";
import {
  convertImage,
  convertInSlices,
  decodeRosImage,
} from "../../src/http/plans/ros_image.ts";
import { parseRosMap } from "../../src/http/plans/ros_map.ts";
import { SMALL_PNG } from "./plans_fixture.ts";

const MAP = parseRosMap(
  "image: map.pgm\nresolution: 0.05\norigin: [0, 0, 0]\n",
);

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
        "P2\n2 1\n255\n1 256",
        "P2\n2 1\n15\n1 16",
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
  name: "a large ROS map is converted and encoded in slices",
  permissions: "none",
  fn: () => {
    const [width, height] = [700, 500];
    const pixels = Uint8Array.from(
      { length: width * height },
      (_, i) => i % 7 === 0 ? 0 : i % 5 === 0 ? 205 : 254,
    );
    const count = <T>(slices: Generator<void, T>) => {
      for (let n = 1;; n++) {
        const { done, value } = slices.next();
        if (done) return { n, value };
      }
    };
    const converted = count(
      convertInSlices({ width, height, pixels }, MAP, false),
    );
    assert.deepEqual(converted.value.pixels, pixels);
    const encoded = count(encodePngInSlices({ width, height, pixels }));
    assert.deepEqual(decodeRosImage(encoded.value).pixels, pixels);
    assert.ok(converted.n > 2 && encoded.n > 2);
  },
});

Deno.test({
  name: "decodePgm() takes CR LF after the header for one white space",
  permissions: "none",
  fn: () => {
    const crlf = decodePgm(
      Uint8Array.of(...encode("P5\r\n# x\r\n3 1\r\n255\r\n"), 1, 2, 3),
    );
    assert.deepEqual([...crlf.pixels], [1, 2, 3]);
    // No byte is left over: the LF is the first pixel.
    const pixel = decodePgm(Uint8Array.of(...encode("P5 3 1 255\r\n"), 2, 3));
    assert.deepEqual([...pixel.pixels], [10, 2, 3]);
    const comment = decodePgm(encode("P2 # one line\r2 1 255 7 8"));
    assert.deepEqual([...comment.pixels], [7, 8]);
  },
});

Deno.test({
  name: "decodePgm() clamps values above the maximum in a binary image",
  permissions: "none",
  fn: () => {
    const { pixels } = decodePgm(
      Uint8Array.of(...encode("P5 2 1 15\n"), 15, 200),
    );
    assert.deepEqual([...pixels], [255, 255]);
  },
});

Deno.test({
  name: "decodeRosImage() reads PNG of any colour type and depth as grey",
  permissions: "none",
  fn: () => {
    const grey = decodeRosImage(SMALL_PNG);
    assert.deepEqual([...grey.pixels], [0, 1, 2, 3, 252, 253, 254, 255]);
    assert.equal(grey.alpha, undefined);
    const rgb = decodeRosImage(encodeAnyPng({
      width: 2,
      height: 1,
      channels: 3,
      data: Uint8Array.of(0, 90, 180, 255, 255, 255),
    }));
    assert.deepEqual([...rgb.pixels], [90, 255]);
    const alpha = decodeRosImage(encodeAnyPng({
      width: 2,
      height: 1,
      channels: 2,
      data: Uint8Array.of(10, 255, 20, 0),
    }));
    assert.deepEqual([...alpha.pixels], [10, 20]);
    assert.deepEqual([...alpha.alpha!], [255, 0]);
    const deep = decodeRosImage(encodeAnyPng({
      width: 2,
      height: 1,
      channels: 1,
      depth: 16,
      data: Uint16Array.of(65535, 32768),
    }));
    assert.deepEqual([...deep.pixels], [255, 128]);
    // Packed: rows of three pixels with 2 bits each.
    const palette = decodeRosImage(encodeAnyPng({
      width: 3,
      height: 2,
      channels: 1,
      depth: 2,
      palette: [[0, 0, 0], [205, 205, 205], [254, 254, 254], [3, 6, 9]],
      data: Uint8Array.of(0b00_01_10_00, 0b11_10_01_00),
    }));
    assert.deepEqual([...palette.pixels], [0, 205, 254, 6, 254, 205]);
  },
});

Deno.test({
  name: "decodeRosImage() refuses other formats and damaged PNG",
  permissions: "none",
  fn: () => {
    const damaged = SMALL_PNG.slice();
    damaged[45]! ^= 1;
    for (const bad of [encode("BM"), encode("P6 1 1 255 abc"), damaged]) {
      assert.throws(() => decodeRosImage(bad), PlanError);
    }
  },
});

Deno.test({
  name: "convertImage() shows occupied, free and unknown; it can flip the rows",
  permissions: "none",
  fn: () => {
    const image = {
      width: 3,
      height: 2,
      pixels: Uint8Array.of(0, 254, 205, 80, 220, 100),
    };
    assert.deepEqual(
      [...convertImage(image, MAP, false).pixels],
      [0, 254, 205, 0, 254, 205],
    );
    const two = { width: 1, height: 2, pixels: Uint8Array.of(0, 254) };
    assert.deepEqual([...convertImage(two, MAP, true).pixels], [254, 0]);
    const negated = convertImage(image, { ...MAP, negate: true }, false);
    assert.deepEqual([...negated.pixels].slice(0, 3), [254, 0, 0]);
  },
});

Deno.test({
  name:
    "convertImage() takes the pixels of a raw map for values, as map_server",
  permissions: "none",
  fn: () => {
    // 0 is free, 100 occupied, above it unknown; negate has no effect.
    const pixels = Uint8Array.of(0, 50, 100, 101, 255);
    const image = { width: 5, height: 1, pixels };
    for (const negate of [false, true]) {
      const map = { ...MAP, mode: "raw" as const, negate };
      assert.deepEqual(
        [...convertImage(image, map, false).pixels],
        [254, 127, 0, 205, 205],
      );
    }
  },
});

Deno.test({
  name:
    "convertImage() shades a scale map between its thresholds; transparent is unknown",
  permissions: "none",
  fn: () => {
    const map = { ...MAP, mode: "scale" as const };
    const image = {
      width: 4,
      height: 1,
      pixels: Uint8Array.of(20, 254, 150, 20),
      alpha: Uint8Array.of(255, 255, 255, 128),
    };
    // (105/255 - 0.196) / (0.65 - 0.196) is 48 of 100.
    assert.deepEqual(
      [...convertImage(image, map, false).pixels],
      [0, 254, 132, 205],
    );
    // In trinary mode the opacity is averaged with the colours.
    const trinary = {
      width: 2,
      height: 1,
      pixels: Uint8Array.of(254, 254),
      alpha: Uint8Array.of(255, 0),
    };
    assert.deepEqual([...convertImage(trinary, MAP, false).pixels], [254, 205]);
  },
});

Deno.test({
  name: "sniffImage() refuses PNG, JPEG and WebP that are cut off anywhere",
  permissions: "none",
  fn: () => {
    for (const image of [SMALL_PNG, jpeg(1), WEBP]) {
      assert.doesNotThrow(() => sniffImage(image));
      for (let length = 0; length < image.length; length++) {
        assert.throws(
          () => sniffImage(image.subarray(0, length)),
          PlanError,
          `${length} of ${image.length} bytes`,
        );
      }
    }
  },
});

Deno.test({
  name:
    "sniffImage() exchanges width and height for the EXIF orientations 5 to 8",
  permissions: "none",
  fn: () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const size = orientation >= 5
        ? { width: 2, height: 4 }
        : { width: 4, height: 2 };
      assert.deepEqual(
        sniffImage(jpeg(orientation)),
        { type: "image/jpeg", ...size },
      );
      assert.deepEqual(
        sniffImage(withExif(SMALL_PNG, orientation)),
        { type: "image/png", ...size },
      );
    }
  },
});

/** EXIF data with an orientation only: a TIFF file, big-endian. */
function exif(orientation: number): number[] {
  return [
    ...encode("MM"),
    ...[0, 42, 0, 0, 0, 8],
    ...[0, 1], // one entry: tag, type SHORT, count, value
    ...[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0],
    ...[0, 0, 0, 0],
  ];
}

/** The markers of a JPEG of 4 by 2 pixels, without its tables. */
function jpeg(orientation: number): Uint8Array {
  const data = [...encode("Exif"), 0, 0, ...exif(orientation)];
  return Uint8Array.of(
    ...[0xff, 0xd8],
    ...[0xff, 0xe1, 0, data.length + 2, ...data],
    ...[0xff, 0xc0, 0, 11, 8, 0, 2, 0, 4, 1, 1, 0x11, 0],
    ...[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x5a],
    ...[0xff, 0xd9],
  );
}

/** Adds EXIF data to a PNG, after its header. */
function withExif(png: Uint8Array, orientation: number): Uint8Array {
  const named = Uint8Array.of(...encode("eXIf"), ...exif(orientation));
  const numbers = new DataView(new ArrayBuffer(8));
  numbers.setUint32(0, named.length - 4);
  numbers.setUint32(4, crc32(named));
  const bytes = new Uint8Array(numbers.buffer);
  const header = 33;
  return Uint8Array.of(
    ...png.subarray(0, header),
    ...bytes.subarray(0, 4),
    ...named,
    ...bytes.subarray(4),
    ...png.subarray(header),
  );
}

/** A lossless WebP of 4 by 2 pixels. */
const WEBP = Uint8Array.of(
  ...encode("RIFF"),
  ...[22, 0, 0, 0],
  ...encode("WEBPVP8L"),
  ...[10, 0, 0, 0],
  ...[0x2f, 3, 0x40, 0, 0, 0, 0, 0, 0, 0],
);

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

/**
 * The image of a ROS map: decodes PGM and PNG, and converts it for the
 * dashboard.
 *
 * @module
 */
import { atOnce } from "../../common/at_once.ts";
import { decode } from "fast-png";
import { decodePgm, type GreyImage, SLICE_PIXELS } from "./grey_image.ts";
import { sniffImage } from "./image_file.ts";
import { PlanError } from "./plan.ts";
import type { RosMap } from "./ros_map.ts";

/** A grey image that may be transparent in part. */
export interface RosImage extends GreyImage {
  /** One byte per pixel: 255 is opaque. Undefined if all pixels are. */
  readonly alpha?: Uint8Array<ArrayBuffer>;
}

/** The grey values that the tools of map_server write. */
const OCCUPIED = 0;
const UNKNOWN = 205;
const FREE = 254;
/** The highest value of an occupied cell in nav_msgs/OccupancyGrid. */
const MAX_OCCUPANCY = 100;

const OPAQUE = 255;
/** Of an index that the palette of a PNG lacks. */
const BLACK = [0, 0, 0];

/**
 * Decodes the image of a ROS map.
 *
 * @param bytes the file, PGM or PNG
 * @throws {PlanError} if it is neither, or not valid
 */
export function decodeRosImage(bytes: Uint8Array): RosImage {
  if (bytes[0] === 0x50) return decodePgm(bytes); // P
  if (bytes[0] === 0x89) return decodePng(bytes);
  throw new PlanError(
    "The image of a ROS map is neither PGM nor PNG",
    "Save the map again, for example with map_saver_cli.",
  );
}

/**
 * Converts the image of a ROS map to the grey values of map_server. The rules
 * for thresholds, mode, negate and transparency are those of nav2_map_server.
 *
 * @param flip whether the first row becomes the last one: the first row of a
 * ROS map has the largest y
 * @see {@link https://github.com/ros-navigation/navigation2/blob/main/nav2_map_server/src/map_io.cpp}
 */
export function convertImage(
  image: RosImage,
  map: RosMap,
  flip: boolean,
): GreyImage {
  return atOnce(convertInSlices(image, map, flip));
}

/** Converts as {@linkcode convertImage} does, a few milliseconds at a time. */
export function* convertInSlices(
  image: RosImage,
  map: RosMap,
  flip: boolean,
): Generator<void, GreyImage> {
  const { width, height, alpha } = image;
  const opaque = Uint8Array.from(
    { length: 256 },
    (_, v) => greyOf(v, OPAQUE, map, alpha !== undefined),
  );
  const pixels = new Uint8Array(width * height);
  const rowsPerSlice = Math.ceil(SLICE_PIXELS / width);
  for (let y = 0; y < height; y++) {
    if (y % rowsPerSlice === rowsPerSlice - 1) yield;
    const from = (flip ? height - 1 - y : y) * width;
    for (let x = 0; x < width; x++) {
      const v = image.pixels[from + x]!;
      const a = alpha === undefined ? OPAQUE : alpha[from + x]!;
      pixels[y * width + x] = a === OPAQUE
        ? opaque[v]!
        : greyOf(v, a, map, true);
    }
  }
  return { width, height, pixels };
}

/**
 * Returns the grey value of a pixel.
 *
 * @param v brightness, 0 to 255
 * @param a opacity, 0 to 255
 * @param hasAlpha whether the image has opacities
 */
function greyOf(v: number, a: number, map: RosMap, hasAlpha: boolean): number {
  if (map.mode === "raw") return v <= MAX_OCCUPANCY ? greyOfValue(v) : UNKNOWN;
  if (map.mode === "scale" && a !== OPAQUE) return UNKNOWN;
  // In trinary mode, opacity counts as a fourth color.
  const shade = (map.mode === "trinary" && hasAlpha ? (3 * v + a) / 4 : v) /
    255;
  const occupied = map.negate ? shade : 1 - shade;
  if (occupied > map.occupiedThresh) return OCCUPIED;
  if (occupied < map.freeThresh) return FREE;
  if (map.mode === "trinary") return UNKNOWN;
  const range = map.occupiedThresh - map.freeThresh;
  return greyOfValue(
    range > 0 ? MAX_OCCUPANCY * (occupied - map.freeThresh) / range : 0,
  );
}

/** @param value of nav_msgs/OccupancyGrid, 0 to 100 */
function greyOfValue(value: number): number {
  return Math.round(FREE - FREE * Math.round(value) / MAX_OCCUPANCY);
}

function decodePng(bytes: Uint8Array): RosImage {
  const { width, height } = sniffImage(bytes); // checks the size first
  let png: ReturnType<typeof decode>;
  try {
    png = decode(bytes, { checkCrc: true });
  } catch (error) {
    throw invalidPng((error as Error).message, error);
  }
  const { depth, channels, data, palette, transparency } = png;
  const isInterlaced = bytes[28] === 1; // in IHDR (PNG, 11.2.1)
  if (isInterlaced && depth < 8) {
    throw invalidPng(`it is interlaced and has ${depth} bits per pixel`);
  }
  if (depth === 8 && channels === 1 && !palette && !transparency) {
    // As map_saver writes it: fast, because such maps can be large.
    return {
      width: png.width,
      height: png.height,
      pixels: Uint8Array.from(data),
    };
  }
  const pixels = new Uint8Array(width * height);
  const hasAlpha = channels % 2 === 0 || transparency !== undefined ||
    palette?.some((color) => color[3] !== undefined) === true;
  const alpha = hasAlpha ? new Uint8Array(width * height) : undefined;
  const maximum = 2 ** depth - 1;
  const sampleAt = sampleReader(data, depth, channels * png.width);
  const colors = channels >= 3 ? 3 : 1;
  for (let y = 0, at = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++, at++) {
      const first = x * channels;
      if (palette !== undefined) {
        const color = palette[sampleAt(y, first)] ?? BLACK;
        pixels[at] = Math.round((color[0]! + color[1]! + color[2]!) / 3);
        if (alpha !== undefined) alpha[at] = color[3] ?? OPAQUE;
        continue;
      }
      let sum = 0;
      let isKeyColor = transparency !== undefined;
      for (let color = 0; color < colors; color++) {
        const sample = sampleAt(y, first + color);
        sum += sample;
        isKeyColor &&= sample === transparency![color];
      }
      pixels[at] = Math.round(255 * sum / colors / maximum);
      if (alpha === undefined) continue;
      const opacity = channels % 2 === 0
        ? sampleAt(y, first + colors)
        : maximum;
      alpha[at] = isKeyColor ? 0 : Math.round(255 * opacity / maximum);
    }
  }
  return {
    width: png.width,
    height: png.height,
    pixels,
    ...(alpha && { alpha }),
  };
}

/**
 * Returns a function that reads a sample of a row. Samples of fewer than 8 bits
 * are packed, and each row begins at a byte (PNG, 7.2).
 *
 * @param perRow samples per row
 */
function sampleReader(
  data: ArrayLike<number>,
  depth: number,
  perRow: number,
): (row: number, index: number) => number {
  if (depth >= 8) return (row, index) => data[row * perRow + index]!;
  const bytesPerRow = Math.ceil(perRow * depth / 8);
  const mask = 2 ** depth - 1;
  return (row, index) => {
    const bit = index * depth;
    const byte = data[row * bytesPerRow + (bit >> 3)]!;
    return byte >> (8 - depth - (bit & 7)) & mask;
  };
}

function invalidPng(reason: string, cause?: unknown): PlanError {
  return new PlanError(
    `Invalid PNG image: ${reason}`,
    "Save it again without interlacing, with 8 bits per pixel.",
    cause,
  );
}

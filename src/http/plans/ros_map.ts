/**
 * ROS maps: reads `map.yaml`, and converts its image for the dashboard.
 *
 * @module
 */
import { load } from "js-yaml";
import { isJsonObject } from "../../protocol/text.ts";
import type { GreyImage } from "./grey_image.ts";
import { PlanError } from "./plan.ts";

/**
 * The content of a ROS `map.yaml`.
 *
 * @see {@link https://wiki.ros.org/map_server#Map_format}
 */
export interface RosMap {
  /** The path of the image, as in the file. */
  readonly image: string;
  /** Metres per pixel; a pixel is a cell. */
  readonly resolution: number;
  /** The lower left corner of the image, in metres. */
  readonly origin: readonly [x: number, y: number];
  /** True if white means occupied. */
  readonly negate: boolean;
  /** A pixel with a higher occupancy is occupied, 0 to 1. */
  readonly occupiedThresh: number;
  /** A pixel with a lower occupancy is free, 0 to 1. */
  readonly freeThresh: number;
  /** `trinary`: only occupied, free and unknown. */
  readonly mode: "trinary" | "scale" | "raw";
}

const MODES = ["trinary", "scale", "raw"] as const;

/** The grey values that the tools of map_server write. */
const OCCUPIED = 0;
const UNKNOWN = 205;
const FREE = 254;

/**
 * Reads a ROS `map.yaml`.
 *
 * @param text the file
 * @throws {PlanError} if it is not valid, or if the map is rotated
 */
export function parseRosMap(text: string): RosMap {
  const fields = readYaml(text);
  const { image } = fields;
  if (typeof image !== "string" || image === "") {
    throw invalid("no image", "Add a line image: map.pgm.");
  }
  const resolution = fields.resolution;
  if (!isNumber(resolution) || resolution <= 0) {
    throw invalid(
      "no resolution above 0",
      "Add a line resolution: 0.05, in metres per pixel.",
    );
  }
  const origin: unknown[] = Array.isArray(fields.origin) ? fields.origin : [];
  const [x, y, yaw = 0] = origin;
  if (origin.length > 3 || !isNumber(x) || !isNumber(y) || !isNumber(yaw)) {
    throw invalid(
      "no origin of two or three numbers",
      "Add a line origin: [0.0, 0.0, 0.0], in metres.",
    );
  }
  if (yaw !== 0) {
    throw invalid(
      `the map is rotated by ${yaw}`,
      "Rotate the image, and set the third number of origin to 0.",
    );
  }
  const mode = fields.mode ?? "trinary";
  const knownMode = MODES.find((one) => one === mode);
  if (knownMode === undefined) {
    throw invalid(`unknown mode ${mode}`, `Use ${MODES.join(", ")}.`);
  }
  return {
    image,
    resolution,
    origin: [x, y],
    negate: fields.negate === 1 || fields.negate === true,
    occupiedThresh: fraction(fields.occupied_thresh, 0.65, "occupied_thresh"),
    freeThresh: fraction(fields.free_thresh, 0.196, "free_thresh"),
    mode: knownMode,
  };
}

/**
 * Converts the image of a ROS map for the dashboard: flips the rows, because
 * the first row has the largest y, and applies the thresholds.
 */
export function convertImage(image: GreyImage, map: RosMap): GreyImage {
  const { width, height } = image;
  const shades = Uint8Array.from({ length: 256 }, (_, v) => shade(v, map));
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (height - 1 - y) * width;
    for (let x = 0; x < width; x++) {
      pixels[y * width + x] = shades[image.pixels[from + x]!]!;
    }
  }
  return { width, height, pixels };
}

function shade(v: number, map: RosMap): number {
  const dark = map.negate ? 255 - v : v;
  if (map.mode !== "trinary") return dark;
  const occupied = (255 - dark) / 255;
  if (occupied > map.occupiedThresh) return OCCUPIED;
  return occupied < map.freeThresh ? FREE : UNKNOWN;
}

function readYaml(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    const reason = (error as Error).message.split("\n", 1)[0];
    throw invalid(
      `not YAML: ${reason}`,
      "Correct the line in the message.",
      error,
    );
  }
  if (isJsonObject(value)) return value;
  throw invalid(
    "it has no fields",
    "Add lines image, resolution and origin.",
  );
}

function fraction(value: unknown, fallback: number, name: string): number {
  if (value === undefined) return fallback;
  if (isNumber(value) && value >= 0 && value <= 1) return value;
  throw invalid(`${name} is not from 0 to 1`, "Use a number like 0.65.");
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function invalid(reason: string, hint: string, cause?: unknown): PlanError {
  return new PlanError(`Invalid ROS map: ${reason}`, hint, cause);
}

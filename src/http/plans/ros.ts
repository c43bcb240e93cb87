import { load } from "js-yaml";
import { PlanError } from "./error.ts";
import type { GreyImage } from "./pgm.ts";

/**
 * What a ROS `map.yaml` says.
 *
 * @see {@link https://wiki.ros.org/map_server#Map_format}
 */
export interface RosMap {
  /** The path of the image, as written. */
  readonly image: string;
  /** Metres a pixel, which is a cell. */
  readonly resolution: number;
  /** Where the lower left corner of the image is, metres. */
  readonly origin: readonly [x: number, y: number];
  /** Whether white means occupied. */
  readonly negate: boolean;
  /** At least so occupied is occupied, 0 to 1. */
  readonly occupiedThresh: number;
  /** At most so occupied is free, 0 to 1. */
  readonly freeThresh: number;
  /** `trinary`: occupied, free or unknown only. */
  readonly mode: "trinary" | "scale" | "raw";
}

const MODES = ["trinary", "scale", "raw"] as const;

/** The shades in which map_server's tools draw a map. */
const OCCUPIED = 0;
const UNKNOWN = 205;
const FREE = 254;

/**
 * Reads a ROS `map.yaml`.
 *
 * @param text the file
 * @throws {PlanError} if it is none, or a turned one
 */
export function parseRosMap(text: string): RosMap {
  const fields = readYaml(text);
  const { image } = fields;
  if (typeof image !== "string" || image === "") {
    throw bad("has no image", "Add a line image: map.pgm.");
  }
  const resolution = fields.resolution;
  if (!isNumber(resolution) || resolution <= 0) {
    throw bad(
      "has no resolution above 0",
      "Add a line resolution: 0.05, metres a pixel.",
    );
  }
  const origin: unknown[] = Array.isArray(fields.origin) ? fields.origin : [];
  const [x, y, yaw = 0] = origin;
  if (origin.length > 3 || !isNumber(x) || !isNumber(y) || !isNumber(yaw)) {
    throw bad(
      "has no origin of two or three numbers",
      "Add a line origin: [0.0, 0.0, 0.0], in metres.",
    );
  }
  if (yaw !== 0) {
    throw bad(
      `is turned by ${yaw}, which cells cannot be`,
      "Turn the image, and set the third number of origin to 0.",
    );
  }
  const mode = fields.mode ?? "trinary";
  const known = MODES.find((one) => one === mode);
  if (known === undefined) {
    throw bad(`has the mode ${mode}`, `Write ${MODES.join(", ")}.`);
  }
  return {
    image,
    resolution,
    origin: [x, y],
    negate: fields.negate === 1 || fields.negate === true,
    occupiedThresh: share(fields.occupied_thresh, 0.65, "occupied_thresh"),
    freeThresh: share(fields.free_thresh, 0.196, "free_thresh"),
    mode: known,
  };
}

/**
 * The image of a ROS map as it lies under the cells: its first row is the one of
 * the smallest y, while that of the file is the one of the largest.
 */
export function layUnderCells(image: GreyImage, map: RosMap): GreyImage {
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
    throw bad(`is no YAML: ${reason}`, "Look at the line it names.", error);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw bad("is empty", "Write image, resolution and origin.");
}

function share(value: unknown, otherwise: number, name: string): number {
  if (value === undefined) return otherwise;
  if (isNumber(value) && value >= 0 && value <= 1) return value;
  throw bad(`has a ${name} that is not from 0 to 1`, "Write one like 0.65.");
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function bad(what: string, hint: string, cause?: unknown): PlanError {
  return new PlanError(`The ROS map ${what}`, hint, cause);
}

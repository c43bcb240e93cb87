/**
 * ROS maps: reads `map.yaml`, and accepts what nav2_map_server accepts.
 *
 * @module
 */
import { load } from "js-yaml";
import { excerpt } from "../../protocol/mod.ts";
import { isJsonObject } from "../../protocol/text.ts";
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
  /** True if white means occupied. Without effect in the mode `raw`. */
  readonly negate: boolean;
  /** A pixel with a higher occupancy is occupied, 0 to 1. */
  readonly occupiedThresh: number;
  /** A pixel with a lower occupancy is free, 0 to 1. */
  readonly freeThresh: number;
  /**
   * `trinary`: occupied, free and unknown. `scale`: also values between the
   * thresholds. `raw`: a pixel is the value, 0 to 100; others are unknown.
   */
  readonly mode: "trinary" | "scale" | "raw";
}

const MODES = ["trinary", "scale", "raw"] as const;

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
  const resolution = numberOf(fields.resolution);
  if (resolution === undefined || resolution <= 0) {
    throw invalid(
      fields.resolution === undefined
        ? "no resolution"
        : `resolution is ${shown(fields.resolution)}, not a number above 0`,
      "Write resolution: 0.05, in metres per pixel.",
    );
  }
  const origin: unknown[] = Array.isArray(fields.origin) ? fields.origin : [];
  const numbers = origin.map(numberOf);
  const [x, y, yaw = 0] = numbers;
  if (
    numbers.length > 3 || x === undefined || y === undefined ||
    numbers.includes(undefined)
  ) {
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
    throw invalid(`unknown mode ${shown(mode)}`, `Use ${MODES.join(", ")}.`);
  }
  return {
    image,
    resolution,
    origin: [x, y],
    negate: booleanOf(fields.negate),
    occupiedThresh: fraction(fields.occupied_thresh, 0.65, "occupied_thresh"),
    freeThresh: fraction(fields.free_thresh, 0.196, "free_thresh"),
    mode: knownMode,
  };
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
  const number = numberOf(value);
  if (number !== undefined && number >= 0 && number <= 1) return number;
  throw invalid(
    `${name} is ${shown(value)}, not from 0 to 1`,
    "Use a number like 0.65.",
  );
}

/** A number, also in quotes: yaml-cpp ignores them. */
const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
/** The words of yaml-cpp, in lower case, upper case or capitalized. */
const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** Returns undefined if the value is not a finite number. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && NUMBER.test(value)
    ? Number(value)
    : value;
  return typeof number === "number" && Number.isFinite(number)
    ? number
    : undefined;
}

/** Returns `negate`: an integer, of which 0 is false, or a word. */
function booleanOf(value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  const number = numberOf(value);
  if (number !== undefined && Number.isInteger(number)) return number !== 0;
  if (typeof value === "string") {
    if (TRUE.test(value)) return true;
    if (FALSE.test(value)) return false;
  }
  throw invalid(
    `negate is ${shown(value)}`,
    "Write negate: 0, or 1 if white means occupied.",
  );
}

/** Shows a value of the file in a message. */
function shown(value: unknown): string {
  return excerpt(JSON.stringify(value) ?? String(value));
}

function invalid(reason: string, hint: string, cause?: unknown): PlanError {
  return new PlanError(`Invalid ROS map: ${reason}`, hint, cause);
}

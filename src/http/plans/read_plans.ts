/**
 * Reads the floor plans of `--map-file`: a `maps.json` or a ROS `map.yaml`.
 *
 * @module
 */
import {
  assertLayer,
  DEFAULT_LAYER,
  excerpt,
  parseUnit,
  ProtocolError,
} from "../../protocol/mod.ts";
import { inTurns } from "../../common/turns.ts";
import { isJsonObject, quote } from "../../protocol/text.ts";
import { encodePngInSlices } from "./grey_image.ts";
import { planImage } from "./image_file.ts";
import {
  MAX_IMAGE_BYTES,
  type Plan,
  PlanError,
  type PlanImage,
} from "./plan.ts";
import { convertInSlices, decodeRosImage } from "./ros_image.ts";
import { parseRosMap } from "./ros_map.ts";

export { PlanError };

/** Reads the map file and the files that it names. */
export interface PlanFiles {
  /**
   * Reads a file.
   *
   * @param path absolute, or relative to the folder of the map file; undefined
   * for the map file
   * @param maxBytes maximum size; a larger file is refused
   */
  read(
    path: string | undefined,
    maxBytes: number,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

const MAX_TEXT_BYTES = 1024 * 1024;
const MEMBERS = [
  "title",
  "image",
  "ros",
  "origin",
  "pixelsPerCell",
  "metresPerCell",
  "unit",
  "yUp",
];
const EXAMPLE =
  'Write { "layers": { "default": { "title": "Ground floor", "image": "ground.png" } } }.';

/** A layer in `maps.json`. */
interface LayerEntry {
  readonly title?: string;
  readonly image?: string;
  readonly ros?: string;
  readonly origin?: readonly [x: number, y: number];
  readonly pixelsPerCell?: number;
  readonly metresPerCell?: number;
  /** `car,cars` */
  readonly unit?: string;
  readonly yUp?: boolean;
}

/**
 * Reads the floor plans of a map file.
 *
 * @param path `*.yaml` or `*.yml`: a ROS map for the layer `default`; any other
 * name: `maps.json`
 * @returns the plans by layer
 * @throws {PlanError} if a file cannot be used
 */
export async function readPlans(
  path: string,
  files: PlanFiles,
): Promise<Map<string, Plan>> {
  const bytes = await files.read(undefined, MAX_TEXT_BYTES);
  const text = decodeText(path, bytes);
  const plans = new Map<string, Plan>();
  if (/\.ya?ml$/i.test(path)) {
    plans.set(DEFAULT_LAYER, await rosPlan(DEFAULT_LAYER, text, {}, files));
    return plans;
  }
  for (const [layer, entry] of parseMaps(text)) {
    try {
      const plan = await planOf(layer, entry, files);
      const { unit, yUp } = entry;
      plans.set(layer, {
        ...plan,
        ...(unit && { unit: parseUnit(unit) }),
        ...(yUp !== undefined && { yUp }),
      });
    } catch (error) {
      if (!(error instanceof PlanError)) throw error;
      throw new PlanError(
        `Layer ${excerpt(layer)}: ${error.message}`,
        error.hint,
        error,
      );
    }
  }
  return plans;
}

function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new PlanError(
      `${excerpt(path)} is not valid UTF-8`,
      "Save the file as UTF-8.",
      error,
    );
  }
}

async function planOf(
  layer: string,
  entry: LayerEntry,
  files: PlanFiles,
): Promise<Plan> {
  if (entry.ros !== undefined) {
    const bytes = await files.read(entry.ros, MAX_TEXT_BYTES);
    const text = decodeText(entry.ros, bytes);
    return await rosPlan(layer, text, entry, files, entry.ros);
  }
  const { title = layer, image, metresPerCell } = entry;
  return {
    layer,
    title,
    metresPerCell,
    image: image === undefined
      ? undefined
      : await readImage(image, entry, files),
  };
}

async function readImage(
  path: string,
  { origin = [0, 0], pixelsPerCell = 1 }: LayerEntry,
  files: PlanFiles,
): Promise<PlanImage> {
  const bytes = await files.read(path, MAX_IMAGE_BYTES);
  return planImage(bytes, origin, pixelsPerCell);
}

/**
 * Without a scale in the entry, a pixel of a ROS map is a cell. Cell 0,0 is at
 * the origin of the map's frame.
 */
async function rosPlan(
  layer: string,
  text: string,
  entry: LayerEntry,
  files: PlanFiles,
  path = "",
): Promise<Plan> {
  const { title = layer, origin, yUp = true } = entry;
  const map = parseRosMap(text);
  const metresPerCell = metresPerRosCell(entry, map.resolution);
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const file = isAbsolute(map.image) ? map.image : folder + map.image;
  const image = decodeRosImage(await files.read(file, MAX_IMAGE_BYTES));
  // A running server reads the files again: other work continues.
  const grey = await inTurns(convertInSlices(image, map, !yUp));
  const png = await inTurns(encodePngInSlices(grey));
  const [x, y] = map.origin;
  return {
    layer,
    title,
    metresPerCell,
    yUp,
    image: planImage(
      png,
      origin ?? [roundCells(x / metresPerCell), roundCells(y / metresPerCell)],
      metresPerCell / map.resolution,
    ),
  };
}

/**
 * Returns the size of a cell over a ROS map: given as metres or as pixels, or
 * that of a pixel.
 *
 * @param resolution metres per pixel
 */
function metresPerRosCell(
  { pixelsPerCell, metresPerCell }: LayerEntry,
  resolution: number,
): number {
  if (pixelsPerCell === undefined) return metresPerCell ?? resolution;
  const size = roundCells(pixelsPerCell * resolution);
  if (metresPerCell !== undefined && Math.abs(metresPerCell - size) > 1e-6) {
    throw new PlanError(
      `pixelsPerCell makes a cell ${size} m large, metresPerCell ${metresPerCell} m`,
      "Remove one of them.",
    );
  }
  return size;
}

/** Removes rounding errors: -10 m at 0.05 m per cell is -200 cells. */
function roundCells(cells: number): number {
  return Math.round(cells * 1e6) / 1e6;
}

function isAbsolute(path: string): boolean {
  return /^(?:\/|\\|[a-z]:)/i.test(path);
}

function parseMaps(text: string): [string, LayerEntry][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PlanError(
      `Not JSON: ${(error as Error).message}`,
      EXAMPLE,
      error,
    );
  }
  const layers = isJsonObject(value) ? value.layers : undefined;
  if (!isJsonObject(layers)) throw new PlanError('No object "layers"', EXAMPLE);
  return Object.entries(layers).map(([layer, entry]) => {
    try {
      assertLayer(layer);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new PlanError(
        error.message,
        "Use a name like l2 or hall/l2.",
        error,
      );
    }
    return [layer, checkEntry(layer, entry)];
  });
}

function checkEntry(layer: string, entry: unknown): LayerEntry {
  const fail = (reason: string, hint: string): never => {
    throw new PlanError(`Layer ${excerpt(layer)}: ${reason}`, hint);
  };
  if (!isJsonObject(entry)) return fail("not an object", EXAMPLE);
  for (const key of Object.keys(entry)) {
    if (!MEMBERS.includes(key)) {
      fail(
        `unknown member ${quote(key)}`,
        `The members are ${MEMBERS.join(", ")}.`,
      );
    }
  }
  for (const key of ["title", "image", "ros", "unit"]) {
    const text = entry[key];
    if (text !== undefined && (typeof text !== "string" || text === "")) {
      fail(`${key} is not a text`, `Write "${key}": "…".`);
    }
  }
  for (const key of ["pixelsPerCell", "metresPerCell"]) {
    const number = entry[key];
    if (number !== undefined && !(isFinite(number) && number > 0)) {
      fail(`${key} is not a number above 0`, `Write "${key}": 0.5.`);
    }
  }
  if (entry.yUp !== undefined && typeof entry.yUp !== "boolean") {
    fail("yUp is neither true nor false", 'Write "yUp": true.');
  }
  const { origin, unit } = entry;
  if (typeof unit === "string") {
    try {
      parseUnit(unit);
    } catch (error) {
      fail("unit is not valid", (error as RangeError).message);
    }
  }
  if (
    origin !== undefined &&
    !(Array.isArray(origin) && origin.length === 2 && origin.every(isFinite))
  ) {
    fail(
      "origin is not two numbers",
      'Write "origin": [x, y], the smallest x and y of the image in cells.',
    );
  }
  if (entry.ros !== undefined && entry.image !== undefined) {
    fail(
      "both image and ros are given",
      "Remove image: the ROS map has its own.",
    );
  }
  return entry as LayerEntry;
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * A floor plan: a title and an image that is shown under the cells of a layer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { imageSize } from "image-size";
import { AppError } from "../../common/errors.ts";
import type { Unit } from "../../protocol/mod.ts";

/** The floor plan of one layer. */
export interface Plan {
  readonly layer: string;
  /** For people. Default: the name of the layer. */
  readonly title: string;
  /** Width and height of a cell, in metres; undefined if not given. */
  readonly metresPerCell: number | undefined;
  /** What the values of the layer count; absent if not given. */
  readonly unit?: Unit;
  /** Undefined if the plan has a title only. */
  readonly image: PlanImage | undefined;
}

/** The image of a {@linkcode Plan}. */
export interface PlanImage {
  readonly type: "image/png" | "image/jpeg" | "image/webp";
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /**
   * The outer edges of the image, in cells; usually not integers. The cell x,y
   * covers x,y to x+1,y+1, and y grows downwards, as in the dashboard: the
   * first row of the image is at y0.
   */
  readonly extent: readonly [x0: number, y0: number, x1: number, y1: number];
  /** Depends on the bytes only; with its quotes. */
  readonly etag: string;
}

/** The map file, or a file that it names, cannot be used. */
export class PlanError extends AppError {
  override readonly name = "PlanError";
  declare readonly hint: string;

  /**
   * @param message what is wrong, for people
   * @param hint what to do about it
   * @param cause the error that caused this one
   */
  constructor(message: string, hint: string, cause?: unknown) {
    super("bad-plan", message, { hint, cause });
  }
}

/** Maximum size of an image file. */
export const MAX_IMAGE_BYTES = 32 * 1024 * 1024;
/** Maximum size of an image: 8,192 by 8,192 pixels. */
export const MAX_PIXELS = 8192 * 8192;

const TYPES: Readonly<Record<string, PlanImage["type"]>> = {
  png: "image/png",
  jpg: "image/jpeg",
  webp: "image/webp",
};

/** Returns the {@linkcode PlanImage} of a file. */
export function planImage(
  bytes: Uint8Array<ArrayBuffer>,
  extent: PlanImage["extent"],
): PlanImage {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  return { ...sniffImage(bytes), bytes, extent, etag: `"${hash}"` };
}

/**
 * Finds the type and size of an image by its bytes, not by its name. Refuses
 * SVG, which may contain scripts.
 *
 * @param bytes the file
 * @throws {PlanError} if it is not PNG, JPEG or WebP, or has too many pixels
 */
export function sniffImage(
  bytes: Uint8Array,
): Pick<PlanImage, "type" | "width" | "height"> {
  let found: { type?: string; width: number; height: number } | undefined;
  try {
    found = imageSize(bytes);
  } catch {
    found = undefined; // unknown type, or damaged
  }
  const type = TYPES[found?.type ?? ""];
  if (found === undefined || type === undefined) {
    throw new PlanError(
      found?.type === "svg"
        ? "SVG images are not supported"
        : "The image is not PNG, JPEG or WebP",
      "Save it as PNG.",
    );
  }
  const { width, height } = found;
  if (!(width > 0 && height > 0 && width * height <= MAX_PIXELS)) {
    throw new PlanError(
      `The image has ${width} by ${height} pixels`,
      `Save it with at most ${MAX_PIXELS} pixels.`,
    );
  }
  return { type, width, height };
}

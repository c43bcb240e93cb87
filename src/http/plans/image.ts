import { createHash } from "node:crypto";
import { imageSize } from "image-size";
import { PlanError } from "./error.ts";
import { MAX_PIXELS } from "./pgm.ts";
import type { PlanImage } from "./plan.ts";

/** The most bytes of an image file. */
export const MAX_IMAGE_BYTES = 32 * 1024 * 1024;

/** What is told apart by the bytes, not by the name. */
const TYPES: Readonly<Record<string, PlanImage["type"]>> = {
  png: "image/png",
  jpg: "image/jpeg",
  webp: "image/webp",
};

/**
 * Tells what an image is, by its bytes.
 *
 * SVG is refused: it is a program as much as a picture.
 *
 * @param bytes the file
 * @throws {PlanError} if it is no PNG, JPEG or WebP, or has too many pixels
 */
export function sniffImage(
  bytes: Uint8Array,
): Pick<PlanImage, "type" | "width" | "height"> {
  let found: { type?: string; width: number; height: number } | undefined;
  try {
    found = imageSize(bytes);
  } catch {
    found = undefined; // not an image that it knows, or a damaged one
  }
  const type = TYPES[found?.type ?? ""];
  if (found === undefined || type === undefined) {
    throw new PlanError(
      found?.type === "svg"
        ? "An SVG image is not taken"
        : "It is no PNG, JPEG or WebP image",
      "Save it as PNG.",
    );
  }
  const { width, height } = found;
  if (!(width > 0 && height > 0 && width * height <= MAX_PIXELS)) {
    throw new PlanError(
      `It has ${width} by ${height} pixels`,
      `Save it with at most ${MAX_PIXELS} pixels.`,
    );
  }
  return { type, width, height };
}

/** An image with all that is sent of it. */
export function planImage(
  bytes: Uint8Array<ArrayBuffer>,
  extent: PlanImage["extent"],
): PlanImage {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  return { ...sniffImage(bytes), bytes, extent, etag: `"${hash}"` };
}

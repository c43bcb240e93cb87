/**
 * Image files of floor plans: finds type and size, and refuses a file that is
 * cut off.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { imageSize } from "image-size";
import { MAX_PIXELS, PlanError, type PlanImage } from "./plan.ts";

/** What the bytes of an image file say. */
export type ImageFacts = Pick<PlanImage, "type" | "width" | "height">;

const TYPES: Readonly<Record<string, PlanImage["type"]>> = {
  png: "image/png",
  jpg: "image/jpeg",
  webp: "image/webp",
};

/**
 * Returns the {@linkcode PlanImage} of a file.
 *
 * @param bytes the file
 * @param origin the smallest x and y of the image, in cells
 * @param pixelsPerCell width and height of a cell, in pixels
 */
export function planImage(
  bytes: Uint8Array<ArrayBuffer>,
  [x, y]: readonly [x: number, y: number],
  pixelsPerCell: number,
): PlanImage {
  const facts = sniffImage(bytes);
  const { width, height } = facts;
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  return {
    ...facts,
    bytes,
    extent: [x, y, x + width / pixelsPerCell, y + height / pixelsPerCell],
    etag: `"${hash}"`,
  };
}

/**
 * Finds the type and size of an image by its bytes, not by its name. Refuses
 * SVG, which may contain scripts.
 *
 * @param bytes the file
 * @returns width and height as browsers show the image: turned as its EXIF
 * orientation says
 * @throws {PlanError} if it is not PNG, JPEG or WebP, is cut off, or has too
 * many pixels
 */
export function sniffImage(bytes: Uint8Array): ImageFacts {
  let found: ReturnType<typeof imageSize> | undefined;
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
  let { orientation = 1 } = found;
  if (type === "image/png") orientation = checkPng(bytes);
  else if (type === "image/jpeg") checkJpeg(bytes);
  else checkWebp(bytes);
  // Orientations 5 to 8 exchange rows and columns (EXIF 2.3, 4.6.4).
  const { width, height } = orientation >= 5
    ? { width: found.height, height: found.width }
    : found;
  if (!(width > 0 && height > 0 && width * height <= MAX_PIXELS)) {
    throw new PlanError(
      `The image has ${width} by ${height} pixels`,
      `Save it with at most ${MAX_PIXELS} pixels.`,
    );
  }
  return { type, width, height };
}

/**
 * Checks that a PNG has its chunks up to IEND (PNG, 5.3).
 *
 * @returns the EXIF orientation, 1 to 8
 */
function checkPng(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation = 1;
  let hasPixels = false;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = asciiAt(bytes, at + 4, 4);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    if (type === "IDAT") hasPixels = true;
    if (type === "eXIf") {
      orientation = exifOrientation(bytes.subarray(at + 8, end));
    }
    if (type === "IEND" && hasPixels) return orientation;
    at = end + 4;
  }
  throw cutOff();
}

/** Checks that a JPEG has a scan and its end (ITU-T T.81, B.2.1). */
function checkJpeg(bytes: Uint8Array): void {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at++; // a fill byte
    else if (marker === 0xda) {
      // The last marker; some cameras append bytes of their own.
      for (let end = bytes.length - 2; end > at; end--) {
        if (bytes[end] === 0xff && bytes[end + 1] === 0xd9) return;
      }
      break;
    } else at += 2 + (bytes[at + 2]! << 8 | bytes[at + 3]!);
  }
  throw cutOff();
}

/** Checks that a WebP is as long as its RIFF header says. */
function checkWebp(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (8 + view.getUint32(4, true) > bytes.length) throw cutOff();
}

const ORIENTATION_TAG = 0x112;

/** Returns the orientation in EXIF data, a TIFF file; 1 if there is none. */
function exifOrientation(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    const little = asciiAt(tiff, 0, 2) === "II";
    const first = view.getUint32(4, little);
    const count = view.getUint16(first, little);
    for (let entry = 0; entry < count; entry++) {
      const at = first + 2 + 12 * entry;
      if (view.getUint16(at, little) === ORIENTATION_TAG) {
        return view.getUint16(at + 8, little);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // else it is damaged
  }
  return 1;
}

function asciiAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function cutOff(): PlanError {
  return new PlanError(
    "The image is cut off: its end is missing",
    "Copy or save it again.",
  );
}

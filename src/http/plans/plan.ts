/**
 * A floor plan: a title and an image that is shown under the cells of a layer.
 *
 * @module
 */
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
  /** Whether y grows upwards; absent if not given. */
  readonly yUp?: boolean;
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
   * covers x,y to x+1,y+1. The first row of the image is at y0, or at y1 if the
   * y of the layer grows upwards.
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

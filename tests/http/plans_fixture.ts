import { encodePng } from "../../src/http/plans/grey_image.ts";
import { planImage } from "../../src/http/plans/image_file.ts";
import type { Plan } from "../../src/http/mod.ts";

/** A grey image of 4 by 2 pixels. */
export const SMALL_PNG: Uint8Array<ArrayBuffer> = encodePng({
  width: 4,
  height: 2,
  pixels: Uint8Array.of(0, 1, 2, 3, 252, 253, 254, 255),
});

/** A plan with an image, and one with a title only. */
export const PLANS: ReadonlyMap<string, Plan> = new Map([
  ["default", {
    layer: "default",
    title: "Ground floor",
    metresPerCell: 0.5,
    image: planImage(SMALL_PNG, [-1, -1], 2),
  }],
  ["hall/l2", {
    layer: "hall/l2",
    title: "<i>Second</i>",
    metresPerCell: undefined,
    image: undefined,
  }],
]);

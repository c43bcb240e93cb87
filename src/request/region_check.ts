import { ReadingBatch, type RequestRegion } from "../protocol/mod.ts";

/** The readings of a batch that lie in a region. */
export function within(
  { length, x, y, value, time }: ReadingBatch,
  { x0, y0, x1, y1 }: RequestRegion,
): ReadingBatch {
  const inside = new ReadingBatch();
  for (let i = 0; i < length; i++) {
    const cx = x[i]!;
    const cy = y[i]!;
    if (cx >= x0 && cx <= x1 && cy >= y0 && cy <= y1) {
      inside.push(cx, cy, value[i]!, time[i]);
    }
  }
  return inside;
}

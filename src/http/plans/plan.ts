/** An image under the cells of one layer, and how it lies there. */
export interface Plan {
  /** The layer that it belongs to. */
  readonly layer: string;
  /** What people call the layer; its name if the file does not say. */
  readonly title: string;
  /** Metres a cell is wide and high; undefined if the file does not say. */
  readonly metresPerCell: number | undefined;
  /** The image, if the layer has one. */
  readonly image: PlanImage | undefined;
}

/** The image of a {@linkcode Plan}. */
export interface PlanImage {
  /** As it is sent: PNG, JPEG or WebP. */
  readonly type: "image/png" | "image/jpeg" | "image/webp";
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /**
   * What the image covers, in cells: its outer edges. The cell x,y covers the
   * square from x,y to x+1,y+1, and the first row of the image lies at y0: drawn
   * with y growing downwards, as the map is, it stands as it is. Not whole
   * numbers, as a rule.
   */
  readonly extent: readonly [x0: number, y0: number, x1: number, y1: number];
  /** Changes when the bytes do: an ETag, quotes included. */
  readonly etag: string;
}

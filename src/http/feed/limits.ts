/** What the live feed allows, and how often it does what. */
export interface LiveLimits {
  /** Viewers at one time. Default 64. */
  readonly viewers: number;
  /** ms between two deltas of a viewer at the least. Default 50. */
  readonly interval: number;
  /** Cells of a delta; if more changed, a fresh snapshot comes instead. Default 65,536. */
  readonly deltaCells: number;
  /** Cells of a part of a snapshot, at least 1,024. Default 32,768. */
  readonly partCells: number;
  /** Frames on their way to a viewer that it has not said it got. Default 8. */
  readonly framesUnderWay: number;
  /** Bytes of these, beyond which no more is sent. Default 1 MiB. */
  readonly bytesUnderWay: number;
  /** Messages that a viewer may send in a second, and at once. Default 200. */
  readonly messagesPerSecond: number;
}

/** What holds unless told otherwise. */
export const DEFAULT_LIMITS: LiveLimits = {
  viewers: 64,
  interval: 50,
  deltaCells: 65_536,
  partCells: 32_768,
  framesUnderWay: 8,
  bytesUnderWay: 1024 * 1024,
  messagesPerSecond: 200,
};

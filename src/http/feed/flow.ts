/** What bounds a {@linkcode Flow}. */
export interface FlowLimits {
  readonly framesUnderWay: number;
  readonly bytesUnderWay: number;
}

/**
 * What is on its way to a viewer: frames that were sent, and that it has not said
 * it got. What the operating systems and the network hold is in it too, so a
 * viewer is never further behind than this.
 */
export class Flow {
  readonly #limits: FlowLimits;
  /** Bytes of each, the oldest first. */
  readonly #frames: number[] = [];
  #bytes = 0;
  /** Frames that the viewer got since it came. */
  #got = 0;

  constructor(limits: FlowLimits) {
    this.#limits = limits;
  }

  /** Whether another frame may be sent. */
  get open(): boolean {
    const { framesUnderWay, bytesUnderWay } = this.#limits;
    return this.#frames.length < framesUnderWay && this.#bytes < bytesUnderWay;
  }

  /** A frame was sent. */
  sent(bytes: number): void {
    this.#frames.push(bytes);
    this.#bytes += bytes;
  }

  /**
   * The viewer says how many frames it got, all in all.
   *
   * @returns false if it cannot have got so many
   */
  got(frames: number): boolean {
    const more = frames - this.#got;
    if (more < 0 || more > this.#frames.length) return false;
    for (const bytes of this.#frames.splice(0, more)) this.#bytes -= bytes;
    this.#got = frames;
    return true;
  }
}

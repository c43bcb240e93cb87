/**
 * A response whose body is complete.
 *
 * @module
 */

/**
 * A response whose content is at hand: it is sent with its length and without a
 * stream, which is faster.
 */
export class FixedResponse extends Response {
  /** The body. */
  readonly content: string | Uint8Array<ArrayBuffer>;

  constructor(
    content: string | Uint8Array<ArrayBuffer>,
    init?: ResponseInit,
  ) {
    super(content, init);
    this.content = content;
  }
}

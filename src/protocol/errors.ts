/** Further particulars of a {@linkcode ProtocolError}. */
export interface ProtocolErrorOptions {
  /** What to do about it, one sentence for people. */
  readonly hint?: string | undefined;
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
}

/**
 * Something that was sent is not what the protocol says. The only error that
 * the parsers of this folder throw, whatever bytes they are given.
 *
 * @example
 * ```ts
 * import { ProtocolError } from "./errors.ts";
 *
 * const error = new ProtocolError("bad-layer", "the layer name is empty");
 * console.log(error.code); // bad-layer
 * ```
 */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  /** What is wrong, in kebab case, for programs. docs/PROTOCOL.md lists all. */
  readonly code: string;
  /** What to do about it, if there is something to say. */
  readonly hint?: string;

  /**
   * @param code What is wrong, in kebab case
   * @param message What is wrong, for people, without a full stop
   * @param options A hint and a cause
   */
  constructor(
    code: string,
    message: string,
    options: ProtocolErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

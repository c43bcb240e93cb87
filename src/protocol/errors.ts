import { AppError, type AppErrorOptions } from "../common/errors.ts";

/** Options of {@linkcode ProtocolError}. */
export interface ProtocolErrorOptions extends AppErrorOptions {
  /** The sender of the payload, if the payload names it. */
  readonly source?: string | undefined;
}

/**
 * Bytes or names that do not follow the protocol. The only error that the
 * parsers of this folder throw, for any input. docs/PROTOCOL.md lists the
 * codes.
 *
 * @example
 * ```ts
 * import { ProtocolError } from "./errors.ts";
 *
 * const error = new ProtocolError("bad-layer", "the layer name is empty");
 * console.log(error.code); // bad-layer
 * ```
 */
export class ProtocolError extends AppError {
  /** The name of the class. */
  override readonly name: string = "ProtocolError";
  /** The sender of the payload, if the payload names it. */
  readonly source?: string;

  /**
   * Makes an error.
   *
   * @param code what is wrong, in kebab case
   * @param message what is wrong, for people, without a full stop
   * @param options hint, cause and sender
   */
  constructor(
    code: string,
    message: string,
    options: ProtocolErrorOptions = {},
  ) {
    super(code, message, options);
    if (options.source !== undefined) this.source = options.source;
  }
}

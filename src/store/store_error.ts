/**
 * The error of a store.
 *
 * @module
 */
import { AppError } from "../common/errors.ts";

/** A store cannot be opened, read or written. */
export class StoreError extends AppError {
  override readonly name = "StoreError";

  /**
   * @param message what happened, for users
   * @param options hint and cause
   */
  constructor(
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super("store", message, options);
  }
}

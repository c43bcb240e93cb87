/**
 * The errors of requests.
 *
 * @module
 */
import { AppError } from "../common/errors.ts";

/** No server replied in time. */
export class NoAnswerError extends AppError {
  /** `NoAnswerError` */
  override readonly name = "NoAnswerError";

  /**
   * Creates an error with the code "no-answer".
   *
   * @param message what happened, for people, without a full stop
   * @param options hint: what to do about it, in sentences
   */
  constructor(message: string, options: { hint?: string } = {}) {
    super("no-answer", message, { ...options, exitClass: "no-answer" });
  }
}

/** The server rejected a request. `code` is the code of its error reply. */
export class RefusedError extends AppError {
  /** `RefusedError` */
  override readonly name = "RefusedError";
}

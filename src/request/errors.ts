import { AppError } from "../common/errors.ts";

/** No server answered in time. */
export class NoAnswerError extends AppError {
  override readonly name = "NoAnswerError";

  /**
   * @param message what was not answered, for people
   * @param options what to do about it
   */
  constructor(message: string, options: { hint?: string } = {}) {
    super("no-answer", message, { ...options, exitClass: "no-answer" });
  }
}

/** The server answered a request with an error. Its `code` is the server's. */
export class RefusedError extends AppError {
  override readonly name = "RefusedError";
}

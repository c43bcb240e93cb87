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
  /** What the server last published; undefined if nothing was received. */
  readonly serverState: "online" | "offline" | undefined;

  /**
   * Creates an error with the code "no-answer".
   *
   * @param message what happened, for people, without a full stop
   * @param serverState what the server last published
   */
  constructor(message: string, serverState?: "online" | "offline") {
    super("no-answer", message, {
      hint: serverState === "online"
        ? "It may be busy: allow more time."
        : "Start one (occupancy server), or check the address of the broker and the prefix.",
      exitClass: "no-answer",
    });
    this.serverState = serverState;
  }
}

/** The server rejected a request. `code` is the code of its error reply. */
export class RefusedError extends AppError {
  /** `RefusedError` */
  override readonly name = "RefusedError";
}

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
  /** How many messages on the reply topic were no answer. */
  readonly ignoredMessages: number;

  /**
   * Creates an error with the code "no-answer".
   *
   * @param message what happened, for people, without a full stop
   * @param serverState what the server last published
   * @param ignoredMessages messages on the reply topic that were no answer
   */
  constructor(
    message: string,
    serverState?: "online" | "offline",
    ignoredMessages: number = 0,
  ) {
    super("no-answer", message, {
      hint: ignoredMessages > 0
        ? "Another program publishes on the reply topic: check the prefix, and who may publish there (docs/SECURITY.md)."
        : serverState === "online"
        ? "It may be busy: allow more time."
        : "Start one (occupancy server), or check the address of the broker and the prefix.",
      exitClass: "no-answer",
    });
    this.serverState = serverState;
    this.ignoredMessages = ignoredMessages;
  }
}

/** The server rejected a request. `code` is the code of its error reply. */
export class RefusedError extends AppError {
  /** `RefusedError` */
  override readonly name = "RefusedError";
}

/**
 * The limits of messages over WebSocket, as the package `ws` reports them.
 *
 * @module
 */

/** The codes of errors of `ws` that a limit causes. */
const LIMIT_ERRORS: ReadonlySet<unknown> = new Set([
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "WS_ERR_TOO_MANY_BUFFERED_PARTS",
]);

/**
 * Returns true if a message was too long, or had too many parts.
 *
 * @param error an error of a socket of `ws`
 */
export function isMessageLimit(error: Error): boolean {
  return LIMIT_ERRORS.has((error as { code?: unknown }).code);
}

/**
 * The time limits of the HTTP server, and when a client is slow.
 *
 * @module
 */

/** Time limits of the listener, in ms. */
export interface ListenerTimeouts {
  /**
   * For the head of a request, from the start of the connection or from its
   * first byte. Default 10,000.
   */
  readonly head?: number;
  /** For a whole request with its body. Default 60,000. */
  readonly request?: number;
  /** For a connection between two requests. Default 75,000. */
  readonly idle?: number;
  /** For a client that reads nothing of its response. Default 60,000. */
  readonly stall?: number;
  /**
   * After this time a client that sends its request or reads its response
   * slowly may lose its connection to a new one. Default 3,000.
   */
  readonly slow?: number;
  /** For the answer to a ping on a WebSocket. Default 30,000. */
  readonly webSocketIdle?: number;
}

export const HEAD_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than that of reverse proxies: they end idle connections first. */
export const IDLE_TIMEOUT_MS = 75_000;
export const STALL_TIMEOUT_MS = 60_000;
/** A client that the server has waited for this long may be slow. */
export const SLOW_AFTER_MS = 3000;
/** A client that sends or reads at this rate is not slow. */
export const MIN_BYTES_PER_SECOND: number = 64 * 1024;
/**
 * How long the server reads on after the last response of a connection, so that
 * the client receives it.
 */
export const LINGER_MS = 500;

/**
 * What the store needs of Redis: connections to the masters of keys.
 *
 * @module
 */

/** A node that does not answer a command for this time is given up, in ms. */
export const COMMAND_TIMEOUT_MS = 2000;

/** A reply of Redis; bulk strings as bytes, errors are thrown. */
export type Reply =
  | string
  | number
  | null
  | Uint8Array
  | readonly Reply[];

/** A connection to one node. Not reconnected: open another one instead. */
export interface RedisNode {
  /** For people: `127.0.0.1:6379`. */
  readonly address: string;
  /**
   * Sends a command; commands are answered in order.
   *
   * @param command name and arguments; bytes must not change until the answer
   * @param timeout in ms; on a time-out the connection is closed
   * @throws {RedisError} the error of Redis, or of the connection
   */
  send(
    command: readonly (string | Uint8Array)[],
    timeout?: number,
  ): Promise<Reply>;
  /** Closes the connection. May be called more than once. */
  close(): void;
}

/** The servers of Redis: one, with or without replicas, or a cluster. */
export interface Deployment {
  /** The address without user and password, for people. */
  readonly description: string;
  readonly kind: "single" | "sentinel" | "cluster";
  /** Starts the keys: `occupancy` by default. */
  readonly prefix: string;
  /**
   * Opens a connection to the present master of a key. Finds out anew who that
   * is after {@linkcode Deployment.changed}.
   *
   * @throws {RedisError} if it cannot be reached or does not accept the login
   */
  open(key: string): Promise<RedisNode>;
  /** Call after an error that another master may solve, see `RedisError`. */
  changed(): void;
  /** Returns how many replicas the master of a key has at present. */
  replicas(node: RedisNode): Promise<number>;
  /** Ends. Closes all connections. */
  close(): void;
}

/** Why a command failed. */
export type RedisErrorKind =
  /** No connection, or no answer in time: perhaps it was done. */
  | "connection"
  /** MOVED, ASK, TRYAGAIN, LOADING, READONLY, CLUSTERDOWN, MASTERDOWN: not done. */
  | "elsewhere"
  /** Wrong login or no right: WRONGPASS, NOAUTH, NOPERM. */
  | "access"
  /** OOM, MISCONF, NOREPLICAS, disk errors: not done, may work later. */
  | "refused"
  /** Any other error of Redis. */
  | "other";

/** An error of Redis or of the connection to it. */
export class RedisError extends Error {
  override readonly name = "RedisError";
  readonly kind: RedisErrorKind;
  /** What to do next, for people. */
  readonly hint: string | undefined;

  /**
   * @param kind what a caller can do about it
   * @param message what happened, for people, without user and password
   * @param options hint and cause
   */
  constructor(
    kind: RedisErrorKind,
    message: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}

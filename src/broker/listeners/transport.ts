/**
 * The network connection of a client: a byte stream in both directions, over
 * TCP, TLS or WebSocket.
 *
 * @module
 */

/**
 * A byte stream. At most one call of `read` and one of `write` at a time.
 *
 * Nothing is read ahead without bound: a client whose bytes are not read has to
 * wait.
 */
export interface Transport {
  /** The IP address of the client. */
  readonly address: string;
  /**
   * The name in the client certificate, which the listener has verified;
   * undefined without one.
   */
  readonly certificateName: string | undefined;
  /** True if a page of another site opened it: a WebSocket only. */
  readonly isForeignPage?: boolean;
  /**
   * Reads what has arrived, or waits for it. The buffer must not be used until
   * the promise is settled. What arrived before the end is read before it.
   *
   * @param into at least 1 byte
   * @returns the number of bytes, at least 1; null at the end
   * @throws if the connection was lost or destroyed
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes bytes, or the first part of them. They must not change until the
   * promise is settled.
   *
   * @param bytes at least 1
   * @returns how many the operating system has accepted, at least 1
   * @throws if the connection was lost or destroyed
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the stream to the client, after what was written. Never rejects. */
  end(): Promise<void>;
  /** Closes the connection at once. Safe to call twice. */
  destroy(): void;
  /**
   * Marks the client as logged in: the connection no longer gives way to new
   * ones.
   *
   * @param isSilent true if it has no keep-alive: then that of TCP detects a
   * client whose network or machine has failed
   */
  markBusy(isSilent: boolean): void;
}

/** Handles a new connection. */
export type Accept = (transport: Transport) => void;

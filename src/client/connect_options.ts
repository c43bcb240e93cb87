/**
 * How a program connects to the broker of a server.
 *
 * @module
 */

/** Options of `connect()`. */
export interface ConnectOptions {
  /**
   * `host`, `host:port`, or a URL with `mqtt:`, `mqtts:`, `ws:` or `wss:`.
   * Default `mqtt://localhost:1883`.
   */
  readonly broker?: string;
  /** The prefix of the server's topics. Default `occupancy`. */
  readonly prefix?: string;
  /** The MQTT client id, unique on the broker. Default: a random one. */
  readonly clientId?: string;
  /** Maximum time without the server or the broker, in ms. Default 5,000. */
  readonly timeout?: number;
  /** The user, if `broker` has none before its host. Default: no login. */
  readonly username?: string;
  /** The password, if `broker` has none before its host. */
  readonly password?: string;
  /** Certificate authorities to trust, in PEM format. Default: the system's. */
  readonly ca?: string;
  /** The client certificate, in PEM format, if the broker requires one. */
  readonly cert?: string;
  /** The private key of `cert`, in PEM format, not encrypted. */
  readonly key?: string;
  /**
   * True to accept any certificate of the broker, for tests: others on the
   * network can read and change all messages. Default false.
   */
  readonly insecure?: boolean;
}

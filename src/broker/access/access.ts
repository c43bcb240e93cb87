/**
 * Who may connect to the embedded broker, and what each client may publish and
 * receive. The broker calls it, and has no users or rules of its own.
 *
 * @module
 */

/**
 * A client whose CONNECT was accepted. The identity of a stored session can be
 * made again from its fields.
 */
export interface Identity {
  /** The name of the user; undefined for an anonymous client. */
  readonly user: string | undefined;
  readonly clientId: string;
  /** True for users who may publish and read everything, `$SYS` included. */
  readonly isAdministrator: boolean;
}

/** The login of a client, from its CONNECT and its connection. */
export interface Login {
  /** Not empty: the broker assigns one before, if the client has none. */
  readonly clientId: string;
  readonly user: string | undefined;
  readonly password: Uint8Array | undefined;
  /**
   * The name in a client certificate that the TLS listener has verified;
   * undefined without a certificate.
   */
  readonly certificateName: string | undefined;
  /** The IP address of the client. */
  readonly address: string;
  /** False after the client has closed its connection: a waiting login ends. */
  readonly isConnected?: () => boolean;
}

/**
 * Why a login is refused:
 * - `bad-credentials`: wrong user name or password. CONNACK 4 (MQTT 3.1.1,
 *   3.2.2.3), 0x86 in MQTT 5
 * - `not-authorized`: clients without a user name are not allowed. CONNACK 5,
 *   0x87
 * - `client-id`: the client id belongs to the server. CONNACK 2, 0x85
 * - `busy`: too many logins wait. CONNACK 3, 0x89
 */
export type LoginRefusal =
  | "bad-credentials"
  | "not-authorized"
  | "client-id"
  | "busy";

/** The answer to a login. */
export type LoginResult =
  | { readonly identity: Identity; readonly refused?: undefined }
  | { readonly identity?: undefined; readonly refused: LoginRefusal };

/**
 * How much of a filter a client may receive: each message that matches it, some
 * of them (ask {@linkcode Access.mayReceive} for each message), or none.
 */
export type SubscribeGrant = "all" | "some" | "none";

/** The access rules of the embedded broker. */
export interface Access {
  /**
   * Checks a login. The answer is a promise only if a password has to be
   * checked, or a failed login is delayed. It never rejects.
   *
   * @param login what the CONNECT says
   */
  login(login: Login): LoginResult | Promise<LoginResult>;

  /**
   * Returns whether a client may publish to a topic, its will included. False
   * for the topics of the server and for topics that begin with `$`. A will is
   * checked when it is published: the rules may have changed since CONNECT.
   *
   * @param identity the client
   * @param topic a valid topic name
   */
  mayPublish(identity: Identity, topic: string): boolean;

  /**
   * Returns how much of a filter a client may receive. `some` is granted too:
   * a client that subscribes to `#` receives what it may read.
   *
   * @param identity the client
   * @param filter a valid topic filter; of a shared subscription the part after
   * `$share/NAME/`
   */
  maySubscribe(identity: Identity, filter: string): SubscribeGrant;

  /**
   * Returns whether a client may receive the messages of a topic, retained ones
   * included.
   *
   * @param identity the client
   * @param topic a valid topic name
   */
  mayReceive(identity: Identity, topic: string): boolean;

  /**
   * Changes when the users or rules change: answers of {@linkcode mayPublish},
   * {@linkcode maySubscribe} and {@linkcode mayReceive} may be remembered while
   * it is the same.
   */
  readonly version: number;

  /**
   * Returns false if a connected client must be disconnected: its user was
   * removed, or has another password or role now.
   *
   * @param identity the client
   */
  isCurrent(identity: Identity): boolean;

  /**
   * Called after the users or rules have changed. The broker sets it, and then
   * disconnects each client that is not current (MQTT 5: DISCONNECT 0x87).
   */
  onChange: (() => void) | undefined;
}

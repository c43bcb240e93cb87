/**
 * A connection to one Redis server.
 *
 * The replies are parsed by node-redis. Its client is not used: it loads all
 * commands of Redis (90 ms), has no time limit for the login, and with TLS an
 * early error of the socket would end the process.
 *
 * @module
 */
import { Decoder, RESP_TYPES } from "@redis/client/dist/lib/RESP/decoder.js";
import { Buffer } from "node:buffer";
import { createConnection, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Fifo } from "../../common/fifo.ts";
import { formatEndpoint, type RedisEndpoint } from "./address.ts";
import type { RedisError, RedisNode, Reply } from "./deployment.ts";
import {
  closedError,
  explainFailure,
  explainReply,
  timeoutError,
  TLS_TIMEOUT_HINT,
} from "./errors.ts";

/** How a connection identifies itself, and how it checks the server. */
export interface RedisAccess {
  /** Undefined: the user `default`. */
  readonly username?: string;
  readonly password?: string;
  /** Undefined: no TLS. */
  readonly tls?: {
    /** PEM certificate authorities to trust instead of the system's. */
    readonly ca?: string | undefined;
    /** The client certificate in PEM format, with `key`. */
    readonly cert?: string | undefined;
    /** The private key of the client certificate in PEM format. */
    readonly key?: string | undefined;
  };
}

/** Options of {@linkcode connectNode}. */
export interface ConnectNodeOptions {
  readonly access: RedisAccess;
  /** Maximum time to connect and log in, in ms. */
  readonly timeout: number;
  /** The default time limit of a command, in ms. Default 5,000. */
  readonly commandTimeout?: number;
  /** Called once when the connection is closed, for any reason. */
  readonly onClose?: (node: RedisNode) => void;
}

/** A command whose reply has not come. */
interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: RedisError) => void;
  /** Its time limit, in ms. */
  readonly timeout: number;
  /** When that is over, as `performance.now()`. */
  readonly deadline: number;
}

/**
 * How long a reply may still come after the time limit, in ms: when this process
 * stood still, its timers fire before it has read what waits in the socket...
 */
const GRACE_MS = 100;
/** ...and how often, as long as bytes arrive: those of a large reply. */
const MAX_GRACES = 20;

const TYPES = { [RESP_TYPES.BLOB_STRING]: Buffer };

/**
 * Connects to a server and logs in.
 *
 * @param endpoint where the server listens
 * @param options login and certificates, time limits
 * @throws {RedisError} if it does not answer in time or does not accept the login
 */
export async function connectNode(
  endpoint: RedisEndpoint,
  options: ConnectNodeOptions,
): Promise<RedisNode> {
  const { access: { username, password, tls }, timeout } = options;
  const node = new SocketNode(endpoint, options);
  const timer = setTimeout(
    () =>
      node.fail(
        timeoutError(
          node.address,
          timeout,
          tls === undefined ? undefined : TLS_TIMEOUT_HINT,
        ),
      ),
    timeout,
  );
  try {
    await node.connected;
    if (username !== undefined || password !== undefined) {
      const user = username === undefined ? [] : [username];
      await node.send(["AUTH", ...user, password ?? ""], 2 * timeout);
    }
    return node;
  } catch (error) {
    node.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A {@linkcode RedisNode} over a socket. */
class SocketNode implements RedisNode {
  readonly address: string;
  readonly #socket: Socket;
  readonly #pending = new Fifo<Pending>();
  readonly #options: ConnectNodeOptions;
  readonly #decoder: Decoder;
  readonly #connected = Promise.withResolvers<void>();
  /** In bytes. */
  #received = 0;
  /**
   * Fires at the deadline of a command, or before it: one timer for all costs
   * less than one for each.
   */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it fires, as `performance.now()`. */
  #timerAt = Infinity;
  /** Why it is closed. */
  #failure: RedisError | undefined;

  constructor(endpoint: RedisEndpoint, options: ConnectNodeOptions) {
    this.address = formatEndpoint(endpoint);
    this.#options = options;
    this.#decoder = new Decoder({
      onReply: (reply) => this.#onReply(reply as Reply),
      onErrorReply: (error) => this.#onError(error),
      onPush: () => {}, // of RESP 3 only
      getTypeMapping: () => TYPES,
    });
    this.#connected.promise.catch(() => {});
    const { tls } = options.access;
    const socket = this.#socket = openSocket(endpoint, tls);
    socket
      .on(tls === undefined ? "connect" : "secureConnect", () => {
        socket.setNoDelay(true);
        this.#connected.resolve();
      })
      .on("data", (bytes) => this.#onData(bytes as Uint8Array))
      .on("error", (error) => this.#onFailure(error))
      .on("close", () => this.#onFailure(new Error("closed unexpectedly")));
  }

  /** Resolves when the connection is open. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  send(
    command: readonly (string | Uint8Array)[],
    timeout = this.#options.commandTimeout ?? 5000,
  ): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const deadline = performance.now() + timeout;
    this.#pending.push({ resolve, reject, timeout, deadline });
    if (deadline < this.#timerAt) this.#startTimer(deadline);
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      // Commands that are sent together travel together.
      queueMicrotask(() => this.#socket.uncork());
    }
    for (const part of encodeCommand(command)) this.#socket.write(part);
    return promise;
  }

  close(): void {
    this.fail(closedError(this.address));
  }

  /** Closes the connection: all commands fail with this error. */
  fail(failure: RedisError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#connected.reject(failure);
    for (;;) {
      const pending = this.#pending.shift();
      if (pending === undefined) break;
      pending.reject(failure);
    }
    this.#options.onClose?.(this);
  }

  #startTimer(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const ms = Math.ceil(at - performance.now());
    this.#timer = setTimeout(() => this.#checkDeadlines(), ms);
  }

  /** Fails if the time limit of a command is over; else looks again later. */
  #checkDeadlines(): void {
    this.#timerAt = Infinity;
    let next: Pending | undefined;
    for (const one of this.#pending) {
      if (next === undefined || one.deadline < next.deadline) next = one;
    }
    if (next === undefined) return;
    if (next.deadline > performance.now()) this.#startTimer(next.deadline);
    else this.#expire(next);
  }

  /** The time limit of a command is over. */
  #expire(pending: Pending, graces = 0): void {
    const received = this.#received;
    this.#timerAt = -Infinity;
    this.#timer = setTimeout(() => {
      if (![...this.#pending].includes(pending)) this.#checkDeadlines();
      else if (this.#received > received && graces < MAX_GRACES) {
        this.#expire(pending, graces + 1);
      } else this.fail(timeoutError(this.address, pending.timeout));
    }, GRACE_MS);
  }

  #onData(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#received += bytes.length;
    try {
      this.#decoder.write(bytes);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #onReply(reply: Reply): void {
    const pending = this.#pending.shift();
    // A server sends nothing on its own.
    if (pending === undefined) throw new Error("an unexpected reply");
    // EXEC returns the errors of its commands in an array.
    const error = Array.isArray(reply) &&
      reply.find((part) => part instanceof Error);
    if (error) pending.reject(explainReply(error, this.address));
    else pending.resolve(reply);
  }

  #onError(error: Error): void {
    const explained = explainReply(error, this.address);
    const pending = this.#pending.shift();
    // Without a command: it refuses the connection and closes it.
    if (pending === undefined) return this.fail(explained);
    pending.reject(explained);
  }

  #onFailure(error: unknown): void {
    this.fail(explainFailure(error, this.address, this.#options.access.tls));
  }
}

function openSocket(
  { host, port }: RedisEndpoint,
  tls: RedisAccess["tls"],
): Socket {
  if (tls === undefined) return createConnection({ host, port });
  const { ca, cert, key } = tls;
  return connectTls({
    host,
    port,
    // The name must not be an IP address (RFC 6066, 3).
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  });
}

/** Encodes a command as an array of bulk strings (RESP, "Sending commands"). */
function* encodeCommand(
  command: readonly (string | Uint8Array)[],
): Generator<string | Uint8Array> {
  let text = `*${command.length}\r\n`;
  for (const part of command) {
    if (typeof part === "string") {
      text += `$${Buffer.byteLength(part)}\r\n${part}\r\n`;
    } else {
      yield `${text}$${part.length}\r\n`;
      yield part;
      text = "\r\n";
    }
  }
  yield text;
}

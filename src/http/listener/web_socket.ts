/**
 * WebSockets (RFC 6455) on connections of the listener.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import { isMessageLimit } from "../../common/web_socket_limits.ts";

/**
 * Maximum size of a message, also while its fragments arrive. The protocol of
 * the live feed allows 4,096 characters and answers longer messages with an
 * error; above this size the connection is closed with 1009.
 */
const MAX_MESSAGE_BYTES = 32 * 1024;
/** Maximum number of fragments of a message, empty ones included. */
const MAX_MESSAGE_FRAGMENTS = 64;
/**
 * Maximum number of reads of the socket in which one frame arrives. Each keeps
 * a buffer of up to 64 KiB alive.
 */
const MAX_FRAME_READS = 64;
/** A client that answers no ping for this time is disconnected. */
const IDLE_TIMEOUT_MS = 30_000;
/** A client has this time to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2000;

/** A WebSocket, as the live feed uses it. */
export interface MessageSocket {
  /** True until either end closes it. */
  readonly isOpen: boolean;
  /** Bytes that were sent and that the operating system has not accepted. */
  readonly bufferedAmount: number;
  /** Sends a text message, or a binary one. Ignored if the socket is closed. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /**
   * Sends a close frame (RFC 6455, 7.4).
   *
   * @param code 1000 to 4999
   * @param reason at most 123 bytes of UTF-8
   */
  close(code: number, reason: string): void;
  /** Called with each message: text, or bytes. */
  onmessage: (data: string | Uint8Array) => void;
  /** Called once, when the socket has closed. */
  onclose: () => void;
}

/**
 * Turns the connection of a request into a WebSocket.
 *
 * @param onOpen called with the socket
 * @returns the response to return: the handshake is already sent
 */
export type Upgrade = (onOpen: (socket: MessageSocket) => void) => Response;

/** Options of {@linkcode WebSockets}. */
export interface WebSocketOptions {
  /** Default 30,000 ms. */
  readonly idleTimeoutMs?: number | undefined;
  /** Called when a client is disconnected because of one of the limits. */
  readonly onLimit: () => void;
}

/** Accepts WebSockets, and disconnects those that answer no pings. */
export class WebSockets {
  readonly #server: WebSocketServer;
  readonly #options: WebSocketOptions;
  /** Whether each has answered since the last ping. */
  readonly #answered = new Map<WebSocket, boolean>();
  readonly #timer: ReturnType<typeof setInterval>;

  static async create(options: WebSocketOptions): Promise<WebSockets> {
    // Loaded here because it reads the environment.
    const { WebSocketServer } = await import("ws");
    return new WebSockets(new WebSocketServer(SERVER_OPTIONS), options);
  }

  private constructor(server: WebSocketServer, options: WebSocketOptions) {
    this.#server = server;
    this.#options = options;
    const { idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
    this.#timer = setInterval(() => this.#ping(), idleTimeoutMs / 2);
  }

  /** Returns the function that upgrades a connection. Valid for one call. */
  upgradeOf(request: IncomingMessage, stream: Duplex, head: Buffer): Upgrade {
    return (onOpen) => {
      // The package accepts no list such as "h2c, websocket".
      request.headers.upgrade = "websocket";
      this.#server.handleUpgrade(request, stream, head, (socket: WebSocket) => {
        this.#answered.set(socket, true);
        socket.on("pong", () => this.#answered.set(socket, true));
        socket.on("close", () => this.#answered.delete(socket));
        socket.on("error", (error: Error) => {
          if (isMessageLimit(error)) this.#options.onLimit();
        });
        onOpen(new Adapter(socket));
      });
      return switchingProtocols();
    };
  }

  /** Disconnects all, without a close frame, and stops the timer. */
  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#answered.keys()) socket.terminate();
  }

  #ping(): void {
    for (const [socket, answered] of this.#answered) {
      if (!answered) {
        socket.terminate();
        continue;
      }
      this.#answered.set(socket, false);
      socket.ping();
    }
  }
}

const SERVER_OPTIONS = {
  noServer: true,
  clientTracking: false,
  maxPayload: MAX_MESSAGE_BYTES,
  maxFragments: MAX_MESSAGE_FRAGMENTS,
  maxBufferedChunks: MAX_FRAME_READS,
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS, // missing in the types of the package
};

class Adapter implements MessageSocket {
  readonly #socket: WebSocket;
  onmessage: (data: string | Uint8Array) => void = () => {};
  onclose: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      this.onmessage(isBinary ? data : data.toString());
    });
    socket.on("close", () => this.onclose());
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    if (this.isOpen) this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }
}

/** Returns a response with the status 101, which the constructor refuses. */
function switchingProtocols(): Response {
  return Object.defineProperty(new Response(null), "status", { value: 101 });
}

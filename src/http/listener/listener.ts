/**
 * The HTTP listener: accepts connections within budgets and time limits, and
 * passes their requests on, one at a time for each connection.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import {
  createServer,
  type IncomingMessage,
  type Server,
  ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { LimitCounts } from "../../common/limit_counts.ts";
import { ListenerWatch } from "../../common/listener_watch.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { type Incoming, incomingOf } from "./incoming.ts";
import { sendResponse } from "./outgoing.ts";
import { PacedReads } from "./paced_reads.ts";
import { StallWatch } from "./stall_watch.ts";
import {
  answerToFailure,
  malformedRequest,
  tooManyConnections,
} from "./refusals.ts";
import {
  HEAD_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  type ListenerTimeouts,
  REQUEST_TIMEOUT_MS,
  STALL_TIMEOUT_MS,
} from "./timeouts.ts";
import { type Upgrade, WebSockets } from "./web_socket.ts";

/** Options of {@linkcode HttpListener}. */
export interface ListenerOptions {
  /** A name or address of this machine. */
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Answers a request. Must not reject. */
  readonly answer: (incoming: Incoming) => Promise<Response>;
  /** The headers of every response: names and values in turn. */
  readonly responseHeaders: readonly string[];
  /** Counts what the limits refuse or close. */
  readonly reached: LimitCounts;
  readonly limits?: ConnectionLimits | undefined;
  readonly timeouts?: ListenerTimeouts | undefined;
}

/** The interval of the checks of these limits. */
const CHECK_INTERVAL_MS = 1000;
/**
 * Requests that a client may send before the response to its first one. More
 * end the connection.
 */
const MAX_PIPELINED = 32;
/**
 * How long the rest of a refused body is read, so that the client receives the
 * response before the connection ends.
 */
const LINGER_MS = 500;
/** Refused connections that end in this way at the same time. */
const MAX_LINGERING = 16;

/** A request on a connection, and where to write its response. */
interface PendingRequest {
  readonly message: IncomingMessage;
  readonly to: ServerResponse;
  readonly expectsContinue: boolean;
}

/** The requests of one connection. */
interface ConnectionState {
  /** True while a request is answered. */
  isAnswering: boolean;
  /** The response in progress. */
  current?: ServerResponse;
  /** True if the bytes after the request are not HTTP: no response follows. */
  failed?: boolean;
  /** Requests that arrived before the response to the one before them. */
  readonly waiting: PendingRequest[];
}

/** Listens from {@linkcode HttpListener.open} to `close()`. */
export class HttpListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #connections: Connections<Socket>;
  readonly #states = new WeakMap<Socket, ConnectionState>();
  readonly #webSockets: WebSockets;
  readonly #stalls: StallWatch;
  readonly #reads = new PacedReads();
  #watch: ListenerWatch | undefined;
  #lingering = 0;
  #isClosing = false;

  /**
   * Starts to listen.
   *
   * @throws {Error} with the `code` EADDRINUSE, EADDRNOTAVAIL, EACCES…
   */
  static async open(options: ListenerOptions): Promise<HttpListener> {
    const { timeouts, reached } = options;
    const webSockets = await WebSockets.create({
      idleTimeoutMs: timeouts?.webSocketIdle,
      onLimit: () => reached.add("http-websocket-message"),
    });
    const listener = new HttpListener(options, webSockets);
    try {
      await listener.#listen();
    } catch (error) {
      listener.#stopTimers();
      throw error;
    }
    return listener;
  }

  private constructor(options: ListenerOptions, webSockets: WebSockets) {
    const { limits = {}, timeouts = {}, reached } = options;
    this.#options = options;
    this.#connections = new Connections(limits, (limit) => reached.add(limit));
    this.#webSockets = webSockets;
    this.#stalls = new StallWatch(
      timeouts.stall ?? STALL_TIMEOUT_MS,
      () => reached.add("http-response-stall"),
    );
    const { request = REQUEST_TIMEOUT_MS, head = HEAD_TIMEOUT_MS } = timeouts;
    this.#server = createServer(
      {
        headersTimeout: Math.min(head, request),
        requestTimeout: request,
        keepAliveTimeout: timeouts.idle ?? IDLE_TIMEOUT_MS,
        connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, head / 2),
        requireHostHeader: false, // checked with the rest of the address
        keepAlive: true, // detects clients that are gone without a word
        shouldUpgradeCallback: isWebSocket,
      } as Parameters<typeof createServer>[0],
    );
    this.#addListeners(this.#server);
  }

  /** Where it listens. */
  get address(): { readonly hostname: string; readonly port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new TypeError("The listener is closed");
    }
    return { hostname: address.address, port: address.port };
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Why new connections are not accepted, for people; else undefined. */
  get problem(): string | undefined {
    if (this.#connections.full) return "all connections have requests";
    return this.#watch?.problem;
  }

  /**
   * Stops accepting connections, closes the idle ones and waits for the
   * responses in progress. Safe to call twice.
   *
   * @param timeoutMs after this time the others are closed too
   */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    this.#watch?.stop();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#connections.closeIdle();
    const timer = setTimeout(() => {
      this.#webSockets.stop();
      this.#connections.closeAll();
      this.#server.closeAllConnections();
      closed.resolve();
    }, timeoutMs);
    await closed.promise;
    clearTimeout(timer);
    this.#stopTimers();
  }

  #stopTimers(): void {
    this.#webSockets.stop();
    this.#stalls.stop();
  }

  async #listen(): Promise<void> {
    const { hostname, port } = this.#options;
    const bound = Promise.withResolvers<void>();
    this.#server.once("error", bound.reject);
    this.#server.listen(port, hostname, bound.resolve);
    await bound.promise;
    this.#server.off("error", bound.reject);
    this.#watch = new ListenerWatch(this.#server);
  }

  #addListeners(server: Server): void {
    // Node.js serves each connection: here only those within the budgets.
    const serve = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      if (!this.#admit(socket)) return;
      this.#reads.attach(socket, () => {
        for (const listener of serve) listener.call(server, socket);
      });
    });
    for (const event of ["request", "checkContinue", "checkExpectation"]) {
      // An unknown expectation is ignored (RFC 9110, 10.1.1).
      server.on(
        event,
        (message: IncomingMessage, to: ServerResponse) =>
          this.#enqueue(message, to, event === "checkContinue"),
      );
    }
    server.on(
      "upgrade",
      (message, stream, head) => {
        const socket = stream as Socket;
        const bytes = this.#reads.detach(socket, head);
        void this.#upgrade(message, socket, bytes);
      },
    );
    server.on(
      "clientError",
      (error: Error & { code?: string }, socket) =>
        this.#fail(error.code, socket as Socket),
    );
  }

  #admit(socket: Socket): boolean {
    const { remoteAddress = "" } = socket;
    if (!this.#isClosing && this.#connections.add(socket, remoteAddress)) {
      socket.once("close", () => this.#connections.remove(socket));
      return true;
    }
    socket.on("error", () => {});
    if (this.#isClosing || this.#lingering >= MAX_LINGERING) {
      socket.destroy();
    } else {
      this.#refuse(socket);
    }
    return false;
  }

  /** Answers 503 and closes the connection after the client has read it. */
  #refuse(socket: Socket): void {
    this.#lingering++;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#lingering--;
    });
    socket.once("end", () => socket.destroy());
    socket.resume();
    socket.end(tooManyConnections());
  }

  #stateOf(socket: Socket): ConnectionState {
    let state = this.#states.get(socket);
    if (state === undefined) {
      state = { isAnswering: false, waiting: [] };
      this.#states.set(socket, state);
    }
    return state;
  }

  /** Answers a request after those before it on the same connection. */
  #enqueue(
    message: IncomingMessage,
    to: ServerResponse,
    expectsContinue: boolean,
  ): void {
    const { socket } = message;
    const state = this.#stateOf(socket);
    const request = { message, to, expectsContinue };
    if (!state.isAnswering) {
      void this.#answerAll(request, socket, state);
      return;
    }
    if (state.waiting.length < MAX_PIPELINED) {
      state.waiting.push(request);
      return;
    }
    if (!socket.destroyed) this.#options.reached.add("http-pipelined");
    state.waiting.length = 0;
    socket.destroy();
  }

  async #answerAll(
    first: PendingRequest,
    socket: Socket,
    state: ConnectionState,
  ): Promise<void> {
    state.isAnswering = true;
    this.#connections.setBusy(socket);
    for (
      let next: PendingRequest | undefined = first;
      next !== undefined && !socket.destroyed && !state.failed;
      next = state.waiting.shift()
    ) {
      state.current = next.to;
      await this.#answer(next, state);
    }
    state.isAnswering = false;
    this.#connections.setIdle(socket);
  }

  async #answer(
    { message, to, expectsContinue }: PendingRequest,
    state: ConnectionState,
  ): Promise<void> {
    const onBodyRead = () => {
      if (expectsContinue) to.writeContinue();
    };
    const response = await this.#responseTo(message, { onBodyRead });
    if (state.failed || to.destroyed) await response.body?.cancel();
    else await this.#send(response, to);
  }

  /** @returns the response; 400 if a header is malformed */
  #responseTo(
    message: IncomingMessage,
    options: Parameters<typeof incomingOf>[1],
  ): Response | Promise<Response> {
    let incoming: Incoming;
    try {
      incoming = incomingOf(message, options);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return malformedRequest().toResponse();
    }
    return this.#options.answer(incoming);
  }

  async #send(response: Response, to: ServerResponse): Promise<void> {
    await sendResponse(response, to, {
      stalls: this.#stalls,
      headers: this.#options.responseHeaders,
      isClosing: this.#isClosing,
      lingerMs: LINGER_MS,
    });
  }

  /** Answers a handshake of a WebSocket. */
  async #upgrade(
    message: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    socket.on("error", () => {});
    const state = this.#stateOf(socket);
    if (state.isAnswering || this.#isClosing) {
      socket.destroy(); // the handshake came before the response to another
      return;
    }
    state.isAnswering = true;
    this.#connections.setBusy(socket);
    const upgrade: Upgrade = this.#webSockets.upgradeOf(message, socket, head);
    const response = await this.#responseTo(message, { upgrade });
    if (response.status === 101) return;
    const to = new ServerResponse(message);
    to.shouldKeepAlive = false;
    to.assignSocket(socket);
    // Node.js passes it on for its own requests only.
    socket.on("drain", () => to.emit("drain"));
    await this.#send(response, to);
    socket.destroySoon();
  }

  /** Answers what is not a request, or does not arrive in time. */
  #fail(code: string | undefined, socket: Socket): void {
    const { reached } = this.#options;
    const isTimeout = code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (isTimeout) reached.add("http-request-timeout");
    if (code === "HPE_HEADER_OVERFLOW") reached.add("http-head-bytes");
    const state = this.#stateOf(socket);
    state.failed = true;
    const isSilent = isTimeout && socket.bytesRead === 0;
    const hasBegun = state.isAnswering && state.current?.headersSent !== false;
    if (isSilent || hasBegun || !socket.writable || code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    socket.end(answerToFailure(code), () => socket.destroy());
  }
}

function isWebSocket({ method, headers: { upgrade } }: IncomingMessage) {
  return method === "GET" && upgrade !== undefined &&
    upgrade.toLowerCase().split(",").some((one) => one.trim() === "websocket");
}

/**
 * The HTTP listener: accepts connections within budgets and time limits, and
 * passes their requests on, one at a time for each connection.
 *
 * @module
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { Server as TcpServer, type Socket } from "node:net";
import type { LimitCounts } from "../../common/limit_counts.ts";
import { untilNextTurn } from "../../common/next_turn.ts";
import { ListenerWatch } from "../../common/listener_watch.ts";
import {
  type ConnectionLimits,
  Connections,
} from "../../common/connection_budget.ts";
import { CompactMessage } from "./compact_message.ts";
import type { Incoming } from "./incoming.ts";
import { endWith, tooManyConnections } from "./refusals.ts";
import { PacedReads } from "./paced_reads.ts";
import { RequestQueues } from "./request_queues.ts";
import { StallWatch } from "./stall_watch.ts";
import {
  HEAD_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  type ListenerTimeouts,
  REQUEST_TIMEOUT_MS,
  STALL_TIMEOUT_MS,
} from "./timeouts.ts";
import { WebSockets } from "./web_socket.ts";

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
/** Refused connections that are answered at the same time. */
const MAX_LINGERING = 16;

/** Listens from {@linkcode HttpListener.open} to `close()`. */
export class HttpListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #connections: Connections<Socket>;
  readonly #requests: RequestQueues;
  readonly #webSockets: WebSockets;
  readonly #stalls: StallWatch;
  readonly #reads = new PacedReads();
  #watch: ListenerWatch | undefined;
  #lingering = 0;

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
    this.#connections = new Connections(limits, {
      onLimit: (limit) => reached.add(`http-${limit}`),
      isSlow: (socket) => this.#requests.isSlow(socket),
    });
    this.#webSockets = webSockets;
    this.#stalls = new StallWatch(
      timeouts.stall ?? STALL_TIMEOUT_MS,
      () => reached.add("http-response-stall"),
    );
    this.#requests = new RequestQueues({
      answer: options.answer,
      responseHeaders: options.responseHeaders,
      reached,
      stalls: this.#stalls,
      webSockets,
      slowAfterMs: timeouts.slow,
      onBusy: (socket) => this.#connections.setBusy(socket),
      onIdle: (socket) => this.#connections.setIdle(socket),
    });
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
        IncomingMessage: CompactMessage,
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

  /** False in old versions of Deno, which do not report connections. */
  get limitsConnections(): boolean {
    return this.#server instanceof TcpServer;
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
    this.#requests.isClosing = true;
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
    await untilNextTurn();
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
          this.#requests.add(message, to, event === "checkContinue"),
      );
    }
    server.on(
      "upgrade",
      (message, stream, head) => {
        const socket = stream as Socket;
        const bytes = this.#reads.detach(socket, head);
        void this.#requests.upgrade(message, socket, bytes);
      },
    );
    server.on(
      "clientError",
      (error: Error & { code?: string }, stream) => {
        const socket = stream as Socket;
        this.#reads.detach(socket);
        this.#requests.fail(error.code, socket);
      },
    );
  }

  #admit(socket: Socket): boolean {
    const { remoteAddress = "" } = socket;
    if (
      !this.#requests.isClosing && this.#connections.add(socket, remoteAddress)
    ) {
      socket.once("close", () => this.#connections.remove(socket));
      return true;
    }
    socket.on("error", () => {});
    if (this.#requests.isClosing || this.#lingering >= MAX_LINGERING) {
      socket.destroy();
    } else {
      this.#lingering++;
      socket.once("close", () => this.#lingering--);
      endWith(socket, tooManyConnections());
    }
    return false;
  }
}

function isWebSocket({ method, headers: { upgrade } }: IncomingMessage) {
  return method === "GET" && upgrade !== undefined &&
    upgrade.toLowerCase().split(",").some((one) => one.trim() === "websocket");
}

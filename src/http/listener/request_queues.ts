/**
 * Answers the requests of each connection, one after the other.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { LimitCounts } from "../../common/limit_counts.ts";
import { type Incoming, incomingOf, type IncomingOptions } from "./incoming.ts";
import { sendResponse } from "./outgoing.ts";
import { answerToFailure, endWith, malformedRequest } from "./refusals.ts";
import type { StallWatch } from "./stall_watch.ts";
import { LINGER_MS, MIN_BYTES_PER_SECOND, SLOW_AFTER_MS } from "./timeouts.ts";
import type { WebSockets } from "./web_socket.ts";

/** Options of {@linkcode RequestQueues}. */
export interface RequestQueueOptions {
  /** Answers a request. Must not reject. */
  readonly answer: (incoming: Incoming) => Promise<Response>;
  /** The headers of every response: names and values in turn. */
  readonly responseHeaders: readonly string[];
  /** Counts what the limits refuse or close. */
  readonly reached: LimitCounts;
  readonly stalls: StallWatch;
  readonly webSockets: WebSockets;
  /** After this time a client is slow, in ms. Default 3,000. */
  readonly slowAfterMs?: number | undefined;
  /** Called before the first request of a connection is answered. */
  readonly onBusy: (socket: Socket) => void;
  /** Called when all requests of a connection are answered. */
  readonly onIdle: (socket: Socket) => void;
}

/**
 * Requests that a client may send before the response to its first one. More
 * end the connection.
 */
const MAX_PIPELINED = 32;

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
  /** When its request arrived, monotonic, in ms. */
  startedAt: number;
  /** Bytes that had been received by then. */
  bytesBefore: number;
  /** True if the bytes after the request are not HTTP: no response follows. */
  failed?: boolean;
  /** True after the last response: requests after it are ignored. */
  isEnding?: boolean;
  /** Requests that arrived before the response to the one before them. */
  readonly waiting: PendingRequest[];
}

/** The requests of all connections. */
export class RequestQueues {
  readonly #options: RequestQueueOptions;
  readonly #states = new WeakMap<Socket, ConnectionState>();
  /** True while the server closes: each response is the last. */
  isClosing = false;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  #stateOf(socket: Socket): ConnectionState {
    let state = this.#states.get(socket);
    if (state === undefined) {
      state = {
        isAnswering: false,
        startedAt: 0,
        bytesBefore: 0,
        waiting: [],
      };
      this.#states.set(socket, state);
    }
    return state;
  }

  /** Answers a request after those before it on the same connection. */
  add(
    message: IncomingMessage,
    to: ServerResponse,
    expectsContinue: boolean,
  ): void {
    const { socket } = message;
    const state = this.#stateOf(socket);
    if (state.isEnding) return;
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
    this.#options.onBusy(socket);
    for (
      let next: PendingRequest | undefined = first;
      next !== undefined && !socket.destroyed && !state.failed &&
      !state.isEnding;
      next = state.waiting.shift()
    ) {
      state.current = next.to;
      state.startedAt = performance.now();
      state.bytesBefore = socket.bytesRead;
      try {
        await this.#answer(next, state);
      } catch {
        socket.destroy(); // a rejection would end the process
      }
    }
    state.isAnswering = false;
    this.#options.onIdle(socket);
  }

  /**
   * Returns true if the client of a connection with a request sends its body
   * slowly, or does not read its response.
   */
  isSlow(socket: Socket): boolean {
    const { slowAfterMs = SLOW_AFTER_MS, stalls } = this.#options;
    const { current, startedAt, bytesBefore } = this.#stateOf(socket);
    if (current === undefined) return false;
    const now = performance.now();
    if (now - stalls.waitingSince(current) > slowAfterMs) return true;
    const time = now - startedAt;
    return current.req.readableFlowing === true && !current.req.complete &&
      time > slowAfterMs &&
      socket.bytesRead - bytesBefore < time / 1000 * MIN_BYTES_PER_SECOND;
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
    else state.isEnding = await this.#send(response, to);
  }

  /** @returns the response; 400 if a header is malformed */
  #responseTo(
    message: IncomingMessage,
    options: IncomingOptions,
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

  /** @returns true if it is the last response of the connection */
  #send(response: Response, to: ServerResponse): Promise<boolean> {
    return sendResponse(response, to, {
      stalls: this.#options.stalls,
      headers: this.#options.responseHeaders,
      isClosing: this.isClosing,
      lingerMs: LINGER_MS,
    });
  }

  /** Answers a handshake of a WebSocket. */
  async upgrade(
    message: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    socket.on("error", () => {});
    const state = this.#stateOf(socket);
    if (state.isAnswering || this.isClosing) {
      socket.destroy(); // the handshake came before the response to another
      return;
    }
    state.isAnswering = true;
    this.#options.onBusy(socket);
    const upgrade = this.#options.webSockets.upgradeOf(message, socket, head);
    try {
      const response = await this.#responseTo(message, { upgrade });
      if (response.status === 101) return;
      const to = new ServerResponse(message);
      to.shouldKeepAlive = false;
      to.assignSocket(socket);
      // Node.js passes it on for its own requests only.
      socket.on("drain", () => to.emit("drain"));
      await this.#send(response, to);
      socket.destroySoon();
    } catch {
      socket.destroy();
    }
  }

  /** Answers what is not a request, or does not arrive in time. */
  fail(code: string | undefined, socket: Socket): void {
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
    endWith(socket, answerToFailure(code));
  }
}

/**
 * MQTT over WebSocket (MQTT 5, 6).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Server, Socket } from "node:net";
import type { IncomingMessage } from "node:http";
import type { WebSocket } from "ws";
import { isMessageLimit } from "../../common/web_socket_limits.ts";
import { isForeignPage } from "./page_origin.ts";
import { checkIdentity, type Listener, type TlsSettings } from "./listener.ts";
import {
  type AdmittedSocket,
  AdmittedSockets,
  listenOn,
  type NodeListenerOptions,
} from "./node_listener.ts";
import { StreamTransport } from "./stream_transport.ts";
import type { Accept } from "./transport.ts";

/** Maximum number of fragments of a message, empty ones included. */
const MAX_MESSAGE_FRAGMENTS = 4096;
/** Maximum number of reads of the socket in which one frame arrives. */
const MAX_FRAME_READS = 64 * 1024;
/**
 * A chunk below this size is copied: a view would keep the buffer of the read,
 * 64 KiB, alive until its frame is complete.
 */
const COPIED_CHUNK_BYTES = 32 * 1024;
/** A client has this time to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2000;

/** Options of {@linkcode listenWebSocket}. */
export interface WebSocketListenerOptions extends NodeListenerOptions {
  /** Uses TLS if there is a certificate. */
  readonly tls?: TlsSettings | undefined;
  /** The longest message, also while its fragments arrive, in bytes. */
  readonly maxMessageBytes: number;
  /** Other origins whose pages are as trusted as those of this host. */
  readonly origins: readonly string[];
  /** Called when a client is disconnected because of a limit of messages. */
  readonly onLimit: () => void;
}

/**
 * Listens for MQTT over WebSocket.
 *
 * @param options where to listen, and the limits
 * @param accept called for each connection after its handshake
 * @throws {LinkError} if it cannot listen there; with the code "tls" if the
 * certificate or the key is invalid
 */
export async function listenWebSocket(
  options: WebSocketListenerOptions,
  accept: Accept,
): Promise<Listener> {
  // Loaded here because few servers need it.
  const { WebSocketServer } = await import("ws");
  const { tls, maxMessageBytes, onLimit } = options;
  if (tls !== undefined) checkIdentity(tls);
  const server: Server = tls === undefined
    ? createHttpServer(refuse)
    : createHttpsServer({ cert: tls.cert, key: tls.key }, refuse);
  const sockets = new AdmittedSockets(server, options);
  const webSockets = new WebSocketServer({
    ...SERVER_OPTIONS,
    maxPayload: maxMessageBytes,
  });
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const admitted = sockets.find(socket);
      if (admitted === undefined) return void socket.destroy();
      webSockets.handleUpgrade(
        request,
        socket,
        head,
        (webSocket: WebSocket) => {
          admitted.markReady();
          copySmallChunks(socket);
          const isForeign = isForeignPage({
            ...{ origin: request.headers.origin, host: request.headers.host },
            localAddress: socket.localAddress,
          }, options.origins);
          accept(
            new WebSocketTransport(webSocket, admitted, onLimit, isForeign),
          );
        },
      );
    },
  );
  return await listenOn(server, sockets, options);
}

const SERVER_OPTIONS = {
  noServer: true,
  clientTracking: false,
  maxFragments: MAX_MESSAGE_FRAGMENTS,
  maxBufferedChunks: MAX_FRAME_READS,
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS, // missing in the types of the package
  handleProtocols: (offered: Set<string>) => offered.has("mqtt") && "mqtt",
} as const;

/** Answers a request that is not for a WebSocket (RFC 9110, 15.5.22). */
function refuse(
  _request: IncomingMessage,
  response: {
    writeHead(status: number, headers: Record<string, string>): unknown;
    end(text: string): unknown;
  },
): void {
  response.writeHead(426, { connection: "close", upgrade: "websocket" });
  response.end("This port accepts only MQTT over WebSocket.\n");
}

/** Makes the listener of `ws` receive copies of small chunks. */
function copySmallChunks(socket: Socket): void {
  const listeners = socket.listeners("data") as ((chunk: Buffer) => void)[];
  for (const listener of listeners) {
    socket.off("data", listener);
    socket.on("data", (chunk: Buffer) => {
      const isSmall = chunk.length < COPIED_CHUNK_BYTES;
      listener.call(socket, isSmall ? Buffer.from(chunk) : chunk);
    });
  }
}

class WebSocketTransport extends StreamTransport {
  readonly isForeignPage: boolean;
  readonly #socket: WebSocket;

  constructor(
    socket: WebSocket,
    admitted: AdmittedSocket,
    onLimit: () => void,
    isForeignPage: boolean,
  ) {
    super(socket, admitted);
    this.isForeignPage = isForeignPage;
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      // MQTT is sent in binary frames (MQTT 5, 6.0.0-1).
      if (!isBinary) return socket.close(1003, "MQTT needs binary frames");
      this.received.push(data);
    });
    socket.on("error", (error: Error) => {
      if (isMessageLimit(error)) onLimit();
      this.received.end(error);
    });
    socket.on("close", () => this.received.end());
  }

  /** Sends a frame for each call. */
  protected override send(
    bytes: Uint8Array,
    callback: (error?: Error | null) => void,
  ): void {
    this.#socket.send(bytes, callback);
  }

  override end(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#socket.close(1000);
    });
  }

  override destroy(): void {
    this.#socket.terminate();
  }
}

import { messageOf } from "../common/errors.ts";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { Buffer } from "node:buffer";
import { LinkError } from "../mqtt/link.ts";

/** Where to listen. */
export interface Endpoint {
  /** A name or address of this machine; `0.0.0.0` or `::` for all of them. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** The server's side of TLS. */
export interface TlsIdentity {
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
}

/** Something that takes connections. */
export interface Listener {
  /** As bound, with the port that was free if any was asked for. */
  readonly address: Endpoint;
  /** Takes no more connections. */
  stop(): void;
  /** Ends those that are left; resolves when the port is free. */
  close(): Promise<void>;
}

/** What is done with a client's connection. */
export type Accept = (stream: Duplex) => void;

/** Listens for MQTT over TCP. @throws {LinkError} if the endpoint cannot be had */
export function listenTcp(
  endpoint: Endpoint,
  accept: Accept,
): Promise<Listener> {
  const server = createTcpServer({ noDelay: true }, accept);
  return listen(server, endpoint);
}

/**
 * Listens for MQTT over TLS.
 *
 * @throws {LinkError} if the endpoint cannot be had, or "tls" if the certificate
 * or the key is no good
 */
export async function listenTls(
  endpoint: Endpoint & TlsIdentity,
  accept: Accept,
): Promise<Listener> {
  checkIdentity(endpoint);
  const { cert, key } = endpoint;
  const server = createTlsServer({ cert, key }, (socket) => {
    socket.setNoDelay(true);
    accept(socket);
  });
  // A client that fails the handshake is no concern of the others.
  server.on("tlsClientError", () => {});
  return await listen(server, endpoint);
}

/**
 * Listens for MQTT over WebSockets (MQTT 3.1.1, 6), with TLS if given a
 * certificate.
 *
 * @throws {LinkError} as {@linkcode listenTls}
 */
export async function listenWebSocket(
  endpoint: Endpoint & Partial<TlsIdentity>,
  accept: Accept,
  maxPayload: number,
): Promise<Listener> {
  // Loaded only where it is asked for: few are.
  const { createWebSocketStream, WebSocketServer } = await import("ws");
  const { cert, key } = endpoint;
  const secure = cert !== undefined && key !== undefined;
  if (secure) checkIdentity({ cert, key });
  const server = secure ? createHttpsServer({ cert, key }) : createHttpServer();
  const webSockets = new WebSocketServer({
    server,
    maxPayload,
    handleProtocols: (offered: Set<string>) => offered.has("mqtt") && "mqtt",
  });
  type WebSocket = Parameters<typeof createWebSocketStream>[0];
  webSockets.on("connection", (webSocket: WebSocket) => {
    const stream: Duplex = createWebSocketStream(webSocket);
    // One frame for what was written together, not one for each piece of a packet.
    stream._writev = (chunks, done) =>
      stream._write(
        Buffer.concat(chunks.map(({ chunk }) => chunk)),
        "buffer" as BufferEncoding,
        done,
      );
    accept(stream);
  });
  // It repeats the server's own errors, which listen() deals with.
  webSockets.on("error", () => {});
  return await listen(server, endpoint);
}

async function listen(server: Server, endpoint: Endpoint): Promise<Listener> {
  const sockets = new Set<Duplex>();
  server.on("connection", (socket: Duplex) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const { host, port } = endpoint;
  const bound = Promise.withResolvers<void>();
  server.once("error", bound.reject);
  try {
    server.listen(port, host, bound.resolve);
    await bound.promise;
  } catch (error) {
    throw explainListenFailure(error, endpoint);
  }
  server.removeAllListeners("error");
  server.on("error", () => {}); // of one connection that could not be taken
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const address = server.address();
  return {
    address: {
      host,
      port: address !== null && typeof address === "object"
        ? address.port
        : port,
    },
    stop: () => void server.close(),
    close: async () => {
      const open = [...sockets];
      const ended = open.map((socket) =>
        new Promise((resolve) => socket.once("close", resolve))
      );
      for (const socket of open) socket.destroy();
      // Deno 2.6 counts each connection that has closed twice, and never says
      // that the server has.
      await Promise.race([closed, Promise.all(ended)]);
    },
  };
}

/** @throws {LinkError} "tls", which Deno's servers would say to each client instead */
function checkIdentity({ cert, key }: TlsIdentity): void {
  try {
    const certificate = new X509Certificate(cert); // the first, of a chain
    if (certificate.checkPrivateKey(createPrivateKey(key))) return;
  } catch (cause) {
    throw new LinkError(
      "tls",
      `Cannot use this certificate and key: ${messageOf(cause)}`,
      { hint: "Both must be PEM text.", cause },
    );
  }
  throw new LinkError("tls", "The key is not that of the certificate", {
    hint: "Give the certificate of the server itself first, then its issuers.",
  });
}

function explainListenFailure(cause: unknown, at: Endpoint): LinkError {
  const where = `${at.host}:${at.port}`;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === "EADDRINUSE") {
    return new LinkError("in-use", `Port ${at.port} of ${at.host} is in use`, {
      hint:
        `Choose another with --listen HOST:PORT, or join the broker there with --broker mqtt://${where}.`,
      cause,
    });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new LinkError("unreachable", `No such host: ${at.host}`, {
      hint: "Listen on a name or address of this machine, such as 127.0.0.1.",
      cause,
    });
  }
  return new LinkError(
    "unreachable",
    `Cannot listen on ${where}: ${messageOf(cause)}`,
    {
      hint:
        "Listen on an address of this machine and a port that you may use (above 1023).",
      cause,
    },
  );
}

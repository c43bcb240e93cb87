/**
 * TCP, TLS and WebSocket sockets that listen for MQTT clients.
 *
 * @module
 */
import { hostAndPort } from "../common/host.ts";
import { messageOf } from "../common/errors.ts";
import { ListenerWatch } from "../common/listener_watch.ts";
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
  /** A name or address of this machine; `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** The certificate of a server. */
export interface TlsIdentity {
  /** The certificate chain, in PEM format. */
  readonly cert: string;
  /** The private key, in PEM format. */
  readonly key: string;
}

/** A socket that listens. */
export interface Listener {
  /** Where it listens, with the assigned port. */
  readonly address: Endpoint;
  /** Why no connections are accepted, for people; else undefined. */
  readonly problem: string | undefined;
  /** Stops accepting connections. */
  stop(): void;
  /** Ends the open connections. Resolves when the port is free. */
  close(): Promise<void>;
}

/** Handles a new connection. */
export type Accept = (stream: Duplex) => void;

/**
 * Listens for MQTT over TCP.
 *
 * @param endpoint where to listen
 * @param accept called for each connection
 * @throws {LinkError} if it cannot listen there
 */
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
 * @param endpoint where to listen, with the certificate
 * @param accept called for each connection
 * @throws {LinkError} if it cannot listen there; with the code "tls" if the
 * certificate or the key is invalid
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
  // A failed handshake concerns only that client.
  server.on("tlsClientError", () => {});
  return await listen(server, endpoint);
}

/**
 * Listens for MQTT over WebSocket (MQTT 3.1.1, 6).
 *
 * @param endpoint where to listen; uses TLS if it has a certificate
 * @param accept called for each connection
 * @param maxPayload the longest WebSocket message, in bytes
 * @throws {LinkError} as {@linkcode listenTls}
 */
export async function listenWebSocket(
  endpoint: Endpoint & Partial<TlsIdentity>,
  accept: Accept,
  maxPayload: number,
): Promise<Listener> {
  // Loaded here because few servers need it.
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
    const write = stream._write.bind(stream);
    // One frame for all pieces of a packet, instead of one for each.
    stream._writev = (chunks, done) =>
      write(
        Buffer.concat(chunks.map(({ chunk }) => chunk)),
        "buffer" as BufferEncoding,
        done,
      );
    accept(stream);
  });
  // The same errors as those of the server, which listen() handles.
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
  server.on("error", () => {}); // a connection could not be accepted
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const address = server.address();
  const watch = new ListenerWatch(server);
  return {
    address: {
      host,
      port: address !== null && typeof address === "object"
        ? address.port
        : port,
    },
    get problem() {
      return watch.problem;
    },
    stop: () => {
      watch.stop();
      server.close();
    },
    close: async () => {
      const open = [...sockets];
      const ended = open.map((socket) =>
        new Promise((resolve) => socket.once("close", resolve))
      );
      for (const socket of open) socket.destroy();
      // Deno 2.6 counts each closed connection twice, and does not emit the
      // server's "close".
      await Promise.race([closed, Promise.all(ended)]);
    },
  };
}

/**
 * Returns why one of the listeners accepts no connections, for people;
 * undefined if all do.
 */
export function problemOf(
  listeners: readonly (Listener | undefined)[],
): string | undefined {
  const failing = listeners.find((one) => one?.problem !== undefined);
  if (failing === undefined) return undefined;
  const { host, port } = failing.address;
  return `${hostAndPort(host, port)}: ${failing.problem}`;
}

/**
 * Checks that certificate and key belong together. Servers of Deno report a
 * mismatch only when a client connects.
 *
 * @throws {LinkError} with the code "tls" if they do not
 */
function checkIdentity({ cert, key }: TlsIdentity): void {
  try {
    const certificate = new X509Certificate(cert); // the first, of a chain
    if (certificate.checkPrivateKey(createPrivateKey(key))) return;
  } catch (cause) {
    throw new LinkError(
      "tls",
      `Cannot use this certificate and key: ${messageOf(cause)}`,
      { hint: "Both must be in PEM format.", cause },
    );
  }
  throw new LinkError(
    "tls",
    "Cannot use this certificate and key: they do not belong together",
    { hint: "The certificate of the server must be the first in its file." },
  );
}

function explainListenFailure(cause: unknown, at: Endpoint): LinkError {
  const where = hostAndPort(at.host, at.port);
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === "EADDRINUSE") {
    return new LinkError("in-use", `Cannot listen on ${where}: port in use`, {
      hint:
        `Choose another with --listen HOST:PORT, or connect to the broker there with --broker mqtt://${where}. If an occupancy server runs it, one server is enough: a second one there needs another --prefix.`,
      cause,
    });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new LinkError(
      "unreachable",
      `Cannot listen on ${where}: host not found`,
      {
        hint: "Use a name or address of this machine, such as 127.0.0.1.",
        cause,
      },
    );
  }
  const [reason, hint] = LISTEN_FAILURES[String(code)] ?? [
    messageOf(cause),
    "Use an address of this machine, and a port above 1023.",
  ];
  return new LinkError("unreachable", `Cannot listen on ${where}: ${reason}`, {
    hint,
    cause,
  });
}

const NOT_OURS = [
  "this machine does not have this address",
  "Use an address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for all networks.",
] as const;

/** Reason and hint by the code of the error. */
const LISTEN_FAILURES: Record<string, readonly [string, string]> = {
  EADDRNOTAVAIL: NOT_OURS,
  EINVAL: NOT_OURS, // what Deno reports for EADDRNOTAVAIL
  EACCES: [
    "permission denied",
    "Use a port above 1023, or give this program the right to lower ones.",
  ],
};

/**
 * MQTT over TLS. `Deno.listenTls` verifies no client certificates and cannot
 * change its certificate, so this is a server of `node:tls`.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { createServer, type TLSSocket } from "node:tls";
import { certificateName } from "../access/certificate_name.ts";
import { checkIdentity, type Listener, type TlsSettings } from "./listener.ts";
import {
  type AdmittedSocket,
  AdmittedSockets,
  listenOn,
  type NodeListenerOptions,
} from "./node_listener.ts";
import { StreamTransport } from "./stream_transport.ts";
import type { Accept } from "./transport.ts";

/** Options of {@linkcode listenTls}. */
export interface TlsListenerOptions extends NodeListenerOptions {
  readonly tls: TlsSettings;
}

/**
 * Listens for MQTT over TLS.
 *
 * @param options where to listen, the certificate and the budgets
 * @param accept called for each connection after its handshake
 * @throws {LinkError} if it cannot listen there; with the code "tls" if the
 * certificate or the key is invalid
 */
export function listenTls(
  options: TlsListenerOptions,
  accept: Accept,
): Promise<Listener> {
  const { tls } = options;
  checkIdentity(tls);
  const { cert, key, clientCa } = tls;
  const needsCertificate = clientCa !== undefined;
  const server = createServer({
    cert,
    key,
    ...(needsCertificate && { ca: clientCa }),
    requestCert: needsCertificate,
    rejectUnauthorized: needsCertificate,
  });
  const sockets = new AdmittedSockets(server, options);
  server.on("secureConnection", (socket: TLSSocket) => {
    const admitted = sockets.find(socket);
    if (admitted === undefined) return void socket.destroy();
    admitted.markReady();
    const name = needsCertificate
      ? certificateName(socket.getPeerCertificate())
      : undefined;
    accept(new TlsTransport(socket, admitted, name));
  });
  // A failed handshake concerns only that client.
  server.on("tlsClientError", () => {});
  return listenOn(server, sockets, options);
}

class TlsTransport extends StreamTransport {
  readonly #socket: TLSSocket;

  constructor(
    socket: TLSSocket,
    admitted: AdmittedSocket,
    certificateName: string | undefined,
  ) {
    super(socket, admitted, certificateName);
    this.#socket = socket;
    // Events, not read(): a lost connection would discard what has arrived.
    socket.on("data", (chunk: Buffer) => this.received.push(chunk));
    socket.on("end", () => this.received.end());
    socket.on("error", (error) => this.received.end(error));
    socket.on("close", () => this.received.end(new Error("closed")));
  }

  protected override send(
    bytes: Uint8Array,
    callback: (error?: Error | null) => void,
  ): void {
    this.#socket.write(bytes, callback);
  }

  override end(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once("close", resolve);
      this.#socket.end(resolve);
    });
  }

  override destroy(): void {
    this.#socket.destroy();
  }
}

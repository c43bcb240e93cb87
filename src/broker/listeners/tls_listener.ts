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
  endStream,
  listenOn,
  type NodeListenerOptions,
} from "./node_listener.ts";
import {
  type Accept,
  MAX_WRITE_BYTES,
  ReceivedChunks,
  type Transport,
} from "./transport.ts";

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

class TlsTransport implements Transport {
  readonly address: string;
  readonly certificateName: string | undefined;
  readonly #socket: TLSSocket;
  readonly #admitted: AdmittedSocket;
  readonly #received = new ReceivedChunks();

  constructor(
    socket: TLSSocket,
    admitted: AdmittedSocket,
    certificateName: string | undefined,
  ) {
    this.#socket = socket;
    this.#admitted = admitted;
    this.address = admitted.address;
    this.certificateName = certificateName;
    // Events, not read(): a lost connection would discard what has arrived.
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      if (this.#received.isFull) socket.pause();
    });
    socket.on("end", () => this.#received.end());
    socket.on("error", (error) => this.#received.end(error));
    socket.on("close", () => this.#received.end(new Error("closed")));
  }

  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#received.read(into);
    if (this.#socket.isPaused() && !this.#received.isFull) {
      this.#socket.resume();
    }
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    const piece = bytes.subarray(0, MAX_WRITE_BYTES);
    return new Promise((resolve, reject) =>
      this.#socket.write(
        piece,
        (error) => error ? reject(error) : resolve(piece.length),
      )
    );
  }

  end(): Promise<void> {
    return endStream(this.#socket);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  markBusy(): void {
    this.#admitted.markBusy();
  }
}

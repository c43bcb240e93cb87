/**
 * What the listeners on servers of `node:net` have in common: those for TLS and
 * for WebSocket.
 *
 * @module
 */
import type { Server, Socket } from "node:net";
import { ListenerWatch } from "../../common/listener_watch.ts";
import type { Admission } from "./admission.ts";
import {
  type Endpoint,
  explainListenFailure,
  type Listener,
  type TlsSettings,
} from "./listener.ts";

/** Options of {@linkcode listenOn}. */
export interface NodeListenerOptions {
  readonly endpoint: Endpoint;
  readonly admission: Admission;
  /** How long a handshake may take, in ms. */
  readonly handshakeTimeoutMs: number;
}

/** An accepted socket of a server. */
export interface AdmittedSocket {
  /** The IP address of the client. */
  readonly address: string;
  /** Call it after the handshake. */
  markReady(): void;
  /** Call it after the login. */
  markBusy(): void;
}

/** The sockets of a server, within the budgets of the broker. */
export class AdmittedSockets {
  readonly #admission: Admission;
  /** By address and port of the client, with the end of the handshake. */
  readonly #open = new Map<
    string,
    { socket: Socket; timer: ReturnType<typeof setTimeout> }
  >();

  /**
   * @param server not listening yet
   * @param options the budgets
   */
  constructor(
    server: Server,
    { admission, handshakeTimeoutMs }: NodeListenerOptions,
  ) {
    this.#admission = admission;
    // Before the server's own listener, which begins a handshake.
    server.prependListener("connection", (socket: Socket) => {
      if (!admission.add(socket, socket.remoteAddress ?? "")) {
        socket.on("error", () => {});
        socket.destroy();
        return;
      }
      const key = keyOf(socket);
      const timer = setTimeout(() => socket.destroy(), handshakeTimeoutMs);
      this.#open.set(key, { socket, timer });
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      socket.once("close", () => {
        clearTimeout(timer);
        this.#open.delete(key);
        admission.remove(socket);
      });
    });
  }

  /**
   * Returns the accepted socket of a TLS socket, or of itself.
   *
   * @param secure a socket that the server emits
   * @returns undefined if it is closed already
   */
  find(secure: Socket): AdmittedSocket | undefined {
    const open = this.#open.get(keyOf(secure));
    if (open === undefined) return undefined;
    const { socket, timer } = open;
    return {
      address: socket.remoteAddress ?? "",
      markReady: () => clearTimeout(timer),
      markBusy: () => this.#admission.setBusy(socket),
    };
  }

  /** Closes all. Resolves when they are closed. */
  async close(): Promise<void> {
    const open = Array.from(this.#open.values(), ({ socket }) => socket);
    const closed = open.map((socket) =>
      new Promise((resolve) => socket.once("close", resolve))
    );
    for (const socket of open) socket.destroy();
    await Promise.all(closed);
  }
}

/** The TLS socket of a server is not the socket that it has accepted. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** A server with TLS, of `node:tls` or `node:https`. */
interface TlsServer extends Server {
  setSecureContext(options: {
    cert: string;
    key: string;
    ca?: string | undefined;
  }): void;
}

/**
 * Starts to listen.
 *
 * @param server not listening yet
 * @param sockets those of the server
 * @param options where to listen
 * @throws {LinkError} if it cannot listen there
 */
export async function listenOn(
  server: Server,
  sockets: AdmittedSockets,
  { endpoint }: NodeListenerOptions,
): Promise<Listener> {
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
  const stop = () => {
    watch.stop();
    server.close();
  };
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
    reload: (settings: TlsSettings) => {
      if (!("setSecureContext" in server)) return;
      const { cert, key, clientCa } = settings;
      (server as TlsServer).setSecureContext({ cert, key, ca: clientCa });
    },
    stop,
    close: async () => {
      stop();
      // Deno 2.6 counts each closed connection twice, and does not emit the
      // server's "close".
      await Promise.race([closed, sockets.close()]);
    },
  };
}

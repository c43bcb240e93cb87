/**
 * MQTT over TCP (MQTT 5, 4.2). `Deno.listen` is far faster than the streams of
 * `node:net`.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { messageOf } from "../../common/errors.ts";
import type { Admission } from "./admission.ts";
import {
  type Endpoint,
  explainListenFailure,
  type Listener,
} from "./listener.ts";
import type { Accept, Transport } from "./transport.ts";

/** Wait after a failed accept, such as one without a free descriptor. */
const RETRY_INTERVAL_MS = 500;
/** Connections that the operating system keeps until they are accepted. */
const BACKLOG = 1024;

/**
 * Listens for MQTT over TCP.
 *
 * @param endpoint where to listen
 * @param admission the budgets of connections
 * @param accept called for each connection
 * @throws {LinkError} if it cannot listen there
 */
export function listenTcp(
  endpoint: Endpoint,
  admission: Admission,
  accept: Accept,
): Listener {
  const { host: hostname, port } = endpoint;
  try {
    const listener = Deno.listen({ hostname, port, tcpBacklog: BACKLOG });
    return new TcpListener(listener, hostname, admission, accept);
  } catch (error) {
    throw explainListenFailure(error, endpoint);
  }
}

class TcpListener implements Listener {
  readonly address: Endpoint;
  problem: string | undefined;
  readonly #listener: Deno.TcpListener;
  readonly #admission: Admission;
  readonly #accept: Accept;
  readonly #open = new Set<TcpTransport>();
  readonly #stopped = new AbortController();
  readonly #accepting: Promise<void>;

  constructor(
    listener: Deno.TcpListener,
    host: string,
    admission: Admission,
    accept: Accept,
  ) {
    this.#listener = listener;
    this.address = { host, port: listener.addr.port };
    this.#admission = admission;
    this.#accept = accept;
    this.#accepting = this.#acceptAll();
  }

  reload(): void {}

  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    this.#listener.close();
  }

  async close(): Promise<void> {
    this.stop();
    for (const transport of this.#open) transport.destroy();
    await this.#accepting;
  }

  async #acceptAll(): Promise<void> {
    const { signal } = this.#stopped;
    let clearing: ReturnType<typeof setTimeout> | undefined;
    while (!signal.aborted) {
      try {
        const connection = await this.#listener.accept();
        this.problem = undefined;
        this.#add(connection);
      } catch (error) {
        if (signal.aborted) break;
        clearTimeout(clearing);
        this.problem = (error as { code?: string }).code === "EMFILE"
          ? "the process has no free file descriptor"
          : messageOf(error);
        await delay(RETRY_INTERVAL_MS, signal);
        // The next call fails at once, unless no client waits.
        clearing = setTimeout(
          () => this.problem = undefined,
          RETRY_INTERVAL_MS,
        );
        Deno.unrefTimer(clearing);
      }
    }
    clearTimeout(clearing);
  }

  #add(connection: Deno.TcpConn): void {
    const { hostname } = connection.remoteAddr;
    const transport = new TcpTransport(connection, hostname, {
      admission: this.#admission,
      open: this.#open,
    });
    if (!this.#admission.add(transport, hostname)) {
      connection.close();
      return;
    }
    this.#open.add(transport);
    this.#accept(transport);
  }
}

/** What a connection leaves when it ends. */
interface Owner {
  readonly admission: Admission;
  readonly open: Set<TcpTransport>;
}

class TcpTransport implements Transport {
  readonly address: string;
  readonly certificateName = undefined;
  readonly #connection: Deno.TcpConn;
  readonly #owner: Owner;
  #isDestroyed = false;
  /** The number of writes, up to 2. */
  #writes = 0;

  constructor(connection: Deno.TcpConn, address: string, owner: Owner) {
    this.#connection = connection;
    this.address = address;
    this.#owner = owner;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#connection.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    // The first write, CONNACK, is not delayed in any case.
    if (this.#writes < 2 && ++this.#writes === 2) {
      this.#set((connection) => connection.setNoDelay());
    }
    return this.#connection.write(bytes);
  }

  async end(): Promise<void> {
    try {
      await this.#connection.closeWrite();
    } catch {
      // The client has closed the connection.
    }
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#owner.open.delete(this);
    this.#owner.admission.remove(this);
    this.#connection.close();
  }

  markBusy(isSilent: boolean): void {
    this.#owner.admission.setBusy(this);
    if (isSilent) this.#set((connection) => connection.setKeepAlive());
  }

  #set(option: (connection: Deno.TcpConn) => void): void {
    try {
      option(this.#connection);
    } catch {
      // The connection is closed already: the next read reports it.
    }
  }
}

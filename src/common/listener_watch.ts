/**
 * Detects that a listening socket no longer accepts connections.
 *
 * @module
 */
import { connect, Server } from "node:net";
import { hostAndPort } from "./host.ts";

/** How often it is checked that connections are accepted. */
const CHECK_INTERVAL_MS = 2000;
/** The same while they are not. */
const RETRY_INTERVAL_MS = 500;
/** Maximum time to accept a connection. */
const ACCEPT_TIMEOUT_MS = 1000;

/**
 * Watches a listening server. If it has accepted no connection for some time,
 * it connects to the server itself. If that is not accepted, the server listens
 * again on the same port: after the process had no free file descriptor (EMFILE)
 * a socket of Deno accepts nothing any more, without an error.
 *
 * Open connections are kept.
 */
export class ListenerWatch {
  readonly #server: Server;
  readonly #host: string;
  readonly #port: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #accepted = 0;
  /** Ends the probe in progress. */
  #endProbe: () => void = () => {};
  #stopped = false;
  /** Why no connections are accepted, for people; else undefined. */
  problem: string | undefined;

  /** @param server listening on a port */
  constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    const isTcp = address !== null && typeof address === "object";
    this.#host = isTcp ? address.address : "";
    this.#port = isTcp ? address.port : 0;
    // In old versions of Deno an HTTP server is not one of node:net, and does
    // not report connections. With --allow-net=HOST:0 the assigned port may not
    // be connected to.
    if (!(server instanceof Server) || !isTcp || !this.#mayConnect) return;
    server.on("connection", () => {
      this.#accepted++;
      this.problem = undefined;
    });
    void this.#start();
  }

  /** Begins the checks, if the network lets the process connect to itself. */
  async #start(): Promise<void> {
    await this.#connect();
    if (this.#accepted > 0 && !this.#stopped) this.#schedule(CHECK_INTERVAL_MS);
  }

  /** Ends the checks. Safe to call twice. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#endProbe();
  }

  /** Where to connect to. */
  get #target(): string {
    return WILDCARDS[this.#host] ?? this.#host;
  }

  get #mayConnect(): boolean {
    return [this.#target, this.#host].every((host) =>
      Deno.permissions.querySync({
        name: "net",
        host: hostAndPort(host, this.#port),
      }).state === "granted"
    );
  }

  #schedule(ms: number): void {
    const before = this.#accepted;
    this.#timer = setTimeout(async () => {
      if (this.#accepted === before) await this.#check();
      if (this.#stopped) return;
      this.#schedule(
        this.problem === undefined ? CHECK_INTERVAL_MS : RETRY_INTERVAL_MS,
      );
    }, ms);
  }

  async #check(): Promise<void> {
    const before = this.#accepted;
    const error = await this.#connect();
    if (this.#stopped || this.#accepted > before) return;
    if (error !== undefined && NO_DESCRIPTOR.has(error.code)) {
      this.problem = "the process has no free file descriptor";
      return;
    }
    this.problem = "the listening socket accepts nothing";
    await this.#listenAgain();
  }

  /** Connects and waits until the connection is accepted, or the time is up. */
  #connect(): Promise<(Error & { code?: string }) | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const probe = connect(this.#port, this.#target);
    const end = (error?: Error) => {
      clearTimeout(timer);
      this.#server.off("connection", onAccept);
      probe.destroy();
      resolve(error);
    };
    const onAccept = () => end();
    const timer = setTimeout(end, ACCEPT_TIMEOUT_MS);
    this.#server.once("connection", onAccept);
    probe.on("error", end);
    this.#endProbe = onAccept;
    return promise;
  }

  async #listenAgain(): Promise<void> {
    const server = this.#server;
    const { promise, resolve } = Promise.withResolvers<void>();
    const onError = () => resolve(); // tried again at the next check
    server.on("error", onError);
    Server.prototype.close.call(server);
    server.listen(this.#port, this.#host, resolve);
    await promise;
    server.off("error", onError);
  }
}

const NO_DESCRIPTOR: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE"]);
/** How to connect to an address that means all. */
const WILDCARDS: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

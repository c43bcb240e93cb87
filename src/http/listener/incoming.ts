/**
 * Requests as they arrive, and their conversion to the Request of the Web.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { hostAndPort } from "../../common/host.ts";
import { bodyStream } from "./body_stream.ts";
import type { Upgrade } from "./web_socket.ts";

/** The members of the Web's `Request` that handlers use. */
export type WebRequest = Pick<Request, "method" | "url" | "headers" | "body">;

/** A request whose head is complete. */
export interface Incoming {
  readonly method: string;
  /** As in the request line: a path with query, an address, or `*`. */
  readonly target: string;
  readonly headers: Headers;
  /** The IP address of the other end of the connection. */
  readonly address: string;
  /** The own address of the connection, such as `127.0.0.1:8080`. */
  readonly ownHost: string;
  /**
   * Returns the request with its body.
   *
   * @param url its URL, from `urlOf`
   */
  toRequest(url: URL): WebRequest;
  /** Ends the connection at once. */
  disconnect(): void;
  /**
   * Turns the connection into a WebSocket; undefined if the request is not a
   * handshake.
   */
  readonly upgrade?: Upgrade | undefined;
}

/** Options of {@linkcode incomingOf}. */
export interface IncomingOptions {
  /** Called before the first piece of the body is read. */
  readonly onBodyRead?: () => void;
  readonly upgrade?: Upgrade;
}

/**
 * Wraps a request of Node.js.
 *
 * @throws {TypeError} if a header is malformed
 */
export function incomingOf(
  message: IncomingMessage,
  { onBodyRead = () => {}, upgrade }: IncomingOptions = {},
): Incoming {
  const { method = "GET", url: target = "/", socket } = message;
  const headers = headersOf(message.rawHeaders);
  return {
    method,
    target,
    headers,
    address: plainAddress(socket.remoteAddress ?? ""),
    ownHost: hostAndPort(
      plainAddress(socket.localAddress ?? ""),
      socket.localPort ?? 0,
    ),
    toRequest: (url) => new BodyRequest(message, headers, url.href, onBodyRead),
    disconnect: () => socket.destroy(),
    upgrade,
  };
}

/**
 * A request with a body that is a stream only if it is read. The constructor of
 * `Request` takes longer than the rest of a small request.
 */
class BodyRequest implements WebRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly #message: IncomingMessage;
  readonly #onBodyRead: () => void;
  #body: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  constructor(
    message: IncomingMessage,
    headers: Headers,
    url: string,
    onBodyRead: () => void,
  ) {
    this.method = message.method ?? "GET";
    this.url = url;
    this.headers = headers;
    this.#message = message;
    this.#onBodyRead = onBodyRead;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    const hasBody = this.headers.has("content-length") ||
      this.headers.has("transfer-encoding");
    if (!hasBody) return null;
    return this.#body ??= bodyStream(this.#message, this.#onBodyRead);
  }
}

function headersOf(rawHeaders: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  return headers;
}

/** Returns an IPv4 address in IPv6 (`::ffff:192.0.2.1`) as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".")
    ? address.slice("::ffff:".length)
    : address;
}

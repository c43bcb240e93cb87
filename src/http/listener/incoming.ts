/**
 * Requests as they arrive, and their conversion to the Request of the Web.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { hostAndPort } from "../../common/host.ts";
import { bodyStream } from "./body_stream.ts";
import { forbiddenMethod } from "./refusals.ts";
import type { Upgrade } from "./web_socket.ts";

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
   * @throws {Problem} 405 for a method that `Request` does not allow
   */
  toRequest(url: URL): Request;
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
    toRequest: (url) => {
      if (FORBIDDEN_METHODS.includes(method)) throw forbiddenMethod();
      const hasBody = method !== "GET" && method !== "HEAD" &&
        (headers.has("content-length") || headers.has("transfer-encoding"));
      return new Request(url, {
        method,
        headers,
        ...(hasBody && { body: bodyStream(message, onBodyRead) }),
      });
    },
    upgrade,
  };
}

/** Methods that `Request` does not allow (Fetch, 2.2.1). */
const FORBIDDEN_METHODS: readonly string[] = ["CONNECT", "TRACE", "TRACK"];

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

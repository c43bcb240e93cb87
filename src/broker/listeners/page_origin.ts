/**
 * Pages that open a WebSocket. A browser lets each page connect to each address
 * that its user reaches, and sends the origin of the page (RFC 6455, 10.2).
 *
 * @module
 */
import { isLoopback } from "../../feed/hosts.ts";

/** The request of a WebSocket. */
export interface PageRequest {
  /** The header `Origin`; undefined: it does not come from a page. */
  readonly origin: string | undefined;
  /** The header `Host`. */
  readonly host: string | undefined;
  /** The address at which the connection arrived. */
  readonly localAddress: string | undefined;
}

/**
 * Returns true if a page opened the WebSocket that is not from the host of the
 * broker (any port), and not from one of the given origins.
 *
 * On a loopback address, only names of this machine count as its host: a name
 * in DNS can be changed to that address after the page was loaded.
 *
 * @param request of the WebSocket
 * @param allowed origins, as in the header: `https://home.example:8123`
 */
export function isForeignPage(
  { origin, host, localAddress }: PageRequest,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(origin)) return false;
  const page = URL.parse(origin)?.hostname;
  const own = URL.parse(`http://${host}`)?.hostname;
  // "null" is the origin of a file or a sandbox.
  if (page === undefined || page === "" || own === undefined) return true;
  const local = localAddress?.replace(/^::ffff:/, "") ?? "";
  if (isLoopback(local)) return !isLoopback(page) || !isLoopback(own);
  return page !== own;
}

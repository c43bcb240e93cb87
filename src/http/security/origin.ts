/**
 * Refuses requests with a Host name of another machine, and requests that a
 * page of another origin sends.
 *
 * @module
 */
import { quote } from "../../protocol/text.ts";
import { Problem } from "../problem.ts";

const LOCAL_NAME =
  /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Returns true for an address or name that only this machine can reach. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.toLowerCase();
  return LOCAL_NAME.test(bare) || bare === "::1";
}

/**
 * Refuses Host names other than this machine's own, against DNS rebinding: a
 * page of another site can make its name resolve to 127.0.0.1. For a browser it
 * then has the same origin, but the Host header has the name of that site.
 *
 * @throws {Problem} 421
 */
export function checkHost(request: Request): void {
  const host = request.headers.get("host") ?? "";
  if (isLoopback(host.replace(/:\d{1,5}$/, ""))) return;
  throw new Problem({
    status: 421,
    code: "bad-host",
    message: `The host name ${quote(host)} is not allowed`,
    hint:
      "Use localhost, or start the server with --http-token-file to allow other names.",
  });
}

/**
 * Refuses requests that a page of another origin makes a browser send.
 *
 * Browsers send `Sec-Fetch-Site` (Fetch Metadata); older ones only `Origin`
 * (RFC 6454). Requests with neither are from other programs and are allowed.
 * Behind a proxy the name that the browser uses is in `X-Forwarded-Host`, which
 * no page can set for another origin.
 *
 * @throws {Problem} 403
 */
export function checkSameOrigin(request: Request): void {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const own = site === null
    ? origin === null || isOwn(origin, headers)
    : site === "same-origin" || site === "none";
  if (own) return;
  throw new Problem({
    status: 403,
    code: "foreign-origin",
    message: `Pages of ${
      origin === null ? "other origins" : quote(origin)
    } may not send this request`,
    hint: "Send it from a page of this server or from a program.",
  });
}

function isOwn(origin: string, headers: Headers): boolean {
  let host: string;
  try {
    host = new URL(origin).host; // the origin of a sandbox is "null", not a URL
  } catch {
    return false;
  }
  return host === headers.get("host") ||
    host === headers.get("x-forwarded-host");
}
